/**
 * Names as they lie in memory: a keyed hash to find one by, and a sealed form to show it to its owner.
 *
 * A name is the only secret that protects an object. Whoever sees the tables of a Tub, in a dump or by printing
 * them, learns no name; and how long a lookup takes says nothing about the names that exist, for the hash that is
 * compared depends on a key that nobody knows.
 *
 * Both are made of plain SHA-256, which costs a quarter of what the platform's own HMAC and AES do for so short a text: a
 * Tub may have 100,000 names.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { RandomBytes } from "../names/swissnum.ts";
import { decodeText, encodeText } from "../util/text.ts";

const KEY_BYTES = 32;
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** In front of what is sealed: the number of the first block of the key stream that hides it. */
const NONCE_BYTES = 8;

/** A name that only {@linkcode SealedNames.open} can read: nonce, ciphertext. */
export type SealedName = Uint8Array;

/** Hashes and seals names under keys that live as long as this object and are found nowhere else, unless one is given. */
export class SealedNames {
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;
  readonly #sealKey: Uint8Array;
  #sealed = 0n;

  /**
   * @param randomBytes Gives keys of 32 bytes.
   * @param hashKey The key of the hashes, where they have to be the same ones each time.
   */
  constructor(randomBytes: RandomBytes, hashKey: Uint8Array = randomBytes(KEY_BYTES)) {
    this.#sealKey = randomBytes(KEY_BYTES);
    if (hashKey.length !== KEY_BYTES || this.#sealKey.length !== KEY_BYTES) {
      throw new RangeError(
        "Cannot create a key: the random source gave another number of bytes than asked for",
      );
    }
    this.#inner = padded(hashKey, 0x36);
    this.#outer = padded(hashKey, 0x5c);
  }

  /** HMAC-SHA-256 of a name, in base64: the key of a Map. */
  hash(name: string): string {
    const inner = createHash("sha256").update(this.#inner).update(name, "utf8").digest();
    return createHash("sha256").update(this.#outer).update(inner).digest("base64");
  }

  /** Seals a name. */
  seal(name: string): SealedName {
    const text = encodeText(name);
    const sealed = Buffer.alloc(NONCE_BYTES + text.length);
    const first = this.#sealed;
    // No block of the key stream is ever used twice.
    this.#sealed += BigInt(Math.max(1, Math.ceil(text.length / DIGEST_BYTES)));
    sealed.writeBigUInt64BE(first);
    this.#hide(first, text, sealed.subarray(NONCE_BYTES));
    return new Uint8Array(sealed);
  }

  /** The name that was sealed here. */
  open(sealed: SealedName): string {
    const nonce = Buffer.from(sealed.buffer, sealed.byteOffset, NONCE_BYTES).readBigUInt64BE();
    const text = new Uint8Array(sealed.length - NONCE_BYTES);
    this.#hide(nonce, sealed.subarray(NONCE_BYTES), text);
    return decodeText(text, 0, text.length);
  }

  /** To hide and to show is the same: nobody but this object writes what it opens, so nothing has to prove it. */
  #hide(first: bigint, from: Uint8Array, to: Uint8Array): void {
    const number = Buffer.alloc(NONCE_BYTES);
    for (let start = 0, block = first; start < from.length; start += DIGEST_BYTES, block++) {
      number.writeBigUInt64BE(block);
      const stream = createHash("sha256").update(this.#sealKey).update(number).digest();
      const end = Math.min(from.length, start + DIGEST_BYTES);
      for (let i = start; i < end; i++) to[i] = from[i]! ^ stream[i - start]!;
    }
  }
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES).fill(pad);
  key.forEach((byte, i) => block[i] = byte ^ pad);
  return block;
}
