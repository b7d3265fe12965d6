import assert from "node:assert/strict";
import {
  type ConnectionHintHandler,
  type HintConnection,
  type HintConnectOptions,
  InvalidHintError,
  RemoteException,
  tcp,
  type TraceEvent,
  Tub,
  UnreachableError,
} from "../../mod.ts";
import { memoryPair } from "../../lib/transport/memory.ts";
import { readToEnd } from "../suites/transport_suite.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

/** A handler of a third party: plain web streams to a port of this machine. */
function pipeTo(port: number, seen: string[] = []): ConnectionHintHandler {
  return {
    async connect(hint, { signal, updateStatus }) {
      seen.push(hint);
      updateStatus("connecting");
      const { readable, writable } = await Deno.connect({ hostname: "127.0.0.1", port, signal });
      return { readable, writable, host: "somewhere", address: "pipe:somewhere" };
    },
    describe: () => "pipe",
  };
}

function withHints(furl: string, ...hints: string[]): string {
  return furl.replace(/@[^/]*\//, `@${hints.join(",")}/`);
}

Deno.test("Tub.addConnectionHintHandler() lets hints of a new type be followed over plain web streams", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const seen: string[] = [];
  client.addConnectionHintHandler("pipe", pipeTo(server.listeners[0]!.port, seen));
  const furl = withHints(server.registerReference(new Target()), "pipe:x:y", "other:z:1");
  const ref = await client.getReference<Target>(furl);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.deepEqual(seen, ["pipe:x:y"]);
  const info = client.getConnectionInfoForFURL(furl)!;
  assert.equal(info.address, "pipe:somewhere");
  assert.equal(info.winningHint, "pipe:x:y");
  assert.deepEqual(Object.fromEntries(info.connectorStatuses), {
    "pipe:x:y": "successful",
    "other:z:1": "bad hint: no handler registered",
  });
});

Deno.test("Tub.addConnectionHintHandler() for tcp takes over all TCP traffic, legacy hints included", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const seen: string[] = [];
  client.addConnectionHintHandler("tcp", pipeTo(server.listeners[0]!.port, seen));
  await client.getReference(withHints(server.registerReference(new Target()), "hidden.example:99"));
  assert.deepEqual(seen, ["tcp:hidden.example:99"]);
});

Deno.test("Tub.removeAllConnectionHintHandlers() leaves no way out, and tcp() brings the default back", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const furl = server.registerReference(new Target());
  client.removeAllConnectionHintHandlers();
  await assert.rejects(client.getReference(furl), (error) => {
    assert.ok(error instanceof UnreachableError);
    const [reason] = error.errors.values();
    return reason instanceof InvalidHintError && reason.reason === "no handler registered";
  });
  client.addConnectionHintHandler("tcp", tcp());
  await client.getReference(furl);
  assert.equal(client.removeConnectionHintHandler("tcp"), true);
  assert.equal(client.removeConnectionHintHandler("tcp"), false);
});

for (const type of ["", "a:b", "a,b", "a/b", "a b"]) {
  Deno.test(`Tub.addConnectionHintHandler() refuses the type ${JSON.stringify(type)}`, async () => {
    await using tub = await Tub.create();
    assert.throws(() => tub.addConnectionHintHandler(type, tcp()), TypeError);
  });
}

Deno.test("Tub.addConnectionHintHandler() refuses what is no handler, and a Tub that has stopped", async () => {
  const tub = await Tub.create();
  assert.throws(() => tub.addConnectionHintHandler("x", {} as ConnectionHintHandler), /no method connect/);
  await tub.stop();
  assert.throws(() => tub.addConnectionHintHandler("tcp", tcp()), /stopped/);
});

