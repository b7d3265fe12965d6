// What Foolscap's own tests say of calls, answers and errors, with Python at the other end.
import assert from "node:assert/strict";
import {
  Copyable,
  type CopyableState,
  kwargs,
  registerCopier,
  registerRemoteCopy,
  registerRemoteCopyFactory,
  RemoteException,
  type RemoteReference,
  tuple,
  Violation,
} from "../../mod.ts";
import { build, canonical, copyableClass, describe, type Description } from "../support/described.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { Item } from "./root.ts";
import { rejectionOf, type Rig, stepEachWay } from "./rig.ts";

/** Calls go both ways, and what they share among their arguments arrives shared: the OPENs are counted alike. */
async function assertInStep({ python, peer, ours, root }: Rig): Promise<void> {
  const t = tuple("tuple", 5, 6), l = ["list", 1, 2], s = new Set([3, 4]);
  const [one, two, three, four] = await python.callRemote("echo", [t, l, s, t]) as unknown[];
  assert.deepEqual([[...one as unknown[]], two, [...three as Set<unknown>]], [[...t], l, [3, 4]]);
  assert.equal(one, four);
  await peer.call(ours, "hold", SHARED);
  const [first, , third, fourth] = root.held as unknown[];
  assert.equal(first, fourth);
  assert.deepEqual([...third as Set<unknown>], [3, 4]);
}

const SHARED: Description = {
  list: [
    { id: 1, tuple: [{ str: "tuple" }, { int: "5" }] },
    { list: [{ str: "list" }] },
    { set: [{ int: "3" }, { int: "4" }] },
    { same: 1 },
  ],
};

interopTest("what is shared is shared within one message and not beyond", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "in arguments of Deno", async ({ python }) => {
    const list = [1, 2];
    assert.equal(await python.callRemote("same", list, list), true);
    assert.equal(await python.callRemote("same", list, [1, 2]), false);
    await python.callRemote("hold", list);
    assert.equal(await python.callRemote("is_held", list), false);
    await python.callRemote("drop");
  });

  await stepEachWay(t, peer, "in arguments of Python", async ({ python, root }) => {
    const list = [1, 2];
    assert.equal(await python.callRemote("call", root, "same", list, list), true);
    assert.equal(await python.callRemote("call", root, "same", list, [1, 2]), false);
    await python.callRemote("hold", list);
    const held = await python.callRemote("held");
    assert.equal(await python.callRemote("call", root, "hold", held), null);
    assert.equal(await python.callRemote("call", root, "is_held", held), false);
    await python.callRemote("drop");
  });

  await stepEachWay(t, peer, "in answers of Python", async ({ python }) => {
    const list = [1, 2];
    await python.callRemote("hold", [list, list]);
    const one = await python.callRemote("held") as unknown[];
    const other = await python.callRemote("held") as unknown[];
    assert.equal(one[0], one[1]);
    assert.deepEqual(one, other);
    assert.notEqual(one[0], other[0]);
    await python.callRemote("drop");
  });

  await stepEachWay(t, peer, "in answers of Deno", async ({ ours, root }) => {
    const list = [1, 2];
    root.held = tuple(list, list);
    const description = { tuple: [{ id: 1, list: [{ int: "1" }, { int: "2" }] }, { same: 1 }] };
    assert.deepEqual(await peer.callWith(ours, "held", { as: "one" }), description);
    assert.deepEqual(await peer.callWith(ours, "held", { as: "other" }), description);
    const { result } = await peer.command("identical", { one: "one", other: "other" });
    assert.deepEqual(result, { bool: false });
  });
});

const CYCLES: readonly { readonly name: string; readonly value: Description }[] = [
  {
    name: "a list with a tuple of itself, twice",
    value: { id: 1, list: [{ id: 2, tuple: [{ same: 1 }] }, { same: 2 }] },
  },
  {
    name: "a tuple of a dict and the list in it, which has the tuple",
    value: { id: 1, tuple: [{ dict: [[{ str: "list" }, { id: 2, list: [{ same: 1 }] }]] }, { same: 2 }] },
  },
  {
    name: "a tuple of a list of a tuple of it",
    value: { id: 1, tuple: [{ list: [{ tuple: [{ same: 1 }] }] }] },
  },
  {
    name: "a tuple of a dict of a tuple of it",
    value: { id: 1, tuple: [{ dict: [[{ str: "foo" }, { tuple: [{ same: 1 }] }]] }] },
  },
  {
    name: "a dict with a value that is not available right away",
    value: { id: 1, dict: [[{ int: "1" }, { bytes: "61" }], [{ int: "2" }, { tuple: [{ same: 1 }] }]] },
  },
  {
    name: "a list of itself between others",
    value: { id: 1, list: [{ int: "5" }, { int: "6" }, { same: 1 }, { int: "7" }] },
  },
];

