/**
 * Where a Perspective Broker is: `tcp:host:port`, `tls:host:port`, `unix:/path`.
 *
 * Source: Twisted's endpoints; Perspective Broker itself has no addresses.
 *
 * @module
 */

import { redact } from "../../util/redact.ts";
import { quoteForeign } from "../../util/text.ts";

/** A place to connect to or to listen at. */
export type Place =
  | { readonly kind: "tcp" | "tls"; readonly host: string | undefined; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

const HOST_PORT = /^(tcp|tls):(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]/\s]+)):(\d{1,5})$/;
const LISTEN = /^(tcp|tls):(\d{1,5})(?::interface=(?:\[?([0-9a-fA-F:.]+)\]?))?$/;

/**
 * Where to connect to.
 *
 * @throws {TypeError} If it is no such text.
 */
export function parseTarget(text: string): Place {
  const unix = parseUnix(text);
  if (unix !== undefined) return unix;
  const [, kind, v6, name, port] = HOST_PORT.exec(text) ?? [];
  if (kind === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new TypeError(
      `Cannot connect to ${
        quoteForeign(redact(text))
      }: write "tcp:HOST:PORT", "tls:HOST:PORT" (an IPv6 address in brackets) or "unix:/PATH"`,
    );
  }
  return { kind: kind as "tcp" | "tls", host: v6 ?? name, port: Number(port) };
}

/**
 * Where to listen.
 *
 * @throws {TypeError} If it is no such text.
 */
export function parseListening(text: string): Place {
  const unix = parseUnix(text);
  if (unix !== undefined) return unix;
  const [, kind, port, host] = LISTEN.exec(text) ?? [];
  if (kind === undefined || Number(port) > 65_535) {
    throw new TypeError(
      `Cannot listen on ${
        quoteForeign(redact(text))
      }: write "tcp:PORT", "tls:PORT", both with ":interface=ADDRESS" where it is not for everybody, or "unix:/PATH"`,
    );
  }
  return { kind: kind as "tcp" | "tls", host, port: Number(port) };
}

function parseUnix(text: string): Place | undefined {
  const path = /^unix:([^\0]+)$/s.exec(text)?.[1];
  return path === undefined ? undefined : { kind: "unix", path };
}

/** The place as text, for people. */
export function formatPlace(place: Place): string {
  if (place.kind === "unix") return `unix:${place.path}`;
  const host = place.host ?? "*";
  return `${place.kind}:${host.includes(":") ? `[${host}]` : host}:${place.port}`;
}
