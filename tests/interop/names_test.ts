import assert from "node:assert/strict";
import { Kwargs, kwargs, Referenceable, RemoteException, type TraceEvent, Violation } from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejectionOf, startTub, stepEachWay, until } from "./rig.ts";

/** Names that somebody's code might take for its own. */
const INTERNALS = [
  "f",
  "name",
  "method",
  "methodname",
  "methname",
  "args",
  "kwargs",
  "obj",
  "clid",
  "reqID",
  "req",
  "ref",
  "rref",
  "broker",
  "tracker",
  "callback",
  "_callback",
  "target",
  "constructor",
  "toString",
  "hasOwnProperty",
  "then",
  "__proto__",
  "__class__",
  "length",
  "größe",
  "名前",
  "\u{1f600}",
  "with space",
  "a.b",
  "class",
];
const named = (names: readonly string[]) => {
  const values = Object.create(null) as Record<string, number>;
  names.forEach((name, i) => values[name] = i);
  return values;
};

/** Methods with any name, and what they were given. */
class Anything extends Referenceable {
  override doRemoteCall(name: string, args: unknown[]): unknown {
    const last = args.at(-1);
    const names = last instanceof Kwargs ? Object.entries(last.values) : [];
    return [name, ...names.map(([key, value]) => `${key}=${value}`)];
  }
}

class Names extends Referenceable {
  remote_größe(): string {
    return "ü";
  }
  remote_(): string {
    return "no name";
  }
}

interopTest("keyword arguments may have any name", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "of a method in Python", async ({ python }) => {
    // Python's own methods have `self`, and cannot take it again.
    const values = named(INTERNALS);
    const [, got] = await python.callRemote("arguments", kwargs(values)) as [unknown, Record<string, number>];
    assert.deepEqual(Object.keys(got).sort(), [...INTERNALS].sort());
    for (const name of INTERNALS) assert.equal(got[name], values[name], name);
    await python.callRemote("nothing");
  });

  await stepEachWay(t, peer, "of a method in Deno", async ({ tub }) => {
    await peer.get(tub.registerReference(new Anything()), "anything");
    const args = Object.fromEntries(INTERNALS.map((name, i) => [name, { int: String(i) }]));
    const { list } = await peer.callWith("anything", "m", { kwargs: args }) as {
      list: { str: string }[];
    };
    const texts = list.map(({ str }) => str);
    for (const name of INTERNALS) {
      assert.ok(texts.some((text) => text.startsWith(`${name}=`)), name);
    }
  }, { ways: BOTH_DIALERS });
});

const METHODS = ["größe", "", "名前", "\u{1f600}", "with space", "a.b", "__class__", "\u0001", "constructor"];

interopTest("methods may have any name", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "in Python", async ({ python }) => {
    for (const name of METHODS) {
      if (name === "größe") assert.equal(await python.callRemote(name), "ü");
      else if (name === "") assert.equal(await python.callRemote(name), "no name");
      else {
        const error = await rejectionOf(RemoteException, python.callRemote(name));
        assert.equal(error.check("builtins.AttributeError"), "builtins.AttributeError");
      }
    }
    await rejectionOf(Violation, python.callRemote("\ud800"));
    await rejectionOf(Violation, python.callRemote("n".repeat(1_001)));
    await python.callRemote("nothing");
  });

  await stepEachWay(t, peer, "in Deno", async ({ tub }) => {
    await peer.get(tub.registerReference(new Anything()), "anything");
    await peer.get(tub.registerReference(new Names()), "names");
    for (const name of METHODS) {
      assert.deepEqual(await peer.call("anything", name), { list: [{ str: name }] });
    }
    assert.deepEqual(await peer.call("names", "größe"), { str: "ü" });
    assert.deepEqual(await peer.call("names", ""), { str: "no name" });
    const { failure } = await rejectionOf(PeerFailure, peer.call("names", "constructor"));
    assert.ok(failure.parents.includes("builtins.AttributeError"));
  }, { ways: BOTH_DIALERS });
});

interopTest("what callRemoteOnly runs into reaches nobody but the trace", async (t) => {
  await using peer = await startPython();
  const events: TraceEvent[] = [];
  await using tub = await startTub({ trace: (event) => events.push(event) });
  const python = await tub.getReference(peer.furl);

  await t.step({
    name: "from Deno: a failing method, a missing one, and what cannot be sent",
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      python.callRemoteOnly("fail");
      python.callRemoteOnly("nosuch");
      python.callRemoteOnly("echo", Symbol("x"));
      await python.callRemote("nothing");
      const failed = events.flatMap((event) => event.type === "call-failed" ? [event] : []);
      assert.deepEqual(failed.map(({ method, requestId, error }) => [method, requestId, error.name]), [
        ["echo", 0, "Violation"],
      ]);
    },
  });

  await t.step({
    name: "from Python: a failing method, and a missing one",
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      events.length = 0;
      const names = new Names();
      await python.callRemote("call_only", names, "nosuch");
      await until(() => events.some((event) => event.type === "call-failed"), "the call failed here");
      const failed = events.find((event) => event.type === "call-failed");
      assert.equal(failed?.type === "call-failed" && failed.requestId, 0);
      assert.equal(await python.callRemote("call", names, ""), "no name");
    },
  });
});
