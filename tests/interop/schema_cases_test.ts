/**
 * Rules where more than two take part, or more than one kind: gifts that must have an interface, the large rules of
 * Foolscap's own tests, rules for the attributes of copies, rules that only this side has.
 */
import assert from "node:assert/strict";
import {
  Copyable,
  Referenceable,
  registerRemoteCopy,
  RemoteException,
  RemoteInterface,
  RemoteReference,
  schema,
  type Tub,
  tuple,
  Violation,
} from "../../mod.ts";
import { describe, type Description } from "../support/described.ts";
import { interopTest, PeerFailure, type PythonPeer, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejectionOf, startTub, step, stepEachWay } from "./rig.ts";

const { ListOf, TupleOf, DictOf, SetOf } = schema;
const bytes = (text: string) => new TextEncoder().encode(text);
const int = (value: number): Description => ({ int: String(value) });
const str = (value: string): Description => ({ str: value });
const data = (value: string): Description => ({ bytes: bytes(value).toHex() });
const UNCHECKED = { _useSchema: { bool: false } } as const;
const isViolation = "foolscap.tokens.Violation";

// A gift where an interface is asked for

const RIObserver = RemoteInterface("RIObserver.tests", {
  notify: schema.method([["event", String]], null),
});
/** Python does not know this one, and so checks nothing. */
const RIHost = RemoteInterface("RIHost.tests", {
  observe: schema.method([["observer", RIObserver]], RIObserver),
  observe_all: schema.method([["observers", ListOf(RIObserver)]], BigInt),
  give: schema.method([], RIObserver),
});
/** `observe` of `RITable` in `rules.py`. */
const OBSERVE = schema.method([["observer", RIObserver], ["event", String]], RIObserver);

class Observer extends Referenceable {
  static override remoteInterface = RIObserver;
  readonly events: string[] = [];
  remote_notify(event: string): void {
    this.events.push(event);
  }
}
class NoObserver extends Referenceable {}

class Host extends Referenceable {
  static override remoteInterface = RIHost;
  gift: unknown;
  async remote_observe(observer: RemoteReference): Promise<unknown> {
    assert.ok(observer instanceof RemoteReference);
    await observer.callRemote("notify", "tea");
    return observer;
  }
  remote_observe_all(observers: unknown[]): number {
    return observers.length;
  }
  remote_give(): unknown {
    return this.gift;
  }
}

/** FURLs of an object with the interface and of one without, at a third Tub. */
interface Gifts {
  readonly observer: string;
  readonly noObserver: string;
  events(): Promise<readonly unknown[]>;
}

function giftsOfDeno(tub: Tub): Gifts {
  const observer = new Observer();
  return {
    observer: tub.registerReference(observer),
    noObserver: tub.registerReference(new NoObserver()),
    events: () => Promise.resolve(observer.events),
  };
}

async function giftsOfPython(peer: PythonPeer, tub: Tub): Promise<Gifts> {
  const furl = async (local: string) => (await peer.command("register", { local })).furl as string;
  const root = await tub.getReference(peer.furl);
  return {
    observer: await furl("observer"),
    noObserver: await furl("no_observer"),
    events: async () => await root.callRemote("observed") as string[],
  };
}

