/**
 * What somebody shows in order to be let in: a name with a password, with a hash of it, or with the answer to a challenge.
 *
 * The answer to a challenge proves the password without sending it, but it is made with MD5: whoever reads the exchange can try
 * passwords at leisure. So it belongs inside TLS.
 *
 * Source: Twisted `cred/credentials.py`; `spread/pb.py`, `IUsernameMD5Password`, `respond`, `challenge`,
 * `_PortalAuthChallenger.checkMD5Password`.
 *
 * @module
 */

import { nodeCrypto } from "../../util/node.ts";
import { encodeText } from "../../util/text.ts";

/** Length of a challenge and of a response, in bytes. */
export const DIGEST_BYTES = 16;

/** A password is bytes; text stands for its UTF-8. */
export type Password = string | Uint8Array;

/**
 * The answer to a challenge: `MD5(MD5(password) + challenge)`, 16 bytes.
 *
 * @param password Text stands for its UTF-8.
 * @throws {TypeError} If the password is neither bytes nor well-formed text.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const challenge = Uint8Array.fromHex("15fe3c256460a65fb489ae4b2deb461d");
 * assert.equal(pb.respond(challenge, "secret").toHex(), "a9abda604fc1d09eeabd6b6bf37d0b44");
 * ```
 */
export function respond(challenge: Uint8Array, password: Password): Uint8Array {
  return respondMD5(challenge, md5(bytesOf(password)));
}

/** The same from the MD5 digest of the password. */
function respondMD5(challenge: Uint8Array, passwordMD5: Uint8Array): Uint8Array {
  return md5(passwordMD5, challenge);
}

/**
 * The bytes of a password or name.
 *
 * @throws {TypeError} If it is neither bytes nor well-formed text.
 */
export function bytesOf(value: Password, what = "a password"): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string" && value.isWellFormed()) return encodeText(value);
  throw new TypeError(`Cannot use ${what}: it is neither bytes nor well-formed text`);
}

/** Whether two byte strings are equal, in a time that tells nothing of where, or whether in length, they differ. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return nodeCrypto().timingSafeEqual(sha256(one), sha256(other));
}

function md5(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = nodeCrypto().createHash("md5");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function sha256(bytes: Uint8Array): Uint8Array {
  return nodeCrypto().createHash("sha256").update(bytes).digest();
}

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
