/**
 * Connection hints as text: where a Tub may be found. Each is `TYPE:REST`; three types are read here.
 *
 * - `tcp:HOST:PORT`. `HOST:PORT` alone is its legacy form, so no other type can have a rest of digits only.
 * - `tls:HOST:PORT:KEY`: a Tub of this module that speaks TLS from the first byte. KEY is its Ed25519 public key, 32 bytes in
 *   base32, 52 characters. A hint can be forged: it says where to ask, and what answers there is verified by the TubID.
 * - `unix:PATH`, the path percent-encoded, because a slash ends the hints of a FURL and a comma separates them:
 *   `unix:%2Frun%2Fcalc.sock` is `/run/calc.sock`.
 *
 * Of these, Python Foolscap knows the first only; it passes over what it does not know.
 *
 * Source: Foolscap `connections/tcp.py`.
 *
 * @module
 */

import { FurlError, InvalidHintError } from "../errors.ts";
import { redactHint } from "../util/redact.ts";
import { quoteForeign } from "../util/text.ts";
import { decodeBase32, encodeBase32 } from "./tub_id.ts";

/** A TCP address. */
export interface TcpHint {
  /** Written `tcp:`, or not at all in the legacy form. */
  readonly type: "tcp";
  /** DNS name, IPv4 address, or IPv6 address without brackets (a `%zone` is kept). */
  readonly host: string;
  /** 0 or more. Above 65,535 it is no port, and connecting fails. */
  readonly port: number;
  /** The hint as it was written. */
  readonly text: string;
}

/** A hint of another type, for whoever handles that type. */
export interface OtherHint {
  /** What stands before the first colon, case-sensitive; never `tcp`. */
  readonly type: string;
  /** The whole hint as it was written. */
  readonly text: string;
}

/** A parsed hint; {@linkcode isTcpHint} tells the two apart. */
export type ConnectionHint = TcpHint | OtherHint;

const DOTTED_QUAD = String.raw`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`;
const BRACKETED = String.raw`\[[A-Fa-f0-9:]+(?:${DOTTED_QUAD}|%[a-zA-Z0-9.]+)?\]`;
const DNS_NAME = "[A-Za-z.0-9-]+";
const LEGACY = new RegExp(`^${DNS_NAME}:\\d+$`);
const HOST_PORT = new RegExp(`^(${BRACKETED}|${DNS_NAME}):(\\d+)$`);

/**
 * Splits `HOST:PORT`, where an IPv6 host has brackets.
 *
 * @returns The host without brackets and the port; undefined if the text does not have that form.
 */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = HOST_PORT.exec(text);
  if (match === null) return undefined;
  return { host: match[1]!.replace(/^\[|\]$/g, ""), port: Number(match[2]) };
}

/** Puts `HOST:PORT` together, with brackets around an IPv6 host. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a hint is a TCP address. */
export function isTcpHint(hint: ConnectionHint): hint is TcpHint {
  return hint.type === "tcp";
}

/**
 * Parses one hint.
 *
 * Types that nobody here knows are kept: they are for a handler, or to be skipped.
 *
 * @param text One hint, as between the commas of a FURL.
 * @throws {FurlError} If it is empty, has no colon, or begins with `tcp:` and is no TCP address.
 */
export function parseHint(text: string): ConnectionHint {
  if (text === "") throw new FurlError("Cannot parse hint: no connection hint may be empty");
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw new FurlError(
      `Cannot parse hint ${quoteForeign(redactHint(text))}: it has no colon, write "tcp:HOST:PORT"`,
    );
  }
  const isLegacy = LEGACY.test(text);
  const type = isLegacy ? "tcp" : text.slice(0, colon);
  if (type !== "tcp") return Object.freeze({ type, text });
  const address = splitHostPort(isLegacy ? text : text.slice(colon + 1));
  if (address === undefined) {
    throw new FurlError(
      `Cannot parse hint ${
        quoteForeign(redactHint(text))
      }: unrecognized TCP hint, write "tcp:HOST:PORT" or "tcp:[IPV6]:PORT"`,
    );
  }
  return Object.freeze({ type, ...address, text });
}

