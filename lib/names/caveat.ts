/**
 * Caveats: what an attenuated FURL takes away, and each one's only form in bytes.
 *
 * One caveat is its type (1 byte), the length of what follows (2 bytes), and that. Numbers are big-endian. A reader takes
 * nothing but the form that the writer gives, so one caveat has one form, and no two caveats share one.
 *
 * The chain of keyed hashes that holds the caveats of a name: whoever has a link can add to it, and nobody can take away.
 *
 * `docs/security.md` argues it. All hashes are HMAC-SHA-256:
 *
 * - root = HMAC(key: "foolscap caveat root v1", the name in UTF-8),
 * - id = the first 16 bytes of HMAC(key: root, "foolscap caveat id v1"),
 * - link 0 = HMAC(key: root, "foolscap caveat chain v1"),
 * - link i = HMAC(key: link i-1, the bytes of caveat i).
 *
 * The name is the message of the first, not its key: a key is padded with zeros and, if it is long, hashed, so that two
 * names could be one key.
 *
 * @module
 */

import { MAX_CAVEAT_LABEL_BYTES, MAX_NAME_BYTES } from "../limits.ts";
import { nodeBuffer, nodeCrypto } from "../util/node.ts";
import { hmac, HmacKey } from "../util/sha256.ts";
import { decodeText, encodeText } from "../util/text.ts";
import { decodeBase32, encodeBase32, isTubId } from "./tub_id.ts";

/** One thing that an attenuated FURL takes away from what it was derived from. */
export type Caveat =
  /** Takes nothing away: tells FURLs apart, and the program what they are for. */
  | { readonly type: "label"; readonly label: string }
  /** Only the Tub with this TubID may get and call the object. */
  | { readonly type: "forTub"; readonly tubId: string }
  /** Only these methods may be called; sorted by their UTF-8, no one twice. */
  | { readonly type: "methods"; readonly methods: readonly string[] }
  /** Not from this time on, in milliseconds since 1970. */
  | { readonly type: "until"; readonly until: number }
  /** Only so many calls, counted for this FURL and all that derive from it together. */
  | { readonly type: "uses"; readonly uses: number };

/** The latest time that `until` can be, in milliseconds since 1970: in the year 10889. */
export const MAX_UNTIL = 2 ** 48 - 1;
/** The greatest number that `uses` can be. */
export const MAX_USES = 2 ** 32 - 1;

const TYPE_LABEL = 1, TYPE_FOR_TUB = 2, TYPE_METHODS = 3, TYPE_UNTIL = 4, TYPE_USES = 5;
const HEADER_BYTES = 3;
const TUB_ID_BYTES = 20;

/** The bytes of a caveat. Its values have been checked, and fit. */
export function encodeCaveat(caveat: Caveat): Uint8Array {
  switch (caveat.type) {
    case "label":
      return framed(TYPE_LABEL, encodeText(caveat.label));
    case "forTub":
      return framed(TYPE_FOR_TUB, decodeBase32(caveat.tubId));
    case "methods":
      return framed(TYPE_METHODS, nodeBuffer().concat(sortMethods(caveat.methods).map(withLength)));
    case "until": {
      const body = nodeBuffer().alloc(6);
      body.writeUIntBE(caveat.until, 0, 6);
      return framed(TYPE_UNTIL, body);
    }
    case "uses": {
      const body = nodeBuffer().alloc(4);
      body.writeUInt32BE(caveat.uses);
      return framed(TYPE_USES, body);
    }
  }
}

/**
 * The names of methods in the order in which a caveat has them: by their UTF-8, each once.
 *
 * @returns The UTF-8 of each.
 */
function sortMethods(methods: readonly string[]): Uint8Array[] {
  return [...new Set(methods)].map(encodeText).sort(nodeBuffer().compare);
}

/** One caveat that was read. */
export interface ReadCaveat {
  readonly caveat: Caveat;
  /** The very bytes, for the chain. */
  readonly bytes: Uint8Array;
}

/**
 * The caveats that fill `bytes`.
 *
 * @param maxCount No more are read.
 * @returns `undefined` if they are not exactly what {@linkcode encodeCaveat} gives, or there are more.
 */
