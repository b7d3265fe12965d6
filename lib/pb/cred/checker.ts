/**
 * Who somebody is: checkers say it, by what is shown to them.
 *
 * Source: Twisted `cred/checkers.py`.
 *
 * @module
 */

import type { Broker } from "../flavors/call.ts";
import type { Credentials } from "./credentials.ts";
import { IAnonymous } from "./credentials.ts";

/** The avatar id of somebody who said no name. Twisted: the empty tuple. */
export const ANONYMOUS: unique symbol = Symbol("pb.ANONYMOUS");

/** Who has been let in: mostly the user's name. */
export type AvatarId = string | typeof ANONYMOUS;

/** By whom and how a login is made. */
export interface LoginContext {
  /** The connection, whose `peerAddress` says from where; `undefined` where the program itself logs in. */
  readonly broker: Broker | undefined;
  /** Fires when nobody waits for the login any more: the connection is lost, or it took too long. */
  readonly signal: AbortSignal;
}

/**
 * Says who somebody is. Twisted: `ICredentialsChecker`.
 *
 * @example A checker that asks a database
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * const passwords = new Map([["alice", "wonderland"]]);
 *
 * class Database implements pb.CredentialsChecker {
 *   readonly credentialInterfaces = [pb.IUsernameHashedPassword];
 *   async requestAvatarId(credentials: pb.UsernameHashedPassword): Promise<string> {
 *     const password = await Promise.resolve(passwords.get(credentials.username));
 *     // The same work for somebody who is not known: how long it takes tells nothing.
 *     const isRight = await credentials.checkPassword(password ?? "nobody");
 *     if (!isRight || password === undefined) throw new pb.UnauthorizedLogin();
 *     return credentials.username;
 *   }
 * }
 * new Database();
 * ```
 */
export interface CredentialsChecker {
  /** What it can check: constants such as {@linkcode IUsernameHashedPassword}. */
  readonly credentialInterfaces: readonly string[];
  /**
   * Checks what somebody shows.
   *
   * What it throws is hidden from the peer, who gets an {@linkcode UnauthorizedLogin} without text whatever the reason, so
   * that nobody learns which users there are; the reason goes to the trace. A {@linkcode LoginFailed} or
   * {@linkcode LoginDenied} and a `pb.Error` are told as they are. How long it takes cannot be hidden: it should do the
   * same for users that it does not know.
   *
   * @returns Who it is; `ANONYMOUS` for nobody in particular.
   */
  requestAvatarId(credentials: Credentials, context: LoginContext): AvatarId | PromiseLike<AvatarId>;
}

/** Lets in whoever says no name. Twisted: `AllowAnonymousAccess`. */
export class AllowAnonymousAccess implements CredentialsChecker {
  /** Anonymous ones. */
  readonly credentialInterfaces: readonly string[] = [IAnonymous];

  /** Nobody in particular. */
  requestAvatarId(): typeof ANONYMOUS {
    return ANONYMOUS;
  }
}
