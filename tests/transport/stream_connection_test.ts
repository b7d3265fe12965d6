import assert from "node:assert/strict";
import { DeadReferenceError } from "../../lib/errors.ts";
import { StreamConnection } from "../../lib/transport/stream_connection.ts";
import { readBytes, readToEnd, transportSuite, turns } from "../suites/transport_suite.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { makeIdentity } from "../support/identity.ts";
import { asConnections, portPair, streamPair, webSocketStreamPair } from "../support/stream_pairs.ts";
import { secureBoth } from "../support/tcp_pair.ts";

const identities = await Promise.all([makeIdentity(), makeIdentity()]);

transportSuite(
  "StreamConnection over TransformStreams",
  ({ closeTimeoutMs }) => Promise.resolve(asConnections(streamPair(), closeTimeoutMs)),
);
transportSuite(
  "StreamConnection over a MessageChannel",
  ({ closeTimeoutMs }) => Promise.resolve(asConnections(portPair(), closeTimeoutMs)),
);
transportSuite(
  "StreamConnection over a WebSocket",
  async ({ closeTimeoutMs }) => asConnections(await webSocketStreamPair(), closeTimeoutMs),
  "back-pressure",
);

transportSuite("StreamConnection with TLS", async ({ closeTimeoutMs }) => {
  const [a, b] = asConnections(streamPair(), closeTimeoutMs);
  return await secureBoth([upgradable(a, { closeTimeoutMs }), upgradable(b, { closeTimeoutMs })], identities);
});

/** Streams of which the test gives what comes, and keeps what goes. */
function handMade() {
  let source!: ReadableStreamDefaultController<unknown>;
  const written: Uint8Array[] = [];
  const readable = new ReadableStream<unknown>({ start: (controller) => void (source = controller) });
  const writable = new WritableStream<Uint8Array>({ write: (chunk) => void written.push(chunk) });
  // What a program of plain JavaScript may give.
  return { source, written, streams: { readable: readable as ReadableStream<Uint8Array>, writable } };
}

for (const chunk of ["text", 5, null, { length: 1 }, new ArrayBuffer(3), new Uint16Array(2)]) {
  Deno.test(`StreamConnection fails with a DeadReferenceError when a chunk is ${Deno.inspect(chunk)}`, async () => {
    const { source, streams } = handMade();
    const connection = new StreamConnection(streams, { peerAddress: "x" });
    source.enqueue(chunk);
    await assert.rejects(connection.readable.getReader().read(), (error) => {
      assert(error instanceof DeadReferenceError && error.cause instanceof TypeError);
      assert.match(error.message, /not a Uint8Array/);
      return true;
    });
    await assert.rejects(connection.writable.getWriter().write(Uint8Array.of(1)), DeadReferenceError);
    await connection.close();
  });
}

Deno.test("StreamConnection skips empty chunks, and takes subclasses and shared memory as bytes", async () => {
  const { source, streams } = handMade();
  const connection = new StreamConnection(streams, { peerAddress: "x" });
  for (let i = 0; i < 300; i++) source.enqueue(new Uint8Array());
  class Special extends Uint8Array {}
  source.enqueue(Special.of(1));
  source.enqueue(new Uint8Array(new SharedArrayBuffer(2)).fill(2));
  assert.deepEqual(await readBytes(connection, 3), Uint8Array.of(1, 2, 2));
  source.close();
  assert.equal((await readToEnd(connection)).length, 0);
  await connection.close();
});

Deno.test("StreamConnection lets others have their turn when a stream gives empty chunks for ever", async () => {
  const readable = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array()) });
  const connection = new StreamConnection({ readable, writable: new WritableStream() }, { peerAddress: "x" });
  const read = connection.readable.getReader().read();
  await turns(3);
  const alive = setInterval(() => {}, 60_000);
  const [{ done }] = await Promise.all([read, connection.close()]);
  clearInterval(alive);
  assert.equal(done, true);
});

Deno.test("StreamConnection gives the stream's own error as the cause", async () => {
  const { source, streams } = handMade();
  const connection = new StreamConnection(streams, { peerAddress: "x" });
  const cause = new RangeError("cable cut");
  source.error(cause);
  await assert.rejects(connection.readable.getReader().read(), (error) => {
    assert(error instanceof DeadReferenceError);
    assert.equal(error.cause, cause);
    return true;
  });
  await connection.close();
});

Deno.test("close() of a StreamConnection calls close() of the streams once, when both are over", async () => {
  const [a, b] = streamPair();
  const calls: string[] = [];
  const close = () => {
    calls.push("close");
    return Promise.reject(new Error("the program's own failure"));
  };
  const failures: Error[] = [];
  const onCloseFailed = (error: Error) => void failures.push(error);
  const connection = new StreamConnection({ ...a, close }, { peerAddress: "x", onCloseFailed });
  const other = new StreamConnection(b, { peerAddress: "y" });
  const closed = connection.close();
  assert.deepEqual(calls, []);
  await Promise.all([closed, connection.close(), other.close()]);
  assert.deepEqual(calls, ["close"]);
  assert.deepEqual(failures.map(({ message }) => message), ["the program's own failure"]);
});

Deno.test("close() of a StreamConnection gives up after its time, and leaves no timer", async () => {
  const clock = new FakeClock();
  const never = () => new Promise<void>(() => {});
  const streams = {
    readable: new ReadableStream<Uint8Array>({ cancel: never }),
    writable: new WritableStream<Uint8Array>({ write: never }),
    close: never,
  };
  const connection = new StreamConnection(streams, { peerAddress: "x", clock, closeTimeoutMs: 1_000 });
  const write = connection.writable.getWriter().write(Uint8Array.of(1));
  const closed = connection.close();
  await turns(3);
  clock.advance(1_000);
  await turns(3);
  clock.advance(1_000);
  await Promise.all([closed, write]);
  assert.equal(clock.pending, 0);
});

Deno.test("close({ isAbrupt }) of a StreamConnection cuts one short that waits for a silent peer", async () => {
  const clock = new FakeClock();
  const [streams] = streamPair();
  let isClosed = false;
  const connection = new StreamConnection({ ...streams, close: () => void (isClosed = true) }, {
    peerAddress: "x",
    clock,
  });
  const read = connection.readable.getReader().read();
  const graceful = connection.close();
  await turns(5);
  assert(!isClosed);
  await Promise.all([connection.close({ isAbrupt: true }), graceful]);
  assert(isClosed);
  assert.equal((await read).done, true);
  assert.equal(clock.pending, 0);
});
