/**
 * Ways to log in, as a client goes them.
 *
 * Source: Twisted `cred/credentials.py`; `spread/pb.py`, `PBClientFactory.login`.
 *
 * @module
 */

import { LoginFailed } from "../errors.ts";
import { RemoteReference } from "../flavors/remote_reference.ts";
import { type Credentials, IAnonymous, IUsernamePassword } from "./credentials.ts";
import { MAX_CHALLENGE_BYTES } from "./limits.ts";
import { bytesOf, isSame, type Password, respond } from "./response.ts";

/** A way to log in. A server with logins of its own kind needs one of your own. */
export interface LoginMethod {
  /**
   * Logs in.
   *
   * @param root The first object of the server.
   * @param mind What the server gets with the login.
   * @returns What the server answers: a reference to the avatar.
   */
  logInto(root: RemoteReference, mind: unknown): Promise<unknown>;
}

/**
 * A name and a password. The password is not sent, only the response to a challenge.
 *
 * Twisted: `cred.credentials.UsernamePassword`.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * const credentials = new pb.UsernamePassword("alice", "wonderland");
 * credentials.username;
 * ```
 */
export class UsernamePassword implements LoginMethod, Credentials {
  /** Name and password. */
  readonly interfaces: readonly string[] = [IUsernamePassword];
  /** The name. */
  readonly username: string;
  // Hidden, so that nothing that shows objects shows it.
  readonly #password: Uint8Array;

  /**
   * Both are sent and compared as their UTF-8.
   *
   * @throws {TypeError} If the name is no well-formed text, or the password is neither that nor bytes.
   */
  constructor(username: string, password: Password) {
    if (typeof username !== "string" || !username.isWellFormed()) {
      throw new TypeError("Cannot use a user name: it is no well-formed text");
    }
    this.username = username;
    this.#password = bytesOf(password).slice();
  }

  /** The password, for checkers that hash it. */
  get password(): Uint8Array {
    return this.#password.slice();
  }

  /** Whether the password is this one. */
  checkPassword(password: Password): boolean {
    return isSame(this.#password, bytesOf(password));
  }

  /** Asks for a challenge, and answers it. */
  async logInto(root: RemoteReference, mind: unknown): Promise<unknown> {
    const answer = await root.callRemote("login", bytesOf(this.username));
    const [challenge, challenger] = Array.isArray(answer) ? answer as unknown[] : [];
    const isChallenge = challenge instanceof Uint8Array && challenge.length <= MAX_CHALLENGE_BYTES;
    if (!isChallenge || !(challenger instanceof RemoteReference)) {
      throw new LoginFailed("Cannot log in: what the server sent is no challenge");
    }
    const asked: RemoteReference = challenger;
    const avatar = asked.callRemote("respond", respond(challenge, this.#password), mind);
    // The server needs it no longer than it takes to answer.
    challenger[Symbol.dispose]();
    return await avatar;
  }
}

/** No name at all. Twisted: `cred.credentials.Anonymous`. */
export class Anonymous implements LoginMethod, Credentials {
  /** Anonymous ones. */
  readonly interfaces: readonly string[] = [IAnonymous];

  /** Logs in by one call. */
  async logInto(root: RemoteReference, mind: unknown): Promise<unknown> {
    return await root.callRemote("loginAnonymous", mind);
  }
}
