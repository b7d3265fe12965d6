/**
 * Names as they lie in memory: a keyed hash to find one by, and a sealed form to show it to its owner.
 *
 * A name is the only secret that protects an object. Whoever sees the tables of a Tub, in a dump or by printing
 * them, learns no name; and how long a lookup takes says nothing about the names that exist, for the hash that is
 * compared depends on a key that nobody knows.
 *
 * @module
 */

import type { RandomBytes } from "../util/random_bytes.ts";
import { nodeCrypto } from "../util/node.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 16;
/** Nobody but this object writes what it opens, so nothing has to prove it: a tag would take twice the time. */
const CIPHER = "aes-256-ctr";

/** A name that only {@linkcode SealedNames.open} can read: nonce, ciphertext. */
export type SealedName = Uint8Array;

/** Hashes and seals names under keys that live as long as this object and are found nowhere else, unless one is given. */
export class SealedNames {
  readonly #hashKey: Uint8Array;
  readonly #sealKey: Uint8Array;
  #sealed = 0n;

  /**
   * @param randomBytes Gives keys of 32 bytes.
   * @param hashKey The key of the hashes, where they have to be the same ones each time.
   */
  constructor(randomBytes: RandomBytes, hashKey: Uint8Array = randomBytes(KEY_BYTES)) {
    this.#hashKey = hashKey;
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
    // A counter never gives one nonce twice, and leaves the other half of the cipher's first block to count blocks.
    const nonce = new Uint8Array(NONCE_BYTES);
    new DataView(nonce.buffer).setBigUint64(0, ++this.#sealed);
    const cipher = nodeCrypto().createCipheriv(CIPHER, this.#sealKey, nonce);
    const text = cipher.update(name, "utf8");
    // In this mode the cipher holds nothing back.
    cipher.final();
    const sealed = new Uint8Array(NONCE_BYTES + text.length);
    sealed.set(nonce);
    sealed.set(text, NONCE_BYTES);
    return sealed;
  }

  /** The name that was sealed here. */
  open(sealed: SealedName): string {
    const decipher = nodeCrypto().createDecipheriv(CIPHER, this.#sealKey, sealed.subarray(0, NONCE_BYTES));
    return decipher.update(sealed.subarray(NONCE_BYTES), undefined, "utf8") + decipher.final("utf8");
  }
}