const streams = () => memoryPair()[0];
const failures: readonly [what: string, connect: () => unknown, status: RegExp][] = [
  ["throws at once", () => {
    throw new RangeError("now");
  }, /^failed to connect: now$/],
  ["throws something that is no Error", () => {
    // deno-lint-ignore no-throw-literal -- programs do it
    throw "text";
  }, /^failed to connect: .*text$/],
  ["throws a hostile Error", () => {
    throw Object.defineProperty(new Error("x"), "message", {
      get() {
        throw new Error("inner");
      },
    });
  }, /^failed to connect: .*cannot be read$/],
  ["rejects without a message", () => Promise.reject(new RangeError()), /^failed to connect: RangeError$/],
  [
    "rejects with InvalidHintError",
    () => Promise.reject(new InvalidHintError("not mine")),
    /^bad hint: not mine$/,
  ],
  [
    "rejects with a suffix",
    () =>
      Promise.reject(Object.assign(new Error("no"), { connectionHandlerErrorSuffix: " (while waiting)" })),
    /^failed to connect: no \(while waiting\)$/,
  ],
  ["is refused", () => Promise.reject(new Deno.errors.ConnectionRefused("x")), /^connection refused$/],
  ["returns nothing", () => undefined, /^failed to connect: .*no connection$/],
  ["returns no host", () => streams(), /^failed to connect: .*no host/],
  ["returns a host with a newline", () => ({ ...ends(), host: "a\r\nb" }), /^failed to connect: .*no host/],
  [
    "returns no streams",
    () => ({ host: "h", readable: 1, writable: 2 }),
    /^failed to connect: .*not .*two web streams/,
  ],
  ["returns streams that have ended", () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    void writable.close();
    return { readable, writable: new WritableStream(), host: "h" };
  }, /^negotiation failed: /],
  ["returns streams of text", () => ({
    readable: new ReadableStream({ start: (controller) => controller.enqueue("text") }),
    writable: new WritableStream(),
    host: "h",
  }), /^negotiation failed: /],
];

function ends(): Omit<HintConnection, "host"> {
  const { readable, writable } = streams();
  return { readable, writable };
}

for (const [what, connect, status] of failures) {
  Deno.test(`a handler that ${what} costs its hint and nothing else`, async () => {
    await using server = await startTub();
    await using client = await Tub.create();
    client.addConnectionHintHandler("bad", { connect: connect as ConnectionHintHandler["connect"] });
    const furl = server.registerReference(new Target());
    const statuses = Promise.withResolvers<string>();
    // The good hint waits until the bad one has failed.
    client.addConnectionHintHandler("good", {
      async connect(_hint, options) {
        await until(() => status.test(statusOf()), `the status ${status}; it is ${statusOf()}`);
        statuses.resolve(statusOf());
        return await tcp().connect(`tcp:127.0.0.1:${server.listeners[0]!.port}`, options);
      },
    });
    const both = withHints(furl, "bad:hint:1", "good:hint:1");
    const statusOf = () => client.getConnectionInfoForFURL(both)?.connectorStatuses.get("bad:hint:1") ?? "";
    const ref = await client.getReference<Target>(both);
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    assert.match(await statuses.promise, status);
  });
}

Deno.test("a handler that hangs is told to stop when another hint leads there, and what comes late is closed", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const [near, far] = memoryPair();
  let options: HintConnectOptions | undefined;
  client.addConnectionHintHandler("slow", {
    connect(_hint, given) {
      options = given;
      given.updateStatus("thinking");
      const late = Promise.withResolvers<HintConnection>();
      given.signal.addEventListener("abort", () => {
        late.resolve({
          readable: near.readable,
          writable: near.writable,
          host: "h",
          close: () => near.close(),
        });
      });
      return late.promise;
    },
  });
  const furl = withHints(server.registerReference(new Target()), "slow:x:y", server.locationHints[0]!);
  await client.getReference(furl);
  assert.equal(options?.signal.aborted, true);
  assert.equal((await readToEnd(far)).length, 0);
  options?.updateStatus("still thinking");
  assert.equal(client.getConnectionInfoForFURL(furl)?.connectorStatuses.get("slow:x:y"), "abandoned");
});

