/**
 * Built-ins of Node that are loaded when they are first used, by code that cannot wait for an `import()`.
 *
 * `node:crypto` takes 20 ms to load with all that it needs, before the first line of the program runs; most programs hash
 * nothing before they connect.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type crypto from "node:crypto";
import type path from "node:path";
import type url from "node:url";

let loadedCrypto: typeof crypto | undefined;

/** `node:crypto`. */
export function nodeCrypto(): typeof crypto {
  // deno-lint-ignore no-process-global -- to import node:process is to load what this is to avoid
  return loadedCrypto ??= process.getBuiltinModule("node:crypto");
}

/** `node:url`. */
export function nodeUrl(): typeof url {
  // deno-lint-ignore no-process-global -- as above
  return process.getBuiltinModule("node:url");
}

/** `Buffer` of `node:buffer`. */
export function nodeBuffer(): typeof Buffer {
  // deno-lint-ignore no-process-global -- as above
  return process.getBuiltinModule("node:buffer").Buffer;
}

/** `node:path`. */
export function nodePath(): typeof path {
  // deno-lint-ignore no-process-global -- as above
  return process.getBuiltinModule("node:path");
}
