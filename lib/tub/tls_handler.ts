/**
 * The handler of `tls:` hints, which every Tub has from the start.
 *
 * @module
 */

import { InvalidHintError } from "../errors.ts";
import { parseTlsHint } from "../names/tls_hint.ts";
import { anchoredKeyOf } from "../transport/certificate.ts";
import { checkNetPermission } from "./tcp_handler.ts";
import {
  type ConnectionHintHandler,
  handOverSecured,
  type HintConnection,
  type HintConnectOptions,
} from "./hint_handler.ts";
import type { Identity } from "./identity.ts";

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
