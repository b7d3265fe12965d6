/**
 * The handlers of `tcp:` hints, which every Tub has from the start, and of `tls:` hints, which are TLS from the first byte.
 *
 * Source: Foolscap `connections/tcp.py`.
 *
 * @module
 */

import { InvalidHintError, toError, UnreachableError } from "../errors.ts";
import { isTcpHint, joinHostPort, parseHint, parseTlsHint } from "../names/hints.ts";
import { anchoredKeyOf } from "../transport/certificate.ts";
import { quoteForeign } from "../util/text.ts";
import {
  type ConnectionHintHandler,
  handOver,
  handOverSecured,
  type HintConnection,
  type HintConnectOptions,
} from "./hint_handler.ts";
import type { Identity } from "./identity.ts";
import { netPermission, requirePermission } from "./permissions.ts";

/**
 * The handler of `tcp:` hints, for a Tub from which it was removed. Foolscap: `connections.tcp.default`.
 *
 * @example
 * ```ts
 * import { tcp, Tub } from "../../mod.ts";
 *
 * await using tub = await Tub.create();
 * tub.removeAllConnectionHintHandlers();
 * tub.addConnectionHintHandler("tcp", tcp());
 * ```
 */
export function tcp(): ConnectionHintHandler {
  return TCP;
}

const TCP: ConnectionHintHandler = Object.freeze<ConnectionHintHandler>({
  async connect(hint, { signal, clock, updateStatus }) {
    const { host, port } = parseTcpHint(hint);
    checkNetPermission(host, port);
    updateStatus("connecting");
    const { dialTcp } = await import("../transport/tcp.ts");
    return handOver(await dialTcp({ host, port, signal, clock }), host);
  },
  describe: () => "tcp",
  followsPeers: true,
});

function parseTcpHint(hint: string): { readonly host: string; readonly port: number } {
  try {
    const parsed = parseHint(hint);
    if (isTcpHint(parsed)) return parsed;
  } catch {
    // What is wrong with it is one thing here.
  }
  throw new InvalidHintError("unrecognized TCP hint");
}

/**
 * Makes sure that the program may connect to an address.
 *
 * @throws {PermissionDenied} If it may not; names the flag.
 * @throws {UnreachableError} If Deno does not take for an address what the grammar of hints allows, such as port 70000.
 */
export function checkNetPermission(host: string, port: number): void {
  const place = `tcp:${joinHostPort(host, port)}`;
  try {
    requirePermission(netPermission(host, port), `connect to ${place}`);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    const cause = toError(error);
    throw new UnreachableError(
      `Cannot connect to ${quoteForeign(place)}: it is not an address`,
      new Map([[place, cause]]),
    );
  }
}

/**
 * The handler of `tls:` hints, for a Tub from which it was removed. Such hints are those of Tubs of this module: TLS from the
 * first byte, by `Deno.connectTls`. It connects for Tubs with a certificate as this module makes them, Ed25519.
 *
 * A handler of a program's own may pass a hint on to it, with the very options that it was given: they tell which Tub connects.
 *
 * @example
 * ```ts
 * import { tcp, tls, Tub } from "../../mod.ts";
 *
 * await using tub = await Tub.create();
 * tub.removeAllConnectionHintHandlers();
 * tub.addConnectionHintHandler("tcp", tcp());
 * tub.addConnectionHintHandler("tls", tls());
 * ```
 */
export function tls(): ConnectionHintHandler {
  return TLS;
}

const TLS: ConnectionHintHandler = Object.freeze<ConnectionHintHandler>({
  async connect(hint: string, options: HintConnectOptions): Promise<HintConnection> {
    const { host, port, key } = parseTlsHint(hint);
    const identity = identities.get(options);
    if (identity === undefined) {
      throw new TypeError("Cannot follow a tls: hint: connect was not given the options that a Tub has made");
    }
    if (tlsKeyOf(identity) === undefined) {
      throw new InvalidHintError("this Tub's certificate is not one for tls: hints");
    }
    checkNetPermission(host, port);
    const { signal, clock, updateStatus } = options;
    updateStatus("connecting");
    const { dialTls } = await import("../transport/tls.ts");
    const connection = await dialTls({ host, port, serverKey: key, identity, signal, clock });
    return handOverSecured({ connection, key }, host);
  },
  describe: () => "tls",
  followsPeers: true,
});

const identities = new WeakMap<HintConnectOptions, Identity>();

/** Lets the handler know for which Tub it is asked. */
export function lendIdentity(options: HintConnectOptions, identity: Identity): HintConnectOptions {
  identities.set(options, identity);
  return options;
}

/** The key for the `tls:` hints of a Tub; `undefined` for one whose certificate is not fit for them. */
export function tlsKeyOf(identity: Identity): Uint8Array | undefined {
  return anchoredKeyOf(identity.certificate);
}
