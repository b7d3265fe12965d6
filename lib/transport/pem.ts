/**
 * PEM text ↔ blocks of DER.
 *
 * @module
 */

import { CertificateError } from "../errors.ts";

/** One block of a PEM text. */
export interface PemBlock {
  /** What stands behind `BEGIN`, such as `CERTIFICATE`. */
  readonly label: string;
  /** The decoded contents. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** The block as text, written anew, with a newline at its end. */
  readonly pem: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----([^-]*)-----END ([A-Z0-9 ]{1,64})-----/g;

/**
 * Writes a PEM block: lines of 64 characters, each with a newline.
 *
 * @param label Such as `CERTIFICATE`.
 * @param der The contents.
 */
export function formatPem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * Reads all blocks of a PEM text, in order. Text between them, as OpenSSL writes it, is skipped.
 *
 * @param text With any kind of line ends.
 * @throws {CertificateError} If a block is encrypted, is not base64, or does not end as it begins.
 */
export function parsePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const [, label = "", body = "", endLabel] of text.matchAll(BLOCK)) {
    if (label !== endLabel) {
      throw new CertificateError(`Cannot read PEM: a block begins as ${label} and ends as ${endLabel}`);
    }
    if (label.startsWith("ENCRYPTED") || body.includes("Proc-Type:")) throw encrypted();
    let der: Uint8Array<ArrayBuffer>;
    try {
      der = Uint8Array.fromBase64(body);
    } catch {
      // The reason would show a piece of the key.
      throw new CertificateError(`Cannot read PEM: the ${label} block is not base64`);
    }
    blocks.push({ label, der, pem: formatPem(label, der) });
  }
  return blocks;
}

function encrypted(): CertificateError {
  return new CertificateError(
    "Cannot read PEM: the private key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt`",
  );
}
