import assert from "node:assert/strict";
import { bridge, pb, Tub } from "../../mod.ts";
import type { Description } from "../support/description.ts";
import { interopTest, PeerFailure, type PythonPeer, startPython } from "../support/python.ts";
import { startTub, until } from "../tub/tubs.ts";
import { collected } from "./support.ts";

async function failure(call: Promise<unknown>): Promise<PeerFailure["failure"]> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof PeerFailure, String(error));
    return error.failure;
  }
  throw new TypeError("it did not fail");
}

/** A Foolscap client in Python, a bridge of ours, a Perspective Broker server in Python. */
async function fromFoolscap() {
  const [foolscap, twisted] = await Promise.all([startPython(), startPython("../pb/interop/peer.py")]);
  const client = await pb.connect(`tcp:127.0.0.1:${twisted.ready.port}`);
  const tub = await startTub();
  const capability = tub.registry.grant(bridge.bridged(client), { label: "the pond" });
  await foolscap.get(capability.furl, "pond");
  return {
    foolscap,
    client,
    tub,
    capability,
    twisted,
    async [Symbol.asyncDispose]() {
      await tub.stop();
      await client.close();
      await Promise.all([foolscap[Symbol.asyncDispose](), twisted[Symbol.asyncDispose]()]);
    },
  };
}

/** A Perspective Broker client in Python, a bridge of ours, a Foolscap server in Python. */
async function fromPb() {
  const [foolscap, twisted] = await Promise.all([startPython(), startPython("../pb/interop/peer.py")]);
  const tub = await Tub.create();
  const server = await bridge.servePb(tub, foolscap.furl, "tcp:0:interface=127.0.0.1");
  await twisted.command("connect", { kind: "tcp", port: server.port });
  return {
    foolscap,
    twisted,
    tub,
    server,
    async [Symbol.asyncDispose]() {
      await tub.stop();
      await Promise.all([foolscap[Symbol.asyncDispose](), twisted[Symbol.asyncDispose]()]);
    },
  };
}

async function call(python: PythonPeer, method: string, ...args: unknown[]): Promise<unknown> {
  return (await python.command("call", { method, args })).result;
}

const VALUES: Record<string, Description> = {
  "nothing": { none: true },
  "a bool": { bool: true },
  "a large int": { int: String(-(2n ** 200n)) },
  "a float": { float: "2.5" },
  "text": { str: "h\u00e9llo \u{1f438}" },
  "bytes": { bytes: "00ff" },
  "a decimal": { decimal: "1.10" },
  "a set in a tuple": { tuple: [{ set: [{ int: "1" }, { int: "2" }] }, { frozenset: [{ str: "a" }] }] },
  "a dict": { dict: [[{ str: "__proto__" }, { list: [] }], [{ str: "b" }, { int: "1" }]] },
  // Python's Foolscap sorts the keys, so they are of one type.
  "a dict of numbers": { dict: [[{ int: "1" }, { str: "b" }], [{ int: "3" }, { none: true }]] },
  "a dict of tuples": { dict: [[{ tuple: [{ bytes: "01" }] }, { int: "2" }]] },
  "a shared list in a list": { list: [{ id: 1, list: [{ int: "5" }] }, { same: 1 }] },
  "a list that contains itself": { id: 1, list: [{ same: 1 }] },
};

interopTest("a Python Foolscap client calls a Python PB server through the bridge", async (t) => {
  await using chain = await fromFoolscap();
  const { foolscap, twisted, client, tub, capability } = chain;

  for (const [what, value] of Object.entries(VALUES)) {
    await t.step(`${what} goes through and back`, async () => {
      assert.deepEqual(await foolscap.call("pond", "echo", value), value);
    });
  }

  await t.step("keyword arguments are those of the method", async () => {
    const result = await foolscap.callWith("pond", "kw", {
      args: [{ int: "1" }],
      kwargs: { flag: { bool: true } },
    });
    assert.deepEqual((result as { tuple: Description[] }).tuple.at(-1), { bool: true });
  });

  await t.step("an object of the server's keeps its identity, and goes home", async () => {
    await foolscap.callWith("pond", "getTwo", { as: "two" });
    await foolscap.callWith("pond", "getTwo", { as: "again" });
    const { result } = await foolscap.command("identical", { one: "two", other: "again" });
    assert.deepEqual(result, { bool: true });
    assert.deepEqual(await foolscap.call("two", "three", { int: "41" }), { int: "42" });
    assert.deepEqual(await foolscap.call("pond", "isTwo", { ref: "two" }), { bool: true });
  });

  await t.step("the server calls an object of the client's, and gives it back", async () => {
    const answer = await foolscap.call("pond", "cb", { local: "listener" }, { str: "news" });
    assert.deepEqual(answer, { str: "news" });
    const event = await foolscap.event("called");
    assert.deepEqual([event.name, event.method], ["listener", "hello"]);
    await foolscap.call("pond", "keep", { local: "listener" });
    assert.deepEqual(await foolscap.call("pond", "giveKept"), { local: "listener" });
  });

  await t.step("errors keep type, parents and text, also those of callbacks", async () => {
    const told = await failure(foolscap.call("pond", "fail", { str: "expected" }));
    assert.equal(told.type, "__main__.Expected");
    assert.equal(told.value, "expected problem");
    assert.ok(told.parents.includes("twisted.spread.pb.Error"));
    assert.equal((await failure(foolscap.call("pond", "fail", { str: "bug" }))).type, "builtins.ValueError");
    const back = await failure(foolscap.call("pond", "relay", { local: "listener" }));
    assert.equal(back.type, "served.PeerError");
    assert.equal(back.value, "asked to fail");
    assert.ok((await failure(foolscap.call("pond", "nothing"))).parents.includes("builtins.AttributeError"));
  });

  await t.step("what the client lets go of is given back to the server", async () => {
    await foolscap.call("pond", "dropKept");
    for (const ref of ["two", "again"]) await foolscap.command("release", { ref });
    await collected(() => client.broker.tables.remote === 0, "no object of the server's");
    await collected(() => client.broker.tables.local === 0, "no object of ours at the server");
    await collected(() => tub.debug.tables().imported === 0, "no object of the client's");
    assert.deepEqual(await foolscap.call("pond", "echo", { int: "1" }), { int: "1" });
  });

  await t.step("a capability that was attenuated, and one that was revoked, refuse", async () => {
    const narrow = capability.attenuate({ methods: ["echo"] });
    await foolscap.get(narrow.furl, "narrow");
    assert.deepEqual(await foolscap.call("narrow", "echo", { int: "1" }), { int: "1" });
    assert.equal((await failure(foolscap.call("narrow", "getTwo"))).type, "javascript.PermissionDenied");
    narrow.revoke();
    const told = await failure(foolscap.call("narrow", "echo", { int: "2" }));
    assert.ok(told.parents.includes("javascript.PermissionDenied.revoked"));
  });

  await t.step("the end of the server is a DeadReferenceError", async () => {
    await twisted[Symbol.asyncDispose]();
    await until(() => !client.isConnected);
    const told = await failure(foolscap.call("pond", "echo", { int: "1" }));
    assert.equal(told.type, "foolscap.ipb.DeadReferenceError");
  });
});

