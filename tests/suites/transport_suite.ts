/**
 * What every transport must do, by the contract in `lib/transport/transport.ts`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DeadReferenceError } from "../../lib/errors.ts";
import type { Connection } from "../../lib/transport/transport.ts";

/** Makes two ends of a fresh connection. */
export type MakePair = (options: { closeTimeoutMs?: number }) => Promise<[Connection, Connection]>;

const MiB = 1024 * 1024;

/**
 * Registers the tests of the contract for one transport.
 *
 * @param without Back-pressure, for what can't tell its peer to wait.
 */
export function transportSuite(name: string, makePair: MakePair, without?: "back-pressure"): void {
  const test = (
    what: string,
    body: (a: Connection, b: Connection) => Promise<void>,
    closeTimeoutMs?: number,
  ) =>
    Deno.test(`${name} ${what}`, async () => {
      const [a, b] = await makePair(closeTimeoutMs === undefined ? {} : { closeTimeoutMs });
      // The library's own timers do not keep a process alive, and memory has nothing else that does.
      const alive = setInterval(() => {}, 60_000);
      try {
        await body(a, b);
      } finally {
        await Promise.all([a.close(), b.close()]);
        clearInterval(alive);
      }
    });

  test("carries bytes in both directions at once, in order", async (a, b) => {
    const forth = noise(1 * MiB, 1), back = noise(1 * MiB, 2);
    const got = await Promise.all([
      readBytes(b, forth.length),
      readBytes(a, back.length),
      writeInChunks(a, forth, 10_007),
      writeInChunks(b, back, 70_001),
    ]);
    assert.deepEqual(got[0], forth);
    assert.deepEqual(got[1], back);
  });

  test("gives chunks that nobody changes later", async (a, b) => {
    const reader = b.readable.getReader();
    const kept: Uint8Array[] = [];
    const writer = a.writable.getWriter();
    for (let i = 0; i < 50; i++) {
      await writer.write(new Uint8Array(100).fill(i));
      for (let n = 0; n < 100;) {
        const { value } = await reader.read();
        assert(value !== undefined && value.length > 0);
        assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
        kept.push(value);
        n += value.length;
      }
    }
    const all = join(kept);
    for (let i = 0; i < 50; i++) assert(all.subarray(i * 100, i * 100 + 100).every((byte) => byte === i));
  });

  test("answers an exchange of small messages", async (a, b) => {
    const [wa, wb] = [a.writable.getWriter(), b.writable.getWriter()];
    const [ra, rb] = [a.readable.getReader(), b.readable.getReader()];
    for (let i = 0; i < 100; i++) {
      await wa.write(Uint8Array.of(i));
      assert.deepEqual((await rb.read()).value, Uint8Array.of(i));
      await wb.write(Uint8Array.of(i, i));
      assert.deepEqual((await ra.read()).value, Uint8Array.of(i, i));
    }
  });

  if (without !== "back-pressure") {
    test("makes write() wait while the peer does not read", async (a, b) => {
      const writer = a.writable.getWriter();
      const chunk = new Uint8Array(256 * 1024);
      let written = 0;
      let isWaiting = false;
      while (!isWaiting) {
        assert(written < 256 * MiB, "256 MiB were taken from a writer whose peer reads nothing");
        const write = writer.write(chunk);
        written += chunk.length;
        isWaiting = await Promise.race([write.then(() => false), turns(200).then(() => true)]);
        write.catch(() => {});
      }
      const got = await readBytes(b, written);
      assert.equal(got.length, written);
    });
  }

  test("close() sends first what was written, waiting writes included", async (a, b) => {
    const data = noise(3 * MiB, 3);
    const writer = a.writable.getWriter();
    const writes: Promise<void>[] = [];
    for (let at = 0; at < data.length; at += 65_536) writes.push(writer.write(data.slice(at, at + 65_536)));
    const closed = a.close();
    assert.deepEqual(await readToEnd(b), data);
    await Promise.all([...writes, closed, b.close()]);
  }, 60_000);

  test("ends all streams of both ends when one is closed", async (a, b) => {
    const reader = a.readable.getReader();
    const pending = reader.read();
    const [, atPeer] = await Promise.all([a.close(), readToEnd(b)]);
    assert.equal(atPeer.length, 0);
    assert.equal((await pending).done, true);
    await b.close();
    await assert.rejects(a.writable.getWriter().write(Uint8Array.of(1)), DeadReferenceError);
    await assert.rejects(b.writable.getWriter().write(Uint8Array.of(1)), DeadReferenceError);
  });

  test("close() resolves when the peer's program does nothing but read", async (a, b) => {
    const drained = readToEnd(b);
    await a.close();
    await drained;
  }, 60_000);

  test("close() may be called more than once, by both ends at once", async (a, b) => {
    await Promise.all([a.close(), a.close(), b.close(), b.close()]);
    await a.close();
  });

  test("close() cuts a peer that does not take what was written", async (a, b) => {
    const writer = a.writable.getWriter();
    for (let i = 0; i < 64; i++) writer.write(new Uint8Array(256 * 1024)).catch(() => {});
    await a.close();
    await b.close();
  }, 30);

  test("close({ isAbrupt }) waits neither for the peer nor for what was written", async (a, b) => {
    const writer = a.writable.getWriter();
    for (let i = 0; i < 64; i++) writer.write(new Uint8Array(256 * 1024)).catch(() => {});
    const pending = a.readable.getReader().read();
    const begun = performance.now();
    // The first one would wait, the second cuts it short.
    await Promise.all([a.close(), a.close({ isAbrupt: true }), a.close({ isAbrupt: true })]);
    assert(performance.now() - begun < 30_000);
    assert.equal((await pending).done, true);
    await readToEnd(b).catch((error) => assert(error instanceof DeadReferenceError));
  }, 60_000);

  test("delivers the end of the stream when the writer is closed", async (a, b) => {
    const writer = a.writable.getWriter();
    writer.write(Uint8Array.of(1, 2, 3));
    await writer.close();
    assert.deepEqual(await readToEnd(b), Uint8Array.of(1, 2, 3));
  });

  test("ends the peer's stream when the writer aborts", async (a, b) => {
    await a.writable.abort(new DeadReferenceError("enough"));
    await readToEnd(b).catch((error) => assert(error instanceof DeadReferenceError));
  });

  test("throws away what arrives when the reader has cancelled", async (a, b) => {
    await b.readable.cancel();
    await writeInChunks(a, noise(2 * MiB, 4), 65_536);
  });

  test("refuses a chunk that is not bytes", async (a, b) => {
    const writer: WritableStreamDefaultWriter<unknown> = a.writable.getWriter();
    await assert.rejects(writer.write("text"), TypeError);
    await b.close();
  });
}

/** Bytes that look random and are the same each time. */
export function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = seed * 2_654_435_761 >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x;
  }
  return bytes;
}

/** Reads everything up to the end of the stream. */
export async function readToEnd(connection: Connection): Promise<Uint8Array> {
  return join(await Array.fromAsync(connection.readable));
}

/** Reads exactly `length` bytes and releases the stream. */
export async function readBytes(connection: Connection, length: number): Promise<Uint8Array> {
  const reader = connection.readable.getReader();
  const chunks: Uint8Array[] = [];
  for (let have = 0; have < length;) {
    const { value, done } = await reader.read();
    assert(!done, `the stream ended after ${have} of ${length} bytes`);
    have += value.length;
    chunks.push(value);
  }
  reader.releaseLock();
  return join(chunks);
}

async function writeInChunks(connection: Connection, data: Uint8Array, size: number): Promise<void> {
  const writer = connection.writable.getWriter();
  for (let at = 0; at < data.length; at += size) await writer.write(data.slice(at, at + size));
  writer.releaseLock();
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Lets the event loop turn. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
