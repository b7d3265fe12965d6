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
import { HmacKey } from "../util/sha256.ts";
import { encodeText, textOfCodes } from "../util/text.ts";

const KEY_BYTES = 32;
/** Of the cipher's blocks, the number of the first one that hides a name. */
const NUMBER_BYTES = 8;
/** Nobody but this object writes what it opens, so nothing has to prove it: a tag would take twice the time. */
const CIPHER = "aes-256-ctr";
const CIPHER_BLOCK_BYTES = 16;
/** To start the cipher takes 12 µs, and as many blocks as hide a hundred names take one more. */
const CHUNK_BLOCKS = 256;

/**
 * A name that only {@linkcode SealedNames.open} can read: number of its first block, ciphertext; a character is a byte, for
 * an array takes four times the memory of so short a text.
 */
export type SealedName = string;

/** Hashes and seals names under keys that live as long as this object and are found nowhere else, unless one is given. */
export class SealedNames {
  readonly #hashKey: HmacKey;
  readonly #sealKey: Uint8Array;
  /** Key stream that has not hidden anything yet, and the number of its first block. */
  #stream = new Uint8Array(0);
  #block = 0;

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
    this.#hashKey = new HmacKey(hashKey);
  }

  /** HMAC-SHA-256 of a name, in base64: the key of a Map. */
  hash(name: string): string {
    return this.#hashKey.digest(encodeText(name)).toBase64();
  }

  /** Seals a name. */
  seal(name: string): SealedName {
    const text = encodeText(name);
    // Whole blocks for each name: a block of the key stream that hid two names would show how they differ.
    const blocks = Math.max(1, Math.ceil(text.length / CIPHER_BLOCK_BYTES));
    if (this.#stream.length < blocks * CIPHER_BLOCK_BYTES) {
      this.#stream = this.#streamFrom(this.#block, Math.max(blocks, CHUNK_BLOCKS));
    }
    const codes = new Array<number>(NUMBER_BYTES + text.length);
    for (let i = NUMBER_BYTES - 1, rest = this.#block; i >= 0; i--) {
      codes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    for (let i = 0; i < text.length; i++) codes[NUMBER_BYTES + i] = text[i]! ^ this.#stream[i]!;
    this.#stream = this.#stream.subarray(blocks * CIPHER_BLOCK_BYTES);
    this.#block += blocks;
    return textOfCodes(codes);
  }

  /** The name that was sealed here. */
  open(sealed: SealedName): string {
    const bytes = Uint8Array.from(sealed, (character) => character.charCodeAt(0));
    const first = Number(new DataView(bytes.buffer).getBigUint64(0));
    const decipher = nodeCrypto().createDecipheriv(CIPHER, this.#sealKey, counterOf(first));
    return decipher.update(bytes.subarray(NUMBER_BYTES), undefined, "utf8") + decipher.final("utf8");
  }

  #streamFrom(block: number, blocks: number): Uint8Array<ArrayBuffer> {
    const cipher = nodeCrypto().createCipheriv(CIPHER, this.#sealKey, counterOf(block));
    const stream = cipher.update(new Uint8Array(blocks * CIPHER_BLOCK_BYTES));
    // In CTR mode `update` has given all of it, and `final` gives nothing.
    cipher.final();
    return new Uint8Array(stream);
  }
}

/** The cipher's counter at a block. */
function counterOf(block: number): Uint8Array {
  const counter = new Uint8Array(CIPHER_BLOCK_BYTES);
  new DataView(counter.buffer).setBigUint64(CIPHER_BLOCK_BYTES - 8, BigInt(block));
  return counter;
}
