/**
 * The key and the certificate of a Tub, and the PEM file that they are kept in.
 *
 * @module
 */

import { CertificateError } from "../errors.ts";
import { type RandomBytes, systemRandomBytes } from "../util/random_bytes.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import {
  createCertificate,
  DerTag,
  encodeDer,
  encodeDerInteger,
  encodeDerOid,
  type KeyKind,
  readCertificate,
} from "./certificate.ts";

/** One block of a PEM text. */
interface PemBlock {
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

/** A certificate and the key that belongs to it. */
export interface KeyPair {
  /** PEM of the certificate, with a newline at its end. */
  readonly certPem: string;
  /** PEM of the private key, PKCS#8 or PKCS#1, with a newline at its end. */
  readonly keyPem: string;
  /** Always: what makes key pairs has found it out. */
  readonly isPair: true;
  /** DER of the certificate. */
  readonly certificate: Uint8Array<ArrayBuffer>;
  /** The kind of the key. */
  readonly keyKind: KeyKind;
  /** The 32 bytes of the public key if it is Ed25519, else `undefined`. */
  readonly ed25519Key: Uint8Array<ArrayBuffer> | undefined;
}

/** TLS libraries of today refuse to load smaller ones. */
const MIN_RSA_BITS = 2048;
const SEED_BYTES = 32;
const SERIAL_BYTES = 16;
const NEW_IDENTITY = "move it away to start with a new identity, which is a new TubID with new FURLs";

const ALGORITHMS: Readonly<Record<KeyKind, RsaHashedImportParams & EcKeyImportParams>> = Object.freeze({
  ed25519: { name: "Ed25519", hash: "", namedCurve: "" },
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", namedCurve: "" },
  p256: { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" },
  p384: { name: "ECDSA", hash: "SHA-256", namedCurve: "P-384" },
});

const VERSION_0 = encodeDerInteger(Uint8Array.of(0));
const RSA = encodeDer(DerTag.sequence, encodeDerOid("1.2.840.113549.1.1.1"), encodeDer(DerTag.null));
const ED25519 = encodeDer(DerTag.sequence, encodeDerOid("1.3.101.112"));

/** PKCS#8 is SEQUENCE { 0, algorithm, OCTET STRING { the key in a form of its own } }. */
function encodePkcs8(algorithm: Uint8Array, key: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeDer(DerTag.sequence, VERSION_0, algorithm, encodeDer(DerTag.octetString, key));
}

/**
 * Makes the private key of a PEM text ready to sign.
 *
 * @param keyPem One block, PKCS#8 or PKCS#1.
 * @param keyKind The kind of the key.
 * @throws {CertificateError} If there is no such key in the text.
 */
export async function importPrivateKey(keyPem: string, keyKind: KeyKind): Promise<CryptoKey> {
  const block = parsePem(keyPem).find(isKey);
  if (block === undefined) throw new CertificateError(`Cannot read private key: there is none`);
  const der = block.label === "RSA PRIVATE KEY" ? encodePkcs8(RSA, block.der) : block.der;
  try {
    return await crypto.subtle.importKey("pkcs8", der, ALGORITHMS[keyKind], false, ["sign"]);
  } catch {
    // What the platform says of a key is not for messages.
    throw new CertificateError(`Cannot read private key: it is not a ${keyKind} key, or is damaged`);
  }
}

/** What {@linkcode createKeyPair} takes from outside. */
interface CreateKeyPairOptions {
  /**
   * Where random bytes come from.
   *
   * @default the system's own source
   */
  readonly randomBytes?: RandomBytes | undefined;
  /** The present time, in milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Makes a new Ed25519 key and its self-signed certificate.
 *
 * The same random bytes and time give the same certificate. Takes about a millisecond.
 *
 * @throws {RangeError} If the random source gives too few bytes.
 */
export async function createKeyPair(options: CreateKeyPairOptions): Promise<KeyPair> {
  const randomBytes = options.randomBytes ?? systemRandomBytes;
  const seed = randomBytes(SEED_BYTES);
  const serial = new Uint8Array(randomBytes(SERIAL_BYTES));
  if (seed.length !== SEED_BYTES || serial.length !== SERIAL_BYTES) {
    throw new RangeError("Cannot create identity: the random source gave too few bytes");
  }
  serial[0]! |= 0x40; // Never zero, and of the same length each time.
  serial[0]! &= 0x7f;
  const pkcs8 = encodePkcs8(ED25519, encodeDer(DerTag.octetString, seed));
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x = "" } = await crypto.subtle.exportKey("jwk", key);
  const publicKey = Uint8Array.fromBase64(x, { alphabet: "base64url" });
  const certificate = await createCertificate({
    publicKey,
    sign: async (body) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, body)),
    serial,
    nowMs: options.nowMs,
  });
  return {
    certPem: formatPem("CERTIFICATE", certificate),
    keyPem: formatPem("PRIVATE KEY", pkcs8),
    isPair: true,
    certificate,
    keyKind: "ed25519",
    ed25519Key: publicKey,
  };
}