interopTest("a Python PB client calls a Python Foolscap server through the bridge", async (t) => {
  await using chain = await fromPb();
  const { twisted, server } = chain;

  await t.step("values and keyword arguments go through and back", async () => {
    assert.equal(
      await call(twisted, "echo", { tuple: [1, 2.5, null, true, "x", [{ bytes: "00" }]] }),
      "(1, 2.5, None, True, 'x', [b'\\x00'])",
    );
    const { result } = await twisted.command("call", { method: "arguments", args: [1], kw: { b: "two" } });
    assert.equal(result, "((1,), {'b': 'two'})");
  });

  await t.step("an object of the server's keeps its identity, and goes home", async () => {
    await twisted.command("call", { method: "give_kept", name: "a" });
    await twisted.command("call", { method: "give_kept", name: "b" });
    assert.equal((await twisted.command("same", { a: "a", b: "b" })).same, true);
    assert.equal((await twisted.command("call", { on: "a", method: "number" })).result, "-1");
    assert.equal(await call(twisted, "is_kept", { ref: "a" }), "True");
  });

  await t.step("a function of the server's is an object with the method call", async () => {
    await twisted.command("call", { method: "function", name: "add" });
    assert.equal(
      (await twisted.command("call", { on: "add", method: "call", kw: { a: 20, b: 22 } })).result,
      "42",
    );
  });

  await t.step("the server calls an object of the client's, and gives it back", async () => {
    assert.equal(await call(twisted, "call", { own: 1 }, "hello", 5), "[5, 'from python']");
    await call(twisted, "hold", { own: 1 });
    assert.match(String(await call(twisted, "held")), /__main__\.Own object/);
  });

  await t.step("errors keep type, parents and text, also those of callbacks", async () => {
    const told = await failure(call(twisted, "fail", "custom", "of its own"));
    assert.deepEqual([told.type, told.value], ["served.PeerError", "of its own"]);
    assert.ok((await failure(call(twisted, "fail", "KeyError"))).parents.includes("builtins.LookupError"));
    const back = await failure(call(twisted, "call", { own: 1 }, "fail"));
    assert.deepEqual([back.type, back.value], ["__main__.Expected", "from the client"]);
  });

  await t.step("what the client lets go of is given back to the server", async () => {
    await call(twisted, "drop");
    for (const name of ["a", "b", "add"]) await twisted.command("drop", { name });
    await call(twisted, "echo", 1);
    const { tables } = server.brokers[0]!;
    assert.equal(tables.local, 0);
    await collected(() => server.brokers[0]!.tables.remote === 0, "no object of the client's");
    await collected(() => chain.tub.debug.tables().imported === 1, "nothing but the root object");
  });
});

interopTest("a Python PB client is refused by a capability that was attenuated or revoked", async () => {
  await using foolscap = await startPython();
  await using twisted = await startPython("../pb/interop/peer.py");
  await using tub = await startTub();
  // A grant is for objects of this Tub: one stands for the peer's.
  const capability = tub.registry.grant(bridge.forwarder(tub, foolscap.furl), { methods: ["add", "fail"] });
  const server = await bridge.servePb(tub, capability, "tcp:0:interface=127.0.0.1");
  await twisted.command("connect", { kind: "tcp", port: server.port });
  assert.equal(await call(twisted, "add", 1, 2), "3");
  assert.equal((await failure(call(twisted, "fail"))).type, "builtins.ValueError");
  const denied = await failure(call(twisted, "echo", 1));
  assert.equal(denied.type, "javascript.PermissionDenied");
  assert.ok(denied.parents.includes("builtins.PermissionError"));
  capability.revoke();
  const revoked = await failure(call(twisted, "add", 1, 2));
  assert.ok(revoked.parents.includes("javascript.PermissionDenied.revoked"));
});
