/**
 * The certificates of Tubs: what can be read from anybody's, and how our own are written, in as much of ASN.1's DER as that needs.
 *
 * An element of DER is a tag byte, a length and contents: `30 03 02 01 05` is a SEQUENCE of one INTEGER, 5.
 * Lengths below 128 are one byte; longer ones are `8n` and n bytes, big-endian. Tags above 30 and
 * indefinite lengths do not occur in DER certificates and are refused.
 *
 * A certificate is SEQUENCE { body, signature algorithm, signature }, the body being SEQUENCE
 * { [0] version, serial, signature algorithm, issuer, validity, subject, public key, [3] extensions }.
 * Ours are Ed25519 and X.509 v3, valid for a century; those of Python Foolscap are RSA 2048 and v1,
 * without the fields in brackets. No authority stands behind either: the hash of the whole is the
 * TubID, and that is what is checked.
 *
 * @module
 */

import { CertificateError } from "../errors.ts";
import { encodeText } from "../util/text.ts";

/** The tags that are used here. */
export const DerTag = Object.freeze(
  {
    boolean: 0x01,
    integer: 0x02,
    bitString: 0x03,
    octetString: 0x04,
    null: 0x05,
    oid: 0x06,
    utf8String: 0x0c,
    utcTime: 0x17,
    generalizedTime: 0x18,
    sequence: 0x30,
    set: 0x31,
    /** `[0]` around other elements: the version of a certificate. */
    context0: 0xa0,
    /** `[3]` around other elements: the extensions of a certificate. */
    context3: 0xa3,
  } as const,
);

/** One element, as windows on the bytes it was read from. */
interface DerElement {
  /** The tag byte. */
  readonly tag: number;
  /** What is inside. */
  readonly contents: Uint8Array;
  /** Tag, length and contents. */
  readonly bytes: Uint8Array;
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/**
 * Writes one element.
 *
 * @param tag One of {@linkcode DerTag}.
 * @param parts Its contents, written one after the other.
 * @returns New memory.
 */
export function encodeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag, ...lengthBytes(length)];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let offset = head.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/**
 * Writes an INTEGER that is not negative.
 *
 * @param magnitude Big-endian, any number of leading zeros.
 */
export function encodeDerInteger(magnitude: Uint8Array): Uint8Array<ArrayBuffer> {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const shortest = first < 0 ? new Uint8Array(1) : magnitude.subarray(first);
  // A set top bit would make the number negative.
  const sign = shortest[0]! >= 0x80 ? Uint8Array.of(0) : new Uint8Array();
  return encodeDer(DerTag.integer, sign, shortest);
}

/**
 * Writes an OBJECT IDENTIFIER.
 *
 * @param dotted Such as `1.3.101.112`; each number below 2^28.
 */
export function encodeDerOid(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let high = arc >>> 7; high > 0; high >>>= 7) groups.unshift(0x80 | (high & 0x7f));
    bytes.push(...groups);
  }
  return encodeDer(DerTag.oid, Uint8Array.from(bytes));
}

/**
 * Reads the element at the beginning of `bytes`.
 *
 * @param bytes One element, and whatever follows.
 * @returns Windows on `bytes`, not copies.
 * @throws {CertificateError} If it is not DER, or is cut off.
 */
export function decodeDer(bytes: Uint8Array): DerElement {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined) {
    throw new CertificateError("Cannot read DER: the data is cut off");
  }
  if ((tag & 0x1f) === 0x1f) throw new CertificateError("Cannot read DER: a tag has more than one byte");
  let length = first;
  let offset = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // Three bytes are 16 MiB, more than any certificate.
    if (count === 0 || count > 3) {
      throw new CertificateError("Cannot read DER: a length is indefinite or over 16 MiB");
    }
    offset += count;
    if (offset > bytes.length) throw new CertificateError("Cannot read DER: the data is cut off");
    length = bytes.subarray(2, offset).reduce((sum, byte) => sum * 256 + byte, 0);
    if (lengthBytes(length).length !== count + 1) {
      throw new CertificateError("Cannot read DER: a length is not in its shortest form");
    }
  }
  const end = offset + length;
  if (end > bytes.length) throw new CertificateError("Cannot read DER: the data is cut off");
  return { tag, contents: bytes.subarray(offset, end), bytes: bytes.subarray(0, end) };
}

/**
 * Reads the elements inside an element, without going deeper.
 *
 * @param bytes An element and nothing behind it.
 * @param tag What it must be.
 * @throws {CertificateError} If the tag is another one, or the contents are not whole elements.
 */
