import assert from "node:assert/strict";
import {
  Copyable,
  type CopyableState,
  Dict,
  Referenceable,
  registerCopier,
  registerRemoteCopy,
  registerRemoteCopyFactory,
  registerRemoteCopyUnslicerFactory,
  registerSlicer,
  RemoteException,
  RemoteReference,
  serialize,
  Tuple,
  tuple,
  unserialize,
  Violation,
} from "../../mod.ts";
import { tokens } from "../support/tokens_text.ts";

const again = (value: unknown) => unserialize(serialize(value));

class Money {
  constructor(readonly amount: number, readonly parts: unknown = null) {}
}
registerSlicer(Money, ({ amount, parts }) => [amount, parts]);
class Coin extends Money {}
class Wrapped {
  constructor(readonly inside: unknown) {}
}
registerSlicer(Wrapped, ({ inside }) => inside);
class Stuck {}
registerSlicer(Stuck, (stuck) => stuck);
class Endless {}
registerSlicer(Endless, () => new Endless());
class Failing {}
function NoObjects() {}
NoObjects.prototype = null;
registerSlicer(Failing, () => {
  throw new RangeError("it fails");
});

const SLICED: readonly [name: string, value: unknown, arrives: unknown][] = [
  ["an object", new Money(5), [5, null]],
  ["an object of a subclass", new Coin(5), [5, null]],
  ["an object that stands for another one", new Wrapped(new Money(1)), [1, null]],
  ["an object that stands for an atom", [new Wrapped("x"), new Wrapped(null)], ["x", null]],
  ["a key of a dict", new Map([[new Wrapped(tuple(1, 2)), "x"]]), new Map([[tuple(1, 2), "x"]])],
];
for (const [name, value, arrives] of SLICED) {
  Deno.test(`registerSlicer() lets ${name} travel as what it gives`, () => {
    if (arrives instanceof Map) {
      assert.deepEqual([...again(value) as Map<unknown, unknown>], [...arrives]);
    } else assert.deepEqual(again(value), arrives);
  });
}

Deno.test("registerSlicer() keeps an object that occurs twice one object, and a cycle a cycle", () => {
  const money = new Money(5);
  const [one, other] = again([money, money]) as unknown[];
  assert.equal(one, other);
  const parts: unknown[] = [];
  const cyclic = new Money(1, parts);
  parts.push(cyclic);
  const copy = again(cyclic) as [number, unknown[]];
  assert.equal(copy[1][0], copy);
});

