/**
 * For every value a primitive, its key: two keys are the same where Python's `==` holds between the values.
 *
 * A JavaScript `Map` compares objects by identity, `1` and `true` as two and `1` and `1n` as two; Python compares
 * bytes, tuples, frozensets and decimals by value and every number by its number. {@link valueKey} gives what a
 * `Map` can compare in Python's way:
 *
 * | value | key |
 * | --- | --- |
 * | small integer, `true`, `false`, -0 | that number |
 * | any other number, bigint | text behind `"\0n"`, or `"\0i"` and hex |
 * | `Float`, `Decimal` | as the number they stand for |
 * | text | itself, or behind `"\0s"` when it begins with a digit or NUL, or is empty |
 * | bytes (any view) | latin-1 text behind `"\0b"`, or a digest behind `"\0B"` |
 * | `Tuple`, `FrozenSet` | their members' keys, each with its length in front, or a digest of that |
 * | `null`, `undefined` | `null`: both are Python's `None` |
 * | any other object, function, symbol | itself: compared by identity |
 *
 * A peer chooses keys, so two things are kept from it. V8 hashes integers, bigints and texts of digits without a
 * seed: 20,000 chosen ones, put into a `Map` as they are, take seconds. So only a small range of integers is
 * left bare, where collisions are few. And a tuple may stand in many others (`(t, t)`, thirty times over, has a
 * billion leaves): a long key is replaced by its SHA-256, which its frozen container keeps, so that the cost
 * is linear in what came over the wire.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { nodeCrypto } from "../util/node.ts";

/** Integers up to this magnitude are their own keys. */
const MAX_BARE_INTEGER = 32_767;
/** Longer keys, in characters, are replaced by their digest. */
const MAX_KEY_CHARACTERS = 128;
/** Longer byte strings are replaced by their digest. */
const MAX_KEY_BYTES = 256;
/** UTF-16 units of the digits 0 and 9. */
const DIGIT_ZERO = 0x30, DIGIT_NINE = 0x39;

/**
 * The key of a value: two values have one key exactly where Python takes them for one dict key.
 *
 * Deviations: NaN equals NaN (in Python only the same object), and a mutable list, dict or set, which Python
 * refuses as a key, is compared by identity. Bytes and unfrozen containers are taken as they are at the time.
 *
 * @param value Any value.
 * @param depth How many tuples or frozen sets it stands in; for {@link Keyed} classes.
 * @throws {Violation} If tuples and frozen sets stand in each other more than 1,000 deep.
 */
export function valueKey(value: unknown, depth = 0): ValueKey {
  if (typeof value === "string") return textKey(value);
  if (typeof value === "number" || typeof value === "bigint") return numberKey(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === undefined || value === null) return null;
  if (typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) return bytesKey(value);
  if (!(valueKeyOf in value)) return value;
  if (depth > DEFAULT_LIMITS.maxDepth) {
    throw new Violation(
      `Cannot compare a value: tuples or frozen sets inside each other, more than ${DEFAULT_LIMITS.maxDepth} deep`,
    );
  }
  return (value as Keyed)[valueKeyOf](depth);
}

/** Whether Python takes two values for one dict key. @throws {Violation} As {@link valueKey} does. */
export function sameKey(a: unknown, b: unknown): boolean {
  return valueKey(a) === valueKey(b);
}

function textKey(text: string): string {
  const first = text.charCodeAt(0);
  // An empty text has NaN here, which fails both comparisons and so gets a prefix too: harmless.
  return first > DIGIT_NINE || (first < DIGIT_ZERO && first > 0) ? text : `\0s${text}`;
}

/**
 * The key of a number, equal for equal numbers of either type.
 *
 * @param number Any number or bigint; -0 is 0, NaN is itself.
 */
export function numberKey(number: number | bigint): ValueKey {
  if (typeof number === "bigint") {
    const small = Number(number);
    if (!Number.isSafeInteger(small)) return shortKey(`\0i${number.toString(16)}`);
    number = small;
  }
  if (!Number.isInteger(number)) return `\0n${number}`;
  // Adding 0 makes -0 into 0.
  if (number >= -MAX_BARE_INTEGER && number <= MAX_BARE_INTEGER) return number + 0;
  // Hexadecimal, since it costs linear time where decimal does not.
  return Number.isSafeInteger(number) ? `\0n${number}` : shortKey(`\0i${BigInt(number).toString(16)}`);
}

function bytesKey(view: ArrayBufferView): string {
  const bytes = view instanceof Uint8Array
    ? view
    : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (bytes.length > MAX_KEY_BYTES) {
    return `\0B${nodeCrypto().createHash("sha256").update(bytes).digest("base64")}`;
  }
  return `\0b${String.fromCharCode.apply(null, bytes as unknown as number[])}`;
}

/**
 * A key that is no longer than it need be: itself, or the SHA-256 of a long one.
 *
 * @param text A key that begins with NUL and a tag.
 */
export function shortKey(text: string): string {
  return text.length <= MAX_KEY_CHARACTERS ? text : digestKey(text);
}

function digestKey(text: string): string {
  // UTF-16, because UTF-8 would make all lone surrogates one.
  return `\0h${nodeCrypto().createHash("sha256").update(text, "utf16le").digest("base64")}`;
}

/** Whether a key was long enough to be replaced by its digest, and so is worth keeping. */
export function isDigest(key: string): boolean {
  return key.startsWith("\0h");
}

/**
 * The key of a container: its members' keys behind each other, so that no two lists of members give the same.
 *
 * @param tag One character that tells kinds of containers apart.
 * @param members The members' keys, in an order that says nothing or is part of the value.
 */
export function containerKey(tag: string, members: readonly ValueKey[]): string {
  let text = `\0${tag}`;
  let isCostly = false;
  for (const member of members) {
    text += delimited(member);
    isCostly ||= typeof member === "string" && (member.startsWith("\0B") || isDigest(member));
  }
  // A digest, which the container keeps, stands for all that was hashed for it.
  return isCostly ? digestKey(text) : shortKey(text);
}

/**
 * A key as text that ends where it says: unambiguous when more text follows.
 *
 * @param key Any key.
 */
export function delimited(key: ValueKey): string {
  if (typeof key === "string") return `${key.length}:${key}`;
  if (typeof key === "number") return `#${key};`;
  return key === null ? "~" : `@${identityOf(key)};`;
}

const identities = new WeakMap<WeakKey, number>();
let lastIdentity = 0;

/** A number for an object, the same as long as it lives. */
function identityOf(key: symbol | object): number | string {
  // A registered symbol never dies, so a WeakMap refuses it; its name is its identity.
  const name = typeof key === "symbol" ? Symbol.keyFor(key) : undefined;
  if (name !== undefined) return `${name.length}:${name}`;
  let identity = identities.get(key);
  if (identity === undefined) identities.set(key, identity = ++lastIdentity);
  return identity;
}

/**
 * Two keys that Python takes for one, such as `1` and `true` in a `Map`: a dict with both ends the connection at
 * the Python that receives it.
 *
 * @param keys The keys of one dict.
 * @returns The first key that is there already, with the one it equals; or undefined.
 * @throws {Violation} If tuples stand in each other more than 1,000 deep.
 */
export function findDuplicateKey(keys: Iterable<unknown>): { first: unknown; second: unknown } | undefined {
  const seen = new Map<ValueKey, unknown>();
  for (const second of keys) {
    const key = valueKey(second);
    if (seen.has(key)) return { first: seen.get(key), second };
    seen.set(key, second);
  }
  return undefined;
}
