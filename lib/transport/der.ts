/**
 * As much of ASN.1's DER as certificates and keys need.
 *
 * An element is a tag byte, a length and contents: `30 03 02 01 05` is a SEQUENCE of one INTEGER, 5.
 * Lengths below 128 are one byte; longer ones are `8n` and n bytes, big-endian. Tags above 30 and
 * indefinite lengths do not occur in DER certificates and are refused.
 *
 * @module
 */

import { CertificateError } from "../errors.ts";

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
export interface DerElement {
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
