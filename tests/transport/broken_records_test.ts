import assert from "node:assert/strict";
import { DeadReferenceError } from "../../lib/errors.ts";
import { StreamConnection } from "../../lib/transport/stream_connection.ts";
import type { Connection, UpgradableConnection } from "../../lib/transport/transport.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
import { makeIdentity } from "../support/identity.ts";
import { secureBoth } from "../support/tcp_pair.ts";

const identities = [await makeIdentity(), await makeIdentity()] as const;

/** What a direction does with a chunk, such as a line that is not to be trusted does. */
type Change = (chunk: Uint8Array) => Uint8Array;

/** Two ends of which each direction changes what it carries as `changes` says at that time. */
function pair(changes: { toServer: Change; toClient: Change }): [UpgradableConnection, UpgradableConnection] {
  const line = (change: (chunk: Uint8Array) => Uint8Array) =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => controller.enqueue(change(new Uint8Array(chunk))),
    });
  const toServer = line((chunk) => changes.toServer(chunk));
  const toClient = line((chunk) => changes.toClient(chunk));
  const end = (readable: ReadableStream<Uint8Array>, writable: WritableStream<Uint8Array>) =>
    upgradable(new StreamConnection({ readable, writable }, { peerAddress: "line", closeTimeoutMs: 50 }));
  return [end(toClient.readable, toServer.writable), end(toServer.readable, toClient.writable)];
}

const same: Change = (chunk) => chunk;
const broken: Change = (chunk) => {
  chunk[chunk.length - 1]! ^= 1;
  return chunk;
};

/** Reads to the end, well or not. */
async function endOf({ readable }: Connection): Promise<unknown> {
  const reader = readable.getReader();
  try {
    while (!(await reader.read()).done);
    return undefined;
  } catch (error) {
    return error;
  }
}

for (const to of ["toServer", "toClient"] as const) {
  Deno.test(`a TLS connection ends at both ends when a record is broken on its way ${to}`, async () => {
    const changes = { toServer: same, toClient: same };
    const [client, server] = await secureBoth(pair(changes), identities);
    const [from, at] = to === "toServer" ? [client, server] : [server, client];
    changes[to] = broken;
    const ends = Promise.all([endOf(at), endOf(from)]);
    await from.writable.getWriter().write(Uint8Array.of(1, 2, 3));
    const [error] = await ends;
    assert(error instanceof DeadReferenceError);
    assert.match(error.message, /^Connection lost: cannot decrypt/);
    await Promise.all([client.close(), server.close()]);
  });
}

for (const role of ["client", "server"] as const) {
  Deno.test(`startTls() as ${role} and what comes of it fail when what is behind the handshake is broken`, async () => {
    const garbage = [0x17, 3, 3, 0, 32, ...new Uint8Array(32)];
    const to = role === "client" ? "toClient" : "toServer";
    let chunks = 0;
    const changes = {
      toServer: same,
      toClient: same,
      // Behind the certificate and what follows it; a client's first chunk is its hello.
      [to]: (chunk: Uint8Array) =>
        ++chunks > (role === "server" ? 1 : 0) && chunk.length > 200
          ? Uint8Array.from([...chunk, ...garbage])
          : chunk,
    };
    const ends = pair(changes);
    const [client, server] = [
      ends[0].startTls({ role: "client", identity: identities[0] }),
      ends[1].startTls({ role: "server", identity: identities[1] }),
    ];
    const [victim, other] = role === "client" ? [client, server] : [server, client];
    const error = await victim.then(endOf, (error) => error);
    assert.match(String(error), /(TLS handshake failed|Connection lost): cannot decrypt/);
    await other.then((connection) => connection.close(), () => {});
    await Promise.all(ends.map((end) => end.close()));
  });
}
