/**
 * RemoteInterfaces with the same rules on both sides: what each side lets out, what it takes, and that a value that
 * breaks a rule costs one call and never the connection. `rules.py` has the twin of the interface.
 */
import assert from "node:assert/strict";
import {
  float,
  kwargs,
  Referenceable,
  RemoteException,
  RemoteInterface,
  type RemoteReference,
  schema,
  tuple,
  Violation,
} from "../../mod.ts";
import type { Description } from "../support/description.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejectionOf, stepEachWay } from "./rig.ts";

const RIObserver = RemoteInterface("RIObserver.tests", {
  notify: schema.method([["event", String]], null),
});

const RITable = RemoteInterface("RITable.tests", {
  integer: schema.method([["a", BigInt]], BigInt),
  word: schema.method([["a", schema.IntegerConstraint({ maxBytes: -1 })]], BigInt),
  long: schema.method(
    [["a", schema.IntegerConstraint({ maxBytes: 8 })]],
    schema.IntegerConstraint({ maxBytes: 8 }),
  ),
  number: schema.method([["a", Number]], Number),
  small: schema.method([["a", schema.NumberConstraint({ maxBytes: 8 })]], Number),
  data: schema.method([["a", schema.ByteStringConstraint({ maxLength: 10, minLength: 2 })]], Uint8Array),
  text: schema.method(
    [["a", schema.UnicodeConstraint({ maxLength: 5, minLength: 1, regexp: /^[a-z]*$/ })]],
    String,
  ),
  flag: schema.method([["a", Boolean]], Boolean),
  truth: schema.method([["a", schema.BooleanConstraint(true)]], Boolean),
  nothing: schema.method([["a", null]], null),
  items: schema.method([["a", schema.ListOf(BigInt, { maxLength: 3, minLength: 1 })]], schema.ListOf(BigInt)),
  nested: schema.method(
    [["a", schema.ListOf(schema.ListOf(Uint8Array, { maxLength: 2 }), { maxLength: 2 })]],
    schema.Any(),
  ),
  pair: schema.method([["a", schema.TupleOf(BigInt, String)]], schema.TupleOf(BigInt, String)),
  table: schema.method([["a", schema.DictOf(String, BigInt, { maxKeys: 2 })]], schema.DictOf(String, BigInt)),
  group: schema.method([["a", schema.SetOf(BigInt, { maxLength: 3 })]], schema.Any()),
  either: schema.method([["a", schema.ChoiceOf(BigInt, Uint8Array)]], schema.Any()),
  anything: schema.method([["a", schema.Any()]], schema.Any()),
  several: schema.method([["a", BigInt], ["b", String], ["c", schema.Optional(BigInt, 5)]], schema.Any()),
  observe: schema.method([["observer", RIObserver], ["event", String]], RIObserver),
  any_object: schema.method([["a", Referenceable]], schema.Any()),
  wrong: schema.method([["kind", String]], BigInt),
  free: schema.UnconstrainedMethod(),
});

/** Gives back what it is given, as the twin in Python does. */
class Table extends Referenceable {
  static override remoteInterface = RITable;
  readonly calls: unknown[] = [];

  override doRemoteCall(name: string, args: unknown[]): unknown {
    this.calls.push(name);
    switch (name) {
      case "several":
      case "free":
        return args;
      case "observe": {
        const [observer, event] = args as [RemoteReference, string];
        return observer.callRemote("notify", event).then(() => observer);
      }
      case "wrong":
        return args[0] === "right" ? 1 : args[0] === "none" ? null : "no int";
    }
    return args[0];
  }
}

class Observer extends Referenceable {
  static override remoteInterface = RIObserver;
  readonly events: string[] = [];
  remote_notify(event: string): void {
    this.events.push(event);
  }
}

class NoObserver extends Referenceable {}

const bytes = (text: string) => new TextEncoder().encode(text);
const int = (value: number | bigint): Description => ({ int: String(value) });
const str = (value: string): Description => ({ str: value });
const data = (value: string): Description => ({ bytes: bytes(value).toHex() });

