/**
 * Errors as they are sent: a `copyable` of type `twisted.python.failure.Failure`, all of whose fields are byte strings; and
 * the names that their types have there.
 *
 * A class that was given a name has that one; any other is `javascript.<Name>`, with Python types of the same meaning among its
 * parents, so that Python's `failure.check(...)` matches what makes sense there.
 *
 * A peer learns an error's type and message, no paths of this machine, and its stack only if the Tub says so.
 *
 * Source: Foolscap `call.py`, `FailureSlicer`. Unlike there, texts are cut by bytes: Python
 * counts characters, and its receiver refuses what is then too long.
 *
 * @module
 */

import { PermissionDenied, RemoteException, toError } from "../errors.ts";
import { refuseAdapters } from "../graph/adapters.ts";
import type { Slicer, Slicing } from "../graph/slicing.ts";
import { MAX_FAILURE_BYTES } from "../limits.ts";
import { redact, withoutPaths } from "../util/redact.ts";
import { encodeText, truncateUtf8 } from "../util/text.ts";
import { denialType, namesOf, remoteOf } from "./remote_errors.ts";

const ROOT = ["builtins.Exception", "builtins.BaseException", "builtins.object"];

/** What a name means in Python. */
const MEANINGS: ReadonlyMap<string, readonly string[]> = new Map([
  ["TypeError", ["builtins.TypeError"]],
  ["RangeError", ["builtins.ValueError"]],
  ["SyntaxError", ["builtins.ValueError"]],
  ["URIError", ["builtins.ValueError"]],
  ["ReferenceError", ["builtins.NameError"]],
  ["TimeoutError", ["builtins.TimeoutError", "builtins.OSError"]],
  ["AbortError", ["twisted.internet.defer.CancelledError"]],
  ["NotSupported", ["builtins.NotImplementedError"]],
  // Deno's own errors
  ["NotFound", ["builtins.FileNotFoundError", "builtins.OSError"]],
  ["AlreadyExists", ["builtins.FileExistsError", "builtins.OSError"]],
  ["PermissionDenied", ["builtins.PermissionError", "builtins.OSError"]],
  ["NotCapable", ["builtins.PermissionError", "builtins.OSError"]],
  ["TimedOut", ["builtins.TimeoutError", "builtins.OSError"]],
  ["ConnectionRefused", ["builtins.ConnectionRefusedError", "builtins.OSError"]],
  ["ConnectionReset", ["builtins.ConnectionResetError", "builtins.OSError"]],
  ["BrokenPipe", ["builtins.BrokenPipeError", "builtins.OSError"]],
]);

/** The type of an error and all that it derives from, most specific first; never empty. */
function wireTypesOf(error: Error): string[] {
  if (error instanceof RemoteException) {
    return distinct([error.remoteType || "javascript.RemoteException", ...error.remoteParents]);
  }
  const types: string[] = [];
  const limit = error instanceof PermissionDenied ? denialType(error) : undefined;
  const python: string[] = [];
  for (const { name, named } of classesOf(error)) {
    types.push(named?.[0] ?? `javascript.${name}`);
    python.push(...(named?.slice(1) ?? MEANINGS.get(name) ?? []));
  }
  // A class that says which Python type it is has Python's parents, and not also JavaScript's.
  const isPython = !types[0]!.startsWith("javascript.");
  const own = isPython ? types.filter((name) => name !== "javascript.Error") : types;
  return distinct([...own, ...(limit === undefined ? [] : [limit]), ...python, ...ROOT]);
}

interface ErrorClassNames {
  /** The name that the class has in JavaScript. */
  readonly name: string;
  /** Those that it was given for the wire. */
  readonly named: readonly string[] | undefined;
}

/** The classes of an error, most specific first, from the first one that has been given a name, if one has. */
function classesOf(error: Error): ErrorClassNames[] {
  const classes: ErrorClassNames[] = [];
  try {
    let prototype: object | null = Object.getPrototypeOf(error);
    for (; prototype !== null && prototype !== Object.prototype && classes.length < 50;) {
      const named = namesOf(prototype);
      const { constructor: type } = prototype as { constructor?: unknown };
      if (typeof type === "function") classes.push({ name: plainName(type.name), named });
      prototype = Object.getPrototypeOf(prototype);
    }
    const given = plainName(error.name);
    // An error that was only given a name, and a DOMException, which is told from others by it.
    if (classes.every(({ name }) => name !== given)) classes.unshift({ name: given, named: undefined });
  } catch {
    // A strange object: it is an error, and that is all there is to say.
  }
  if (classes.length === 0) return [{ name: "Error", named: undefined }];
  const first = classes.findIndex(({ named }) => named !== undefined);
  return first > 0 ? classes.slice(first) : classes;
}

