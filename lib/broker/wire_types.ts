/**
 * The names of error types on the wire, such that Python's `failure.check(...)` matches what makes sense there.
 *
 * Foolscap's own errors have their Foolscap names; others are `javascript.<Name>`, with the Python types among their
 * parents that mean the same.
 *
 * @module
 */

import {
  CertificateError,
  DeadReferenceError,
  DuplicateConnectionError,
  FileError,
  FurlError,
  NegotiationError,
  NoLocationError,
  NoLocationHintsError,
  ProtocolError,
  RemoteException,
  RemoteNegotiationError,
  UnreachableError,
  Violation,
  WrongNameError,
  WrongTubIdError,
} from "../errors.ts";

const ROOT = ["builtins.Exception", "builtins.BaseException", "builtins.object"];

/** Foolscap's names, most specific class first. */
const FOOLSCAP: readonly (readonly [abstract new (...args: never[]) => Error, readonly string[]])[] = [
  [Violation, ["foolscap.tokens.Violation"]],
  [DeadReferenceError, ["foolscap.ipb.DeadReferenceError"]],
  [ProtocolError, ["foolscap.tokens.BananaError"]],
  [DuplicateConnectionError, ["foolscap.tokens.DuplicateConnection", "foolscap.tokens.NegotiationError"]],
  [RemoteNegotiationError, ["foolscap.tokens.RemoteNegotiationError", "foolscap.tokens.NegotiationError"]],
  [NegotiationError, ["foolscap.tokens.NegotiationError"]],
  [NoLocationError, ["foolscap.tokens.NoLocationError"]],
  [WrongTubIdError, ["foolscap.tokens.WrongTubIdError", "foolscap.furl.BadFURLError", "builtins.ValueError"]],
  [WrongNameError, ["foolscap.tokens.WrongNameError", "foolscap.furl.BadFURLError", "builtins.ValueError"]],
  [FurlError, ["foolscap.furl.BadFURLError", "builtins.ValueError"]],
  [NoLocationHintsError, [
    "foolscap.tokens.NoLocationHintsError",
    "builtins.ConnectionError",
    "builtins.OSError",
  ]],
  [UnreachableError, ["javascript.UnreachableError", "builtins.ConnectionError", "builtins.OSError"]],
  [FileError, ["javascript.FileError", "builtins.OSError"]],
  [CertificateError, ["javascript.CertificateError", "builtins.ValueError"]],
];

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

/** What a class of errors may say of itself. */
interface Described {
  /** Its name on the wire. */
  wireType?: unknown;
  /** Python types that mean the same. */
  wireParents?: unknown;
}

/** The type of an error and all that it derives from, most specific first; never empty. */
export function wireTypesOf(error: Error): string[] {
  if (error instanceof RemoteException) {
    return distinct([error.remoteType || "javascript.RemoteException", ...error.remoteParents]);
  }
  const foolscap = FOOLSCAP.find(([type]) => error instanceof type);
  if (foolscap !== undefined) return distinct([...foolscap[1], ...ROOT]);
  const own: string[] = [];
  const python: string[] = [];
  const names = classNames(error);
  for (const { name, described } of names) {
    own.push(typeof described.wireType === "string" ? described.wireType : `javascript.${name}`);
    if (Array.isArray(described.wireParents)) python.push(...described.wireParents.map(String));
    python.push(...(MEANINGS.get(name) ?? []));
  }
  // A class that says which Python type it is has Python's parents, and not also JavaScript's.
  const isPython = !own[0]!.startsWith("javascript.");
  const named = isPython ? own.filter((name) => name !== "javascript.Error") : own;
  return distinct([...named, ...python, ...ROOT]);
}

function classNames(error: Error): { name: string; described: Described }[] {
  const names: { name: string; described: Described }[] = [];
  try {
    let prototype: object | null = Object.getPrototypeOf(error);
    for (; prototype !== null && prototype !== Object.prototype && names.length < 50;) {
      const type = (prototype as { constructor?: unknown }).constructor;
      if (typeof type === "function") {
        // A static of the class itself: not one that it inherits.
        const described: Described = Object.hasOwn(type, "wireType") || Object.hasOwn(type, "wireParents")
          ? type as Described
          : {};
        names.push({ name: plainName(type.name), described });
      }
      prototype = Object.getPrototypeOf(prototype);
    }
    const given = plainName(error.name);
    // An error that was only given a name, and a DOMException, which is told from others by it.
    if (names.every(({ name }) => name !== given)) names.unshift({ name: given, described: {} });
  } catch {
    // A strange object: it is an error, and that is all there is to say.
  }
  return names.length > 0 ? names : [{ name: "Error", described: {} }];
}

function plainName(name: unknown): string {
  return typeof name === "string" && /^[A-Za-z_$][\w$.]{0,99}$/.test(name) ? name : "Error";
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