/** What keeps the rule of a method, in both languages. */
const GOOD: readonly (readonly [method: string, value: unknown, description: Description])[] = [
  ["integer", 5, int(5)],
  ["integer", -7, int(-7)],
  ["integer", 2n ** 100n, int(2n ** 100n)],
  ["word", 2 ** 31 - 1, int(2 ** 31 - 1)],
  ["word", -(2 ** 31) + 1, int(-(2 ** 31) + 1)],
  ["long", 2n ** 62n, int(2n ** 62n)],
  ["number", 1.5, { float: "1.5" }],
  ["number", 3, int(3)],
  ["small", 0.25, { float: "0.25" }],
  ["data", bytes("hello"), data("hello")],
  ["data", bytes("list"), data("list")], // a word of the vocabulary
  ["text", "hello", str("hello")],
  ["text", "list", str("list")],
  ["flag", false, { bool: false }],
  ["truth", true, { bool: true }],
  ["nothing", null, { none: true }],
  ["items", [1, 2, 3], { list: [int(1), int(2), int(3)] }],
  ["nested", [[bytes("a")], [bytes("b"), bytes("c")]], {
    list: [{ list: [data("a")] }, { list: [data("b"), data("c")] }],
  }],
  ["pair", tuple(1, "x"), { tuple: [int(1), str("x")] }],
  ["table", { a: 1, b: 2 }, { dict: [[str("a"), int(1)], [str("b"), int(2)]] }],
  ["group", new Set([1, 2]), { set: [int(1), int(2)] }],
  ["either", 3, int(3)],
  ["either", bytes("xy"), data("xy")],
  ["anything", [1, "two", { a: [null] }], {
    list: [int(1), str("two"), { dict: [[str("a"), { list: [{ none: true }] }]] }],
  }],
];

/** What breaks it. Where Python drops the connection for it, Python is not sent it. */
const BAD: readonly {
  readonly method: string;
  readonly value: unknown;
  readonly description: Description;
  readonly why: RegExp;
  /** Python's rule is broken without Python noticing, or Python drops the connection. */
  readonly notToPython?: true;
}[] = [
  {
    method: "integer",
    value: "x",
    description: str("x"),
    why: /IntegerConstraint|not a number|not an integer/,
  },
  {
    method: "integer",
    value: 1.5,
    description: { float: "1.5" },
    why: /IntegerConstraint|not a number|not an integer/,
  },
  {
    method: "integer",
    value: true,
    description: { bool: true },
    why: /IntegerConstraint|not a number|not an integer/,
  },
  { method: "word", value: 2 ** 31, description: int(2 ** 31), why: /too large|rejected/ },
  { method: "long", value: 2n ** 65n, description: int(2n ** 65n), why: /too large/ },
  { method: "number", value: "x", description: str("x"), why: /NumberConstraint|not a number/ },
  { method: "data", value: bytes("x"), description: data("x"), why: /too short/ },
  { method: "data", value: bytes("x".repeat(11)), description: data("x".repeat(11)), why: /too l/ },
  { method: "data", value: "text", description: str("text"), why: /bytestring|ByteString|rejected/ },
  { method: "text", value: "abcdef", description: str("abcdef"), why: /too long/ },
  { method: "text", value: "", description: str(""), why: /too short/ },
  { method: "text", value: "ABC", description: str("ABC"), why: /regexp/ },
  {
    method: "text",
    value: bytes("abc"),
    description: data("abc"),
    why: /unicode|Unicode/,
    notToPython: true,
  },
  { method: "flag", value: 1, description: int(1), why: /bool|Boolean/, notToPython: true },
  { method: "truth", value: false, description: { bool: false }, why: /not [Tt]rue/ },
  { method: "nothing", value: 0, description: int(0), why: /None|Nothing/, notToPython: true },
  { method: "items", value: [], description: { list: [] }, why: /too short/ },
  {
    method: "items",
    value: [1, 2, 3, 4],
    description: { list: [1, 2, 3, 4].map(int) },
    why: /too long|full|More than/,
  },
  {
    method: "items",
    value: [1, "x"],
    description: { list: [int(1), str("x")] },
    why: /IntegerConstraint|not a number|not an integer/,
  },
  { method: "items", value: tuple(1), description: { tuple: [int(1)] }, why: /not a list|OPEN/i },
  {
    method: "nested",
    value: [["a", "b", "c"].map(bytes)],
    description: { list: [{ list: ["a", "b", "c"].map(data) }] },
    why: /too long|full|More than/,
  },
  { method: "pair", value: tuple(1), description: { tuple: [int(1)] }, why: /wrong size|tuple/ },
  {
    method: "pair",
    value: tuple(1, 2),
    description: { tuple: [int(1), int(2)] },
    why: /unicode|Unicode/,
    notToPython: true,
  },
  { method: "pair", value: 3, description: int(3), why: /tuple|Tuple/ },
  {
    method: "table",
    value: { a: 1, b: 2, c: 3 },
    description: { dict: [[str("a"), int(1)], [str("b"), int(2)], [str("c"), int(3)]] },
    why: /keys|full|More than/i,
  },
  {
    method: "table",
    value: { a: "x" },
    description: { dict: [[str("a"), str("x")]] },
    why: /IntegerConstraint|not a number|not an integer/,
  },
  {
    method: "group",
    value: new Set([1, 2, 3, 4]),
    description: { set: [1, 2, 3, 4].map(int) },
    why: /too large|full|More than/,
  },
  { method: "group", value: [1], description: { list: [int(1)] }, why: /not a set|OPEN/i },
  { method: "either", value: 1.5, description: { float: "1.5" }, why: /satisfy|rejected|not an integer/ },
  { method: "any_object", value: 5, description: int(5), why: /Referenceable|Interface/ },
];