interopTest("cycles keep their identity in both directions", async (t) => {
  await using peer = await startPython();
  for (const { name, value } of CYCLES) {
    await stepEachWay(t, peer, name, async ({ python, root }) => {
      const made = build(value);
      assert.deepEqual(
        canonical(JSON.parse(await python.callRemote("describe", made) as string)),
        describe(made),
      );
      assert.deepEqual(describe(await python.callRemote("echo", made)), describe(made));
      // And once more each way, as an argument of Python's and as an answer to it.
      assert.deepEqual(describe(await python.callRemote("call", root, "echo", made)), describe(made));
    });
  }
});

interopTest("a call that is refused half-way leaves both sides in step", async (t) => {
  await using peer = await startPython("forgetful.py");
  copyableClass("tests.OnlyDeno");

  await stepEachWay(t, peer, "a method that Python's interface does not have", async (rig) => {
    const strict = await rig.python.callRemote("give_strict") as RemoteReference;
    const error = await rejectionOf(RemoteException, strict.callRemote("bogus", [["one list"]], tuple([1])));
    assert.equal(error.remoteType, "foolscap.tokens.Violation");
    await assertInStep(rig);
  });

  await stepEachWay(t, peer, "an object that Python has forgotten", async (rig) => {
    const kept = await rig.python.callRemote("give_kept") as RemoteReference;
    await peer.command("forget", { local: "kept" });
    const error = await rejectionOf(RemoteException, kept.callRemote("number", [["one list"], { a: [1] }]));
    assert.equal(error.remoteType, "foolscap.tokens.Violation");
    assert.match(error.message, /unknown CLID/);
    await assertInStep(rig);
  });

  await stepEachWay(t, peer, "an object that Deno never had", async (rig) => {
    await peer.callWith(rig.ours, "give_kept", { as: "kept" });
    await peer.command("misname", { ref: "kept", clid: 77 });
    const { failure } = await rejectionOf(PeerFailure, peer.call("kept", "number", SHARED));
    assert.equal(failure.type, "foolscap.tokens.Violation");
    assert.match(failure.value, /[Uu]nknown CLID 77/);
    assert.equal(rig.tub.debug.tables().activeCalls, 0);
    await assertInStep(rig);
  });

  await stepEachWay(t, peer, "a Copyable that Python does not know", async (rig) => {
    const Unknown = copyableClass("tests.OnlyDeno");
    const value = Object.assign(new Unknown(), { a: [[1]], b: { c: tuple(2) } });
    const error = await rejectionOf(RemoteException, rig.python.callRemote("echo", [value, [value]]));
    assert.equal(error.remoteType, "foolscap.tokens.Violation");
    assert.match(error.message, /tests\.OnlyDeno/);
    await assertInStep(rig);
  });

  await stepEachWay(t, peer, "a Copyable that Deno does not know", async (rig) => {
    const value: Description = { copyable: ["tests.OnlyPython", [["a", SHARED]]] };
    const { failure } = await rejectionOf(
      PeerFailure,
      peer.call(rig.ours, "echo", { list: [value, SHARED] }),
    );
    assert.equal(failure.type, "foolscap.tokens.Violation");
    assert.match(failure.value, /tests\.OnlyPython/);
    await assertInStep(rig);
  });

  await stepEachWay(t, peer, "an argument that Python gives up in the middle", async (rig) => {
    const error = await rejectionOf(RemoteException, rig.python.callRemote("send_unsendable", rig.root));
    assert.equal(error.remoteType, "foolscap.tokens.Violation");
    await assertInStep(rig);
  });

  await stepEachWay(t, peer, "an argument that Deno cannot send", async (rig) => {
    const shared = [1];
    await rejectionOf(Violation, rig.python.callRemote("echo", [shared, { a: [shared, Symbol("no")] }]));
    await assertInStep(rig);
  });

  await stepEachWay(t, peer, "a result that cannot be sent", async (rig) => {
    await rejectionOf(Violation, rig.python.callRemote("unsendable_inside"));
    await rejectionOf(PeerFailure, peer.call(rig.ours, "unsendable"));
    await assertInStep(rig);
  });
});

interopTest("answers and errors that nobody asked for are dropped", async (t) => {
  await using peer = await startPython("forgetful.py");
  await stepEachWay(t, peer, "of Python", async (rig) => {
    await peer.command("answer", { request: 4711, value: SHARED });
    await peer.command("fail", { request: 4711 });
    await assertInStep(rig);
    // The first two calls have had their answers.
    for (const request of [1, 2]) await peer.command("answer", { request, value: SHARED });
    await peer.command("fail", { request: 1 });
    await assertInStep(rig);
    assert.equal(rig.tub.debug.tables().pendingCalls, 0);
  });
});

