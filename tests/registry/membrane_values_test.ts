import assert from "node:assert/strict";
import {
  type Callable,
  callable,
  Copyable,
  Dict,
  float,
  kwargs,
  localReference,
  membrane,
  OnlyReferenceable,
  Referenceable,
  registerRemotelyCallable,
  SturdyRef,
  tuple,
  Violation,
} from "../../mod.ts";
import { ALICE, call } from "./support.ts";
import { Node, Point } from "./membrane_support.ts";

/** Sent by this process, and never taken. */
class Parcel extends Copyable {
  static override copytype = "test.membrane/Parcel";
  constructor(public content: unknown) {
    super();
  }
}

class Wheel {
  turns = 0;
}
class WheelAdapter extends Referenceable {
  constructor(readonly wheel: Wheel) {
    super();
  }
  remote_turn(): number {
    return ++this.wheel.turns;
  }
}
registerRemotelyCallable(Wheel, (wheel) => new WheelAdapter(wheel));

/** Places where an object can be. */
const PLACES: readonly (readonly [string, (o: unknown) => unknown, (v: never) => unknown])[] = [
  ["bare", (o) => o, (v) => v],
  ["in a list", (o) => [1, o], (v: unknown[]) => v[1]],
  ["in a tuple", (o) => tuple("a", o), (v: unknown[]) => v[1]],
  ["in a plain object", (o) => ({ a: { b: o } }), (v: { a: { b: unknown } }) => v.a.b],
  [
    "under __proto__",
    (o) => Object.defineProperty({}, "__proto__", { value: o, enumerable: true }),
    (v: object) => Object.getOwnPropertyDescriptor(v, "__proto__")!.value,
  ],
  ["in a Map", (o) => new Map([[1, o]]), (v: Map<number, unknown>) => v.get(1)],
  ["in a Dict", (o) => new Dict([[tuple(1), o]]), (v: Dict<unknown, unknown>) => v.get(tuple(1))],
  ["in a Set", (o) => new Set([o]), (v: Set<unknown>) => [...v][0]],
  ["in a Copyable", (o) => new Point([o]), (v: Point) => (v.x as unknown[])[0]],
  [
    "in an Error's cause",
    (o) => new RangeError("x", { cause: [o] }),
    (v: Error) => (v.cause as unknown[])[0],
  ],
  [
    "in a cycle",
    (o) => {
      const list: unknown[] = [o];
      list.push(list);
      return list;
    },
    (v: unknown[]) => (v[1] as unknown[][])[1]![0],
  ],
];
for (const [place, put, take] of PLACES) {
  Deno.test(`membrane() wraps an object that goes out, and unwraps it on its way back, ${place}`, () => {
    const inside = new Node(), secret = new Node();
    inside.kept = put(secret);
    const { object } = membrane(inside);
    const given = take(call(object, "give") as never) as Node;
    assert.ok(given instanceof Referenceable && !(given instanceof Node));
    assert.equal(take(call(object, "give") as never), given);
    assert.equal(call(given, "ping"), 1);
    call(object, "keep", put(given));
    assert.equal(take(inside.kept as never), secret);
  });
  Deno.test(`membrane() wraps an object that goes in, and unwraps it on its way back, ${place}`, () => {
    const inside = new Node(), outer = new Node();
    const { object } = membrane(inside);
    call(object, "keep", put(outer));
    const got = take(inside.kept as never) as Node;
    assert.ok(got instanceof Referenceable && !(got instanceof Node));
    assert.equal(call(got, "ping"), 1);
    assert.equal(take(call(object, "give") as never), outer);
  });
}

Deno.test("membrane() gives keyword arguments across, and what occurs twice stays one", () => {
  const inside = new Node(), outer = new Node();
  const { object } = membrane(inside);
  const list = [outer];
  call(object, "keep", list, kwargs({ more: list }));
  const [first, { values }] = inside.kept as [unknown[], { values: { more: unknown[] } }];
  assert.equal(values.more, first);
  assert.notEqual(first[0], outer);
});

const KEPT: readonly unknown[] = [
  undefined,
  null,
  1,
  -0,
  1.5,
  1e300,
  2n ** 80n,
  "é",
  true,
  new Uint8Array([1, 2]),
  new Date(5),
  new URL("https://example.org/"),
  new Float64Array([1, 2]),
  float(3),
  [[1], { a: "b" }],
];
for (const value of KEPT) {
  Deno.test(`membrane() lets ${Deno.inspect(value)} cross as it is`, () => {
    const crossed = call(membrane(new Node()).object, "echo", value);
    assert.deepEqual(
      crossed,
      Array.isArray(value) ? [[1], Object.assign(Object.create(null), { a: "b" })] : value,
    );
  });
}

Deno.test("membrane() shares no value that can change", () => {
  const inside = new Node();
  const { object } = membrane(inside);
  const list = [new Uint8Array(1)];
  call(object, "keep", list, list[0]);
  list[0]![0] = 9;
  assert.deepEqual(inside.kept, [[new Uint8Array(1)], new Uint8Array(1)]);
});

Deno.test("membrane() passes on a Copyable that this process does not take", () => {
  const inside = new Node();
  const secret = new Node();
  inside.kept = new Parcel(secret);
  const { object } = membrane(inside);
  const parcel = call(object, "give") as Copyable;
  assert.equal(parcel.getTypeToCopy(), "test.membrane/Parcel");
  const { content } = parcel.getStateToCopy();
  assert.ok(content instanceof Referenceable && content !== secret);
  call(object, "keep", parcel);
  assert.equal((inside.kept as Copyable).getStateToCopy().content, secret);
});

Deno.test("membrane() wraps the adapter of an object, which comes home as the object", () => {
  const inside = new Node();
  const wheel = inside.kept = new Wheel();
  const { object } = membrane(inside);
  const given = call(object, "give") as Referenceable;
  assert.equal(call(given, "turn"), 1);
  assert.equal(call(object, "is", given), true);
  assert.equal(wheel.turns, 1);
});

const NOT_SENT: readonly (readonly [string, unknown])[] = [
  ["a function", () => 1],
  ["a symbol", Symbol("x")],
  ["an instance of an unknown class", new (class Secret {})()],
  ["a Promise in a list", [Promise.resolve(1)]],
  ["an OnlyReferenceable", new OnlyReferenceable()],
  ["a LocalReference", localReference(new Node())],
  ["a SturdyRef, where there is no Tub", new SturdyRef(`pb://${ALICE}@tcp:h:1/x`)],
];
for (const [name, value] of NOT_SENT) {
  Deno.test(`membrane() never lets ${name} pass bare`, () => {
    const inside = new Node();
    const { object } = membrane(inside);
    assert.throws(() => call(object, "keep", value), Violation);
    inside.kept = value;
    assert.throws(() => call(object, "give"), Violation);
  });
}

Deno.test("membrane() wraps functions, of both sides, and their arguments and results", async () => {
  const inside = new Node(), secret = new Node(), outer = new Node();
  const { object, ...handle } = membrane(inside);
  void handle;
  inside.kept = callable((value: unknown) => [value, secret]);
  const f = call(object, "give") as Callable<(value: unknown) => unknown[]>;
  const [same, hidden] = f.call(outer);
  assert.equal(same, outer);
  assert.ok(hidden !== secret && hidden instanceof Referenceable);
  const seen: unknown[] = [];
  const back = callable((value: unknown) => void seen.push(value));
  await call(object, "call", back, 1);
  assert.deepEqual(seen, [1]);
  assert.equal(await call(object, "call", outer, hidden), hidden);
});
