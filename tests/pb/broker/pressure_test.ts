import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { agreedClient, agreedServer, OFFER, rawClient, rawServer, type Sexp, sexp, u } from "./raw.ts";

const KiB = 1024;

class Root extends pb.Root {
  served = 0;
  remote_bytes(size: number): Uint8Array {
    this.served++;
    return new Uint8Array(size);
  }
}

const call = (id: number, size: number): Sexp => [
  "message",
  id,
  "root",
  "bytes",
  1,
  ["tuple", size],
  ["dictionary"],
];

/** Lets the memory between the two ends move until nothing moves any more. */
async function settled(observe: () => unknown): Promise<void> {
  let seen: unknown;
  for (let calm = 0; calm < 20; calm++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const now = observe();
    if (now !== seen) calm = 0;
    seen = now;
  }
}

Deno.test("a server serves no more calls of a peer that leaves answers unread, until they are read", async () => {
  const root = new Root();
  await using made = await agreedClient(root, { limits: { pauseReadingBytes: 64 * KiB } });
  const ids = Array.from({ length: 100 }, (_, i) => i + 1);
  for (const id of ids) made.raw.say(call(id, 20 * KiB));
  await settled(() => root.served);
  // What the memory between the ends takes, what may wait, and no more.
  assert.ok(root.served > 3 && root.served < 60, `${root.served} calls were served`);
  for (const id of ids) await made.raw.hear(["answer", id, new Uint8Array(20 * KiB)]);
  assert.equal(root.served, 100);
});

Deno.test("a peer that asks for more at one go than may wait is cut off", async () => {
  const root = new Root();
  const errors: string[] = [];
  await using made = await agreedClient(root, {
    limits: { maxQueuedBytes: 512 * KiB },
    trace: (event) => event.type === "protocol-error" && errors.push(event.error.message),
  });
  made.raw.say(...Array.from({ length: 50 }, (_, i) => call(i + 1, 100 * KiB)));
  await made.raw.drain();
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /^The peer left \d+ bytes unread$/);
  assert.ok(root.served < 10, `${root.served} calls were served`);
});

Deno.test("one answer may be larger than what may wait", async () => {
  await using made = await agreedClient(new Root(), { limits: { maxQueuedBytes: 1 * KiB } });
  made.raw.say(call(1, 300 * KiB));
  await made.raw.hear(["answer", 1, new Uint8Array(300 * KiB)]);
  made.raw.say(call(2, 300 * KiB));
  await made.raw.hear(["answer", 2, new Uint8Array(300 * KiB)]);
});

for (const role of ["client", "server"] as const) {
  Deno.test(`a ${role} gives up a peer that has not read for writeStallMs`, async () => {
    const clock = new FakeClock();
    const errors: string[] = [];
    const options: pb.PbConnectionOptions = {
      clock,
      limits: { writeStallMs: 5_000 },
      trace: (event) => event.type === "disconnected" && errors.push(event.error.message),
    };
    if (role === "server") {
      const root = new Root();
      await using made = await agreedClient(root, options);
      // More than one write: the first finds room in any case.
      made.raw.say(...[1, 2, 3, 4].map((id) => call(id, 600 * KiB)));
      await settled(() => root.served);
      clock.advance(4_999);
      assert.deepEqual(errors, []);
      clock.advance(1);
      assert.deepEqual(errors, ["The peer has not read for 5000 ms"]);
    } else {
      await using made = await agreedServer(options);
      const calling = assert.rejects(
        made.root.callRemote("x", ...[1, 2, 3, 4].map(() => new Uint8Array(600 * KiB))),
        pb.PBConnectionLost,
      );
      await settled(() => clock.pending);
      clock.advance(5_000);
      await calling;
      // The streams are given time to end in.
      const closing = made.client.close();
      for (; clock.pending > 0; clock.advance(1_000)) await settled(() => clock.pending);
      await closing;
      assert.deepEqual(errors, ["The peer has not read for 5000 ms"]);
    }
    assert.equal(clock.pending, 0);
  });
}

Deno.test("a message that was begun must go on within messageStallMs, and may then take its time", async () => {
  const clock = new FakeClock();
  const errors: string[] = [];
  const root = new Root();
  await using made = await agreedClient(root, {
    clock,
    limits: { messageStallMs: 1_000 },
    trace: (event) => event.type === "disconnected" && errors.push(event.error.message),
  });
  const bytes = sexp(call(1, 3)).split(" ");
  for (const byte of bytes) {
    made.raw.send(byte);
    await settled(() => clock.pending);
    clock.advance(999);
  }
  await made.raw.hear(["answer", 1, new Uint8Array(3)]);
  // Between messages there is all the time of the world.
  clock.advance(1_000_000);
  assert.deepEqual(errors, []);
  made.raw.send(bytes.slice(0, 5).join(" "));
  await settled(() => clock.pending);
  clock.advance(1_000);
  assert.deepEqual(errors, ["A message was begun and not gone on with for 1000 ms"]);
  assert.equal(clock.pending, 0);
});

