import assert from "node:assert/strict";
import { Violation } from "../../lib/errors.ts";
import { registerCopier } from "../../lib/graph/copy_types.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import { Slicing } from "../../lib/graph/slicing.ts";
import { BASE_SLICERS } from "../../lib/graph/tables.ts";
import { Tuple, tuple } from "../../lib/values/tuple.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { VOCABULARIES } from "../../lib/wire/vocabulary.ts";
import { encodeInto, encodeValues, takeAll, TestReceiver } from "../support/graph_receiver.ts";

class Sender extends Copyable {
  static override copytype = "cp.sender";
  [name: string]: unknown;
  constructor(values: object = {}) {
    super();
    Object.assign(this, values);
  }
}
class Unnamed extends Copyable {}
class Failing extends Sender {
  override getStateToCopy(): Record<string, unknown> {
    throw new TypeError("private detail");
  }
}
class NotEvenAState extends Sender {
  override getStateToCopy(): Record<string, unknown> {
    return null as unknown as Record<string, unknown>;
  }
}
class Plain {}
class Copied {}
registerCopier(Copied, () => {
  throw new TypeError("private detail");
});

const throwing = {
  get bad(): never {
    throw new TypeError("private detail");
  },
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();
let deep: unknown[] = [];
for (let i = 0; i < 1_001; i++) deep = [deep];
let deeper: unknown[] = [];
for (let i = 0; i < 200_000; i++) deeper = [deeper];

const refused: { name: string; value: unknown; where: string; message: RegExp }[] = [
  {
    name: "a symbol",
    value: [1, { tags: ["a", Symbol("b")] }],
    where: "[1].tags[1]",
    message: /Cannot serialize a symbol/,
  },
  { name: "a function", value: { f: () => 1 }, where: "f", message: /callable\(\.\.\.\)/ },
  {
    name: "an instance of a class",
    value: [new Plain()],
    where: "[0]",
    message: /instance of Plain: derive/,
  },
  { name: "a Promise", value: { a: Promise.resolve() }, where: "a", message: /await it first/ },
  { name: "a Date", value: new Map([[1, new Date()]]), where: "[1]", message: /a Date/ },
  { name: "a weak map", value: tuple(new WeakMap()), where: "[0]", message: /weak collection/ },
  { name: "an ArrayBuffer", value: new ArrayBuffer(1), where: "", message: /new Uint8Array/ },
  { name: "a lone surrogate", value: ["a", "\ud800"], where: "[1]", message: /lone surrogate/ },
  {
    name: "a long text with a lone surrogate",
    value: { t: "x".repeat(1_000) + "\udfff" },
    where: "t",
    message: /lone surrogate/,
  },
  {
    name: "a key with a lone surrogate",
    value: { "\ud800": 1 },
    where: '["\\ud800"]',
    message: /lone surrogate/,
  },
  { name: "a getter that throws", value: { a: [throwing] }, where: "a[0].bad", message: /own code failed/ },
  { name: "a revoked proxy", value: [revoked.proxy], where: "[0]", message: /own code failed/ },
  {
    name: "a proxy that throws",
    value: {
      a: new Proxy({}, {
        ownKeys() {
          throw new TypeError("x");
        },
      }),
    },
    where: "a",
    message: /own code failed/,
  },
  { name: "getStateToCopy that throws", value: [new Failing()], where: "[0]", message: /own code failed/ },
  {
    name: "getStateToCopy that gives null",
    value: [new NotEvenAState()],
    where: "[0]",
    message: /own code failed/,
  },
  { name: "a copier that throws", value: { a: new Copied() }, where: "a", message: /own code failed/ },
  {
    name: "a Copyable without a type",
    value: [new Unnamed()],
    where: "[0]",
    message: /Unnamed: a subclass of Copyable must/,
  },
  {
    name: "a Copyable with something bad",
    value: new Sender({ a: { b: [Symbol("c")] } }),
    where: "a.b[0]",
    message: /symbol/,
  },
  {
    name: "an attribute name that is too long",
    value: new Sender({ ["a".repeat(1_001)]: 1 }),
    where: `["${"a".repeat(64)}…"]`,
    message: /a name: too long/,
  },
  {
    name: "an attribute name of too many bytes",
    value: new Sender({ ["\u20ac".repeat(334)]: 1 }),
    where: `["${"\u20ac".repeat(64)}…"]`,
    message: /a name: too long/,
  },
  {
    name: "1 and true as keys",
    value: new Map<unknown, unknown>([[1, 1], [true, 2]]),
    where: "[true]",
    message: /takes as one/,
  },
  {
    name: "two keys of the same bytes",
    value: [new Map([[Uint8Array.of(1), 1], [Uint8Array.of(1), 2]])],
    where: "[0][…]",
    message: /takes as one/,
  },
  { name: "a list as a key", value: new Map([[[1], 1]]), where: "", message: /as a key/ },
  { name: "a list as a member", value: [new Set([1, [2]])], where: "[0][1]", message: /as a member/ },
  { name: "nesting of 1,002", value: deep, where: "", message: /deeper than 1000/ },
  { name: "nesting of 200,000", value: deeper, where: "", message: /deeper than 1000/ },
];

for (const { name, value, where, message } of refused) {
  Deno.test(`Slicing refuses ${name}, says where, and leaves nothing behind`, () => {
    const encoder = new TokenEncoder(VOCABULARIES[1]);
    encodeInto(encoder, ["before"]);
    const pending = encoder.pendingBytes;
    const mark = encoder.mark();
    // Large bodies make parts, which have to go as well.
    const values = [new Uint8Array(50_000), "x".repeat(50_000), value];
    assert.throws(() => encodeInto(encoder, values), (error) => {
      assert.ok(error instanceof Violation);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /private detail/);
      if (error.where.includes("…") && where === "") return true;
      assert.equal(
        error.where,
        name.startsWith("nesting")
          ? error.where
          : `[2]${where === "" || where.startsWith("[") ? "" : "."}${where}`,
      );
      assert.ok(error.where.length < 210);
      return true;
    });
    encoder.rollback(mark);
    assert.deepEqual([encoder.pendingBytes, encoder.opens], [pending, 2]);
    const shared = [1];
    encodeInto(encoder, [shared, shared]);
    const test = new TestReceiver().push(takeAll(encoder));
    assert.deepEqual(test.violations, []);
    const [, list] = test.values as [unknown, unknown[]];
    assert.equal(list[0], list[1]);
  });
}

