import assert from "node:assert/strict";
import { callable, kwargs, RemoteFunction, RemoteReference, Violation } from "../../mod.ts";
import { canonical, describe } from "../support/described.ts";
import { interopTest, startPython } from "../support/python.ts";
import { Item } from "./root.ts";
import { BOTH_DIALERS, rejectionOf, stepEachWay, until } from "./rig.ts";

const ALL = Array.from({ length: 1000 }, (_, i) => i);

interopTest("objects are called back, and are the same wherever they come from", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "a callback object of Deno", async ({ python, root }) => {
    await python.callRemote("hold", root);
    assert.equal(await python.callRemote("call_back", "add", 3, 4), 7);
    assert.equal(await python.callRemote("held"), root);
    assert.equal(await python.callRemote("is_held", root), true);
    assert.equal(await python.callRemote("same", root, root), true);
    const other = new Item(1);
    assert.equal(await python.callRemote("same", root, other), false);
    assert.equal(await python.callRemote("call", other, "number"), 1);
    await python.callRemote("drop");
  });

  await stepEachWay(t, peer, "a callback object of Python", async ({ ours, root }) => {
    await peer.call(ours, "hold", { local: "mine" });
    assert.ok(root.held instanceof RemoteReference);
    const result = await peer.call(ours, "call_back", { str: "poke" }, { int: "7" });
    assert.deepEqual(result, { int: "7" });
    assert.deepEqual((await peer.event("called")).method, "poke");
    assert.deepEqual(await peer.call(ours, "held"), { local: "mine" });
    assert.deepEqual(await peer.call(ours, "is_held", { local: "mine" }), { bool: true });
    assert.deepEqual(await peer.call(ours, "same", { local: "mine" }, { local: "other" }), { bool: false });
  });

  await stepEachWay(t, peer, "identity", async ({ tub, python, root, ours }) => {
    const kept = await python.callRemote("give_kept");
    assert.ok(kept instanceof RemoteReference);
    assert.equal(await python.callRemote("give_kept"), kept);
    assert.equal(await python.callRemote("is_kept", kept), true);
    assert.equal(await python.callRemote("is_kept", python), false);
    assert.equal(await python.callRemote("is_root", python), true);
    assert.equal(await tub.getReference(peer.furl), python);
    const [again, list] = await python.callRemote("echo", [kept, [kept, root]]) as [unknown, unknown[]];
    assert.equal(again, kept);
    assert.deepEqual([list[0] === kept, list[1] === root], [true, true]);

    await peer.callWith(ours, "give_kept", { as: "kept1" });
    await peer.callWith(ours, "give_kept", { as: "kept2" });
    const identical = await peer.command("identical", { one: "kept1", other: "kept2" });
    assert.deepEqual(identical.result, { bool: true });
    assert.deepEqual(await peer.call(ours, "is_kept", { ref: "kept1" }), { bool: true });
    assert.deepEqual(await peer.call(ours, "is_root", { ref: ours }), { bool: true });
    assert.deepEqual(await peer.call(ours, "echo", { list: [{ ref: "kept1" }, { ref: "kept1" }] }), {
      list: [{ ref: "kept1" }, { ref: "kept1" }],
    });
  });

  await stepEachWay(t, peer, "the FURL of what only travelled", async ({ tub, python, root, ours }) => {
    const item = new Item(5);
    const furl = await python.callRemote("furl_of", item) as string;
    assert.equal(furl, tub.getOrCreateURLForReference(item));
    assert.ok(furl.startsWith(`pb://${tub.tubId}@tcp:127.0.0.1:`));
    const kept = await python.callRemote("give_kept") as RemoteReference;
    assert.equal(await tub.getReference(kept.getSturdyRef()), kept);
    assert.equal(kept.getRemoteTubID(), peer.ready.tubid);
    await peer.callWith(ours, "give_kept", { as: "item" });
    const theirs = (await peer.command("furl", { ref: "item" })).furl as string;
    assert.equal(theirs, tub.getOrCreateURLForReference(root.kept));
  });

  await stepEachWay(t, peer, "functions", async ({ python, ours }) => {
    const add = await python.callRemote("function");
    assert.ok(add instanceof RemoteFunction);
    assert.equal(await add.callRemote(1, 2), 3);
    assert.equal(await add.callRemote(kwargs({ a: 3, b: 4 })), 7);
    // The same bound method is another object each time, in Python.
    const home = await rejectionOf(Violation, python.callRemote("echo", add));
    assert.match(home.message, /back home/);

    const named = callable((names: unknown) =>
      JSON.stringify(names instanceof Object ? { ...names } : names)
    );
    const told = await python.callRemote("call_function", named, kwargs({ b: 1, a: "x" })) as string;
    assert.deepEqual(JSON.parse(told), { values: { a: "x", b: 1 } });
    const twice = callable((x: number) => 2 * x);
    assert.equal(await python.callRemote("same", twice, twice), true);

    // Python calls a function with keyword arguments alone.
    await peer.callWith(ours, "named_function", { as: "named" });
    const kw = { kwargs: { b: { int: "1" } as const } };
    assert.deepEqual(await peer.callWith("named", undefined, kw), { str: '{"b":1}' });
    const sum = await peer.call(ours, "call_function", { function: "add" }, { int: "1" }, { int: "2" });
    assert.deepEqual(sum, { int: "3" });
  });
});