Deno.test("a server turns away whoever is one too many, and takes the next when one has gone", async () => {
  await using server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1", {
    limits: { maxConnections: 2 },
  });
  const first = await pb.connect(server.address);
  await using _second = await pb.connect(server.address);
  await assert.rejects(pb.connect(server.address), { name: "NegotiationError" });
  await first.close();
  while (server.brokers.length > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  await using third = await pb.connect<Root>(server.address);
  assert.deepEqual(await third.getRootObject().callRemote("bytes", 1), new Uint8Array(1));
});

Deno.test("connections that say nothing do not keep others out for longer than they may", async () => {
  const clock = new FakeClock();
  await using made = rawClient(new Root(), { clock, limits: { maxUnnegotiated: 1 } });
  await made.raw.expect(OFFER);
  const { memoryPair } = await import("../../../lib/transport/memory.ts");
  const [near, far] = memoryPair();
  made.server.accept(near);
  assert.equal((await far.readable.getReader().read()).done, true);
  clock.advance(60_000);
  await made.raw.closed();
  const [again, peer] = memoryPair();
  made.server.accept(again);
  assert.equal((await peer.readable.getReader().read()).done, false);
  await peer.close();
});

const FOREIGN: readonly (readonly [name: string, bytes: string, error: RegExp])[] = [
  ["an SSH server", "SSH-2.0-OpenSSH_9.2p1\r\n", /speaks SSH, and no Perspective Broker/],
  ["an HTTP server", "HTTP/1.1 400 Bad Request\r\n", /speaks HTTP, and/],
  ["a mail server", "220 mail.example.org ESMTP\r\n", /speaks SMTP or FTP, and/],
  ["a TLS server", "\x15\x03\x03\x00\x02\x02\x0a", /speaks TLS, and/],
  ["something else", "hello there\r\n", /speaks something else, and/],
];
for (const [name, text, error] of FOREIGN) {
  Deno.test(`connect() to ${name} fails at once and says so`, async () => {
    const { raw, connecting } = rawServer();
    await using _raw = raw;
    raw.send(Array.from(text, (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join(" "));
    await assert.rejects(connecting, (thrown: Error) => {
      assert.equal(thrown.name, "NegotiationError");
      assert.match(thrown.message, error);
      return true;
    });
  });
}

Deno.test("a server ends the connection of a Foolscap or HTTP client at once", async () => {
  const errors: string[] = [];
  await using made = rawClient(new Root(), {
    trace: (event) => event.type === "disconnected" && errors.push(event.error.message),
  });
  await made.raw.expect(OFFER);
  const request = "GET /id/abcd HTTP/1.1\r\nHost: localhost\r\n";
  made.raw.send(
    Array.from(request, (c) => c.charCodeAt(0).toString(16)).map((h) => h.padStart(2, "0")).join(" "),
  );
  await made.raw.closed();
  assert.deepEqual(errors, ["Cannot speak with the peer: it speaks HTTP, and no Perspective Broker"]);
});

Deno.test("connect() to a peer whose offer breaks Banana fails by a NegotiationError that says why", async () => {
  const { raw, connecting } = rawServer();
  await using _raw = raw;
  raw.send("88");
  await assert.rejects(connecting, { name: "NegotiationError", message: /Invalid type byte 0x88/ });
});

Deno.test("failures can be read whatever else may not be", async () => {
  for (
    const options of [{ security: new pb.SecurityOptions() }, { registry: new pb.CopyRegistry() }]
  ) {
    await using made = await agreedServer(options);
    const calling = made.root.callRemote("x");
    made.raw.say(["error", 1, ["twisted.spread.pb.CopyableFailure", [
      "dictionary",
      [u("type"), "shop.OutOfStock"],
      [u("value"), u("none left")],
      [u("parents"), ["list", u("shop.OutOfStock"), u("twisted.spread.pb.Error")]],
      [u("traceback"), u("Traceback unavailable\n")],
    ]]]);
    await assert.rejects(calling, (error) => {
      assert.ok(error instanceof pb.RemoteError, String(error));
      assert.deepEqual([error.remoteType, error.message], ["shop.OutOfStock", "none left"]);
      return true;
    });
  }
});