function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(schemaComparable(actual), schemaComparable(expected));
}

/** Sets and dicts arrive as classes of their own. */
function schemaComparable(value: unknown): unknown {
  if (value instanceof Set) return new Set(value);
  if (value instanceof Uint8Array || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(schemaComparable);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, schemaComparable(part)]));
}

interopTest("a call that keeps the rules of its RemoteInterface goes through", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "from Deno to Python", async ({ python }) => {
    const table = await python.callRemote("give_table") as RemoteReference;
    assert.equal(table.getInterfaceName(), "RITable.tests");
    for (const [method, value] of GOOD) same(await table.callRemote(method, value), value);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "from Python to Deno", async ({ tub }) => {
    const table = new Table();
    const name = await peer.get(tub.registerReference(table), "table");
    for (const [method, , description] of GOOD) {
      assert.deepEqual(await peer.call(name, method, description), description, method);
    }
    assert.equal(table.calls.length, GOOD.length);
  }, { ways: BOTH_DIALERS });
});

interopTest("a call that breaks the rules is not sent", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "by Deno", async ({ python }) => {
    const table = await python.callRemote("give_table") as RemoteReference;
    await python.callRemote("table_calls");
    for (const { method, value, why } of BAD) {
      const error = await rejectionOf(Violation, table.callRemote(method, value));
      assert.match(error.message, why, `${method} ${Deno.inspect(value)}: ${error.message}`);
      assert.match(error.where, /^arguments\[0\]/);
    }
    const missing = await rejectionOf(Violation, table.callRemote("nothing_of_that_name"));
    assert.match(missing.message, /does not offer "nothing_of_that_name"/);
    assert.deepEqual(await python.callRemote("table_calls"), []);
  }, { ways: BOTH_DIALERS.slice(0, 1) });

  await stepEachWay(t, peer, "by Python", async ({ tub }) => {
    const table = new Table();
    const name = await peer.get(tub.registerReference(table), "table");
    for (const { method, value, description } of BAD) {
      if (value === true) continue; // for Python's own check a bool is an int
      const { failure } = await rejectionOf(PeerFailure, peer.call(name, method, description));
      assert.equal(failure.type, "foolscap.tokens.Violation");
      assert.equal(failure.remote, false, method);
    }
    assert.deepEqual(table.calls, []);
  }, { ways: BOTH_DIALERS.slice(0, 1) });
});

interopTest(
  "a call that breaks the rules and is sent all the same is refused, and nothing else",
  async (t) => {
    await using peer = await startPython();

    await stepEachWay(t, peer, "by Deno", async ({ tub }) => {
      const table = new Table();
      const name = await peer.get(tub.registerReference(table), "table");
      for (const { method, description, why } of BAD) {
        const { failure } = await rejectionOf(
          PeerFailure,
          peer.callWith(name, method, { args: [description], kwargs: { _useSchema: { bool: false } } }),
        );
        assert.equal(failure.type, "foolscap.tokens.Violation", method);
        assert.equal(failure.remote, true);
        assert.match(failure.value, why, method);
      }
      assert.deepEqual(table.calls, []);
      // Still there.
      assert.deepEqual(await peer.call(name, "integer", int(1)), int(1));
    }, { ways: BOTH_DIALERS });

    await stepEachWay(t, peer, "by Python", async ({ python }) => {
      const table = await python.callRemote("give_table") as RemoteReference;
      await python.callRemote("table_calls");
      const unchecked = table.with({ useSchema: false });
      for (const { method, value, notToPython } of BAD) {
        if (notToPython) continue;
        const error = await rejectionOf(RemoteException, unchecked.callRemote(method, value));
        assert.equal(error.check("foolscap.tokens.Violation"), "foolscap.tokens.Violation", method);
      }
      const missing = await rejectionOf(RemoteException, unchecked.callRemote("nothing_of_that_name"));
      assert.match(missing.message, /not defined in RITable/);
      assert.deepEqual(await python.callRemote("table_calls"), []);
    }, { ways: BOTH_DIALERS });
  },
);