Deno.test("Tub.stop() does not wait long for a handler that ignores its signal", async () => {
  const client = await Tub.create();
  client.addConnectionHintHandler("deaf", { connect: () => new Promise<never>(() => {}) });
  const attempt = client.getReference(`pb://${client.tubId.replace(/^./, "b")}@deaf:x:y/name`);
  const alive = setInterval(() => {}, 60_000);
  await Promise.all([assert.rejects(attempt), client.stop()]);
  clearInterval(alive);
  assert.deepEqual(client.debug.tables(), EMPTY_TABLES);
});

Deno.test("a handler sees the hint and nothing of the FURL's name, and its statuses are cut and escaped", async () => {
  await using client = await Tub.create();
  const given: unknown[] = [];
  const status = Promise.withResolvers<string>();
  client.addConnectionHintHandler("spy", {
    connect(...args) {
      given.push(...args);
      args[1].updateStatus(`\u202e${"x".repeat(500)}`);
      status.resolve(client.getConnectionInfoForFURL(furl)!.connectorStatuses.get("spy:x:y")!);
      throw new InvalidHintError("enough");
    },
  });
  const furl = `pb://${client.tubId.replace(/^./, "b")}@spy:x:y/topsecret`;
  await assert.rejects(client.getReference(furl));
  assert.ok(!Deno.inspect(given, { depth: 10 }).includes("topsecret"));
  assert.match(await status.promise, /^\\u202ex{199}…$/);
});

Deno.test("a handler is held once by each Tub and let go when the Tub has stopped", async () => {
  const events: TraceEvent[] = [];
  const log: string[] = [];
  const handler: ConnectionHintHandler = {
    connect: () => Promise.reject(new InvalidHintError("x")),
    hold: () => {
      log.push("held");
      return { [Symbol.dispose]: () => void log.push("let go") };
    },
  };
  const broken: ConnectionHintHandler = {
    ...handler,
    hold: () => ({ [Symbol.asyncDispose]: () => Promise.reject(new RangeError("broken")) }),
  };
  const tub = await Tub.create({ trace: (event) => void events.push(event) });
  tub.addConnectionHintHandler("a", handler);
  tub.addConnectionHintHandler("b", handler);
  tub.addConnectionHintHandler("c", broken);
  tub.removeConnectionHintHandler("a");
  assert.deepEqual(log, ["held"]);
  await tub.stop();
  assert.deepEqual(log, ["held", "let go"]);
  assert.deepEqual(events.map(({ type }) => type), ["callback-failed"]);
});

for (const followsPeers of [true, false, undefined]) {
  Deno.test(`a handler with followsPeers: ${followsPeers} is asked for a peer only if that is true`, async () => {
    await using receiver = await startTub();
    await using giver = await startTub();
    await using owner = await startTub();
    const asked: string[] = [];
    const recording: ConnectionHintHandler = {
      connect(hint, options) {
        asked.push(hint);
        return tcp().connect(hint, options);
      },
      followsPeers,
    };
    receiver.addConnectionHintHandler("tcp", recording);
    const gift = await giver.getReference(owner.registerReference(new Target()));
    const ref = await giver.getReference<Target>(receiver.registerReference(new Target()));
    const held = ref.callRemote("hold", gift);
    if (followsPeers) await held;
    else await assert.rejects(held, RemoteException);
    assert.equal(asked.length, followsPeers ? 1 : 0);
  });
}

Deno.test("streams of a handler that cannot be used are ended", async () => {
  await using client = await Tub.create();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  client.addConnectionHintHandler("bad", { connect: () => ({ readable, writable, host: "a b" }) });
  await assert.rejects(client.getReference(`pb://${client.tubId.replace(/^./, "b")}@bad:x/name`));
  await assert.rejects(writable.getWriter().closed);
});
