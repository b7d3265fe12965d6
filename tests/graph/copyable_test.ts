import assert from "node:assert/strict";
import { registerRemoteCopy, registerRemoteCopyFactory } from "../../lib/graph/copy_types.ts";
import { Copyable, type CopyableState } from "../../lib/graph/copyable.ts";
import { serialize, unserialize } from "../../lib/graph/storage.ts";
import { tuple } from "../../lib/values/tuple.ts";
import { TestReceiver } from "../support/graph_receiver.ts";
import { type Piece, tokens } from "../support/tokens_text.ts";

class Guarded extends Copyable {
  static override copytype = "cp.guarded";
  [name: string]: unknown;
  method(): number {
    return 1;
  }
  get computed(): number {
    return 2;
  }
  set written(_value: unknown) {
    throw new TypeError("called");
  }
}
registerRemoteCopy(Guarded);

class Throwing extends Copyable {
  static override copytype = "cp.throwing";
  override setCopyableState(state: CopyableState): void {
    throw new TypeError(`no ${state["a"]}`);
  }
}
registerRemoteCopy(Throwing);

class Unmakeable {
  constructor() {
    throw new TypeError("not now");
  }
}
registerRemoteCopy("cp.unmakeable", Unmakeable);
registerRemoteCopyFactory("cp.failing", () => {
  throw new TypeError("not ever");
});
registerRemoteCopyFactory("cp.made", (state) => ({ made: true, ...state }));

const receive = (pieces: readonly Piece[]) => new TestReceiver().push(tokens(pieces));

for (const name of ["method", "computed", "written", "getStateToCopy", "setCopyableState"]) {
  Deno.test(`assignState() refuses an attribute named ${name}, which the class defines`, () => {
    const { violations, values } = receive(["(copyable", "cp.guarded", name, 1, ")"]);
    assert.match(violations[0]!.message, /the class defines it/);
    assert.deepEqual(values, []);
  });
}

for (const name of ["__proto__", "constructor", "toString", "then", "a b", "0"]) {
  Deno.test(`Copyable takes an attribute named ${name} as data, and sends it on`, () => {
    const [value] = receive(["(copyable", "cp.guarded", name, 5, ")"]).values as [Guarded];
    assert.equal(Object.getPrototypeOf(value), Guarded.prototype);
    assert.equal(Object.getOwnPropertyDescriptor(value, name)?.value, 5);
    const again = unserialize(serialize([value])) as [Guarded];
    assert.equal(Object.getPrototypeOf(again[0]), Guarded.prototype);
    assert.equal(Object.getOwnPropertyDescriptor(again[0], name)?.value, 5);
  });
}

for (const type of ["cp.throwing", "cp.unmakeable", "cp.failing"]) {
  Deno.test(`Receiver refuses only the value when the code of ${type} throws`, () => {
    const { violations } = receive(["(list", "(copyable", type, "a", 1, ")", ")"]);
    assert.match(violations[0]!.message, /the code of its class failed/);
    assert.equal(violations[0]!.where, "[0]");
    assert.ok(violations[0]!.cause instanceof TypeError);
  });
}

Deno.test("a factory's object is one object where it occurs again, also in a cycle through a list", () => {
  const pieces: Piece[] = [
    "(list",
    "(copyable",
    "cp.made",
    "a",
    "(list",
    "(reference",
    1,
    ")",
    ")",
    ")",
    "(reference",
    1,
    ")",
    ")",
  ];
  const [[first, second]] = receive(pieces).values as [{ a: unknown[]; made: boolean }[]];
  assert.equal(first!.made, true);
  assert.equal(first, second);
  assert.equal(first!.a[0], first);
});

Deno.test("two factories wait for each other through a list", () => {
  const pieces: Piece[] = [
    "(copyable",
    "cp.made",
    "b",
    "(list",
    "(copyable",
    "cp.made",
    "a",
    "(reference",
    0,
    ")",
    ")",
    ")",
    ")",
  ];
  const test = receive(pieces);
  assert.equal(test.receiver.pendingScope!.isComplete, true);
  const [a] = test.values as [{ b: { a: unknown }[] }];
  assert.equal(a.b[0]!.a, a);
});

Deno.test("a factory's object that is an attribute of itself is refused", () => {
  const test = receive(["(copyable", "cp.made", "a", "(reference", 0, ")", ")"]);
  assert.match(test.violations[0]!.message, /attribute of itself/);
});

Deno.test("factories that wait for nothing but each other fail when the message is over", () => {
  const pieces: Piece[] = [
    "(list",
    "(copyable",
    "cp.made",
    "b",
    "(copyable",
    "cp.made",
    "a",
    "(reference",
    1,
    ")",
    ")",
    ")",
    ")",
  ];
  const test = receive(pieces);
  const { scope } = test.receiver;
  let failure: Error | undefined;
  scope.whenComplete((error) => failure = error);
  assert.match(failure!.message, /attribute of itself/);
  assert.equal(scope.isComplete, true);
  assert.equal(scope.failure, failure);
});

Deno.test("a class can be in a cycle, and in a tuple, set or key of its own", () => {
  const first = new Guarded();
  const second = new Guarded();
  Object.assign(first, { list: [tuple(second)], table: new Map([[second, 1]]) });
  Object.assign(second, { back: [first] });
  const [again] = unserialize(serialize([first])) as [
    { list: [[{ back: unknown[] }]]; table: Map<unknown, unknown> },
  ];
  const copy = again.list[0][0];
  assert.equal(copy.back[0], again);
  assert.equal(again.table.get(copy), 1);
});

Deno.test("registerRemoteCopy() takes the same class twice, and no other for its name", () => {
  registerRemoteCopy(Guarded);
  assert.throws(() => registerRemoteCopy("cp.guarded", class extends Copyable {}), RangeError);
  assert.throws(() => registerRemoteCopy(class extends Copyable {}), TypeError);
  assert.throws(() => registerRemoteCopy("cp.none", undefined as unknown as new () => object), TypeError);
});