Deno.test("Slicing names the place of a failure with keys of all kinds", () => {
  const places: [unknown, string][] = [
    [new Map([["a-b", Symbol()]]), '["a-b"]'],
    [new Map([[2n ** 64n, Symbol()]]), "[18446744073709551616]"],
    [new Map([[2n ** 3_000n, Symbol()]]), "[…]"],
    [new Map([[true, Symbol()]]), "[true]"],
    [new Map([[tuple(1), Symbol()]]), "[…]"],
  ];
  for (const [value, where] of places) {
    assert.throws(() => encodeValues([value]), { where });
  }
});

Deno.test("Slicing sends what typed arrays show, and only that", () => {
  const all = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
  const views = [all.subarray(2, 4), new DataView(all.buffer, 1, 2), new Uint16Array(all.buffer, 2, 1)];
  const [value] = new TestReceiver().push(encodeValues([views])).values;
  assert.deepEqual(value, [Uint8Array.of(3, 4), Uint8Array.of(2, 3), Uint8Array.of(3, 4)]);
});

Deno.test("Slicing sends subclasses of the built-in collections as those", () => {
  class Many extends Array<unknown> {}
  class Table extends Map<unknown, unknown> {}
  class Bag extends Set<unknown> {}
  const sent = [Many.from([1]), new Table([["a", 1]]), new Bag([2]), undefined, [, 1]];
  const [value] = new TestReceiver().push(encodeValues([sent])).values as [unknown[]];
  assert.deepEqual(value[0], [1]);
  assert.deepEqual({ ...(value[1] as object) }, { a: 1 });
  assert.deepEqual([...(value[2] as Set<unknown>)], [2]);
  assert.deepEqual(value.slice(3), [null, [null, 1]]);
});

Deno.test("Slicing sorts keys as Python does, whichever objects came before", () => {
  // A receiver keeps the order in which keys arrive.
  const texts = (value: object) =>
    Object.keys(new TestReceiver().push(encodeValues([value])).values[0] as object);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(texts({ c: 1, a: 2, b: 3 }), ["a", "b", "c"]);
    assert.deepEqual(texts({ c: 1, b: 2, a: 3 }), ["a", "b", "c"]);
    assert.deepEqual(texts({ c: 1, x: 2, b: 3 }), ["b", "c", "x"]);
  }
});

Deno.test("SlicerTable takes the nearest prototype, and a slicer that was added for one connection", () => {
  class Temperature {
    constructor(readonly degrees: number) {}
  }
  class Fever extends Temperature {}
  const table = BASE_SLICERS.extend([[
    Temperature.prototype,
    (value: Temperature, out: Slicing) => out.slice(value.degrees),
  ]]);
  const encoder = new TokenEncoder();
  new Slicing(encoder, table, 10).slice([new Fever(41)]);
  assert.deepEqual(new TestReceiver().push(takeAll(encoder)).values, [[41]]);
  assert.throws(() => encodeValues([new Fever(41)]), Violation);
});

Deno.test("registerCopier() counts for a class that was refused before", () => {
  class Late {
    value = 5;
  }
  assert.throws(() => encodeValues([new Late()]), Violation);
  registerCopier(Late, ({ value }) => ["cp.late", { value }]);
  assert.ok(encodeValues([new Late()]).length > 0);
  assert.throws(() => registerCopier(Late, () => ["cp.other", {}]), RangeError);
});

Deno.test("Slicing refuses a tuple that is an element of itself", () => {
  const made = new Tuple();
  (made as unknown[]).push(made);
  assert.throws(() => encodeValues([Object.freeze(made)]), /element of itself/);
});
