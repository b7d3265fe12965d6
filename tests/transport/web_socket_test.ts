import assert from "node:assert/strict";
import { DeadReferenceError, ProtocolError } from "../../lib/errors.ts";
import { webSocketStreams } from "../../lib/transport/web_socket_streams.ts";
import { webSocketPair } from "../support/stream_pairs.ts";

/** Runs a test with streams on one end of a WebSocket, and the raw other one. */
async function withRaw(
  use: (streams: ReturnType<typeof webSocketStreams>, raw: WebSocket) => Promise<void>,
  maxUnreadBytes?: number,
): Promise<void> {
  const [client, raw, shutdown] = await webSocketPair();
  raw.binaryType = "arraybuffer";
  const rawClosed = new Promise((resolve) => raw.addEventListener("close", resolve));
  const streams = webSocketStreams(client, { maxUnreadBytes });
  await use(streams, raw);
  await streams.close();
  await rawClosed;
  await shutdown();
}

Deno.test("webSocketStreams() fails with a ProtocolError when a text frame comes", () =>
  withRaw(async (streams, raw) => {
    raw.send(Uint8Array.of(1));
    raw.send("text");
    const reader = streams.readable.getReader();
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, ProtocolError);
    await assert.rejects(streams.writable.getWriter().write(Uint8Array.of(1)), ProtocolError);
  }));

Deno.test("webSocketStreams() skips empty frames", () =>
  withRaw(async (streams, raw) => {
    raw.send(new Uint8Array());
    raw.send(Uint8Array.of(5));
    assert.deepEqual((await streams.readable.getReader().read()).value, Uint8Array.of(5));
  }));

Deno.test("webSocketStreams() is cut off with a ProtocolError when too much waits to be read", () =>
  withRaw(async (streams, raw) => {
    for (let i = 0; i < 3; i++) raw.send(new Uint8Array(400));
    await new Promise((resolve) => raw.addEventListener("close", resolve));
    await assert.rejects(streams.writable.getWriter().closed, ProtocolError);
  }, 1_000));

Deno.test("webSocketStreams() closes its readable when the other end closes well", () =>
  withRaw(async (streams, raw) => {
    raw.close(1000);
    assert.equal((await streams.readable.getReader().read()).done, true);
  }));

Deno.test("webSocketStreams() fails with the code and the reason when the other end closes with another code", () =>
  withRaw(async (streams, raw) => {
    raw.close(4001, 'the "reason"');
    await assert.rejects(streams.readable.getReader().read(), (error) => {
      assert(error instanceof DeadReferenceError);
      assert.match(error.message, /code 4001: "the \\"reason\\""$/);
      return true;
    });
  }));

Deno.test("webSocketStreams() fails with a DeadReferenceError when nothing answers", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  const streams = webSocketStreams(new WebSocket(`ws://127.0.0.1:${port}`));
  const write = streams.writable.getWriter().write(Uint8Array.of(1));
  await assert.rejects(streams.readable.getReader().read(), DeadReferenceError);
  await write;
  await streams.close();
});

Deno.test("webSocketStreams() refuses a WebSocket that is closed", async () => {
  const [client, , shutdown] = await webSocketPair();
  client.close();
  assert.throws(() => webSocketStreams(client), TypeError);
  await new Promise((resolve) => client.addEventListener("close", resolve));
  assert.throws(() => webSocketStreams(client), TypeError);
  await shutdown();
});
