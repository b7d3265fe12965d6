/**
 * One who answers at the end of attached streams for a Tub that it is not.
 *
 * @module
 */

import type { ByteStreams } from "../../mod.ts";
import { parsePem } from "../../lib/transport/key_pair.ts";
import { StreamConnection } from "../../lib/transport/stream_connection.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
import { RawPeer } from "../support/raw_peer.ts";

/** Does the server's part with an identity of its own, and claims to be another Tub. */
export async function answerAs(streams: ByteStreams, certData: string, tubId: string): Promise<void> {
  const peer = new RawPeer(upgradable(new StreamConnection(streams, { peerAddress: "impostor" })));
  const blocks = parsePem(certData);
  const certificate = blocks.find(({ label }) => label === "CERTIFICATE")!;
  const key = blocks.find(({ label }) => label !== "CERTIFICATE")!;
  await peer.block();
  await peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, PB/1.0\r\n\r\n");
  await peer.startTls("server", { certPem: certificate.pem, keyPem: key.pem });
  await peer.block();
  await peer.send(`banana-negotiation-range: 3 3\r\nmy-tub-id: ${tubId}\r\n\r\n`);
  await peer.rest().catch(() => {});
  await peer.close();
}
