/**
 * Every public error of the library, typed by what it destroys: nothing, a call, a reference, a
 * connection, or the attempt to make one.
 *
 * No message here ever carries a swissnum, a private key or a path of this machine.
 *
 * @module
 */

import type { ConnectionInfo } from "./connection_info.ts";

/** Where and why: the two things that every error of this library may carry. */
export interface ErrorDetails {
  /** The place in the value or the message, such as `arguments[0].tags[2]`. */
  readonly where?: string | undefined;
  /** What led to this error. Never sent to a peer. */
  readonly cause?: unknown;
}

function withWhere(message: string, where: string | undefined): string {
  return where === undefined || where === "" ? message : `${message} (at ${where})`;
}

/**
 * One value may not cross the wire: it cannot be sent, or it broke a limit or a constraint.
 * Destroys: one call. The connection goes on.
 *
 * On the wire: `foolscap.tokens.Violation`.
 *
 * @example
 * ```ts
 * import { serialize, Violation } from "../mod.ts";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => serialize({ tags: ["a", Symbol("b")] }), Violation);
 * ```
 */
export class Violation extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "Violation";
  /** The place in the value, such as `arguments[0].tags[2]`; empty when it is the whole value. */
  readonly where: string;

  /** A Violation with a reason and, where it is known, the place. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(withWhere(message, details.where), { cause: details.cause });
    this.where = details.where ?? "";
  }
}

/** What a peer said about an exception of its own. */
export interface RemoteExceptionDetails extends ErrorDetails {
  /** The type as the peer names it, such as `builtins.ValueError`. */
  readonly remoteType: string;
  /** The type and all that it derives from, most specific first. */
  readonly remoteParents: readonly string[];
  /** The peer's traceback, or `Traceback unavailable\n`. Text of a stranger. */
  readonly remoteTraceback: string;
  /**
   * The method that was called, without `remote_`; empty for a function.
   *
   * @default not known
   */
  readonly method?: string | undefined;
}

/**
 * The peer's method failed. Destroys: one call.
 *
 * Its `stack` names the functions of this program that awaited the call, where they did so directly, and `method` what they
 * called.
 *
 * Foolscap: `CopiedFailure`, `RemoteException`.
 *
 * @example Telling one remote type from another
 * ```ts
 * import { RemoteException } from "../mod.ts";
 *
 * function isMissing(error: unknown): boolean {
 *   return error instanceof RemoteException && error.check("builtins.KeyError") !== undefined;
 * }
 * isMissing(new Error("local"));
 * ```
 */
export class RemoteException extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "RemoteException";
  /** The type as the peer names it, such as `builtins.ValueError`. */
  readonly remoteType: string;
  /** The type and all that it derives from, most specific first. */
  readonly remoteParents: readonly string[];
  /** The peer's traceback, or `Traceback unavailable\n`. Text of a stranger. */
  readonly remoteTraceback: string;
  /**
   * The method that this program called, without `remote_`; empty for a function, `undefined` where the exception was no
   * answer to a call, but a value.
   */
  readonly method: string | undefined;

  /** An exception that a peer reported. */
  constructor(message: string, details: RemoteExceptionDetails) {
    super(message, { cause: details.cause });
    this.remoteType = details.remoteType;
    this.remoteParents = details.remoteParents;
    this.remoteTraceback = details.remoteTraceback;
    this.method = details.method;
  }

  /**
   * The first of `types` that the remote exception is or derives from. Foolscap: `Failure.check`.
   *
   * @param types Full names as the peer writes them, such as `builtins.LookupError`.
   * @returns That name, or `undefined` if none fits.
   */
  check(...types: string[]): string | undefined {
    return types.find((type) => type === this.remoteType || this.remoteParents.includes(type));
  }
}

/**
 * The connection behind a reference is gone, or the reference was released. Destroys: the
 * reference; get a new one from its FURL.
 *
 * On the wire: `foolscap.ipb.DeadReferenceError`.
 */
export class DeadReferenceError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "DeadReferenceError";

  /** A dead reference, with what ended it as `cause`. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
  }
}

/**
 * The peer broke the protocol. Destroys: the connection, with every reference and call on it.
 *
 * Foolscap: `BananaError`, also its name on the wire (`foolscap.tokens.BananaError`).
 */
export class ProtocolError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "ProtocolError";
  /** The place in the message, where it is known. */
  readonly where: string;

  /** A breach of the protocol, with its place. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(withWhere(message, details.where), { cause: details.cause });
    this.where = details.where ?? "";
  }
}

/**
 * Two Tubs could not agree on a connection. Destroys: the attempt.
 *
 * On the wire: `foolscap.tokens.NegotiationError`.
 */
