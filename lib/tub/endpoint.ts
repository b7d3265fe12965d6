/**
 * Where to listen, as text: `tcp:4501`, `tcp:4501:interface=127.0.0.1`, `tcp6:4501`, `4501`.
 *
 * Source: Twisted `internet/endpoints.py`, `serverFromString`; Foolscap `pb.py`, `Tub.listenOn`.
 *
 * @module
 */

import { isIP } from "node:net";
import { redactHint } from "../names/redact.ts";
import { quoteForeign } from "../util/text.ts";

/** A place to listen on. */
export interface Endpoint {
  /** 0 to 65,535; 0 lets the system choose. */
  readonly port: number;
  /** The address to bind to, an IPv6 one without brackets. */
  readonly address: string;
}

const FORM = /^(tcp6?):(?:port=)?(\d{1,5})(?::interface=(.+))?$/;
const EVERY_ADDRESS: Readonly<Record<string, string>> = { tcp: "0.0.0.0", tcp6: "::" };

/**
 * Parses a description of where to listen.
 *
 * Without an interface, `tcp` is every IPv4 address of the machine, and `tcp6` every IPv6 address; on most systems the
 * latter takes IPv4 as well. An IPv6 interface may be written with brackets, plainly, or with Twisted's `\:`.
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
  const text = /^\d+$/.test(description) ? `tcp:${description}` : description;
  const [, kind, digits, written] = FORM.exec(text) ?? [];
  if (kind === undefined) {
    throw new TypeError(
      `Cannot listen on ${
        quoteForeign(redactHint(String(description)))
      }: write "tcp:PORT", "tcp:PORT:interface=ADDRESS" or "tcp6:PORT"`,
    );
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

/** Whether an address means every address of the machine. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
