/**
 * The handler of `tcp:` hints, which every Tub has from the start.
 *
 * Source: Foolscap `connections/tcp.py`.
 *
 * @module
 */

import { InvalidHintError, toError, UnreachableError } from "../errors.ts";
import { isTcpHint, joinHostPort, parseHint } from "../names/hints.ts";
import { quoteForeign } from "../util/text.ts";
import { type ConnectionHintHandler, handOver } from "./hint_handler.ts";
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