interopTest("arguments have their declared names, and some may be left out", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "from Deno to Python", async ({ python }) => {
    const table = await python.callRemote("give_table") as RemoteReference;
    const given = async (...args: unknown[]) => [...await table.callRemote("several", ...args) as unknown[]];
    assert.deepEqual(await given(1, "x"), [1, "x", null]);
    assert.deepEqual(await given(1, "x", 3), [1, "x", 3]);
    assert.deepEqual(await given(1, kwargs({ b: "x" })), [1, "x", null]);
    assert.deepEqual(await given(kwargs({ c: 3, b: "x", a: 1 })), [1, "x", 3]);
    for (
      const [args, why] of [
        [[1], /missing required argument 'b'/],
        [[1, "x", 3, 4], /too many positional|takes 3 positional/],
        [[1, kwargs({ a: 1, b: "x" })], /multiple values/],
        [[1, "x", kwargs({ zz: 1 })], /unknown argument 'zz'/],
        [[kwargs({ a: 1, b: "x", constructor: 1 })], /unknown argument 'constructor'/],
      ] as const
    ) {
      const local = await rejectionOf(Violation, table.callRemote("several", ...args));
      assert.match(local.message, why);
      const remote = await rejectionOf(
        RemoteException,
        table.with({ useSchema: false }).callRemote("several", ...args),
      );
      assert.equal(remote.check("foolscap.tokens.Violation"), "foolscap.tokens.Violation");
    }
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "from Python to Deno", async ({ tub }) => {
    const name = await peer.get(tub.registerReference(new Table()), "table");
    const given = (args: Description[], kwargs: Record<string, Description> = {}) =>
      peer.callWith(name, "several", { args, kwargs });
    const list = (...items: Description[]): Description => ({ list: items });
    // The default that this side declared is filled in.
    assert.deepEqual(await given([int(1), str("x")]), list(int(1), str("x"), int(5)));
    assert.deepEqual(await given([], { c: int(3), b: str("x"), a: int(1) }), list(int(1), str("x"), int(3)));
    assert.deepEqual(await given([int(1)], { b: str("x") }), list(int(1), str("x"), int(5)));
    const unchecked = { _useSchema: { bool: false } } as const;
    for (
      const [args, kwargs, why] of [
        [[int(1)], {}, /missing required argument 'b'/],
        [[int(1), str("x"), int(3), int(4)], {}, /too many positional/],
        [[int(1)], { a: int(1), b: str("x") }, /multiple values/],
        [[int(1), str("x")], { zz: int(1) }, /unknown argument 'zz'/],
      ] as const
    ) {
      const { failure } = await rejectionOf(
        PeerFailure,
        peer.callWith(name, "several", { args, kwargs: { ...kwargs, ...unchecked } }),
      );
      assert.equal(failure.type, "foolscap.tokens.Violation");
      assert.match(failure.value, why);
    }
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "of a method without rules, both ways", async ({ tub, python }) => {
    const table = await python.callRemote("give_table") as RemoteReference;
    const [args, named] = await table.callRemote("free", 1, kwargs({ x: "y" })) as [unknown[], { x: string }];
    assert.deepEqual([[...args], named.x], [[1], "y"]);
    const name = await peer.get(tub.registerReference(new Table()), "table");
    assert.deepEqual(await peer.call(name, "free", int(1)), { list: [int(1)] });
  }, { ways: BOTH_DIALERS });
});