function isKey(block: PemBlock): boolean {
  return block.label.endsWith("PRIVATE KEY");
}

/** Signs a text of its own with the one key and verifies it with the other. */
async function belongTogether(
  spki: Uint8Array<ArrayBuffer>,
  keyPem: string,
  kind: KeyKind,
): Promise<boolean> {
  const algorithm = ALGORITHMS[kind];
  const label = encodeText("foolscap key check v1");
  const privateKey = await importPrivateKey(keyPem, kind);
  const publicKey = await crypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]);
  const signature = await crypto.subtle.sign(algorithm, privateKey, label);
  return await crypto.subtle.verify(algorithm, publicKey, signature, label);
}

async function parse(pem: string): Promise<KeyPair> {
  const blocks = parsePem(pem);
  const cert = blocks.find(({ label }) => label === "CERTIFICATE");
  const key = blocks.find(isKey);
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? "certificate" : "private key";
    throw new CertificateError(`there is no PEM block with a ${missing}; ${NEW_IDENTITY}`);
  }
  if (key.label !== "PRIVATE KEY" && key.label !== "RSA PRIVATE KEY") {
    throw new CertificateError(
      `a ${quoteForeign(key.label)} is not read; convert it with "openssl pkcs8 -topk8 -nocrypt"`,
    );
  }
  const { keyKind, rsaBits, spki, ed25519Key } = readCertificate(cert.der);
  if (keyKind === undefined) {
    throw new CertificateError(`its key is not Ed25519, RSA, P-256 or P-384; ${NEW_IDENTITY}`);
  }
  if (rsaBits !== undefined && rsaBits < MIN_RSA_BITS) {
    throw new CertificateError(
      `its RSA key has ${rsaBits} bits, and TLS libraries refuse less than ${MIN_RSA_BITS}; ${NEW_IDENTITY}`,
    );
  }
  if (!await belongTogether(spki, key.pem, keyKind)) {
    throw new CertificateError(
      `the private key does not belong to the certificate; put the two of one Tub together, or ${NEW_IDENTITY}`,
    );
  }
  return { certPem: cert.pem, keyPem: key.pem, isPair: true, certificate: cert.der, keyKind, ed25519Key };
}

/** Options of {@linkcode parseKeyPair}. */
interface ParseKeyPairOptions {
  /**
   * What the text came from, for the error: `the file "calc.pem"`.
   *
   * @default "the PEM text"
   */
  readonly source?: string | undefined;
}

/**
 * Reads a certificate and its private key, in either order, from a PEM text such as Foolscap's
 * `getCertData()` or a `certFile`.
 *
 * Of several certificates the first one counts. The key may be PKCS#8 or `RSA PRIVATE KEY`.
 *
 * @param pem The text.
 * @throws {CertificateError} If one is missing or damaged, the key is an RSA key below 2,048 bits or
 *   of an unknown kind, or the two do not belong together. Says what to do.
 */
export async function parseKeyPair(pem: string, options: ParseKeyPairOptions = {}): Promise<KeyPair> {
  try {
    return await parse(pem);
  } catch (cause) {
    const reason = cause instanceof CertificateError ? cause.message : "the certificate or key is damaged";
    throw new CertificateError(`Cannot load identity from ${options.source ?? "the PEM text"}: ${reason}`, {
      cause,
    });
  }
}
