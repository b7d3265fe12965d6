/**
 * Where a Tub is reached, and what a FURL asks it for.
 *
 * @module
 */

import { FurlError } from "../errors.ts";
import { formatFurl, type FurlParts, parseFurl } from "../names/furl.ts";
import {
  type ConnectionHint,
  formatTlsHint,
  isTcpHint,
  joinHostPort,
  parseHint,
  parseTlsHint,
} from "../names/hints.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";
import { redactHint } from "../util/redact.ts";
import { quoteForeign } from "../util/text.ts";
import { requirePermission } from "./permissions.ts";

/**
 * The parts of a FURL, given as such or as a SturdyRef.
 *
 * @throws {FurlError} If it is not a FURL.
 * @throws {TypeError} If it is neither.
 */
export function partsOf(target: string | SturdyRef): FurlParts {
  if (typeof target === "string") return parseFurl(target);
  if (!(target instanceof SturdyRef)) {
    throw new TypeError("Cannot get reference: it is neither a FURL, which is a text, nor a SturdyRef");
  }
  if (target.url !== undefined) return parseFurl(target.url);
  throw new FurlError("Cannot get reference: the SturdyRef points nowhere");
}

/** What is known of a listener. */
export interface ListeningAt {
  readonly port: number;
  /** The address that it is bound to; `undefined` for every one of the machine. */
  readonly address: string | undefined;
  /** Whether nobody on another machine can use it, as with a unix socket. */
  readonly isLocal: boolean;
  /** The key for a `tls:` hint; `undefined` where none is spoken. */
  readonly tlsKey: Uint8Array | undefined;
}

/**
 * Takes apart what was given to `setLocation`: each text may have several hints with commas between them.
 *
 * @param tubId For the check that a FURL with these hints can be written.
 * @returns The hints, at least one.
 * @throws {FurlError} If there is none, or one cannot stand in a FURL. Types that nobody here knows are fine.
 */
export function parseLocation(tubId: string, texts: readonly string[]): readonly string[] {
  const hints = texts.flatMap((text) => String(text).split(","));
  if (hints.length === 0) {
    throw new FurlError('Cannot set location: there is no hint; give at least one, such as "tcp:HOST:PORT"');
  }
  for (const text of hints) {
    const hint = parseHint(text);
    checkPort(hint);
    if (hint.type === "tls") checkTls(text);
  }
  formatFurl({ tubId, hints, name: "name" });
  return Object.freeze(hints);
}

function checkTls(text: string): void {
  try {
    parseTlsHint(text);
  } catch (cause) {
    const found = quoteForeign(redactHint(text), 100);
    throw new FurlError(
      `Cannot set location: ${found} is no hint of the form tls:HOST:PORT:KEY; give the hints that a listener has`,
      { cause },
    );
  }
}

/** Nobody can connect to port 0, which only means something to `listenOn`. */
function checkPort(hint: ConnectionHint): void {
  if (!isTcpHint(hint) || (hint.port >= 1 && hint.port <= 65_535)) return;
  throw new FurlError(
    `Cannot set location: nobody can connect to port ${hint.port}; give the port that a listener has`,
  );
}

/**
 * Hints for listeners: the address that each is bound to, or this machine's for those that take any. Unix sockets are left
 * out: their paths mean nothing to others, and are nothing that others should know.
 *
 * @throws {TypeError} If there are only unix sockets.
 * @throws {PermissionDenied} If this machine's address is needed and the program may not ask for it; names the flag.
 */
export function locationOf(listeners: readonly ListeningAt[]): string[] {
  const reachable = listeners.filter(({ isLocal }) => !isLocal);
  if (reachable.length === 0) {
    throw new TypeError(
      "Cannot set location: there are only unix sockets; give setLocation the hint of a listener, if that is meant",
    );
  }
  return reachable.flatMap(({ port, address, tlsKey }) => {
    const host = address ?? machineAddress();
    const tcp = `tcp:${joinHostPort(host, port)}`;
    return tlsKey === undefined ? [tcp] : [tcp, formatTlsHint(host, port, tlsKey)];
  });
}

/** The machine's first address that others can reach, IPv4 before IPv6; `127.0.0.1` if it has none. */
function machineAddress(): string {
  requirePermission(
    { name: "sys", kind: "networkInterfaces" },
    "find this machine's address (give setLocation the hint to do without)",
  );
  const reachable = Deno.networkInterfaces().filter(({ address }) =>
    !/^(127\.|169\.254\.|::1$|fe[89ab])/i.test(address)
  );
  const found = reachable.find(({ family }) => family === "IPv4") ?? reachable[0];
  return found?.address ?? "127.0.0.1";
}