interopTest("an argument may have to be an object with a RemoteInterface", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "for Python", async ({ python }) => {
    const table = await python.callRemote("give_table") as RemoteReference;
    const observer = new Observer();
    const back = await table.callRemote("observe", observer, "tea");
    assert.equal(back, observer);
    assert.deepEqual(observer.events, ["tea"]);
    for (const wrong of [new NoObserver(), new Table(), 5]) {
      const error = await rejectionOf(Violation, table.callRemote("observe", wrong, "tea"));
      assert.match(error.message, /RIObserver|Referenceable/);
      const sent = table.with({ useSchema: false }).callRemote("observe", wrong, "tea");
      const remote = await rejectionOf(RemoteException, sent);
      assert.equal(remote.check("foolscap.tokens.Violation"), "foolscap.tokens.Violation");
    }
    assert.ok(await table.callRemote("any_object", new NoObserver()) instanceof NoObserver);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "for Deno", async ({ tub, python }) => {
    const name = await peer.get(tub.registerReference(new Table()), "table");
    // Python itself does not take its own object back where its schema says what the result is.
    const unchecked = { _useSchema: { bool: false } } as const;
    const back = await peer.callWith(name, "observe", {
      args: [{ local: "observer" }, str("tea")],
      kwargs: unchecked,
    });
    assert.deepEqual(back, { local: "observer" });
    assert.ok((await python.callRemote("observed") as string[]).includes("tea"));
    const { failure } = await rejectionOf(
      PeerFailure,
      peer.callWith(name, "observe", {
        args: [{ local: "no_observer" }, str("tea")],
        kwargs: unchecked,
      }),
    );
    assert.equal(failure.type, "foolscap.tokens.Violation");
    assert.match(failure.value, /RIObserver/);
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "which may be Deno's own, come home", async ({ tub, python }) => {
    // Python itself refuses a your-reference there; this side takes it.
    const observer = new Observer();
    const table = new Table();
    const name = await peer.get(tub.registerReference(table), "table");
    await peer.get(tub.registerReference(observer), "own");
    await peer.callWith(name, "any_object", { args: [{ ref: "own" }] });
    assert.deepEqual(table.calls, ["any_object"]);
    assert.ok(python.isConnected());
  }, { ways: BOTH_DIALERS.slice(0, 1) });
});

interopTest("a result that breaks the rules reaches nobody", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "not from Python", async ({ python }) => {
    const table = await python.callRemote("give_table") as RemoteReference;
    assert.equal(await table.callRemote("wrong", "right"), 1);
    for (const kind of ["text", "none"]) {
      const error = await rejectionOf(RemoteException, table.callRemote("wrong", kind));
      assert.equal(error.check("foolscap.tokens.Violation"), "foolscap.tokens.Violation");
    }
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "not from Deno", async ({ tub }) => {
    const name = await peer.get(tub.registerReference(new Table()), "table");
    assert.deepEqual(await peer.call(name, "wrong", str("right")), int(1));
    for (const kind of ["text", "none"]) {
      const { failure } = await rejectionOf(PeerFailure, peer.call(name, "wrong", str(kind)));
      assert.equal(failure.type, "foolscap.tokens.Violation");
      assert.equal(failure.remote, true);
      assert.match(failure.value, /in return value of "wrong"/);
    }
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "not to Deno, by the rule of one call", async ({ python }) => {
    const table = await python.callRemote("give_table") as RemoteReference;
    const strict = table.with({ resultConstraint: schema.ListOf(String, { maxLength: 2 }) });
    assert.deepEqual(await strict.callRemote("anything", ["a", "b"]), ["a", "b"]);
    for (const wrong of [1, ["a", "b", "c"], ["a", 1], null, new Set(["a"])]) {
      const error = await rejectionOf(Violation, strict.callRemote("anything", wrong));
      assert.match(error.where, /^result/);
    }
    assert.equal(await table.callRemote("anything", 1), 1);
    const none = table.with({ resultConstraint: null });
    assert.equal(await none.callRemote("anything", null), null);
    await rejectionOf(Violation, none.callRemote("anything", 1));
    const method = schema.method([["a", String]], String);
    const other = table.with({ methodConstraint: method });
    await rejectionOf(Violation, other.callRemote("anything", 1));
    assert.equal(await other.callRemote("anything", "x"), "x");
  }, { ways: BOTH_DIALERS });
});

interopTest("a number of a Float rule is sent as a float", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "however it looks", async ({ python }) => {
    const call = python.with({ methodConstraint: schema.method([["value", schema.Float()]], schema.Any()) });
    const described = JSON.parse(await call.callRemote("describe", 3) as string);
    assert.deepEqual(described, { float: "3.0" });
    const list = schema.method([["value", schema.ListOf(schema.Float())]], schema.Any());
    const inside = await python.with({ methodConstraint: list }).callRemote("describe", [1, 2.5, float(2)]);
    assert.deepEqual(JSON.parse(inside as string), {
      list: [{ float: "1.0" }, { float: "2.5" }, { float: "2.0" }],
    });
  }, { ways: BOTH_DIALERS.slice(0, 1) });
});
