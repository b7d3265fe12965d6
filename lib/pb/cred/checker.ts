/**
 * Checkers: they look at what somebody shows, and say who that is. The one for users and passwords in memory is here.
 *
 * Source: Twisted `cred/checkers.py`, `InMemoryUsernamePasswordDatabaseDontUse`.
 *
 * @module
 */

import { UnauthorizedLogin } from "../errors.ts";
import type { Broker } from "../flavors/call.ts";
import {
  bytesOf,
  type Credentials,
  IAnonymous,
  IUsernameHashedPassword,
  IUsernamePassword,
  type Password,
  type UsernameHashedPassword,
} from "./credentials.ts";

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

/** What is checked against where there is no such user: the work is the same. */
export const NOBODYS_PASSWORD: Uint8Array = new Uint8Array(16);

/**
 * Users with their passwords, which are kept as they are: for tests, and for programs that get them from elsewhere.
 * Twisted: `InMemoryUsernamePasswordDatabaseDontUse`, which is a name of it here too.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * const users = new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland" });
 * users.addUser("bob", "builder");
 * ```
 */
export class InMemoryUsernamePasswordDatabase implements CredentialsChecker {
  /** Passwords, and proofs of them. */
  readonly credentialInterfaces: readonly string[] = [IUsernamePassword, IUsernameHashedPassword];
  readonly #users = new Map<string, Uint8Array>();

  /**
   * Takes users and their passwords; text stands for its UTF-8.
   *
   * @throws {TypeError} If a name is no well-formed text, or a password is neither that nor bytes.
   */
  constructor(users: Readonly<Record<string, Password>> | ReadonlyMap<string, Password> = {}) {
    const entries = users instanceof Map ? users.entries() : Object.entries(users);
    for (const [name, password] of entries) this.addUser(name, password);
  }

  /**
   * Adds a user, or sets their password.
   *
   * @throws {TypeError} If the name is no well-formed text, or the password is neither that nor bytes.
   */
  addUser(username: string, password: Password): void {
    if (typeof username !== "string" || !username.isWellFormed()) {
      throw new TypeError("Cannot add a user: the name is no well-formed text");
    }
    this.#users.set(username, bytesOf(password).slice());
  }

  /** Takes a user out; whoever is logged in stays so. */
  removeUser(username: string): void {
    this.#users.delete(username);
  }

  /**
   * The user's name, if the password is right.
   *
   * @throws {UnauthorizedLogin} If it is not, or there is no such user.
   */
  async requestAvatarId(credentials: UsernameHashedPassword): Promise<string> {
    const { username } = credentials;
    const password = this.#users.get(username);
    const isRight = await credentials.checkPassword(password ?? NOBODYS_PASSWORD);
    if (password === undefined || isRight !== true) throw new UnauthorizedLogin();
    return username;
  }
}
