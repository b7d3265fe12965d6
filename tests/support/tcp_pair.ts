/**
 * Both ends of a TCP connection on this machine.
 *
 * @module
 */

import { dialTcp, listenTcp } from "../../lib/transport/tcp.ts";
import type { Connection, TlsIdentity, UpgradableConnection } from "../../lib/transport/transport.ts";

/** Opens a connection; the first end dialled. */
export async function tcpPair(
  options: { closeTimeoutMs?: number } = {},
): Promise<[UpgradableConnection, UpgradableConnection]> {
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const listener = await listenTcp({
    ...options,
    port: 0,
    address: "127.0.0.1",
    onConnection: accepted.resolve,
  });
  try {
    return await Promise.all([
      dialTcp({ ...options, host: "127.0.0.1", port: listener.port }),
      accepted.promise,
    ]);
  } finally {
    await listener.close();
  }
}

/** Turns both ends into TLS; the first is the client. */
export function secureBoth(
  [client, server]: readonly [UpgradableConnection, UpgradableConnection],
  [clientIdentity, serverIdentity]: readonly [TlsIdentity, TlsIdentity],
): Promise<[Connection, Connection]> {
  return Promise.all([
    client.startTls({ role: "client", identity: clientIdentity }),
    server.startTls({ role: "server", identity: serverIdentity }),
  ]);
}
