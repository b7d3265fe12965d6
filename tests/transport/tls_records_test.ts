import assert from "node:assert/strict";
import { memoryPair } from "../../lib/transport/memory.ts";
import type { Connection } from "../../lib/transport/transport.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
import { readBytes, turns } from "../suites/transport_suite.ts";
import { makeIdentity } from "../support/identity.ts";
import { secureBoth } from "../support/tcp_pair.ts";

const identities = await Promise.all([makeIdentity(), makeIdentity()]);
/** What TLS 1.3 adds to the data of a record: its type, and the tag of the cipher. */
const OVERHEAD_BYTES = 17;

/** A TLS connection over memory, and the lengths of the records that its client sends from now on. */
async function watchedPair(): Promise<{ client: Connection; server: Connection; records(): number[] }> {
  const [a, b] = memoryPair();
  const wire: number[] = [];
  const tap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      wire.push(...chunk);
      controller.enqueue(chunk);
    },
  });
  const piped = tap.readable.pipeTo(a.writable).catch(() => {});
  const watched: Connection = {
    readable: a.readable,
    writable: tap.writable,
    peerCertificate: undefined,
    peerAddress: a.peerAddress,
    close: () => a.close().then(() => piped),
  };
  const [client, server] = await secureBoth([upgradable(watched), upgradable(b)], identities);
  // The server's tickets and the client's last message are out of the way.
  await turns(20);
  wire.length = 0;
  return {
    client,
    server,
    records() {
      const lengths: number[] = [];
      for (let at = 0; at + 5 <= wire.length;) {
        const length = wire[at + 3]! * 256 + wire[at + 4]!;
        lengths.push(length - OVERHEAD_BYTES);
        at += 5 + length;
      }
      return lengths;
    },
  };
}

for (const pause of [0, 1, 2, 5]) {
  Deno.test(`write() that was awaited shares no TLS record with the next ones, ${pause} turns after another`, async () => {
    const { client, server, records } = await watchedPair();
    const writer = client.writable.getWriter();
    // As the negotiation writes: the hello, the decision, then the first calls.
    await writer.write(new Uint8Array(301));
    await turns(pause);
    await writer.write(new Uint8Array(72));
    writer.write(new Uint8Array(40));
    writer.write(new Uint8Array(41));
    await readBytes(server, 301 + 72 + 40 + 41);
    const sent = records();
    assert.deepEqual(sent.slice(0, 2), [301, 72]);
    assert.equal(sent.slice(2).reduce((sum, length) => sum + length, 0), 81);
    await Promise.all([client.close(), server.close()]);
  });
}

Deno.test("write() of small chunks waits when the peer takes nothing", async () => {
  const [a, b] = memoryPair();
  const [client, server] = await secureBoth([upgradable(a), upgradable(b)], identities);
  await turns(20);
  a.hold();
  const writer = client.writable.getWriter();
  let written = 0;
  for (let isTaken = true; isTaken;) {
    assert(written < 8 * 1024 * 1024, "8 MiB were taken in small chunks by a peer that reads nothing");
    const write = writer.write(new Uint8Array(1_000));
    write.catch(() => {});
    written += 1_000;
    isTaken = await Promise.race([write.then(() => true), turns(200).then(() => false)]);
  }
  a.release();
  assert.equal((await readBytes(server, written)).length, written);
  await Promise.all([client.close(), server.close()]);
});
