/**
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

import { nodeCrypto } from "../util/node.ts";
import { HmacKey } from "../util/sha256.ts";
import { encodeText } from "../util/text.ts";

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
  return hmac(root, ID_LABEL).subarray(0, ID_BYTES);
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

function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return new HmacKey(key).digest(message);
}
