/**
 * Caveats: what an attenuated FURL takes away, and each one's only form in bytes.
 *
 * One caveat is its type (1 byte), the length of what follows (2 bytes), and that. Numbers are big-endian. A reader takes
 * nothing but the form that the writer gives, so one caveat has one form, and no two caveats share one.
 *
 * @module
 */

import { nodeBuffer } from "../util/node.ts";
import { MAX_CAVEAT_LABEL_BYTES, MAX_NAME_BYTES } from "../limits.ts";
import { decodeText, encodeText } from "../util/text.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { isTubId } from "./tub_id.ts";

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
export function sortMethods(methods: readonly string[]): Uint8Array[] {
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
