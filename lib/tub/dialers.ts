/**
 * From a hint to an open connection: one dialer for each type of hint.
 *
 * Source: Foolscap `connections/tcp.py`; `pb.py`, `addConnectionHintHandler`.
 *
 * @module
 */

import { toError, UnreachableError } from "../errors.ts";
import { type ConnectionHint, isTcpHint, joinHostPort } from "../names/hints.ts";
import { dialTcp } from "../transport/tcp.ts";
import type { UpgradableConnection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import { netPermission, requirePermission } from "./permissions.ts";

/** An open connection, and the host as the peer knows itself. */
export interface Dialled {
  readonly connection: UpgradableConnection;
  /** For the `Host` header of the negotiation. */
  readonly host: string;
}

/** Options of a {@linkcode Dialer}. */
export interface DialOptions {
  readonly clock: Clock;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** Opens a connection to where a hint points. */
export type Dialer = (hint: ConnectionHint, options: DialOptions) => Promise<Dialled>;

/** Dialers by the type of hint. A hint of another type is skipped. */
export const DIALERS: ReadonlyMap<string, Dialer> = new Map([["tcp", dialTcpHint]]);

async function dialTcpHint(hint: ConnectionHint, { clock, signal }: DialOptions): Promise<Dialled> {
  if (!isTcpHint(hint)) throw new TypeError("Cannot dial: it is not a TCP hint");
  const { host, port } = hint;
  checkPermission(host, port);
  return { connection: await dialTcp({ host, port, signal, clock }), host };
}

function checkPermission(host: string, port: number): void {
  const place = `tcp:${joinHostPort(host, port)}`;
  try {
    requirePermission(netPermission(host, port), `connect to ${place}`);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    // Deno does not take for an address what the grammar of hints allows, such as port 70000.
    const cause = toError(error);
    throw new UnreachableError(
      `Cannot connect to ${quoteForeign(place)}: it is not an address`,
      new Map([[place, cause]]),
    );
  }
}
