/**
 * STARTTLS over any pair of web streams.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";
import type { CloseOptions, Connection, StartTlsOptions, UpgradableConnection } from "./transport.ts";

/** Options of {@linkcode upgradable}. */
export interface UpgradableOptions {
  /**
   * How long `close()` of the TLS connection waits for the peer, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/**
 * Gives any connection what STARTTLS needs, so that the whole handshake of two Tubs runs over whatever
 * carries bytes: a pipe, a WebSocket, memory.
 *
 * @param connection Belongs to the result from here on.
 */
export function upgradable(connection: Connection, options: UpgradableOptions = {}): UpgradableConnection {
  let secure: Promise<Connection> | undefined;
  return {
    readable: connection.readable,
    writable: connection.writable,
    peerCertificate: connection.peerCertificate,
    peerAddress: connection.peerAddress,
    async startTls(startOptions: StartTlsOptions): Promise<Connection> {
      if (connection.readable.locked || connection.writable.locked) {
        throw new TypeError("Cannot start TLS: a stream of the connection is locked; release its lock first");
      }
      const { peerAddress } = connection;
      const close = (how?: CloseOptions) => connection.close(how);
      secure = Promise.all([import("./starttls.ts"), import("./tls_floor.ts")])
        .then(([{ handshake }, { floorOnStreams }]) =>
          handshake(floorOnStreams(connection), { peerAddress, close, ...options }, startOptions)
        );
      return await secure;
    },
    async close(how?: CloseOptions): Promise<void> {
      const below = connection.close(how);
      await secure?.then((opened) => opened.close(how), () => {});
      await below;
    },
  };
}