export class NegotiationError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "NegotiationError";
  readonly #connectionInfo: ConnectionInfo | undefined;

  /** What was not agreed on. */
  constructor(
    message: string,
    details: ErrorDetails & { readonly connectionInfo?: ConnectionInfo | undefined } = {},
  ) {
    super(message, { cause: details.cause });
    this.#connectionInfo = details.connectionInfo;
  }

  /** How each hint fared, where an effort to reach a Tub has failed. */
  get connectionInfo(): ConnectionInfo | undefined {
    return this.#connectionInfo;
  }
}

/** The peer ended the negotiation and said why. Destroys: the attempt. */
export class RemoteNegotiationError extends NegotiationError {
  /** The name of the class, also where minifying took it. */
  override name = "RemoteNegotiationError";
}

/** A connection between the two Tubs exists already, and it stays. Destroys: the attempt. */
export class DuplicateConnectionError extends NegotiationError {
  /** The name of the class, also where minifying took it. */
  override name = "DuplicateConnectionError";
}

/**
 * No hint of a FURL led to its Tub. Destroys: the attempt.
 *
 * `errors` has one entry a hint, each saying what went wrong there.
 */
export class UnreachableError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "UnreachableError";
  /** What went wrong, by hint. */
  readonly errors: ReadonlyMap<string, Error>;
  readonly #connectionInfo: ConnectionInfo | undefined;

  /** A Tub that could not be reached, with the failure of each hint. */
  constructor(
    message: string,
    errors: ReadonlyMap<string, Error> = new Map(),
    connectionInfo: ConnectionInfo | undefined = undefined,
  ) {
    super(message, { cause: errors.values().next().value });
    this.errors = errors;
    this.#connectionInfo = connectionInfo;
  }

  /** How each hint fared, in Foolscap's words, where an effort to reach a Tub has failed. */
  get connectionInfo(): ConnectionInfo | undefined {
    return this.#connectionInfo;
  }
}

/**
 * A FURL says of no place where its Tub could be: the Tub of its object has no location. Destroys: the attempt.
 *
 * On the wire: `foolscap.tokens.NoLocationHintsError`.
 */
export class NoLocationHintsError extends UnreachableError {
  /** The name of the class, also where minifying took it. */
  override name = "NoLocationHintsError";
}

/**
 * A proxy, such as a SOCKS server, Tor or an I2P bridge, did not make the connection. Destroys: the attempt by that hint.
 */
export class ProxyError extends UnreachableError {
  /** The name of the class, also where minifying took it. */
  override name = "ProxyError";
  /**
   * What the proxy answered, where it did: the number of a SOCKS reply such as `5`, or the result of an I2P bridge such
   * as `CANT_REACH_PEER`.
   */
  readonly reply: number | string | undefined;

  /** A connection that a proxy refused, or that failed on the way to it. */
  constructor(
    message: string,
    details: ErrorDetails & { readonly reply?: number | string | undefined } = {},
  ) {
    super(message);
    this.reply = details.reply;
    if (details.cause !== undefined) this.cause = details.cause;
  }
}

/** A text is not a FURL, a hint or a name. Destroys: nothing. Foolscap: `BadFURLError`. */
export class FurlError extends SyntaxError {
  /** The name of the class, also where minifying took it. */
  override name = "FurlError";
}

/**
 * A furlFile has the FURL of another Tub than the one that registers the object. Destroys: nothing, and the file stays
 * as it is.
 *
 * On the wire: `foolscap.tokens.WrongTubIdError`.
 */
export class WrongTubIdError extends FurlError {
  /** The name of the class, also where minifying took it. */
  override name = "WrongTubIdError";
}

/**
 * A furlFile has a FURL with another name than the one that the object has or is given. Destroys: nothing, and the file
 * stays as it is.
 *
 * On the wire: `foolscap.tokens.WrongNameError`.
 */
export class WrongNameError extends FurlError {
  /** The name of the class, also where minifying took it. */
  override name = "WrongNameError";
}

/**
 * A file that the program named, for an identity or a FURL, cannot be read or written: its folder is missing, it is no
 * file, the system refuses. Destroys: nothing. What is wrong with the contents of a file is a
 * {@linkcode CertificateError} or a {@linkcode FurlError}, and a Deno permission that is missing a
 * {@linkcode PermissionDenied}.
 *
 * The message names the file, for the program; it is taken out of what a peer is told.
 */
export class FileError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "FileError";

  /** What cannot be done with the file, with what the system said as `cause`. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
  }
}

/** What is wrong with a store. */
export type StoreProblem =
  /** The process may not read or write the file. */
  | "permission"
  /** It cannot be opened: no file, no folder, read-only, the system refuses. */
  | "unavailable"
  /** Another process, or another Tub of this one, has it open. */
  | "locked"
  /** It is no store: another program's file. */
  | "foreign"
  /** A later version of this module wrote it. */
  | "newer"
  /** Its contents are not what was written. */
  | "damaged"
  /** It is that of another Tub. */
  | "identity"
  /** A grant needs a factory that is not there, or whose factory fails. */
  | "factory"
  /** Something could not be written. */
  | "write";