interopTest("a gift may have to be an object with a RemoteInterface", async (t) => {
  await using peer = await startPython();
  await using far = await startPython();
  await using owner = await startTub();
  for (
    const [kind, gifts] of [
      ["Deno", giftsOfDeno(owner)],
      ["Python", await giftsOfPython(far, owner)],
    ] as const
  ) {
    await step(t, `which Deno gives Python, of a Tub of ${kind}`, async () => {
      await using tub = await startTub();
      const table = await (await tub.getReference(peer.furl)).callRemote("give_table") as RemoteReference;
      const [good, bad] = [await tub.getReference(gifts.observer), await tub.getReference(gifts.noObserver)];
      const before = (await gifts.events()).length;
      const checked = table.with({ methodConstraint: OBSERVE });
      assert.equal(await checked.callRemote("observe", good, "tea"), good);
      assert.equal((await gifts.events()).length, before + 1);
      const local = await rejectionOf(Violation, checked.callRemote("observe", bad, "tea"));
      assert.match(local.message, /does not provide RemoteInterface RIObserver/);
      // This file has no RITable: without OBSERVE only Python has rules.
      const remote = await rejectionOf(RemoteException, table.callRemote("observe", bad, "tea"));
      assert.equal(remote.check(isViolation), isViolation);
      // The other way: what Python answers is given to Deno, which asks for the interface.
      const asked = table.with({ resultConstraint: RIObserver });
      assert.equal(await asked.callRemote("anything", good), good);
      const answer = await rejectionOf(Violation, asked.callRemote("anything", bad));
      assert.match(answer.message, /does not provide RemoteInterface RIObserver/);
    });

    await step(t, `which Python gives Deno, of a Tub of ${kind}`, async () => {
      await using tub = await startTub();
      const host = new Host();
      const name = await peer.get(tub.registerReference(host), `host of ${kind}`);
      const [good, bad] = [`observer of ${kind}`, `no observer of ${kind}`];
      await peer.get(gifts.observer, good);
      await peer.get(gifts.noObserver, bad);
      const before = (await gifts.events()).length;
      assert.deepEqual(await peer.call(name, "observe", { ref: good }), { ref: good });
      assert.equal((await gifts.events()).length, before + 1);
      const both = { list: [{ ref: good }, { ref: bad }] };
      assert.deepEqual(await peer.call(name, "observe_all", { list: [{ ref: good }] }), int(1));
      for (const [method, gift] of [["observe", { ref: bad }], ["observe_all", both]] as const) {
        const { failure } = await rejectionOf(PeerFailure, peer.call(name, method, gift));
        assert.equal(failure.type, isViolation);
        assert.ok(failure.remote);
        assert.match(failure.value, /does not provide RemoteInterface RIObserver/);
      }
      // And a result is checked before it is given away.
      host.gift = await tub.getReference(gifts.observer);
      assert.deepEqual(await peer.call(name, "give"), { ref: good });
      host.gift = await tub.getReference(gifts.noObserver);
      const { failure } = await rejectionOf(PeerFailure, peer.call(name, "give"));
      assert.match(failure.value, /in return value of "give"/);
      assert.equal(tub.debug.tables().pendingGifts, 0);
    });
  }
});

// All kinds of rules at once: RIHelper of foolscap/test/common.py

const Mega1 = DictOf(
  Uint8Array,
  ListOf(
    TupleOf(
      SetOf(BigInt, { maxLength: 10, mutable: true }),
      Uint8Array,
      Boolean,
      BigInt,
      BigInt,
      Number,
      null,
      schema.UnicodeConstraint(),
      schema.ByteStringConstraint(),
      schema.Any(),
      schema.NumberConstraint(),
      schema.IntegerConstraint(),
      schema.ByteStringConstraint({ maxLength: 100, minLength: 90 }),
    ),
    { maxLength: 20 },
  ),
  { maxKeys: 5 },
);
const Mega2 = TupleOf(SetOf(BigInt), ListOf(BigInt), DictOf(BigInt, String));
const any = schema.Any();

const RIHelper = RemoteInterface("RIHelper", {
  set: schema.method([["obj", any]], Boolean),
  set2: schema.method([["obj1", any], ["obj2", any]], Boolean),
  append: schema.method([["obj", any]], any),
  get: schema.method([], any),
  echo: schema.method([["obj", any]], any),
  defer: schema.method([["obj", any]], any),
  hang: schema.method([], any),
  megaschema: schema.method([["obj1", Mega1], ["obj2", Mega2]], null),
  mega3: schema.method([["obj1", ListOf(TupleOf(BigInt, BigInt))]], null),
  choice1: schema.method([
    ["obj1", schema.ChoiceOf(schema.ByteStringConstraint({ maxLength: 2_000 }), BigInt)],
  ], null),
});

class Helper extends Referenceable {
  static override remoteInterface = RIHelper;
  given: unknown[] = [];
  override doRemoteCall(_name: string, args: unknown[]): null {
    this.given = args;
    return null;
  }
}

const many = "a".repeat(95);
/** What `megaschema` takes; a part may be changed. */
function mega(last = many): [unknown, unknown] {
  const one = tuple(
    new Set([1, 2, 3]),
    bytes("str"),
    true,
    12,
    12n,
    19.3,
    null,
    "unicode",
    bytes("bytestring"),
    "any",
    14.3,
    15,
    bytes(last),
  );
  const key = bytes("key");
  return [new Map([[key, [one]]]), tuple(new Set([1, 2, 3]), [1, 2, 3], new Map([[1, "two"]]))];
}