export function decodeDerSequence(bytes: Uint8Array, tag: number = DerTag.sequence): DerElement[] {
  const outer = decodeDer(bytes);
  if (outer.tag !== tag || outer.bytes.length !== bytes.length) {
    throw new CertificateError("Cannot read DER: the structure is not the expected one");
  }
  const elements: DerElement[] = [];
  for (let offset = 0; offset < outer.contents.length;) {
    const element = decodeDer(outer.contents.subarray(offset));
    elements.push(element);
    offset += element.bytes.length;
  }
  return elements;
}

/** Kinds of keys that a Tub can have. */
export type KeyKind = "ed25519" | "rsa" | "p256" | "p384";

/** What the library needs to know of a certificate. */
interface CertificateInfo {
  /** 1 or 3. */
  readonly version: number;
  /** The kind of its key; `undefined` for one that is not known here. */
  readonly keyKind: KeyKind | undefined;
  /** Size of an RSA key in bits; `undefined` for others. */
  readonly rsaBits: number | undefined;
  /** The public key, as DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array<ArrayBuffer>;
  /** The 32 bytes of an Ed25519 key; `undefined` for others. */
  readonly ed25519Key: Uint8Array<ArrayBuffer> | undefined;
}

/** The subject and issuer of every certificate, Python's included. */
const COMMON_NAME = "newpb_thingy";
const DAY_MS = 24 * 3_600_000;
const YEARS = 100;

const OID = Object.freeze({
  ed25519: encodeDerOid("1.3.101.112"),
  rsa: encodeDerOid("1.2.840.113549.1.1.1"),
  ec: encodeDerOid("1.2.840.10045.2.1"),
  p256: encodeDerOid("1.2.840.10045.3.1.7"),
  p384: encodeDerOid("1.3.132.0.34"),
  commonName: encodeDerOid("2.5.4.3"),
  basicConstraints: encodeDerOid("2.5.29.19"),
});

const ED25519 = encodeDer(DerTag.sequence, OID.ed25519);
const NAME = encodeDer(
  DerTag.sequence,
  encodeDer(
    DerTag.set,
    encodeDer(DerTag.sequence, OID.commonName, encodeDer(DerTag.utf8String, encodeText(COMMON_NAME))),
  ),
);

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && b.every((byte, i) => byte === a[i]);
}

/** Bits of the modulus in the DER of an RSA public key. */
function rsaBitsOf(key: Uint8Array): number {
  const modulus = decodeDerSequence(key)[0]?.contents ?? new Uint8Array();
  const first = modulus.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first]!) + 24;
}

/**
 * Reads what is needed of a certificate. It checks neither signature nor dates.
 *
 * @param certificate DER.
 * @throws {CertificateError} If it is not an X.509 certificate.
 */
export function readCertificate(certificate: Uint8Array): CertificateInfo {
  const body = decodeDerSequence(decodeDerSequence(certificate)[0]?.bytes ?? new Uint8Array());
  const hasVersion = body[0]?.tag === DerTag.context0;
  const version = hasVersion ? (decodeDer(body[0]!.contents).contents[0] ?? 0) + 1 : 1;
  const spki = body[hasVersion ? 6 : 5]?.bytes;
  if (spki === undefined) throw new CertificateError("Cannot read certificate: it has no public key");
  const [algorithm, key] = decodeDerSequence(spki);
  if (algorithm === undefined || key?.tag !== DerTag.bitString || key.contents[0] !== 0) {
    throw new CertificateError("Cannot read certificate: its public key has no known form");
  }
  const [oid, parameters] = decodeDerSequence(algorithm.bytes);
  const bits = key.contents.subarray(1);
  let keyKind: KeyKind | undefined;
  if (isSame(oid?.bytes, OID.ed25519) && bits.length === 32) keyKind = "ed25519";
  else if (isSame(oid?.bytes, OID.rsa)) keyKind = "rsa";
  else if (isSame(oid?.bytes, OID.ec) && isSame(parameters?.bytes, OID.p256)) keyKind = "p256";
  else if (isSame(oid?.bytes, OID.ec) && isSame(parameters?.bytes, OID.p384)) keyKind = "p384";
  return {
    version,
    keyKind,
    rsaBits: keyKind === "rsa" ? rsaBitsOf(bits) : undefined,
    spki: new Uint8Array(spki),
    ed25519Key: keyKind === "ed25519" ? new Uint8Array(bits) : undefined,
  };
}

