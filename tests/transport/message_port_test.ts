import assert from "node:assert/strict";
import { DeadReferenceError, ProtocolError } from "../../lib/errors.ts";
import { MESSAGE_PORT_WINDOW_BYTES } from "../../lib/limits.ts";
import { messagePortStreams } from "../../lib/transport/message_port_streams.ts";
import { turns } from "../suites/transport_suite.ts";

/** Streams on one port, and the raw other one with all that came by it. */
function rawPeer() {
  const { port1, port2 } = new MessageChannel();
  const received: Record<string, unknown>[] = [];
  port2.onmessage = ({ data }) => void received.push(data);
  return { streams: messagePortStreams(port1), raw: port2, received };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo() && i < 2_000; i++) await turns(1);
  assert(isSo());
}

const HOSTILE: { name: string; messages: unknown[] }[] = [
  { name: "a message of an unknown kind", messages: [{ foolscap: "hello" }] },
  { name: "a kind that is __proto__", messages: [{ foolscap: "__proto__" }] },
  { name: "a kind that is no text", messages: [{ foolscap: { a: 1 } }] },
  { name: "room for nothing", messages: [{ foolscap: "room", room: 0 }] },
  { name: "room for less than nothing", messages: [{ foolscap: "room", room: -5 }] },
  { name: "room for NaN", messages: [{ foolscap: "open", room: NaN }] },
  { name: "a chunk of text", messages: [{ foolscap: "data", bytes: "text" }] },
  { name: "an empty chunk", messages: [{ foolscap: "data", bytes: new Uint8Array() }] },
  {
    name: "more than there is room for",
    messages: [{ foolscap: "data", bytes: new Uint8Array(MESSAGE_PORT_WINDOW_BYTES + 1) }],
  },
];
for (const { name, messages } of HOSTILE) {
  Deno.test(`messagePortStreams() fails with a ProtocolError when the other end sends ${name}`, async () => {
    const { streams, raw } = rawPeer();
    const reader = streams.readable.getReader();
    for (const message of messages) raw.postMessage(message);
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, ProtocolError);
    await assert.rejects(streams.writable.getWriter().write(Uint8Array.of(1)), ProtocolError);
    raw.close();
  });
}

Deno.test("messagePortStreams() leaves messages of other kinds alone", async () => {
  const { streams, raw } = rawPeer();
  for (const other of ["text", 5, null, { kind: "mine" }, [1]]) raw.postMessage(other);
  raw.postMessage({ foolscap: "data", bytes: Uint8Array.of(7) });
  assert.deepEqual((await streams.readable.getReader().read()).value, Uint8Array.of(7));
  streams.close();
  raw.close();
});

Deno.test("messagePortStreams() never has more under way than its window, whatever room it is given", async () => {
  const { streams, raw, received } = rawPeer();
  const bytes = () =>
    received.reduce((sum, { bytes }) => sum + (bytes instanceof Uint8Array ? bytes.length : 0), 0);
  raw.postMessage({ foolscap: "opened", room: Number.MAX_SAFE_INTEGER });
  const written = streams.writable.getWriter().write(new Uint8Array(3 * MESSAGE_PORT_WINDOW_BYTES));
  await until(() => bytes() >= MESSAGE_PORT_WINDOW_BYTES);
  await turns(50);
  assert.equal(bytes(), MESSAGE_PORT_WINDOW_BYTES);
  raw.postMessage({ foolscap: "room", room: 10 });
  await until(() => bytes() === MESSAGE_PORT_WINDOW_BYTES + 10);
  raw.postMessage({ foolscap: "room", room: 2 * MESSAGE_PORT_WINDOW_BYTES });
  raw.postMessage({ foolscap: "room", room: 2 * MESSAGE_PORT_WINDOW_BYTES });
  await until(() => bytes() >= 2 * MESSAGE_PORT_WINDOW_BYTES);
  raw.postMessage({ foolscap: "room", room: MESSAGE_PORT_WINDOW_BYTES });
  await written;
  streams.close();
  raw.close();
});

Deno.test("messagePortStreams() finds the other end that comes later", async () => {
  const { port1, port2 } = new MessageChannel();
  const near = messagePortStreams(port1);
  const written = near.writable.getWriter().write(Uint8Array.of(1, 2));
  // What was sent until now is lost, as it is with a Worker that listens only after its first await.
  port2.start();
  await turns(50);
  const far = messagePortStreams(port2);
  assert.deepEqual((await far.readable.getReader().read()).value, Uint8Array.of(1, 2));
  await written;
  near.close();
  far.close();
});

Deno.test("messagePortStreams() copies what is written: views of it stay good", async () => {
  const { port1, port2 } = new MessageChannel();
  const [near, far] = [messagePortStreams(port1), messagePortStreams(port2)];
  const chunk = Uint8Array.of(1, 2, 3);
  await near.writable.getWriter().write(chunk);
  assert.deepEqual((await far.readable.getReader().read()).value, Uint8Array.of(1, 2, 3));
  assert.deepEqual(chunk, Uint8Array.of(1, 2, 3));
  near.close();
  far.close();
});

Deno.test("messagePortStreams() fails the other end's streams when one is closed", async () => {
  const { port1, port2 } = new MessageChannel();
  const [near, far] = [messagePortStreams(port1), messagePortStreams(port2)];
  const read = far.readable.getReader().read();
  near.close();
  near.close();
  await assert.rejects(read, DeadReferenceError);
  await assert.rejects(far.writable.getWriter().write(Uint8Array.of(1)), DeadReferenceError);
});

Deno.test("messagePortStreams() ends the other end's writer when its reader cancels", async () => {
  const { port1, port2 } = new MessageChannel();
  const [near, far] = [messagePortStreams(port1), messagePortStreams(port2)];
  const writer = far.writable.getWriter();
  await near.readable.cancel();
  await assert.rejects(writer.closed, DeadReferenceError);
  near.close();
  far.close();
});
