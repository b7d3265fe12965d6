/**
 * Names as they lie in memory: a keyed hash to find one by, and a sealed form to show it to its owner.
 *
 * A name is the only secret that protects an object. Whoever sees the tables of a Tub, in a dump or by printing
 * them, learns no name; and how long a lookup takes says nothing about the names that exist, for the hash that is
 * compared depends on a key that nobody knows.
 *
 * @module
 */

import type { RandomBytes } from "../names/swissnum.ts";
import { nodeCrypto } from "../util/node.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TEXT_AT = NONCE_BYTES + TAG_BYTES;
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
    return nodeCrypto().createHmac("sha256", this.#hashKey).update(name, "utf8").digest("base64");
  }

  /** Seals a name. */
  seal(name: string): SealedName {
    // A counter never gives one nonce twice; random ones of 12 bytes would, in the end.
    const nonce = new Uint8Array(NONCE_BYTES);
    new DataView(nonce.buffer).setBigUint64(0, ++this.#sealed);
    const cipher = nodeCrypto().createCipheriv(CIPHER, this.#sealKey, nonce);
    // In this mode the cipher holds nothing back, and `final` only makes the tag.
    const text = cipher.update(name, "utf8");
    cipher.final();
    const sealed = new Uint8Array(TEXT_AT + text.length);
    sealed.set(nonce);
    sealed.set(cipher.getAuthTag(), NONCE_BYTES);
    sealed.set(text, TEXT_AT);
    return sealed;
  }

  /** The name that was sealed here. */
  open(sealed: SealedName): string {
    const decipher = nodeCrypto().createDecipheriv(CIPHER, this.#sealKey, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, TEXT_AT));
    return decipher.update(sealed.subarray(TEXT_AT), undefined, "utf8") +
      decipher.final("utf8");
  }
}
