/**
 * Names that were derived from others by adding caveats, as text: `cav1-` and, in base64url without padding, the id of the
 * root (16 bytes), the caveats, and the last link of their chain (32 bytes).
 *
 * A swissnum has no `1`, and no program can register a name that begins so: what looks like a derived name is one, or is
 * nothing. All characters are safe in FURLs, in files and in Foolscap's regular expressions.
 *
 * @module
 */

import { nodeBuffer, nodeCrypto } from "../util/node.ts";
import { FurlError } from "../errors.ts";
import { MAX_CAVEAT_BYTES, MAX_CAVEATS } from "../limits.ts";
import {
  type Caveat,
  caveatId,
  caveatRoot,
  decodeCaveats,
  encodeCaveat,
  firstLink,
  ID_BYTES,
  LINK_BYTES,
  nextLink,
  type ReadCaveat,
} from "./caveat.ts";
import { checkName } from "./furl.ts";

const PREFIX = "cav1-";
/** Later forms would count up. */
const RESERVED = /^cav\d+-/;
const MAX_BYTES = ID_BYTES + MAX_CAVEAT_BYTES + LINK_BYTES;
const MAX_LENGTH = PREFIX.length + Math.ceil(MAX_BYTES * 4 / 3);

/** A derived name, read; nothing of it has been verified. */
export interface DerivedName {
  /** Of the root that it says it is of. */
  readonly id: Uint8Array;
  /** From the first to the last: at least one. */
  readonly caveats: readonly ReadCaveat[];
  /** The last link, as it says. */
  readonly link: Uint8Array;
}

/** Whether a name is reserved for derived ones, of this form or a later one. */
export function isReservedName(name: string): boolean {
  return RESERVED.test(name);
}

/**
 * Checks that a program can give an object this name.
 *
 * @throws {FurlError} If it cannot stand in a FURL, or is reserved for derived ones. The name is not shown.
 */
export function checkOwnName(name: string): void {
  checkName(name);
  if (!isReservedName(name)) return;
  throw new FurlError("Cannot use name: it begins as those of attenuated FURLs do; choose another one");
}

/**
 * Reads a derived name.
 *
 * @returns `undefined` for whatever {@linkcode deriveName} does not write.
 */
export function parseDerivedName(name: string): DerivedName | undefined {
  if (!name.startsWith(PREFIX) || name.length > MAX_LENGTH) return undefined;
  const text = name.slice(PREFIX.length);
  const bytes = new Uint8Array(nodeBuffer().from(text, "base64url"));
  // Node skips what is not of the alphabet; each sequence of bytes has one text.
  if (nodeBuffer().from(bytes).toString("base64url") !== text) return undefined;
  const end = bytes.length - LINK_BYTES;
  if (end <= ID_BYTES) return undefined;
  const caveats = decodeCaveats(bytes.subarray(ID_BYTES, end), MAX_CAVEATS);
  if (caveats === undefined) return undefined;
  return { id: bytes.subarray(0, ID_BYTES), caveats, link: bytes.subarray(end) };
}

/**
 * The name with more caveats.
 *
 * @param name An object's own name, or a derived one.
 * @param caveats At least one; checked.
 * @throws {FurlError} If the name only looks like a derived one, or it would have too many caveats, or too long ones.
 */
export function deriveName(name: string, caveats: readonly Caveat[]): string {
  let id: Uint8Array, link: Uint8Array;
  const parts: Uint8Array[] = [];
  if (isReservedName(name)) {
    const known = parseDerivedName(name);
    if (known === undefined) {
      throw new FurlError(
        "Cannot attenuate FURL: its name begins as that of an attenuated one, and is none that this version can read",
      );
    }
    ({ id, link } = known);
    parts.push(...known.caveats.map(({ bytes }) => bytes));
  } else {
    const root = caveatRoot(name);
    id = caveatId(root);
    link = firstLink(root);
  }
  for (const caveat of caveats) {
    const bytes = encodeCaveat(caveat);
    parts.push(bytes);
    link = nextLink(link, bytes);
  }
  if (parts.length > MAX_CAVEATS) {
    throw new FurlError(
      `Cannot attenuate FURL: it would have ${parts.length} caveats, more than ${MAX_CAVEATS}`,
    );
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > MAX_CAVEAT_BYTES) {
    throw new FurlError(
      `Cannot attenuate FURL: its caveats would have ${length} bytes, more than ${MAX_CAVEAT_BYTES}`,
    );
  }
  return PREFIX + nodeBuffer().concat([id, ...parts, link]).toString("base64url");
}

/**
 * Verifies a derived name.
 *
 * @param root Of the name whose id it has.
 * @returns The link after each caveat, or `undefined` if the last one is another than it says.
 */
export function verifyName({ caveats, link }: DerivedName, root: Uint8Array): Uint8Array[] | undefined {
  let last = firstLink(root);
  const links = caveats.map(({ bytes }) => last = nextLink(last, bytes));
  return nodeCrypto().timingSafeEqual(last, link) ? links : undefined;
}
