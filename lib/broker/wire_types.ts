/**
 * The names of error types on the wire, such that Python's `failure.check(...)` matches what makes sense there.
 *
 * Classes that have been given a name have that one; others are `javascript.<Name>`, with the Python types among their
 * parents that mean the same.
 *
 * @module
 */

import { PermissionDenied, RemoteException } from "../errors.ts";
import { denialType, namesOf } from "./remote_errors.ts";

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
export function wireTypesOf(error: Error): string[] {
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
