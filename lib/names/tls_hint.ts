/**
 * Hints of the type `tls`: where a Tub of this module is found that speaks TLS from the first byte, and by which key it is
 * known there.
 *
 * `tls:HOST:PORT:KEY`; the key is the 32 bytes of an Ed25519 public key in base32, 52 characters. Python Foolscap passes over
 * such hints. A hint can be forged: what it says is only where to ask, and nothing rests on it.
 *
 * @module
 */

import { InvalidHintError } from "../errors.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { hostPortOf, joinHostPort } from "./hints.ts";

/** What a `tls:` hint says. */
export interface TlsHint {
  /** DNS name, IPv4 address, or IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** The Ed25519 public key that the Tub's certificate is said to have, 32 bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
}

const KEY_BYTES = 32;
const FORM = /^(tls:.*):([a-z2-7]{52})$/s;

/**
 * Takes a hint of the type `tls` apart.
 *
 * @throws {InvalidHintError} If it does not have that form, or the port is none.
 */
export function parseTlsHint(hint: string): TlsHint {
  const [, place, text] = FORM.exec(hint) ?? [];
  if (place === undefined || text === undefined) throw unrecognized();
  const { host, port } = hostPortOf(place, "TLS");
  return Object.freeze({ host, port, key: keyOf(text) });
}

/** The hint for a Tub with that key at that place. */
export function formatTlsHint(host: string, port: number, key: Uint8Array): string {
  return `tls:${joinHostPort(host, port)}:${encodeBase32(key)}`;
}

function keyOf(text: string): Uint8Array<ArrayBuffer> {
  try {
    const key = decodeBase32(text);
    if (key.length === KEY_BYTES) return key;
  } catch {
    // The bits behind the last byte are not zero: another text means the same key.
  }
  throw unrecognized();
}

function unrecognized(): InvalidHintError {
  return new InvalidHintError("unrecognized TLS hint");
}