interopTest("arguments that do not fit a method of Python fail as its own would", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "too many, too few, and of other names", async (rig) => {
    const add = async (...args: unknown[]) => await rig.python.callRemote("add", ...args as []);
    const failing = async (...args: unknown[]) => {
      const error = await rejectionOf(RemoteException, add(...args));
      assert.equal(error.remoteType, "builtins.TypeError");
      assert.equal(error.method, "add");
      assert.match(error.stack!, /\n {4}at async add \(/);
      return error.message;
    };
    assert.match(await failing(kwargs({ a: 1, b: 2, c: 3 })), /unexpected keyword argument 'c'/);
    assert.match(await failing(1), /missing 1 required positional argument: 'b'/);
    assert.match(await failing(1, 2, 3), /takes 3 positional arguments but 4 were given/);
    assert.match(await failing(1, kwargs({ a: 1 })), /multiple values for argument 'a'/);
    assert.equal(await rig.python.callRemote("add", 1, kwargs({ b: 2 })), 3);
    await assertInStep(rig);
  });
});

interopTest("an object sent many times is one reference, whatever it comes in", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "of Deno and of Python", async ({ python, ours, root, tub }) => {
    const item = new Item(3);
    await python.callRemote("hold", { a: [item, item], b: tuple(item) });
    const held = await python.callRemote("held") as { a: unknown[]; b: unknown[] };
    assert.deepEqual([held.a[0] === item, held.a[1] === item, held.b[0] === item], [true, true, true]);
    assert.equal(tub.debug.tables().exported, 2);
    await peer.call(ours, "hold", {
      list: [{ local: "one" }, { tuple: [{ local: "one" }] }, { local: "two" }],
    });
    const [one, [again], two] = root.held as [RemoteReference, [RemoteReference], RemoteReference];
    assert.equal(one, again);
    assert.notEqual(one, two);
    assert.equal(await one.callRemote("poke", 7), 7);
    await python.callRemote("drop");
  });
});

/** Says itself what is sent of it, and takes what comes its own way. */
class Custom extends Copyable {
  static override copytype = "tests.Custom";
  [name: string]: unknown;
  override getStateToCopy(): Record<string, unknown> {
    return { a: 1, b: this["b"] };
  }
  override setCopyableState(state: CopyableState): void {
    this["c"] = 1;
    this["d"] = state["b"];
  }
}
registerRemoteCopy(Custom);

/** A class of somebody else's, which knows nothing of Foolscap. */
class Foreign {
  constructor(readonly a: unknown, readonly b: unknown) {}
}
registerCopier(Foreign, ({ a, b }) => ["tests.Foreign", { a, b }]);
registerRemoteCopyFactory("tests.Foreign", ({ a, b }) => new Foreign(a, b));

interopTest("copies are made as their classes say", async (t) => {
  await using peer = await startPython();
  await peer.get(peer.furl, "self");
  for (const type of [Custom.copytype, "tests.Foreign"]) {
    // Python makes a class for a name when a description first has it.
    await peer.call("self", "build", { str: JSON.stringify({ copyable: [type, []] }) });
  }

  await stepEachWay(t, peer, "a Copyable with a state of its own", async ({ python, ours, root }) => {
    const sent = Object.assign(new Custom(), { a: 12, b: "foo", hidden: true });
    const told = { copyable: ["tests.Custom", [["a", { int: "1" }], ["b", { str: "foo" }]]] } as const;
    assert.deepEqual(JSON.parse(await python.callRemote("describe", sent) as string), told);
    const back = await python.callRemote("echo", sent);
    assert.ok(back instanceof Custom);
    assert.deepEqual({ ...back }, { c: 1, d: "foo" });
    await peer.call(ours, "hold", told);
    assert.ok(root.held instanceof Custom);
    assert.deepEqual({ ...root.held }, { c: 1, d: "foo" });
  });

  await stepEachWay(t, peer, "a class with a copier and a factory", async ({ python, ours }) => {
    const sent = new Foreign(45, [new Foreign("x", null)]);
    const inner = { copyable: ["tests.Foreign", [["a", { str: "x" }], ["b", { none: true }]]] } as const;
    const told: Description = {
      copyable: ["tests.Foreign", [["a", { int: "45" }], ["b", { list: [inner] }]]],
    };
    assert.deepEqual(JSON.parse(await python.callRemote("describe", sent) as string), told);
    const back = await python.callRemote("echo", sent);
    assert.ok(back instanceof Foreign && Array.isArray(back.b));
    assert.deepEqual(back, sent);
    assert.deepEqual(await peer.call(ours, "echo", told), told);
  });
});
