import assert from "node:assert/strict";
import {
  Decimal,
  Dict,
  float,
  type FrozenSet,
  frozenSet,
  kwargs,
  pb,
  type Tuple,
  tuple,
  type ValueSet,
  Violation,
} from "../../mod.ts";
import { BananaEncoder } from "../../lib/pb/banana/encoder.ts";

type Expression = pb.Expression;
/** `(a b 1)`: words as bytes. */
function sexp(...parts: (string | Expression)[]): Expression {
  return parts.map((part) => typeof part === "string" ? new TextEncoder().encode(part) : part);
}
/** An expression with texts in place of bytes, to be compared. */
function shown(expression: Expression): unknown {
  if (expression instanceof Uint8Array) return new TextDecoder().decode(expression);
  return Array.isArray(expression) ? expression.map(shown) : expression;
}
const text = (value: string) => sexp("unicode", value);

Deno.test("jelly() numbers what is shared by the order in which that is found out", () => {
  const x = [1], y = [2];
  assert.deepEqual(shown(pb.jelly([x, y, y, x])), [
    "list",
    ["reference", 2, ["list", 1]],
    ["reference", 1, ["list", 2]],
    ["dereference", 1],
    ["dereference", 2],
  ]);
});

Deno.test("jelly() shares no empty tuple", () => {
  const empty = tuple();
  assert.deepEqual(shown(pb.jelly([empty, empty])), ["list", ["tuple"], ["tuple"]]);
});

const REFUSED: readonly (readonly [name: string, value: () => unknown, where: string])[] = [
  ["a function", () => ({ a: [1, { b: () => 1 }] }), "a[1].b"],
  ["a symbol", () => [Symbol("x")], "[0]"],
  ["a Date", () => ({ when: new Date(0) }), "when"],
  ["an object of an unknown class", () => [new URL("http://x")], "[0]"],
  ["a promise", () => [Promise.resolve()], "[0]"],
  ["a lone surrogate", () => ["a", "\ud800"], "[1]"],
  ["a lone surrogate in a long text", () => ["\ud800".padEnd(100)], "[0]"],
  ["a text that is too long", () => ["x".repeat(655_361)], "[0]"],
  ["a text that is too long as UTF-8", () => ["é".repeat(400_000)], "[0]"],
  ["an integer of 2^448", () => [2n ** 448n], "[0]"],
  ["a Decimal that is not finite", () => [new Decimal("NaN")], "[0]"],
  ["a Decimal of 136 digits", () => [new Decimal("9".repeat(136))], "[0]"],
  ["a dictionary with a list as key", () => [new Map([[[1], 2]])], "[0]"],
  ["a dictionary with 1 and true", () => [new Map<unknown, unknown>([[1, 2], [true, 3]])], "[0]"],
  ["a set with a dictionary in it", () => [new Set([{}])], "[0]"],
  ["keyword arguments", () => [kwargs({ a: 1 })], "[0]"],
  ["what a peer could not send", () => [new pb.Unpersistable("no")], "[0]"],
];
for (const [name, value, where] of REFUSED) {
  Deno.test(`jelly() refuses ${name} and says where it is`, () => {
    assert.throws(() => pb.jelly(value()), (error: Error) => {
      assert.ok(error instanceof Violation);
      assert.equal(error.where, where);
      return true;
    });
  });
}

Deno.test("jelly() sends a placeholder for what it cannot send when it is told to, as Twisted does", () => {
  class Avatar {}
  const expression = pb.jelly([new Avatar(), () => 1], { unpersistable: "send" });
  assert.deepEqual(shown(expression), [
    "list",
    ["unpersistable", "instance of class Avatar deemed insecure"],
    ["unpersistable", "a function deemed insecure"],
  ]);
  const [first] = pb.unjelly(expression) as [pb.Unpersistable];
  assert.equal(first.reason, "instance of class Avatar deemed insecure");
});

Deno.test("Jellier.jelly() refuses what is deeper than a Python peer can follow, and what references make deeper", () => {
  const nested = (depth: number) => {
    let list: unknown[] = [];
    for (let i = 1; i < depth; i++) list = [list];
    return list;
  };
  const write = (value: unknown) => new pb.Jellier(new BananaEncoder(true)).jelly(value);
  write(nested(300));
  assert.throws(() => write(nested(301)), Violation);
  const lists: unknown[] = [[]];
  for (let i = 0; i < 150; i++) lists.push([lists.at(-1)]);
  assert.throws(() => write([lists.at(-1), lists]), Violation);
});

