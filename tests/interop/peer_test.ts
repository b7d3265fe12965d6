import assert from "node:assert/strict";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";

interopTest("peer.py answers a call of another peer.py with the same value", async () => {
  await using server = await startPython("peer.py");
  await using client = await startPython("peer.py", ["--no-listen"]);
  await client.get(server.furl);
  const value = { list: [{ float: "1.0" }, { id: 1, tuple: [] }, { same: 1 }, { bytes: "00ff" }] };
  assert.deepEqual(await client.call("root", "echo", value), value);
  const described = await client.call("root", "describe", { frozenset: [{ decimal: "1.10" }] });
  assert.deepEqual(described, { str: '{"frozenset": [{"decimal": "1.10"}]}' });
});

interopTest("peer.py passes references, functions and copyables in both directions", async () => {
  await using server = await startPython("peer.py");
  await using client = await startPython("peer.py");
  await client.get(server.furl);
  await client.call("root", "hold", { local: "mine" });
  assert.deepEqual(await client.call("root", "call_back", { str: "poke" }, { int: "7" }), { int: "7" });
  assert.equal((await client.event("called")).method, "poke");
  assert.deepEqual(await client.call("root", "held"), { local: "mine" });
  await client.callWith("root", "give_kept", { as: "kept" });
  assert.deepEqual(await client.call("root", "is_kept", { ref: "kept" }), { bool: true });
  const point = { copyable: ["tests.Point", [["x", { int: "1" }], ["y", { int: "2" }]]] } as const;
  const flipped = { copyable: ["tests.Point", [["x", { int: "2" }], ["y", { int: "1" }]]] };
  assert.deepEqual(await client.call("root", "flip", point), flipped);
  await client.callWith("root", "function", { as: "add" });
  const kwargs = { a: { int: "1" }, b: { int: "2" } };
  assert.deepEqual(await client.callWith("add", undefined, { kwargs }), { int: "3" });
});

interopTest("peer.py reports a remote failure with its type and parents", async () => {
  await using server = await startPython("peer.py");
  await using client = await startPython("peer.py");
  await client.get(server.furl);
  await assert.rejects(
    client.call("root", "fail", { str: "KeyError" }, { str: "k\u20ac" }),
    (error: unknown) => {
      assert.ok(error instanceof PeerFailure);
      assert.equal(error.failure.type, "builtins.KeyError");
      assert.ok(error.failure.parents.includes("builtins.LookupError"));
      return error.failure.remote;
    },
  );
});

interopTest("peer.py frees what is released, and tells of a dropped connection", async () => {
  await using server = await startPython("peer.py");
  await using client = await startPython("peer.py");
  await client.get(server.furl);
  await client.callWith("root", "give", { as: "item" });
  assert.deepEqual(await client.call("root", "alive"), { int: "1" });
  await client.command("release", { ref: "item" });
  // The decref is a call of its own, one turn later; calls start in order.
  await client.command("gc");
  assert.deepEqual(await client.call("root", "alive"), { int: "0" });
  await client.command("watch", { ref: "root" });
  await server.command("drop");
  assert.equal((await client.event("disconnected")).name, "root");
});

interopTest("peer.py comes back under its FURL when it is restarted", async () => {
  await using server = await startPython("peer.py");
  await using client = await startPython("peer.py");
  await client.get(server.furl);
  const again = await server.command("restart");
  assert.equal(again.furl, server.furl);
  await client.get(server.furl);
  assert.deepEqual(await client.call("root", "add", { int: "1" }, { int: "2" }), { int: "3" });
});

interopTest("startPython() rejects with the script's stderr when it ends at once", async () => {
  await assert.rejects(startPython("peer.py", ["--nonsense"]), /unrecognized arguments: --nonsense/);
});