interopTest("rules with one of everything take in the same on both sides", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "from Deno to Python", async ({ python }) => {
    const helper = await python.callRemote("give_helper") as RemoteReference;
    assert.equal(helper.getInterfaceName(), "RIHelper");
    assert.equal(await helper.callRemote("megaschema", ...mega()), null);
    const [one, two] = await python.callRemote("helper_given") as [unknown, unknown];
    assert.deepEqual([describe(one), describe(two)], mega().map((value) => describe(value)));
    for (const last of ["a".repeat(89), "a".repeat(101)]) {
      const local = await rejectionOf(Violation, helper.callRemote("megaschema", ...mega(last)));
      assert.match(local.where, /^arguments\[0\]/);
      const unchecked = helper.with({ useSchema: false });
      const remote = await rejectionOf(RemoteException, unchecked.callRemote("megaschema", ...mega(last)));
      assert.equal(remote.check(isViolation), isViolation);
    }
    // One tuple, twice: the second comes as a reference to the first.
    const shared = tuple(0, 1);
    assert.equal(await helper.callRemote("mega3", [shared, shared]), null);
    const [first, second] = await helper.callRemote("get") as [unknown, unknown];
    assert.deepEqual([first, first === second], [shared, true]);
    assert.equal(await helper.callRemote("choice1", 4), null);
    assert.equal(await helper.callRemote("choice1", bytes("a".repeat(2_000))), null);
    for (const wrong of [bytes("a".repeat(2_001)), ["not a choice"]]) {
      await rejectionOf(Violation, helper.callRemote("choice1", wrong));
    }
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "from Python to Deno", async ({ tub }) => {
    await (await tub.getReference(peer.furl)).callRemote("give_helper"); // so that Python knows the interface
    const helper = new Helper();
    const name = await peer.get(tub.registerReference(helper), "helper");
    const described = mega().map((value) => describe(value));
    assert.deepEqual(await peer.call(name, "megaschema", ...described), { none: true });
    assert.deepEqual(helper.given.map((value) => describe(value)), described);
    for (const last of ["a".repeat(89), "a".repeat(101)]) {
      const args = mega(last).map((value) => describe(value));
      const local = await rejectionOf(PeerFailure, peer.call(name, "megaschema", ...args));
      assert.equal(local.failure.remote, false);
      const { failure } = await rejectionOf(
        PeerFailure,
        peer.callWith(name, "megaschema", { args, kwargs: UNCHECKED }),
      );
      assert.deepEqual([failure.type, failure.remote], [isViolation, true]);
    }
    const shared = tuple(0, 1);
    await peer.call(name, "mega3", describe([shared, shared]));
    const [[first, second]] = helper.given as [[unknown, unknown]];
    assert.deepEqual([first, first === second], [shared, true]);
    await peer.call(name, "choice1", int(4));
    await peer.call(name, "choice1", data("a".repeat(2_000)));
    for (const wrong of [data("a".repeat(2_001)), { list: [str("not a choice")] }]) {
      const { failure } = await rejectionOf(
        PeerFailure,
        peer.callWith(name, "choice1", { args: [wrong], kwargs: UNCHECKED }),
      );
      assert.deepEqual([failure.type, failure.remote], [isViolation, true]);
    }
  }, { ways: BOTH_DIALERS });
});

// Rules for the attributes of copies

class Ruled extends Copyable {
  static override copytype = "tests.Ruled";
  static override stateSchema = schema.AttributeDictConstraint(
    ["count", BigInt],
    ["data", schema.ByteStringConstraint({ maxLength: 10 })],
    ["more", schema.Optional(String, "none")],
  );
}
registerRemoteCopy(Ruled);
const ruled = (state: object) => Object.assign(new Ruled(), state);
const ruledText = (...state: readonly (readonly [string, Description])[]): Description => ({
  copyable: ["tests.Ruled", state.map(([name, value]) => [name, value])],
});
const GOOD = ruledText(["count", int(3)], ["data", data("tea")]);
/** What breaks the rules of the copy. */
const BROKEN: readonly (readonly [name: string, description: Description, why: RegExp])[] = [
  ["another type", ruledText(["count", str("3")], ["data", data("tea")]), /IntegerConstraint/],
  ["too long", ruledText(["count", int(3)], ["data", data("a".repeat(11))]), /too large|too long/],
  [
    "one too many",
    ruledText(["count", int(3)], ["data", data("tea")], ["zz", int(1)]),
    /unknown attribute '?zz|not in schema/,
  ],
];
const MISSING = ruledText(["count", int(3)]);

