/**
 * Names as they lie in memory: a keyed hash to find one by, and a sealed form to show it to its owner.
 *
 * A name is the only secret that protects an object. Whoever sees the tables of a Tub, in a dump or by printing
 * them, learns no name; and how long a lookup takes says nothing about the names that exist, for the hash that is
 * compared depends on a key that nobody knows.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { RandomBytes } from "../util/random_bytes.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

/** A name that only {@linkcode SealedNames.open} can read: nonce, tag, ciphertext. */
export type SealedName = Uint8Array;

/** Hashes and seals names under keys that live as long as this object and are found nowhere else. */
export class SealedNames {
  readonly #hashKey: Uint8Array;
  readonly #sealKey: Uint8Array;
  #sealed = 0n;

  /** @param randomBytes Gives the two keys of 32 bytes. */
  constructor(randomBytes: RandomBytes) {
    this.#hashKey = randomBytes(KEY_BYTES);
    this.#sealKey = randomBytes(KEY_BYTES);
    if (this.#hashKey.length !== KEY_BYTES || this.#sealKey.length !== KEY_BYTES) {
      throw new RangeError(
        "Cannot create a key: the random source gave another number of bytes than asked for",
      );
    }
  }

  /** HMAC-SHA-256 of a name, in base64: the key of a Map. */
  hash(name: string): string {
    return createHmac("sha256", this.#hashKey).update(name, "utf8").digest("base64");
  }

  /** Seals a name. */
  seal(name: string): SealedName {
    // A counter never gives one nonce twice; random ones of 12 bytes would, in the end.
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.writeBigUInt64BE(++this.#sealed);
    const cipher = createCipheriv(CIPHER, this.#sealKey, nonce);
    const text = Buffer.concat([cipher.update(name, "utf8"), cipher.final()]);
    return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), text]));
  }

  /** The name that was sealed here. */
  open(sealed: SealedName): string {
    const decipher = createDecipheriv(CIPHER, this.#sealKey, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  }
}