Deno.test("Jellier writes nothing of a value that fails, and undo() gives back what objects took, latest first", () => {
  const log: string[] = [];
  class Counted {
    constructor(readonly name: string) {}
    jellyFor(jellier: pb.Jellying) {
      jellier.onUndo(() => log.push(this.name));
      jellier.list(2);
      jellier.word("remote");
      jellier.integer(1);
    }
  }
  const encoder = new BananaEncoder(true);
  const jellier = new pb.Jellier(encoder);
  jellier.tuple([new Counted("kept")], "arguments");
  jellier.commit();
  const { position, elements } = encoder;
  jellier.tuple([new Counted("a")], "arguments");
  assert.throws(() => jellier.keywords({ b: new Counted("b"), c: () => 1 }, "keywords"), (error: Error) => {
    assert.ok(error instanceof Violation);
    assert.equal(error.where, "keywords.c");
    return true;
  });
  jellier.undo();
  jellier.undo();
  assert.deepEqual(log, ["b", "a"]);
  encoder.rollback(position);
  encoder.elements = elements;
  assert.deepEqual(encoder.take(), Uint8Array.fromHex("0280" + "0b87" + "0280" + "1087" + "0181"));
});

Deno.test("Jellier makes each call of tuple() and keywords() a run of its own", () => {
  const shared = [1];
  const encoder = new BananaEncoder(false);
  const jellier = new pb.Jellier(encoder);
  encoder.list(2);
  jellier.tuple([shared, shared]);
  jellier.keywords({ k: shared });
  assert.deepEqual(shown(pb.decode(encoder.take())), [
    ["tuple", ["reference", 1, ["list", 1]], ["dereference", 1]],
    ["dictionary", [["unicode", "k"], ["list", 1]]],
  ]);
});

for (
  const [name, jellyFor] of [
    ["nothing", () => {}],
    ["two expressions", (j: pb.Jellying) => (j.integer(1), j.integer(2))],
    ["half a list", (j: pb.Jellying) => (j.list(2), j.integer(1))],
    ["itself for ever", function (this: unknown, j: pb.Jellying) {
      j.list(1);
      j.jelly(this);
    }],
    ["an exception", () => {
      throw new RangeError("mine");
    }],
  ] as readonly (readonly [string, (jellier: pb.Jellying) => void])[]
) {
  Deno.test(`jelly() refuses an object whose jellyFor writes ${name}`, () => {
    const value = new (class {
      jellyFor = jellyFor;
    })();
    assert.throws(
      () => pb.jelly([value]),
      (error: Error) => error instanceof Violation && error.where === "[0]",
    );
  });
}

const NONSENSE: readonly (readonly [name: string, expression: Expression])[] = [
  ["an empty list", []],
  ["a list as tag", [[1]]],
  ["a number as tag", [1]],
  ["a tag that is not UTF-8", [Uint8Array.of(0xff)]],
  ["an unknown tag", sexp("foobar", 1)],
  ["a tag that is allowed and has no form", sexp("string", "x")],
  ["a class that nobody registered", sexp("shop.Order", sexp("dictionary"))],
  ["a class by name", sexp("class", "os.system")],
  ["a function by name", sexp("function", "os.system")],
  ["a module by name", sexp("module", "os")],
  ["a method", sexp("method", "x", sexp("None"), sexp("None"))],
  ["an instance", sexp("instance", sexp("class", "shop.Order"), sexp("dictionary"))],
  ["a reference of a connection", sexp("remote", 1)],
  ["text that is not UTF-8", [new TextEncoder().encode("unicode"), Uint8Array.of(0xc3)]],
  ["text without bytes", sexp("unicode")],
  ["text of a number", sexp("unicode", 1)],
  ["a boolean of 1", sexp("boolean", 1)],
  ["a boolean of other text", sexp("boolean", "maybe")],
  ["a dictionary of a single", sexp("dictionary", [text("a")])],
  ["a dictionary of a number", sexp("dictionary", 1)],
  ["a dictionary with a list as key", sexp("dictionary", [sexp("list"), 1])],
  ["a set with a list as member", sexp("set", sexp("list"))],
  ["a frozenset that contains itself", sexp("reference", 1, sexp("frozenset", sexp("dereference", 1)))],
  [
    "a tuple as a key of itself",
    sexp("reference", 1, sexp("tuple", sexp("dictionary", [sexp("dereference", 1), 1]))),
  ],
  ["a decimal without exponent", sexp("decimal", 1)],
  ["a decimal of texts", sexp("decimal", "1", "2")],
  ["a decimal of a fraction", sexp("decimal", 1.5, 2)],
  ["a decimal out of range", sexp("decimal", 1, 10n ** 30n)],
  ["a date of words", sexp("date", "one two three")],
  ["a date of too few numbers", sexp("date", "2020 1")],
  ["a date that there is not", sexp("date", "2021 2 29")],
  ["a time that there is not", sexp("time", "24 0 0 0")],
  ["a datetime of too many numbers", sexp("datetime", "1 1 1 1 1 1 1 1")],
  ["a timedelta of too many days", sexp("timedelta", "1000000000 0 0")],
  ["a reference without content", sexp("reference", 1)],
  ["a reference without number", sexp("reference")],
  ["a reference with a list as number", sexp("reference", [], 1)],
  [
    "two references of one number",
    sexp("list", sexp("reference", 1, sexp("list")), sexp("reference", 1, sexp("list"))),
  ],
  ["two atoms of one number", sexp("list", sexp("reference", 1, 5), sexp("reference", 1, 6))],
  ["a dereference of nothing", sexp("dereference", 1)],
  ["a dereference of nothing in a list", sexp("list", sexp("dereference", 1))],
  ["a reference to itself", sexp("reference", 1, sexp("dereference", 1))],
];
for (const [name, expression] of NONSENSE) {
  Deno.test(`unjelly() refuses ${name} with a Violation`, () => {
    assert.throws(() => pb.unjelly(expression), Violation);
  });
}
for (
  const name of ["an unknown tag", "a class that nobody registered", "a class by name", "a function by name"]
) {
  Deno.test(`unjelly() says InsecureJelly to ${name}`, () => {
    assert.throws(() => pb.unjelly(NONSENSE.find(([row]) => row === name)![1]), pb.InsecureJelly);
  });
}