const UNSENDABLE: readonly [name: string, value: unknown, message: RegExp][] = [
  ["an object that stands for itself", new Stuck(), /nested deeper than 1000/],
  ["an object that stands for a new one each time", new Endless(), /nested deeper than 1000/],
  ["a slicer that throws", [1, new Failing()], /own code failed \(at value\[1\]|own code failed/],
];
for (const [name, value, message] of UNSENDABLE) {
  Deno.test(`serialize() gives a Violation for ${name}`, () => {
    assert.throws(() => serialize(value), (error) => {
      assert.ok(error instanceof Violation);
      assert.match(error.message, message);
      return true;
    });
  });
}

class Untyped {
  x = 1;
}
registerCopier(Untyped, ({ x }) => [null, { x }]);
Deno.test("registerCopier() takes the name of the class for a type that is null", () => {
  registerRemoteCopyFactory("Untyped", (state) => ({ ...state }));
  assert.deepEqual(again(new Untyped()), { x: 1 });
  const nameless = class {};
  Object.defineProperty(nameless, "name", { value: "" });
  registerCopier(nameless, () => [null, {}]);
  assert.throws(() => serialize(new nameless()), /the class has no name/);
});

class Shape extends Copyable {
  constructor(readonly kind = "square", readonly size = 1) {
    super();
  }
  override getTypeToCopy() {
    return this.kind === "" ? undefined : `tests.shapes.${this.kind}`;
  }
  override getStateToCopy() {
    return { size: this.size };
  }
}
class Square {
  size: unknown = 0;
  setCopyableState(state: CopyableState) {
    this.size = state.size;
  }
}
Deno.test("Copyable lets an object choose its type and its state", () => {
  registerRemoteCopy("tests.shapes.square", Square);
  const copy = again(new Shape("square", 7));
  assert.ok(copy instanceof Square);
  assert.equal(copy.size, 7);
  assert.throws(() => unserialize(serialize(new Shape("circle"))), /tests\.shapes\.circle/);
  assert.throws(() => serialize(new Shape("")), Violation);
});

Deno.test("registerRemoteCopyFactory() with cyclic: false refuses what refers to the object while it is made", () => {
  const inside = tokens(["(copyable", "tests.NonCyclic", "me", "(list", "(reference", 0, ")", ")", ")"]);
  registerRemoteCopyFactory("tests.NonCyclic", (state) => state, { cyclic: false });
  assert.throws(() => unserialize(inside), Violation);
  registerRemoteCopyFactory("tests.Cyclic", (state) => state);
  const cyclic = tokens(["(copyable", "tests.Cyclic", "me", "(list", "(reference", 0, ")", ")", ")"]);
  const copy = unserialize(cyclic) as { me: unknown[] };
  assert.equal(copy.me[0], copy);
});

const seen: unknown[] = [];
registerRemoteCopyUnslicerFactory("tests.TakenIn", () => {
  const names: string[] = [];
  return {
    receiveName(name) {
      if (name === "unwanted") throw new Violation("not wanted");
      if (name === "broken") throw new RangeError("cannot");
    },
    receiveAttribute(name, value) {
      seen.push(value);
      names.push(name);
    },
    receiveClose: () => names,
  };
});
const takenIn = (...rest: Parameters<typeof tokens>[0]) =>
  unserialize(tokens(["(list", "(copyable", "tests.TakenIn", ...rest, ")", ")"]));

Deno.test("registerRemoteCopyUnslicerFactory() gives attributes as they come", () => {
  assert.deepEqual(takenIn("b", 1, "a", "(list", 2, ")", "__proto__", 3), [["b", "a", "__proto__"]]);
  assert.deepEqual(seen.splice(0), [1, [2], 3]);
});

const REFUSED: readonly [name: string, pieces: Parameters<typeof tokens>[0], message: RegExp][] = [
  ["a name that is not wanted", ["a", 1, "unwanted", "x"], /not wanted/],
  ["a name for which the code fails", ["broken", 1], /the code of its class failed/],
  ["a name twice", ["a", 1, "a", 2], /Duplicate attribute name "a"/],
  ["a name without a value", ["a"], /a name and no value/],
];
for (const [name, pieces, message] of REFUSED) {
  Deno.test(`registerRemoteCopyUnslicerFactory() refuses ${name}`, () => {
    assert.throws(
      () => takenIn(...pieces),
      (error) => error instanceof Violation && message.test(error.message),
    );
    seen.length = 0;
  });
}

Deno.test("registerRemoteCopyUnslicerFactory() waits for an attribute that is not complete", () => {
  // A tuple that holds a list that holds the tuple: Foolscap's own example of what comes late.
  const value = takenIn("t", ...["(tuple", "(list", "(reference", 2, ")", ")", ")"]);
  assert.deepEqual(value, [["t"]]);
  const [arrived] = seen.splice(0) as [readonly [unknown[]]];
  assert.equal(arrived[0][0], arrived);
});

class Twice {}
const take = () => ["a", {}] as const;
const REGISTERED: readonly [
  name: string,
  register: () => void,
  type: typeof RangeError | typeof TypeError,
][] = [
  ["a second slicer", () => registerSlicer(Money, () => 1), RangeError],
  ["a copier beside a slicer", () => registerCopier(Money, take), RangeError],
  ["a second copier", () => registerCopier(Untyped, take), RangeError],
  ["a slicer that is no function", () => registerSlicer(Twice, undefined as never), TypeError],
  ["a slicer for no class", () => registerSlicer(undefined as never, () => 1), TypeError],
  ["a copier that is no function", () => registerCopier(Twice, 5 as never), TypeError],
  ...[
    Object,
    Array,
    Map,
    Set,
    Uint8Array,
    Copyable,
    Dict,
    Tuple,
    Referenceable,
    RemoteReference,
    RemoteException,
  ]
    .flatMap((construct): [string, () => void, typeof RangeError][] => [
      [
        `a slicer for ${construct.name}`,
        () => registerSlicer(construct as typeof Object, () => 1),
        RangeError,
      ],
      [`a copier for ${construct.name}`, () => registerCopier(construct as typeof Object, take), RangeError],
    ]),
  ["a slicer for a class without objects", () => registerSlicer(NoObjects as never, () => 1), TypeError],
  ["a second class for a type", () => registerRemoteCopy("tests.shapes.square", Twice), RangeError],
  [
    "a factory for a type with another",
    () => registerRemoteCopyFactory("tests.TakenIn", () => 1),
    RangeError,
  ],
  [
    "an unslicer factory for a type with a class",
    () => registerRemoteCopyUnslicerFactory("tests.shapes.square", () => ({}) as never),
    RangeError,
  ],
  [
    "another unslicer factory for a type",
    () => registerRemoteCopyUnslicerFactory("tests.TakenIn", () => ({}) as never),
    RangeError,
  ],
  [
    "a factory that is no function",
    () => registerRemoteCopyFactory("tests.None", undefined as never),
    TypeError,
  ],
  ["a type of failures", () => registerRemoteCopy("twisted.python.failure.Failure", Twice), RangeError],
  ["an empty type", () => registerRemoteCopyUnslicerFactory("", () => ({}) as never), TypeError],
];
for (const [name, register, type] of REGISTERED) {
  Deno.test(`registering ${name} throws`, () => {
    if (name === "a second class for a type") registerRemoteCopy("tests.shapes.square", Square);
    assert.throws(register, type);
  });
}

Deno.test("registerSlicer() takes a class that is derived from one that travels by itself", () => {
  class Stack extends Array<number> {}
  registerSlicer(Stack, (stack) => tuple(...stack));
  assert.deepEqual(unserialize(serialize([Stack.of(1, 2), [3]])), [tuple(1, 2), [3]]);
});

Deno.test("registering the same a second time is harmless", () => {
  const factory = () => ({ receiveAttribute() {}, receiveClose: () => null });
  for (let i = 0; i < 2; i++) {
    registerRemoteCopy("tests.shapes.square", Square);
    registerCopier(Twice, take);
    registerRemoteCopyUnslicerFactory("tests.Same", factory);
  }
});