/** What a {@linkcode StoreError} is about. */
export interface StoreErrorDetails extends ErrorDetails {
  /** What is wrong. */
  readonly problem: StoreProblem;
}

/**
 * The store of a Tub's grants cannot be used. Destroys: what was about to be done. Nothing in the file is overwritten.
 */
export class StoreError extends FileError {
  /** The name of the class, also where minifying took it. */
  override name = "StoreError";
  /** What is wrong, for programs. */
  readonly problem: StoreProblem;

  /** What cannot be done with the store. */
  constructor(message: string, details: StoreErrorDetails) {
    super(message, details);
    this.problem = details.problem;
  }
}

/**
 * A connection hint cannot be used: it is passed over, and the other hints of its FURL are tried. What the `connect` of a
 * {@linkcode ConnectionHintHandler} throws when it does not understand a hint. Destroys: the attempt by that hint.
 *
 * Foolscap: `InvalidHintError`.
 */
export class InvalidHintError extends FurlError {
  /** The name of the class, also where minifying took it. */
  override name = "InvalidHintError";
  /** Why, in a few words: `unrecognized TCP hint`. The status of the hint is `bad hint: ` and this. */
  readonly reason: string;

  /** A hint that is passed over, with the reason in a few words. */
  constructor(reason: string, details: ErrorDetails = {}) {
    super(`Cannot use the hint: ${reason}`, { cause: details.cause });
    this.reason = reason;
  }
}

/**
 * The Tub has no location, so it cannot make a FURL: call `setLocation` first. Destroys: nothing.
 *
 * On the wire: `foolscap.tokens.NoLocationError`.
 */
export class NoLocationError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "NoLocationError";
}

/** What a {@linkcode PermissionDenied} is about. */
export interface DenialDetails extends ErrorDetails {
  /** Which limit of a capability refused, such as `revoked` or `maxCalls`. */
  readonly limit?: string | undefined;
}

/**
 * A Deno permission is missing, or a capability does not allow this. Destroys: one call, or nothing.
 *
 * The message names the flag to add, such as `--allow-net=127.0.0.1`, or the limit of the capability. Where a peer's
 * capability refused a call, `cause` is the {@linkcode RemoteException} with what it told, and the text is the peer's.
 *
 * On the wire: `javascript.PermissionDenied`, and with a limit also `javascript.PermissionDenied.<limit>`.
 */
export class PermissionDenied extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "PermissionDenied";
  /**
   * Which limit of a capability refused: `method`, `expires`, `revoked`, `maxCalls`, `rate`, `holders`, `requires`, `policy` or
   * `record`, or another one that a peer named; `undefined` if it was none.
   */
  readonly limit: string | undefined;

  /** What was denied. */
  constructor(message: string, details: DenialDetails = {}) {
    super(message, { cause: details.cause });
    this.limit = details.limit;
  }
}

/** Why an object in a sandbox cannot be called: see {@linkcode SandboxError}. */
export type SandboxEnd =
  /** It could not be started: the module is missing, refuses to load, or took too long. */
  | "start"
  /** Its process has ended by itself, with code 0. */
  | "exited"
  /** Its process has ended with another code, or by a signal that was not ours. */
  | "crashed"
  /** It took more memory than it may. */
  | "memory"
  /** It did not answer for longer than it may. */
  | "silent"
  /** What it wrote was not the protocol. */
  | "protocol"
  /** The program, or its Tub, has stopped it. */
  | "stopped";

/**
 * An object in a sandbox could not be started, has ended, or is about to be started again. Destroys: the calls in flight, and
 * the references to all but the object that was granted.
 *
 * On the wire: `javascript.SandboxError`, a `builtins.OSError` for Python.
 */
export class SandboxError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "SandboxError";
  /** What has happened. */
  readonly reason: SandboxEnd;

  /** What cannot be done, and what happened. */
  constructor(message: string, reason: SandboxEnd, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.reason = reason;
  }
}

/**
 * A certificate or key cannot be used: a file that does not parse, a key that is too small.
 * Destroys: nothing, and nothing on disk is overwritten.
 */
export class CertificateError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "CertificateError";

  /** What is wrong with the certificate or key. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
  }
}

/**
 * Turns whatever was thrown into an Error, keeping Errors as they are.
 *
 * @param thrown Anything.
 * @returns `thrown` itself when it is an Error, else an Error that describes it.
 */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
    // The text of a function is its source, which is nobody's business.
    if (typeof thrown === "function") {
      return new Error("Thrown value is not an Error: a function", { cause: thrown });
    }
    return new Error(`Thrown value is not an Error: ${String(thrown)}`, { cause: thrown });
  } catch {
    // A revoked proxy, or an object whose own code fails.
    return new Error("Thrown value is not an Error and has no text", { cause: thrown });
  }
}
