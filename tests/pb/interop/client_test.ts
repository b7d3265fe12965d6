import assert from "node:assert/strict";
import { kwargs, pb, tuple, Violation } from "../../../mod.ts";
import { interopTest, startPython } from "../../support/python.ts";

/** A Twisted server, and a client of ours for it. */
async function connected(options: pb.PbConnectOptions = {}) {
  const python = await startPython("../pb/interop/peer.py");
  const client = await pb.connect(`tcp:127.0.0.1:${python.ready.port}`, options);
  return {
    python,
    client,
    root: client.getRootObject(),
    async [Symbol.asyncDispose]() {
      await client.close();
      await python[Symbol.asyncDispose]();
    },
  };
}

class Visitor extends pb.Referenceable {
  remote_hello(value: unknown): unknown {
    return [value, "from deno"];
  }
  remote_fail(): never {
    throw new pb.Error("from deno");
  }
}

for (const dialect of ["pb", "none"] as const) {
  interopTest(`callRemote() reaches a Twisted server in dialect ${dialect}`, async () => {
    await using peer = await connected({ dialects: [dialect] });
    const { root } = peer;
    assert.equal(await root.callRemote("echo", "hi"), "hi");
    assert.equal(await root.callRemote("echo", null), null);
    assert.deepEqual(await root.callRemote("kw", 1, kwargs({ b: 2.5, flag: true })), tuple(1, 2.5, true));
    assert.equal(await root.callRemote("later", 7), 7);
    assert.deepEqual(
      await root.callRemote("login", new TextEncoder().encode("alice")),
      new TextEncoder().encode("hello alice"),
    );
    assert.equal(
      await root.callRemote("describe", { a: [1, tuple()] }, kwargs({ k: 2n ** 100n })),
      [
        "({'a': [1, ()]},)",
        "[('k', 1267650600228229401496703205376)]",
      ].join(""),
    );
  });
}

interopTest("references to objects of a Twisted server are called, sent home and given back", async () => {
  await using peer = await connected();
  const { root } = peer;
  const two = await root.callRemote("getTwo") as pb.RemoteReference;
  assert.equal(await two.callRemote("three", 41), 42);
  assert.equal(await root.callRemote("isTwo", two), true);
  assert.equal(await root.callRemote("isRoot", root), true);
  assert.equal(await root.callRemote("getTwo"), two);
  assert.equal(peer.client.broker.tables.remote, 1);
  two[Symbol.dispose]();
  const again = await root.callRemote("getTwo");
  assert.notEqual(again, two);
  assert.equal(await root.callRemote("isTwo", again), true);
});

interopTest("a Twisted server calls an object of ours, keeps it and gives it back", async () => {
  await using peer = await connected();
  const { root, client } = peer;
  const visitor = new Visitor();
  assert.deepEqual(await root.callRemote("cb", visitor, 5), [5, "from deno"]);
  await root.callRemote("keep", visitor);
  assert.equal(client.broker.tables.local, 1);
  assert.deepEqual(await root.callRemote("callKept", 6), [6, "from deno"]);
  assert.equal(await root.callRemote("giveKept"), visitor);
  await root.callRemote("dropKept");
  assert.equal(client.broker.tables.local, 0);
});

interopTest("a failure of a Twisted method arrives with its type and parents", async () => {
  await using peer = await connected();
  const call = async (kind: string) => await peer.root.callRemote("fail", kind);
  const fails = async (kind: string) => {
    const error = await call(kind).catch((error: unknown) => error);
    assert.ok(error instanceof pb.RemoteError);
    assert.equal(error.method, "fail");
    assert.match(error.stack!, /\n {4}at async call \(/);
    return error;
  };
  const expected = await fails("expected");
  assert.equal(expected.message, "expected problem");
  assert.equal(expected.check("twisted.spread.pb.Error"), "twisted.spread.pb.Error");
  assert.equal((await fails("later")).message, "later problem");
  const unexpected = await fails("unexpected");
  assert.equal(unexpected.remoteType, "builtins.ValueError");
  assert.equal(unexpected.remoteTraceback, "Traceback unavailable\n");
  const missing = await peer.root.callRemote("nothing").catch((error: unknown) => error);
  assert.ok(missing instanceof pb.RemoteError);
  assert.equal(missing.remoteType, "twisted.spread.flavors.NoSuchMethod");
});

interopTest("an error of ours goes through a Twisted server and comes back as it was", async () => {
  await using peer = await connected();
  const error = await peer.root.callRemote("relay", new Visitor()).catch((error: unknown) => error);
  assert.ok(error instanceof pb.RemoteError);
  assert.equal(error.message, "from deno");
  assert.equal(error.check("twisted.spread.pb.Error"), "twisted.spread.pb.Error");
});

interopTest("an answer of a class that nobody registered fails its call and no other", async () => {
  await using peer = await connected();
  const [secret, echo] = await Promise.allSettled([
    peer.root.callRemote("secret"),
    peer.root.callRemote("echo", 1),
  ]);
  assert.ok(secret.status === "rejected" && secret.reason instanceof Violation);
  assert.ok(echo.status === "fulfilled");
});

interopTest("callRemoteOnly() is heard by a Twisted server, which answers nothing", async () => {
  await using peer = await connected();
  peer.root.callRemoteOnly("hear", 1);
  peer.root.callRemoteOnly("nothing");
  peer.root.callRemoteOnly("hear", 2);
  assert.deepEqual(await peer.root.callRemote("heard"), [1, 2]);
  assert.equal(peer.client.broker.tables.waitingCalls, 0);
});

interopTest("Twisted's limit on references fails calls, and then the connection", async () => {
  await using peer = await connected();
  const outcomes: string[] = [];
  for (let i = 0; i < 5; i++) {
    const outcome = await peer.root.callRemote("lotsOf", 1_100).then(() => "ok", (e: Error) => e.message);
    outcomes.push(outcome);
  }
  assert.deepEqual(outcomes.slice(0, 4), [
    ...Array(3).fill("Maximum PB reference count exceeded."),
    "Maximum PB reference count exceeded.  Goodbye.",
  ]);
  assert.equal(peer.client.isConnected, false);
});

interopTest("a viewable of a Twisted server is told who calls", async () => {
  await using peer = await connected();
  const view = await peer.root.callRemote("view") as pb.RemoteReference;
  assert.deepEqual(await view.callRemote("who", 5, kwargs({ k: 6 })), ["NoneType", [5], [tuple("k", 6)]]);
});

interopTest("pending calls fail with PBConnectionLost when a Twisted server dies", async () => {
  await using peer = await connected();
  const lost = Promise.withResolvers<boolean>();
  peer.root.notifyOnDisconnect((reference) => lost.resolve(reference === peer.root));
  const never = peer.root.callRemote(
    "cb",
    new class extends pb.Referenceable {
      remote_hello() {
        peer.python.signal("SIGKILL");
        return new Promise(() => {});
      }
    }(),
    1,
  );
  await assert.rejects(never, pb.PBConnectionLost);
  assert.equal(await lost.promise, true);
  await assert.rejects(peer.root.callRemote("echo", 1), { name: "DeadReferenceError" });
});
