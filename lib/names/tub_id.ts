/**
 * The name of a Tub, which nobody else can take: the hash of its certificate.
 *
 * @module
 */

import { encodeBase32 } from "./base32.ts";

/** Characters of a TubID: 160 bits of SHA-1 in base32, which is never padded. */
export const TUB_ID_LENGTH = 32;

const TUB_ID = /^[a-z2-7]{32}$/;

/**
 * The TubID of a certificate: lower-case, unpadded base32 of the SHA-1 of its DER.
 *
 * The whole certificate is hashed, so a new certificate for the same key is another Tub.
 * Foolscap: `crypto.digest32`, `Tub.setupEncryption`.
 *
 * @param certificate DER of the X.509 certificate.
 * @returns 32 characters of `a-z2-7`. Never rejects.
 */
export async function tubIdOf(certificate: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new Uint8Array(certificate));
  return encodeBase32(new Uint8Array(digest));
}

/** Whether `text` is a TubID as a Tub writes its own: 32 characters, lower case. */
export function isTubId(text: string): boolean {
  return TUB_ID.test(text);
}

/**
 * The first 4 characters of a TubID, for messages to people. Foolscap: `getShortTubID`.
 *
 * @param tubId A TubID; what is shorter comes back whole.
 */
export function shortTubId(tubId: string): string {
  return tubId.slice(0, 4);
}