Deno.test("unjelly() takes what Twisted takes beyond what it sends", () => {
  assert.equal(pb.unjelly(sexp("None", 1, 2)), null);
  assert.deepEqual(pb.unjelly(sexp("list", sexp("reference", "name", 5), sexp("dereference", "name"))), [
    5,
    5,
  ]);
  assert.deepEqual(pb.unjelly(sexp("time", "")), new pb.TimeOfDay());
  assert.deepEqual(pb.unjelly(sexp("timedelta", "0 -1 0")), new pb.TimeDelta(-1, 86_399));
  assert.deepEqual(pb.unjelly(sexp("dictionary", [text("a"), 1], [text("a"), 2])), { __proto__: null, a: 2 });
  assert.equal(
    (pb.unjelly(sexp("persistent", "x")) as pb.Unpersistable).reason,
    "Persistent callback not found",
  );
});

Deno.test("unjelly() fills in what is referred to before it has come, in every container", () => {
  const [list, pair, dict, set, target] = pb.unjelly(sexp(
    "list",
    sexp("list", sexp("dereference", 1)),
    sexp("tuple", sexp("dereference", 1), 2),
    sexp("dictionary", [text("k"), sexp("dereference", 1)], [text("l"), 1]),
    sexp("set", sexp("dereference", 1)),
    sexp("reference", 1, sexp("tuple", 7)),
  )) as [unknown[], Tuple, Record<string, unknown>, ValueSet, Tuple];
  assert.equal(list[0], target);
  assert.equal(pair[0], target);
  assert.ok(Object.isFrozen(pair));
  assert.equal(dict.k, target);
  assert.deepEqual(Object.keys(dict), ["k", "l"]);
  assert.ok(set.has(target));
  assert.deepEqual([...target], [7]);
});

Deno.test("unjelly() gives each word that is data a byte string of its own", () => {
  const [first, second] = pb.unjelly(pb.decode(pb.encode(sexp("list", "list", "list")))) as Uint8Array[];
  assert.notEqual(first, second);
  first!.fill(0);
  assert.deepEqual(second, new TextEncoder().encode("list"));
  assert.equal(Object.getPrototypeOf(first), Uint8Array.prototype);
});

Deno.test("unjelly() keeps names like __proto__ as data", () => {
  const read = pb.unjelly(
    sexp("dictionary", [text("__proto__"), sexp("dictionary", [text("x"), 1])]),
  ) as object;
  assert.deepEqual(Object.keys(read), ["__proto__"]);
  assert.equal((read as { x?: unknown }).x, undefined);
});

Deno.test("unjelly() gives integral doubles as numbers, or as Float when it is told to", () => {
  assert.equal(pb.unjelly(pb.jelly(float(3))), 3);
  assert.deepEqual(pb.unjelly(pb.jelly(float(3)), { floats: "wrap" }), float(3));
});

Deno.test("jelly() and unjelly() keep a dictionary of other keys as a Dict, and a frozen set frozen", () => {
  const value = new Dict<unknown, unknown>([[tuple(1, "a"), 1], [frozenSet(2), 2]]);
  const read = pb.unjelly(pb.jelly(value)) as Dict;
  assert.equal(read.get(tuple(1, "a")), 1);
  const [, set] = [...read.keys()] as [unknown, FrozenSet];
  assert.ok(set.isFrozen);
});

const ADVICE: readonly (readonly [string, unknown, RegExp])[] = [
  ["a function", () => 1, /send a pb\.Referenceable that has a method/],
  ["a class", class Some {}, /send a pb\.Referenceable that has a method/],
  ["a Date", new Date(0), /send a pb\.DateTime/],
  ["an ArrayBuffer", new ArrayBuffer(1), /send a Uint8Array of it/],
  ["a promise", Promise.resolve(1), /await it first/],
  ["an error", new Error("x"), /throw it, or send its message/],
  ["an object of a class of the program's", new (class Other {})(), /make its class a pb\.Copyable/],
];
for (const [name, value, advice] of ADVICE) {
  Deno.test(`jelly() of ${name} says what to send in its place`, () => {
    assert.throws(() => pb.jelly([value]), advice);
  });
}