interopTest("calls start in the order in which they were made", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "1,000 calls of Deno", async ({ python }) => {
    await Promise.all(ALL.map((i) => python.callRemote("record", i)));
    assert.deepEqual(await python.callRemote("recorded"), ALL);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "1,000 calls of Deno, every other one without an answer", async ({ python }) => {
    for (const i of ALL) {
      if (i % 2 === 0) python.callRemoteOnly("record", i);
      else void python.callRemote("record", i);
    }
    assert.deepEqual(await python.callRemote("recorded"), ALL);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "1,000 calls of Python", async ({ python, root }) => {
    const results = await python.callRemote("call_many", root, "record", 1000);
    assert.deepEqual(results, ALL.map(() => null));
    assert.deepEqual(root.marks, ALL);
    assert.deepEqual(await python.callRemote("call_many", root, "echo", 1000), ALL);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "1,000 calls of Python that want no answer", async ({ python, root, tub }) => {
    await python.callRemote("call_only_many", root, "record", 1000);
    await python.callRemote("call_only_many", root, "fail_oddly", 10);
    await until(() => root.marks.length === 1000, "all calls have come");
    assert.deepEqual(root.marks, ALL);
    await until(() => tub.debug.tables().activeCalls === 0, "all calls are done");
  }, { ways: BOTH_DIALERS });
});

interopTest("a call that takes long holds up no other", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "in Python", async ({ python }) => {
    const done: string[] = [];
    const waiting = python.callRemote("wait", "a").then((result) => {
      done.push("slow");
      return result;
    });
    assert.equal(await python.callRemote("add", 1, 2), 3);
    done.push("fast");
    await python.callRemote("release", "a", ["late"]);
    assert.deepEqual(await waiting, ["late"]);
    assert.deepEqual(done, ["fast", "slow"]);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "in Deno", async ({ ours, tub }) => {
    const waiting = peer.call(ours, "wait", { str: "a" });
    assert.deepEqual(await peer.call(ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
    assert.equal(tub.debug.tables().activeCalls, 1);
    await peer.call(ours, "release", { str: "a" }, { tuple: [{ str: "late" }] });
    assert.deepEqual(canonical(await waiting), { tuple: [{ str: "late" }] });
    assert.equal(tub.debug.tables().activeCalls, 0);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "that the caller gave up", async ({ python, tub }) => {
    const slow = python.with({ timeoutMs: 20 }).callRemote("wait", "b");
    assert.equal((await rejectionOf(DOMException, slow)).name, "TimeoutError");
    const giveUp = new AbortController();
    const other = python.with({ signal: giveUp.signal }).callRemote("wait", "c");
    giveUp.abort(new TypeError("no more"));
    await rejectionOf(TypeError, other);
    await python.callRemote("release", "b", [new Item(1)]);
    await python.callRemote("release", "c");
    assert.equal(await python.callRemote("add", 1, 2), 3);
    assert.equal(tub.debug.tables().pendingCalls, 0);
  }, { ways: BOTH_DIALERS });
});

interopTest("what is large crosses in both directions", async (t) => {
  await using peer = await startPython();
  const SIZE = 5_000_000;

  await stepEachWay(t, peer, "5 MB of bytes", async ({ python, root }) => {
    const bytes = new Uint8Array(SIZE);
    for (let i = 0; i < SIZE; i += 997) bytes[i] = i;
    assert.equal(await python.callRemote("length", bytes), SIZE);
    const made = await python.callRemote("make", SIZE) as Uint8Array;
    assert.equal(made.length, SIZE);
    assert.equal(made.at(-1), "m".charCodeAt(0));
    const back = await python.callRemote("echo", bytes) as Uint8Array;
    assert.ok(back.every((byte, i) => byte === bytes[i]));
    assert.equal(await python.callRemote("call", root, "length", bytes), SIZE);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "20,000 elements", async ({ python, root }) => {
    const many = Array.from({ length: 20_000 }, (_, i) => i);
    assert.deepEqual(await python.callRemote("echo", many), many);
    assert.deepEqual(await python.callRemote("many", 20_000), many);
    assert.deepEqual(await python.callRemote("call", root, "echo", many), many);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "5,000 small dicts", async ({ python }) => {
    const many = Array.from({ length: 5_000 }, (_, i) => ({ id: i, name: `n${i}`, tags: ["a", null] }));
    const back = await python.callRemote("echo", many);
    assert.deepEqual(describe(back), describe(many));
  }, { ways: BOTH_DIALERS });
});
