import assert from "node:assert/strict";
import { pb } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { streamPair } from "../support/stream_pairs.ts";
import { PbBroker } from "../../lib/pb/broker/broker.ts";
import { PbServer } from "../../lib/pb/server.ts";
import { resolveSettings } from "../../lib/pb/broker/options.ts";
import { type ByteStreams, StreamConnection } from "../../lib/transport/stream_connection.ts";

class Root extends pb.Root {
  remote_echo(value: unknown): unknown {
    return value;
  }
}

class Named extends pb.Avatar {
  constructor(readonly name: string) {
    super();
  }
  perspective_name(): string {
    return this.name;
  }
}

/** Streams to a server in memory, as often as they are asked for; the attempts of which `fails` is true are refused. */
function serverInMemory(fails: (attempt: number) => boolean = () => false) {
  const server = new PbServer(new Root(), PbBroker, resolveSettings({}), undefined);
  let attempts = 0;
  return {
    server,
    get attempts() {
      return attempts;
    },
    open() {
      if (fails(++attempts)) throw new TypeError("refused");
      const [near, far] = streamPair();
      server.accept(new StreamConnection(far, { peerAddress: "memory" }));
      return near;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

Deno.test("connectPersistently() connects again, and tells the program each time", async () => {
  await using memory = serverInMemory();
  const clock = new FakeClock();
  const waiting: number[] = [];
  let told = Promise.withResolvers<pb.PbClient>();
  const randomBytes = (length: number) => new Uint8Array(length);
  await using client = pb.connectPersistently(() => memory.open(), (connected) => told.resolve(connected), {
    clock,
    randomBytes,
    reconnect: { jitter: 0 },
    trace: (event) => {
      if (event.type !== "reconnect-waiting") return;
      waiting.push(event.delayMs);
      queueMicrotask(() => clock.advance(event.delayMs));
    },
  });
  const first = await told.promise;
  assert.equal(await first.getRootObject().callRemote("echo", 1), 1);
  told = Promise.withResolvers();
  await first.close();
  const second = await told.promise;
  assert.notEqual(second, first);
  assert.equal(await second.getRootObject().callRemote("echo", 2), 2);
  assert.equal(client.state, "connected");
  assert.deepEqual(waiting, [1_000]);
});

Deno.test("connectPersistently() waits longer after each failure, and as at first after a success", async () => {
  await using memory = serverInMemory((attempt) => attempt <= 3);
  const clock = new FakeClock();
  const waiting: number[] = [];
  const told = Promise.withResolvers<void>();
  await using client = pb.connectPersistently(() => memory.open(), () => told.resolve(), {
    clock,
    reconnect: { jitter: 0, factor: 2 },
    trace: (event) => {
      if (event.type !== "reconnect-waiting") return;
      waiting.push(event.delayMs);
      queueMicrotask(() => clock.advance(event.delayMs));
    },
  });
  await told.promise;
  assert.deepEqual(waiting, [1_000, 2_000, 4_000]);
  assert.equal(memory.attempts, 4);
  await client.close();
  assert.equal(client.state, "stopped");
  assert.equal(clock.pending, 0);
});

Deno.test("connectPersistently() tries again when what the program does with a connection fails", async () => {
  await using memory = serverInMemory();
  const clock = new FakeClock();
  const told = Promise.withResolvers<void>();
  let times = 0;
  await using client = pb.connectPersistently(
    () => memory.open(),
    () => {
      if (++times === 1) return Promise.reject(new TypeError("no login today"));
      return told.resolve();
    },
    {
      clock,
      trace: (event) => {
        if (event.type === "reconnect-waiting") queueMicrotask(() => clock.advance(event.delayMs));
      },
    },
  );
  await told.promise;
  assert.equal(times, 2);
  assert.ok(client.lastFailure === undefined || client.lastFailure.message === "no login today");
});

Deno.test("close() of a persistent client does not wait for streams that are never opened, and closes late ones", async () => {
  const opening = Promise.withResolvers<ByteStreams>();
  const closed = Promise.withResolvers<void>();
  const client = pb.connectPersistently(() => opening.promise, () => assert.fail());
  await client.close();
  assert.equal(client.state, "stopped");
  const [near] = streamPair();
  opening.resolve({ ...near, close: () => closed.resolve() });
  await closed.promise;
});

Deno.test("connectPersistently() opens nothing when its signal has fired already, and nothing after it fires", async () => {
  const over = new AbortController();
  over.abort();
  const never = pb.connectPersistently(() => assert.fail(), () => assert.fail(), { signal: over.signal });
  assert.equal(never.state, "stopped");
  await never.close();
  await using memory = serverInMemory();
  const stop = new AbortController();
  const told = Promise.withResolvers<pb.PbClient>();
  const client = pb.connectPersistently(() => memory.open(), told.resolve, { signal: stop.signal });
  const lost = Promise.withResolvers<void>();
  (await told.promise).notifyOnDisconnect(lost.resolve);
  stop.abort();
  await lost.promise;
  await client.close();
  assert.equal(memory.attempts, 1);
});

const phases: [when: string, begin: (close: () => Promise<void>) => Promise<unknown> | void][] = [
  ["while the program works for a connection", (close) => close()],
  ["while that goes on for ever", (close) => (void close(), new Promise(() => {}))],
  ["while that fails", (close) => (void close(), Promise.reject(new TypeError("too late")))],
];
for (const [when, begin] of phases) {
  Deno.test(`close() of a persistent client ends it ${when}`, async () => {
    await using memory = serverInMemory();
    const clock = new FakeClock();
    const called = Promise.withResolvers<void>();
    const client: pb.PersistentPbClient = pb.connectPersistently(() => memory.open(), () => {
      called.resolve();
      return begin(() => client.close());
    }, { clock });
    await called.promise;
    await client.close();
    assert.equal(client.state, "stopped");
    assert.equal(client.client, undefined);
    assert.equal(clock.pending, 0);
    assert.equal(memory.attempts, 1);
  });
}

Deno.test("a persistent client logs in again each time that its server has begun anew, and leaves nothing behind", async () => {
  const clock = new FakeClock();
  let server: PbServer | undefined;
  let logouts = 0;
  const begin = async () => {
    await server?.close();
    const portal = new pb.Portal({
      requestAvatar: (id) => ({ avatar: new Named(String(id)), logout: () => logouts++ }),
    }, [new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland" })]);
    server = new PbServer(portal[pb.asRoot](), PbBroker, resolveSettings({}), undefined);
  };
  await begin();
  let told = Promise.withResolvers<string>();
  const client = pb.connectPersistently(() => {
    const [near, far] = streamPair();
    server!.accept(new StreamConnection(far, { peerAddress: "memory" }));
    return near;
  }, async (connected) => {
    const avatar = await connected.login<Named>(new pb.UsernamePassword("alice", "wonderland"));
    told.resolve(await avatar.callRemote("name"));
  }, {
    clock,
    trace: (event) => {
      if (event.type === "reconnect-waiting") queueMicrotask(() => clock.advance(event.delayMs));
    },
  });
  for (let i = 0; i < 20; i++) {
    assert.equal(await told.promise, "alice");
    told = Promise.withResolvers();
    assert.equal(logouts, i);
    await begin();
  }
  assert.equal(await told.promise, "alice");
  await client.close();
  await server!.close();
  assert.equal(logouts, 21);
  assert.equal(clock.pending, 0);
});

for (const target of ["tcp:host", "tcp:host:0", "tcp:host:70000", "http://x:1", "tls::1", "", "unix:"]) {
  Deno.test(`connect() refuses ${JSON.stringify(target)}`, async () => {
    await assert.rejects(pb.connect(target), TypeError);
    assert.throws(() => pb.connectPersistently(target, () => {}), TypeError);
  });
}

for (const place of ["tcp:localhost:1", "tcp:x", "tcp:70000", "tls:0:interface=", "", "udp:1"]) {
  Deno.test(`serve() refuses ${JSON.stringify(place)}`, async () => {
    await assert.rejects(pb.serve(new Root(), place), TypeError);
  });
}

Deno.test("serve() refuses what is no root, and TLS without a certificate", async () => {
  await assert.rejects(pb.serve({} as pb.Root, "tcp:0"), TypeError);
  await assert.rejects(pb.serve(new Root(), "tls:0:interface=127.0.0.1"), TypeError);
  await assert.rejects(pb.serve(new Root(), "tcp:0", { limits: { maxReferences: 0 } }), RangeError);
  await assert.rejects(pb.serve(new Root(), "tcp:0", { limits: { maxNonsense: 1 } as object }), TypeError);
});

Deno.test("limits that no timer can wait for are refused, and an unknown one is told all that there are", async () => {
  for (const name of ["negotiationTimeoutMs", "messageStallMs", "writeStallMs"]) {
    await assert.rejects(pb.serve(new Root(), "tcp:0", { limits: { [name]: 2 ** 31 } }), RangeError);
  }
  await assert.rejects(pb.serve(new Root(), "tcp:0", { keepAliveMs: 2 ** 31 }), RangeError);
  const realm: pb.Realm = { requestAvatar: () => ({ avatar: new pb.Avatar() }) };
  assert.throws(() => new pb.Portal(realm, [], { limits: { loginTimeoutMs: 2 ** 31 } }), RangeError);
  const unknown = { limits: { maxConection: 1 } as object };
  await assert.rejects(pb.serve(new Root(), "tcp:0", unknown), /maxStringBytes.*maxConnections/);
});

Deno.test("connect() is refused where nobody listens", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await assert.rejects(pb.connect(`tcp:127.0.0.1:${port}`), { name: "UnreachableError" });
});

Deno.test("a root is asked for once for each connection, with its address", async () => {
  const seen: string[] = [];
  const provider = {
    rootObject(broker: pb.Broker): pb.MessageReceiver {
      seen.push(broker.peerAddress);
      return new Root();
    },
  };
  await using server = await pb.serve({ [pb.asRoot]: () => provider }, "tcp:0:interface=127.0.0.1");
  for (let i = 0; i < 2; i++) {
    await using client = await pb.connect(server.address);
    await client.getRootObject().callRemote("echo", 1);
  }
  assert.equal(seen.length, 2);
  assert.match(seen[0]!, /^tcp:127\.0\.0\.1:\d+$/);
});