/**
 * The key by which a certificate can be reached by a trust anchor of {@linkcode createTrustAnchor}: that of a certificate as
 * {@linkcode createCertificate} writes it. TLS libraries make conditions for others that cannot be known from here.
 *
 * @param certificate DER.
 * @returns The 32 bytes of its Ed25519 key; `undefined` for a certificate of another form.
 * @throws {CertificateError} If it is not an X.509 certificate.
 */
export function anchoredKeyOf(certificate: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const { version, ed25519Key } = readCertificate(certificate);
  if (version !== 3 || ed25519Key === undefined) return undefined;
  const body = decodeDerSequence(decodeDerSequence(certificate)[0]!.bytes);
  const [issuer, subject, extensions] = [body[3], body[5], body[7]];
  const isOurs = isSame(issuer?.bytes, NAME) && isSame(subject?.bytes, NAME) && body.length === 8 &&
    isSame(extensions?.bytes, encodeExtensions(false));
  return isOurs ? ed25519Key : undefined;
}

/** UTCTime until 2049, GeneralizedTime from 2050 on, as RFC 5280 wants it. */
function encodeTime(date: Date): Uint8Array {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050
    ? encodeDer(DerTag.utcTime, encodeText(text.slice(2)))
    : encodeDer(DerTag.generalizedTime, encodeText(text));
}

function encodeBody(
  publicKey: Uint8Array,
  serial: Uint8Array,
  notBefore: Date,
  isAuthority: boolean,
): Uint8Array {
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + YEARS);
  return encodeDer(
    DerTag.sequence,
    encodeDer(DerTag.context0, encodeDerInteger(Uint8Array.of(2))),
    encodeDerInteger(serial),
    ED25519,
    NAME,
    encodeDer(DerTag.sequence, encodeTime(notBefore), encodeTime(notAfter)),
    NAME,
    encodeDer(DerTag.sequence, ED25519, encodeDer(DerTag.bitString, Uint8Array.of(0), publicKey)),
    encodeExtensions(isAuthority),
  );
}

function encodeExtensions(isAuthority: boolean): Uint8Array {
  const yes = encodeDer(DerTag.boolean, Uint8Array.of(0xff));
  // An empty SEQUENCE is CA:FALSE, for DER leaves out what is the default.
  const constraints = isAuthority ? encodeDer(DerTag.sequence, yes) : encodeDer(DerTag.sequence);
  const basic = encodeDer(
    DerTag.sequence,
    OID.basicConstraints,
    yes,
    encodeDer(DerTag.octetString, constraints),
  );
  return encodeDer(DerTag.context3, encodeDer(DerTag.sequence, basic));
}

function seal(body: Uint8Array, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeDer(DerTag.sequence, body, ED25519, encodeDer(DerTag.bitString, Uint8Array.of(0), signature));
}

/** What goes into a certificate of ours. */
interface CreateCertificateOptions {
  /** The Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Signs with the key that belongs to `publicKey`; 64 bytes. */
  readonly sign: (body: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  /** The serial number, big-endian; at most 19 bytes, not all zero. */
  readonly serial: Uint8Array;
  /** The present time, in milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Writes a self-signed certificate: Ed25519, X.509 v3, `CA:FALSE`, `CN=newpb_thingy`, valid for a
 * century from the day before, so that a clock that is behind takes it too.
 *
 * Foolscap: `crypto.createCertificate`, which writes RSA 2048, X.509 v1, valid for a year.
 *
 * @returns DER. Rejects only if `sign` does.
 */
export async function createCertificate(options: CreateCertificateOptions): Promise<Uint8Array<ArrayBuffer>> {
  const body = encodeBody(options.publicKey, options.serial, new Date(options.nowMs - DAY_MS), false);
  return seal(body, await options.sign(new Uint8Array(body)));
}

/**
 * Writes the trust anchor that stands for a Tub's certificate where a TLS library wants an authority.
 *
 * Of an anchor only the key and the subject count; its signature is zeros, for only the Tub can sign.
 *
 * @param publicKey The Ed25519 key of the Tub, 32 bytes.
 * @returns DER.
 * @throws {RangeError} If the key has another length.
 */
export function createTrustAnchor(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  if (publicKey.length !== 32) {
    throw new RangeError(`Cannot write trust anchor: the key has ${publicKey.length} bytes instead of 32`);
  }
  const body = encodeBody(publicKey, Uint8Array.of(1), new Date(0), true);
  return seal(body, new Uint8Array(64));
}