/**
 * A hint as text, in today's form: a legacy hint gets its `tcp:`, other types stay as they were.
 * Foolscap: `convert_legacy_hint`.
 */
export function formatHint(hint: ConnectionHint): string {
  return isTcpHint(hint) ? `tcp:${joinHostPort(hint.host, hint.port)}` : hint.text;
}

/** A hint and the type by which its handler is found. */
export interface RoutedHint {
  /** What stands before the first colon, case-sensitive; `tcp` for the legacy form. */
  readonly type: string;
  /** The whole hint in today's form, for the handler. */
  readonly hint: string;
  /** The hint as it was written. */
  readonly text: string;
}

/**
 * Finds the type of a hint. Only its handler knows whether the rest makes sense.
 *
 * @param text One hint, as between the commas of a FURL.
 * @throws {InvalidHintError} If it has no colon.
 */
export function routeHint(text: string): RoutedHint {
  const hint = LEGACY.test(text) ? `tcp:${text}` : text;
  const colon = hint.indexOf(":");
  if (colon < 0) throw new InvalidHintError("no colon");
  return { type: hint.slice(0, colon), hint, text };
}

/**
 * Takes host and port from a hint of any type that has the form `TYPE:HOST:PORT`, for handlers that may be registered for
 * `tcp` as well.
 *
 * @param kind What the hint should have been, for the error: `TCP/Tor`.
 * @throws {InvalidHintError} If it does not have that form, or the port is none.
 */
export function hostPortOf(hint: string, kind: string): { readonly host: string; readonly port: number } {
  const address = splitHostPort(hint.slice(hint.indexOf(":") + 1));
  if (address === undefined) throw new InvalidHintError(`unrecognized ${kind} hint`);
  if (address.port < 1 || address.port > 65_535) throw new InvalidHintError(`port ${address.port} is none`);
  return address;
}

/** What a `tls:` hint says. */
interface TlsHint {
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

/** Bytes of the longest path that fits into a socket's address on every system that Deno runs on. */
const MAX_UNIX_PATH_BYTES = 103;

/**
 * Why a path cannot be that of a unix socket; `undefined` if it can.
 *
 * Only absolute paths mean the same to both ends.
 */
export function problemOfUnixPath(path: string): string | undefined {
  if (!path.startsWith("/")) return "the path does not begin with a slash";
  if (path.includes("\0") || !path.isWellFormed()) return "the path has a NUL or a lone surrogate";
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= MAX_UNIX_PATH_BYTES) return undefined;
  return `the path has ${bytes} bytes, and a unix socket takes ${MAX_UNIX_PATH_BYTES}`;
}

/**
 * The hint for a path.
 *
 * @param path Absolute.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatUnixHint, parseUnixHint } from "./hints.ts";
 *
 * assert.equal(formatUnixHint("/run/calc.sock"), "unix:%2Frun%2Fcalc.sock");
 * assert.equal(parseUnixHint("unix:%2Frun%2Fcalc.sock"), "/run/calc.sock");
 * ```
 */
export function formatUnixHint(path: string): string {
  return `unix:${encodeURIComponent(path)}`;
}

/**
 * The path of a hint.
 *
 * @throws {InvalidHintError} If it is no such hint.
 */
export function parseUnixHint(hint: string): string {
  let path: string;
  try {
    path = decodeURIComponent(hint.slice(hint.indexOf(":") + 1));
  } catch (cause) {
    throw new InvalidHintError("unrecognized unix hint", { cause });
  }
  const problem = problemOfUnixPath(path);
  if (problem !== undefined) throw new InvalidHintError(`unrecognized unix hint: ${problem}`);
  return path;
}
