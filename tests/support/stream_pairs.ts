/**
 * Pairs of streams, as programs have them, for `Tub.attach` and the suite of transports.
 *
 * @module
 */

import { messagePortStreams } from "../../lib/transport/message_port_streams.ts";
import { type ByteStreams, StreamConnection } from "../../lib/transport/stream_connection.ts";
import { webSocketStreams } from "../../lib/transport/web_socket_streams.ts";

/** Two ends in memory, out of nothing but web streams. */
export function streamPair(): [ByteStreams, ByteStreams] {
  const [forth, back] = [transform(), transform()];
  return [
    { readable: back.readable, writable: forth.writable },
    { readable: forth.readable, writable: back.writable },
  ];
}

function transform(): TransformStream<Uint8Array, Uint8Array> {
  const strategy = new ByteLengthQueuingStrategy({ highWaterMark: 65_536 });
  return new TransformStream<Uint8Array, Uint8Array>({}, strategy, strategy);
}

/** Two ends of a message channel. */
export function portPair(): [ByteStreams, ByteStreams] {
  const { port1, port2 } = new MessageChannel();
  return [messagePortStreams(port1), messagePortStreams(port2)];
}

/** Two ends of a WebSocket on this machine, the client's first; and what ends the server. */
export async function webSocketPair(): Promise<[WebSocket, WebSocket, () => Promise<void>]> {
  const accepted = Promise.withResolvers<WebSocket>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.addEventListener("open", () => accepted.resolve(socket));
    return response;
  });
  const client = new WebSocket(`ws://127.0.0.1:${server.addr.port}`);
  await new Promise((resolve) => client.addEventListener("open", resolve));
  return [client, await accepted.promise, () => server.shutdown()];
}

/** The same as streams; the server goes with the first end. */
export async function webSocketStreamPair(): Promise<[ByteStreams, ByteStreams]> {
  const [client, accepted, shutdown] = await webSocketPair();
  const [near, far] = [webSocketStreams(client), webSocketStreams(accepted)];
  const close = async () => {
    await near.close();
    await shutdown();
  };
  return [{ readable: near.readable, writable: near.writable, close }, far];
}

/** Both ends as connections. */
export function asConnections(
  streams: readonly [ByteStreams, ByteStreams],
  closeTimeoutMs?: number,
): [StreamConnection, StreamConnection] {
  const make = (end: ByteStreams) => new StreamConnection(end, { peerAddress: "test", closeTimeoutMs });
  return [make(streams[0]), make(streams[1])];
}
