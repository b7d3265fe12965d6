/**
 * Users and passwords in memory.
 *
 * Source: Twisted `cred/checkers.py`, `InMemoryUsernamePasswordDatabaseDontUse`.
 *
 * @module
 */

import { UnauthorizedLogin } from "../errors.ts";
import type { CredentialsChecker } from "./checker.ts";
import { IUsernameHashedPassword, IUsernamePassword, type UsernameHashedPassword } from "./credentials.ts";
import { bytesOf, type Password } from "./response.ts";

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