interopTest("the attributes of a copy may have rules", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "in Deno, for arguments", async ({ root, ours }) => {
    await peer.call(ours, "hold", GOOD);
    assert.ok(root.held instanceof Ruled);
    assert.deepEqual({ ...root.held }, { count: 3, data: bytes("tea"), more: "none" });
    const wrong = [...BROKEN, ["one missing", MISSING, /missing required keys: data/] as const];
    for (const [name, description, why] of wrong) {
      const { failure } = await rejectionOf(PeerFailure, peer.call(ours, "hold", description));
      assert.deepEqual([failure.type, failure.remote], [isViolation, true], name);
      assert.match(failure.value, why, name);
    }
    assert.deepEqual(await peer.call(ours, "add", int(1), int(2)), int(3));
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "in Deno, for results", async ({ python }) => {
    const build = (description: Description) => python.callRemote("build", JSON.stringify(description));
    assert.ok(await build(GOOD) instanceof Ruled);
    const wrong = [...BROKEN, ["one missing", MISSING, /missing required keys: data/] as const];
    for (const [name, description, why] of wrong) {
      assert.match((await rejectionOf(Violation, build(description))).message, why, name);
    }
    assert.equal(await python.callRemote("add", 1, 2), 3);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "in Python", async ({ python }) => {
    const described = await python.callRemote("describe", ruled({ count: 3, data: bytes("tea") }));
    assert.deepEqual(JSON.parse(described as string), GOOD);
    for (
      const state of [
        { count: "3", data: bytes("tea") },
        { count: 3, data: bytes("a".repeat(11)) },
        { count: 3, data: bytes("tea"), zz: 1 },
      ]
    ) {
      const error = await rejectionOf(RemoteException, python.callRemote("describe", ruled(state)));
      assert.equal(error.check(isViolation), isViolation, JSON.stringify(state));
    }
    // Python does not miss what is missing.
    const missing = await python.callRemote("describe", ruled({ count: 3 }));
    assert.deepEqual(JSON.parse(missing as string), MISSING);
  }, { ways: BOTH_DIALERS });
});

// Rules of this side alone

type Tree = readonly Tree[];
const tree: schema.Constraint<Tree, Tree> = ListOf(schema.lazy(() => tree), { maxLength: 2 });
const RIOurs = RemoteInterface("RIOurs.tests", {
  tree: schema.method([["tree", tree]], tree),
  settings: schema.method([
    ["settings", schema.AttributeDictConstraint(["size", BigInt], ["name", schema.Optional(String, "none")])],
  ], schema.Any()),
  local: schema.method([["date", schema.LocalInterfaceConstraint(Date)]], null),
});
class Ours extends Referenceable {
  static override remoteInterface = RIOurs;
  override doRemoteCall(_name: string, [value]: unknown[]): unknown {
    return value;
  }
}

interopTest("rules that Python does not know, or could not follow itself, hold in Deno", async (t) => {
  await using peer = await startPython();
  const list = (...items: Description[]): Description => ({ list: items });
  const dict = (...entries: [string, Description][]): Description => ({
    dict: entries.map(([key, value]) => [str(key), value]),
  });

  await stepEachWay(t, peer, "for what Python sends", async ({ tub }) => {
    const name = await peer.get(tub.registerReference(new Ours()), "ours");
    const same = async (method: string, value: Description, expected = value) =>
      assert.deepEqual(await peer.call(name, method, value), expected);
    const refused = async (method: string, value: Description, why: RegExp) => {
      const { failure } = await rejectionOf(PeerFailure, peer.call(name, method, value));
      assert.deepEqual([failure.type, failure.remote], [isViolation, true]);
      assert.match(failure.value, why);
    };
    await same("tree", list(list(list()), list()));
    // A list that contains itself.
    await same("tree", { id: 1, list: [{ same: 1 }] } as Description);
    await refused("tree", list(list(list(int(1)))), /INT token rejected/);
    await refused("tree", list(list(list(), list(), list())), /full|too long|More than/);
    await same("settings", dict(["name", str("x")], ["size", int(3)]));
    await same("settings", dict(["size", int(3)]), dict(["name", str("none")], ["size", int(3)]));
    await refused("settings", dict(["name", str("x")]), /missing required keys: size/);
    await refused("settings", dict(["size", int(3)], ["zz", int(1)]), /zz/);
    await refused("settings", dict(["size", str("3")]), /IntegerConstraint|not a number/);
    for (const value of [int(1), { local: "anything" }, { none: true } as const]) {
      await refused("local", value, /rejected by LocalInterfaceConstraint/);
    }
  }, { ways: BOTH_DIALERS });
});
