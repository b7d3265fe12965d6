/**
 * What somebody shows in order to be let in.
 *
 * Source: Twisted `cred/credentials.py`; `spread/pb.py`, `IUsernameMD5Password`.
 *
 * @module
 */

import { isSame, type Password, respond, respondMD5 } from "./response.ts";

/** Credentials of nobody in particular. */
export const IAnonymous = "twisted.cred.credentials.IAnonymous";
/** A name and a password as they are: see {@linkcode UsernamePassword}. Perspective Broker itself never has them at the server. */
export const IUsernamePassword = "twisted.cred.credentials.IUsernamePassword";
/** A name, and a proof that can be checked against a password: see {@linkcode UsernameHashedPassword}. */
export const IUsernameHashedPassword = "twisted.cred.credentials.IUsernameHashedPassword";
/** The same, which can be checked against the MD5 digest of a password too: see {@linkcode UsernameMD5Password}. */
export const IUsernameMD5Password = "twisted.spread.pb.IUsernameMD5Password";

/** What somebody shows in order to be let in. Twisted: `ICredentials`. */
export interface Credentials {
  /** Of which kinds it is: constants such as {@linkcode IUsernameHashedPassword}, or any name that a checker of your own has. */
  readonly interfaces: readonly string[];
}

/** A name, and a proof of a password. Twisted: `IUsernameHashedPassword`. */
export interface UsernameHashedPassword extends Credentials {
  /** Who it is said to be. */
  readonly username: string;
  /** Whether the proof is one of this password. Takes the same time, right or wrong. */
  checkPassword(password: Password): boolean | PromiseLike<boolean>;
}

/** A name, and a proof of a password, of which the MD5 digest is enough. Twisted: `IUsernameMD5Password`. */
export interface UsernameMD5Password extends UsernameHashedPassword {
  /** Whether the proof is one of the password that has this MD5 digest, of 16 bytes. */
  checkMD5Password(digest: Uint8Array): boolean | PromiseLike<boolean>;
}

/** A name and the response to a challenge: what a server of Perspective Broker asks its checkers about. */
export class ChallengeResponse implements UsernameMD5Password {
  readonly interfaces: readonly string[] = [IUsernameHashedPassword, IUsernameMD5Password];
  readonly username: string;
  readonly #challenge: Uint8Array;
  readonly #response: Uint8Array;

  constructor(username: string, challenge: Uint8Array, response: Uint8Array) {
    this.username = username;
    this.#challenge = challenge;
    this.#response = response;
  }

  checkPassword(password: Password): boolean {
    return this.#isResponse(respond(this.#challenge, password));
  }

  checkMD5Password(digest: Uint8Array): boolean {
    return this.#isResponse(respondMD5(this.#challenge, digest));
  }

  #isResponse(correct: Uint8Array): boolean {
    return isSame(correct, this.#response);
  }
}