export function decodeCaveats(bytes: Uint8Array, maxCount: number): readonly ReadCaveat[] | undefined {
  const read: ReadCaveat[] = [];
  for (let at = 0; at < bytes.length;) {
    if (read.length === maxCount || at + HEADER_BYTES > bytes.length) return undefined;
    const end = at + HEADER_BYTES + bytes[at + 1]! * 256 + bytes[at + 2]!;
    if (end > bytes.length) return undefined;
    const one = bytes.subarray(at, end);
    const caveat = decodeOne(one[0]!, one.subarray(HEADER_BYTES));
    // A caveat of a type that is not known here takes away something that is not known here.
    if (caveat === undefined) return undefined;
    read.push({ caveat, bytes: one });
    at = end;
  }
  return read;
}

function decodeOne(type: number, body: Uint8Array): Caveat | undefined {
  const { buffer, byteOffset, length } = body;
  const view = new DataView(buffer, byteOffset, length);
  switch (type) {
    case TYPE_LABEL: {
      const label = textOf(body, MAX_CAVEAT_LABEL_BYTES);
      return label === undefined ? undefined : { type: "label", label };
    }
    case TYPE_FOR_TUB: {
      if (length !== TUB_ID_BYTES) return undefined;
      const tubId = encodeBase32(body);
      return isTubId(tubId) ? { type: "forTub", tubId } : undefined;
    }
    case TYPE_METHODS: {
      const methods = decodeMethods(body);
      return methods === undefined ? undefined : { type: "methods", methods };
    }
    case TYPE_UNTIL:
      return length === 6
        ? { type: "until", until: view.getUint16(0) * 2 ** 32 + view.getUint32(2) }
        : undefined;
    case TYPE_USES:
      return length === 4 ? { type: "uses", uses: view.getUint32(0) } : undefined;
    default:
      return undefined;
  }
}

function decodeMethods(body: Uint8Array): readonly string[] | undefined {
  const methods: string[] = [];
  let before: Uint8Array | undefined;
  for (let at = 0; at < body.length;) {
    if (at + 2 > body.length) return undefined;
    const end = at + 2 + body[at]! * 256 + body[at + 1]!;
    if (end > body.length) return undefined;
    const one = body.subarray(at + 2, end);
    const text = textOf(one, MAX_NAME_BYTES);
    if (text === undefined || before !== undefined && nodeBuffer().compare(before, one) >= 0) {
      return undefined;
    }
    methods.push(text);
    before = one;
    at = end;
  }
  return Object.freeze(methods);
}

/** The text, if it is UTF-8 of 1 to `maxBytes` bytes. */
function textOf(bytes: Uint8Array, maxBytes: number): string | undefined {
  if (bytes.length === 0 || bytes.length > maxBytes) return undefined;
  try {
    return decodeText(bytes, 0, bytes.length);
  } catch {
    return undefined;
  }
}

function framed(type: number, body: Uint8Array): Uint8Array {
  const header = nodeBuffer().alloc(HEADER_BYTES);
  header.writeUInt8(type);
  header.writeUInt16BE(body.length, 1);
  return new Uint8Array(nodeBuffer().concat([header, body]));
}

function withLength(bytes: Uint8Array): Uint8Array {
  const length = nodeBuffer().alloc(2);
  length.writeUInt16BE(bytes.length);
  return nodeBuffer().concat([length, bytes]);
}

const ROOT_KEY = new HmacKey(encodeText("foolscap caveat root v1"));
const ID_LABEL = encodeText("foolscap caveat id v1");
const CHAIN_LABEL = encodeText("foolscap caveat chain v1");
const MARK_LABEL = "foolscap caveat mark v1";

/** Bytes of a root and of a link. */
export const LINK_BYTES = 32;
/** Bytes of an id. */
export const ID_BYTES = 16;

/** The key to all names that derive from one: a secret, as the name is. */
export function caveatRoot(name: string): Uint8Array {
  return ROOT_KEY.digest(encodeText(name));
}

/** What tells of which root a derived name is, to those who know the root. No secret, and leads to none. */
export function caveatId(root: Uint8Array): Uint8Array {
  return hmac(root, ID_LABEL, ID_BYTES);
}

/** The link before the first caveat: a secret that stands in no name. */
export function firstLink(root: Uint8Array): Uint8Array {
  return hmac(root, CHAIN_LABEL);
}

/** The link after a caveat. */
export function nextLink(link: Uint8Array, caveat: Uint8Array): Uint8Array {
  return hmac(link, caveat);
}

/**
 * What stands for the part of a chain up to a link where something is remembered of it, a count or that it was revoked:
 * it leads back to no link, so that who reads what is remembered can make no name of it. Base64, of 16 bytes.
 */
export function markOf(link: Uint8Array): string {
  return nodeCrypto().createHash("sha256").update(MARK_LABEL).update(link).digest().subarray(0, 16).toString(
    "base64",
  );
}
