import assert from "node:assert/strict";
import { DeadReferenceError } from "../../lib/errors.ts";
import { memoryPair } from "../../lib/transport/memory.ts";
import { readBytes, readToEnd, transportSuite, turns } from "../suites/transport_suite.ts";
import { FakeClock } from "../support/fake_clock.ts";

transportSuite("memoryPair()", (options) => Promise.resolve(memoryPair(options)));
transportSuite("memoryPair() in pieces of 4099 bytes", (options) => {
  return Promise.resolve(memoryPair({ ...options, pieceBytes: 4_099 }));
});

Deno.test("memoryPair() delivers in a later turn of the event loop", async () => {
  const [a, b] = memoryPair();
  let arrived = false;
  const read = b.readable.getReader().read().then(() => arrived = true);
  await a.writable.getWriter().write(Uint8Array.of(1));
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.equal(arrived, false);
  await read;
  await Promise.all([a.close(), b.close()]);
});

Deno.test("memoryPair() hands the very chunk over", async () => {
  const [a, b] = memoryPair();
  const chunk = Uint8Array.of(1, 2, 3);
  a.writable.getWriter().write(chunk);
  assert.equal((await b.readable.getReader().read()).value, chunk);
  await Promise.all([a.close(), b.close()]);
});

Deno.test("memoryPair() cuts into single bytes when asked", async () => {
  const [a, b] = memoryPair({ pieceBytes: 1 });
  const writer = a.writable.getWriter();
  writer.write(Uint8Array.of(1, 2, 3));
  const reader = b.readable.getReader();
  for (const n of [1, 2, 3]) assert.deepEqual((await reader.read()).value, Uint8Array.of(n));
  await Promise.all([a.close(), b.close()]);
});

Deno.test("hold() keeps bytes and the end back until release()", async () => {
  const [a, b] = memoryPair();
  a.hold();
  const writer = a.writable.getWriter();
  await writer.write(Uint8Array.of(1));
  writer.close();
  let arrived = false;
  const all = readToEnd(b).finally(() => arrived = true);
  await turns(10);
  assert.equal(arrived, false);
  a.release();
  assert.deepEqual(await all, Uint8Array.of(1));
  await Promise.all([a.close(), b.close()]);
});

Deno.test("hold() holds one direction only", async () => {
  const [a, b] = memoryPair();
  a.hold();
  b.writable.getWriter().write(Uint8Array.of(9));
  assert.deepEqual(await readBytes(a, 1), Uint8Array.of(9));
  a.release();
  await Promise.all([a.close(), b.close()]);
});

Deno.test("drop() fails both ends with the error", async () => {
  const [a, b] = memoryPair();
  const error = new DeadReferenceError("cable cut");
  const reads = [a.readable.getReader().read(), b.readable.getReader().read()];
  a.drop(error);
  for (const read of reads) await assert.rejects(read, error);
  await assert.rejects(b.writable.getWriter().write(Uint8Array.of(1)), error);
  await Promise.all([a.close(), b.close()]);
});

Deno.test("close() on memory gives up after its time when the direction is held", async () => {
  const clock = new FakeClock();
  const [a, b] = memoryPair({ clock });
  a.hold();
  a.writable.getWriter().write(Uint8Array.of(1));
  let isClosed = false;
  const closed = a.close().then(() => isClosed = true);
  await turns(5);
  clock.advance(999);
  await turns(5);
  assert.equal(isClosed, false);
  clock.advance(1);
  await closed;
  await assert.rejects(b.readable.getReader().read(), DeadReferenceError);
  await b.close();
  assert.equal(clock.pending, 0);
});

Deno.test("memoryPair() shows each end the certificate of the other", async () => {
  const [a, b] = memoryPair({ peerCertificates: [Uint8Array.of(1), undefined], peerAddress: "here" });
  assert.deepEqual(a.peerCertificate, Uint8Array.of(1));
  assert.equal(b.peerCertificate, undefined);
  assert.equal(a.peerAddress, "here");
  await Promise.all([a.close(), b.close()]);
});