function plainName(name: unknown): string {
  return typeof name === "string" && /^[A-Za-z_$][\w$.]{0,99}$/.test(name) ? name : "Error";
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** The type of a failure on the wire. */
export const FAILURE_TYPE = "twisted.python.failure.Failure";

/** What stands for a traceback that is kept secret; Foolscap's own words. */
const NO_TRACEBACK = "Traceback unavailable\n";

/** The four fields of a failure, in the order in which Python sends them. */
export interface FailureFields {
  readonly value: string;
  readonly type: string;
  readonly traceback: string;
  readonly parents: readonly string[];
}

/** A message is looked through for what must not leave only as far as this: far more than is sent. */
const MESSAGE_CHARACTERS = 8_192;
/** So is a stack, which is sent from both ends. */
const STACK_CHARACTERS = 65_536;

/**
 * What a peer is told of an error. Never throws, whatever the error's own code does.
 *
 * @param exposes Whether it is told the stack, and paths in messages.
 */
export function failureOf(thrown: unknown, exposes: boolean): FailureFields {
  try {
    return describe(toError(thrown), exposes);
  } catch {
    return { value: "", type: "javascript.Error", traceback: NO_TRACEBACK, parents: ["javascript.Error"] };
  }
}

function describe(thrown: Error, exposes: boolean): FailureFields {
  // What was made of a peer's failure goes on as that failure.
  const error = remoteOf(thrown) ?? thrown;
  const types = wireTypesOf(error);
  const [type = "javascript.Error"] = types;
  const message = redact(textOf(() => error.message, MESSAGE_CHARACTERS));
  // What another peer said names no paths of this machine.
  const keepsPaths = exposes || error instanceof RemoteException;
  return {
    value: cut(keepsPaths ? message : withoutPaths(message), MAX_FAILURE_BYTES.value),
    type: cut(type.toWellFormed(), MAX_FAILURE_BYTES.type),
    traceback: exposes ? cutMiddle(redact(tracebackOf(error))) : NO_TRACEBACK,
    parents: types.slice(0, MAX_FAILURE_BYTES.parents).map((parent) =>
      cut(parent.toWellFormed(), MAX_FAILURE_BYTES.type)
    ),
  };
}

function tracebackOf(error: Error): string {
  if (error instanceof RemoteException) return error.remoteTraceback.toWellFormed();
  return textOf(() => error.stack ?? "", STACK_CHARACTERS) || NO_TRACEBACK;
}

/** Text that the program's own code gives, which may throw or not be text at all. */
function textOf(get: () => unknown, maxCharacters: number): string {
  try {
    return String(get()).slice(0, maxCharacters).toWellFormed();
  } catch {
    return "";
  }
}

function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || encodeText(text).length <= maxBytes) return text;
  return `${truncateUtf8(text, maxBytes - 3)}..`;
}

/** The beginning and the end of a text that is too long, as Foolscap does it. */
function cutMiddle(text: string): string {
  const bytes = encodeText(text);
  if (bytes.length <= MAX_FAILURE_BYTES.traceback - 100) return text;
  const end = new TextDecoder().decode(bytes.subarray(bytes.length - 1150)).replace(/^\ufffd+/, "");
  return `${truncateUtf8(text, 700)}\n\n-- TRACEBACK ELIDED --\n\n${end}`;
}

/** Writes a failure. */
export function sliceFailure(failure: FailureFields, out: Slicing): void {
  const encoder = out.encoder;
  const number = encoder.open("copyable");
  encoder.word(FAILURE_TYPE);
  encoder.word("value");
  encoder.word(failure.value);
  encoder.word("type");
  encoder.word(failure.type);
  encoder.word("traceback");
  encoder.word(failure.traceback);
  encoder.word("parents");
  const list = encoder.open("list");
  for (const parent of failure.parents) encoder.word(parent);
  encoder.close(list);
  encoder.close(number);
}

refuseAdapters([RemoteException.prototype]);

/** The slicer of a failure that is passed on as a value: it goes as it came. */
export function failureSlicers(exposes: boolean): readonly (readonly [object, Slicer])[] {
  return [[
    RemoteException.prototype,
    (error: RemoteException, out: Slicing) => sliceFailure(failureOf(error, exposes), out),
  ]];
}
