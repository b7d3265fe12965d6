/**
 * Errors of Perspective Broker that the rest of the library does not have.
 *
 * A value that may not cross is a `Violation`, and a connection that is gone a `DeadReferenceError`, as everywhere.
 *
 * @module
 */

import { DeadReferenceError, ProtocolError, RemoteException, Violation } from "../errors.ts";

/**
 * What came is not Banana as Perspective Broker speaks it, or exceeds a limit that is looked at before anything is
 * kept. Destroys: the connection.
 *
 * Source: `twisted.spread.banana.BananaError`.
 */
export class BananaError extends ProtocolError {
  /** The name of the class, also where minifying took it. */
  override name = "BananaError";
}

/**
 * What came names a form, or a class, that this side has not declared. Destroys: one call.
 *
 * Source: `twisted.spread.jelly.InsecureJelly`.
 */
export class InsecureJelly extends Violation {
  /** The name of the class, also where minifying took it. */
  override name = "InsecureJelly";
}

/**
 * An error that a caller is to expect, as against one that says that something is broken: methods throw it, or a class
 * that derives from it, and it is not reported as a failure of this side.
 *
 * On the wire: `twisted.spread.pb.Error`. Twisted: `pb.Error`.
 *
 * @example
 * ```ts
 * import { pb } from "../../mod.ts";
 *
 * class OutOfStock extends pb.Error {}
 * class Shop extends pb.Root {
 *   remote_order(item: string): void {
 *     throw new OutOfStock(`no ${item} today`);
 *   }
 * }
 * new Shop();
 * ```
 */
export class PbError extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "PbError";
}

/**
 * The peer asked for a method that the object does not have. Destroys: one call.
 *
 * On the wire: `twisted.spread.flavors.NoSuchMethod`, a `builtins.AttributeError`.
 */
export class NoSuchMethod extends TypeError {
  /** The name of the class, also where minifying took it. */
  override name = "NoSuchMethod";
}

/**
 * The connection was lost before the answer of a call. What happened to the call over there is not known.
 *
 * Twisted: `PBConnectionLost`.
 */
export class PBConnectionLost extends DeadReferenceError {
  /** The name of the class, also where minifying took it. */
  override name = "PBConnectionLost";
}

/**
 * The peer's method failed. Destroys: one call.
 *
 * Twisted: `pb.RemoteError`, `pb.CopiedFailure`.
 *
 * @example Telling one remote type from another
 * ```ts
 * import { pb } from "../../mod.ts";
 *
 * function isExpected(error: unknown): boolean {
 *   return error instanceof pb.RemoteError && error.check("twisted.spread.pb.Error") !== undefined;
 * }
 * isExpected(new Error("local"));
 * ```
 */
export class RemoteError extends RemoteException {
  /** The name of the class, also where minifying took it. */
  override name = "RemoteError";

  /** The type and all that it derives from, most specific first: Twisted's name for `remoteParents`. */
  get parents(): readonly string[] {
    return this.remoteParents;
  }
}

/** A call of a peer has no arguments that could be passed on. On the wire: a `builtins.TypeError`. Destroys: one call. */
export class BadCall extends TypeError {
  /** The name of the class, also where minifying took it. */
  override name = "BadCall";
}

/** What a login that failed may carry. */
export interface LoginFailedDetails {
  /** What led to it. Never sent to a peer. */
  readonly cause?: unknown;
  /** The type as the server names it; `undefined` on the server itself. */
  readonly remoteType?: string | undefined;
}

/**
 * A login did not succeed: what a client gets, and what checkers and realms throw. Destroys: one login.
 *
 * On the wire: `twisted.cred.error.LoginFailed`.
 *
 * @example
 * ```ts
 * import { pb } from "../../mod.ts";
 *
 * function whyNot(error: unknown): string {
 *   if (error instanceof pb.UnauthorizedLogin) return "wrong name or password";
 *   if (error instanceof pb.LoginFailed) return `not now: ${error.message}`;
 *   throw error;
 * }
 * whyNot(new pb.UnauthorizedLogin());
 * ```
 */
export class LoginFailed extends Error {
  /** The name of the class, also where minifying took it. */
  override name = "LoginFailed";
  /** The type as the server names it, such as `twisted.cred.error.UnauthorizedLogin`; `undefined` on the server itself. */
  readonly remoteType: string | undefined;

  /** Peers are told the message. */
  constructor(message = "", details: LoginFailedDetails = {}) {
    super(message, { cause: details.cause });
    this.remoteType = details.remoteType;
  }
}

/**
 * Nobody is known by that name and password. Which of the two is wrong is not said. Destroys: one login.
 *
 * On the wire: `twisted.cred.error.UnauthorizedLogin`.
 */
export class UnauthorizedLogin extends LoginFailed {
  /** The name of the class, also where minifying took it. */
  override name = "UnauthorizedLogin";
}

/**
 * The server has no checker for logins of this kind, such as anonymous ones. Destroys: one login.
 *
 * On the wire: `twisted.cred.error.UnhandledCredentials`.
 */
export class UnhandledCredentials extends LoginFailed {
  /** The name of the class, also where minifying took it. */
  override name = "UnhandledCredentials";
}

/**
 * The realm does not let this user in, for a reason of its own. Destroys: one login.
 *
 * On the wire: `twisted.cred.error.LoginDenied`.
 */
export class LoginDenied extends LoginFailed {
  /** The name of the class, also where minifying took it. */
  override name = "LoginDenied";
}
