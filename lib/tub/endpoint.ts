/**
 * Where to listen, as text: `tcp:4501`, `tcp:4501:interface=127.0.0.1`, `tcp6:4501`, `4501`, `unix:/run/calc.sock`.
 *
 * Source: Twisted `internet/endpoints.py`, `serverFromString`; Foolscap `pb.py`, `Tub.listenOn`.
 *
 * @module
 */

import { isIP } from "node:net";
import { redactHint } from "../util/redact.ts";
import { problemOfUnixPath } from "../names/hints.ts";
import { quoteForeign } from "../util/text.ts";

/** A place to listen on. */
export type Endpoint = TcpEndpoint | UnixEndpoint;

/** A unix socket to listen on. */
export interface UnixEndpoint {
  /** Where the socket is to be; absolute. */
  readonly path: string;
  /** Permission bits of its file. */
  readonly mode: number;
}

/** A TCP port to listen on. */
export interface TcpEndpoint {
  /** 0 to 65,535; 0 lets the system choose. */
  readonly port: number;
  /** The address to bind to, an IPv6 one without brackets. */
  readonly address: string;
}

const FORM = /^(tcp6?):(?:port=)?(\d{1,5})(?::interface=(.+))?$/;
const UNIX_FORM = /^unix:(?:address=)?((?:[^:\\]|\\.)+)(?::mode=(0?[0-7]{3}))?$/s;
/** Twisted's default is 666: here only this user, until the program says more. */
const UNIX_MODE = 0o600;
const SUPPORTED =
  'write "tcp:PORT", "tcp:PORT:interface=ADDRESS", "tcp6:PORT", "unix:/PATH" or "unix:/PATH:mode=660"';
/** What Twisted can listen on and Deno or a Tub cannot, and what to do instead. */
const ELSEWHERE: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  ssl: "a Tub does its own TLS, with the certificates that its FURLs name; listen on tcp:",
  tls: "a Tub does its own TLS, with the certificates that its FURLs name; listen on tcp:",
  systemd: "Deno cannot take over a socket that systemd has opened; listen on tcp: or unix: yourself",
  fd: "Deno cannot take over a socket that is open already; listen on tcp: or unix: yourself",
  onion: "let Tor lead an onion service here (HiddenServicePort in torrc), and listen on tcp: at 127.0.0.1",
  tor: "let Tor lead an onion service here (HiddenServicePort in torrc), and listen on tcp: at 127.0.0.1",
  i2p: "let the I2P router lead a server tunnel here, and listen on tcp: at 127.0.0.1",
});
const EVERY_ADDRESS: Readonly<Record<string, string>> = { tcp: "0.0.0.0", tcp6: "::" };

/**
 * Parses a description of where to listen.
 *
 * Without an interface, `tcp` is every IPv4 address of the machine, and `tcp6` every IPv6 address; on most systems the
 * latter takes IPv4 as well. An IPv6 interface may be written with brackets, plainly, or with Twisted's `\:`. The path of a
 * unix socket is absolute, with `\:` for a colon in it; without a mode only this user may connect.
 *
 * @throws {TypeError} If it is no such description.
 * @throws {RangeError} If the port is above 65,535.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseEndpoint } from "./endpoint.ts";
 *
 * assert.deepEqual(parseEndpoint("tcp:0:interface=127.0.0.1"), { port: 0, address: "127.0.0.1" });
 * assert.deepEqual(parseEndpoint("tcp6:80"), { port: 80, address: "::" });
 * ```
 */
export function parseEndpoint(description: string): Endpoint {
  if (/^unix:/.test(description)) return parseUnixEndpoint(description);
  const text = /^\d+$/.test(description) ? `tcp:${description}` : description;
  const [, kind, digits, written] = FORM.exec(text) ?? [];
  if (kind === undefined) {
    const why = ELSEWHERE[/^[^:]*/.exec(text)![0]] ?? SUPPORTED;
    throw new TypeError(`Cannot listen on ${quoteForeign(redactHint(String(description)))}: ${why}`);
  }
  const port = Number(digits);
  if (port > 65_535) throw new RangeError(`Cannot listen on port ${port}: ports go up to 65535`);
  if (written === undefined) return { port, address: EVERY_ADDRESS[kind]! };
  const address = written.replaceAll("\\:", ":").replace(/^\[(.*)\]$/, "$1");
  if (address === "localhost") return { port, address: kind === "tcp" ? "127.0.0.1" : "::1" };
  if (isIP(address) === 0) {
    throw new TypeError(
      `Cannot listen on ${
        quoteForeign(redactHint(description))
      }: the interface is not an IP address of this machine`,
    );
  }
  return { port, address };
}

function parseUnixEndpoint(description: string): UnixEndpoint {
  const [, written, mode] = UNIX_FORM.exec(description) ?? [];
  const path = written?.replace(/\\(.)/gs, "$1");
  const problem = path === undefined ? SUPPORTED : problemOfUnixPath(path);
  if (path !== undefined && problem === undefined) {
    return { path, mode: mode === undefined ? UNIX_MODE : parseInt(mode, 8) };
  }
  throw new TypeError(`Cannot listen on ${quoteForeign(redactHint(description))}: ${problem}`);
}

/** Whether an address means every address of the machine. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
