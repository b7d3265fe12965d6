import assert from "node:assert/strict";
import { pb, tuple, Violation } from "../../mod.ts";

class Point extends pb.Copyable {
  static override copytype = "test.Point";
  x = 1;
  other: unknown = null;
}
class RemotePoint extends pb.RemoteCopy {
  declare x: number;
  declare other: unknown;
  method() {}
}

function registry(): pb.CopyRegistry {
  return new pb.CopyRegistry(pb.copyTags);
}
function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("RemoteCopy takes the attributes of a Copyable, shared and cyclic ones too", () => {
  const tags = registry();
  tags.setUnjellyableForClass("test.Point", RemotePoint);
  const point = new Point();
  point.other = [point, tuple(point)];
  const [first, second] = pb.unjelly(pb.jelly([point, point]), { registry: tags }) as [
    RemotePoint,
    RemotePoint,
  ];
  assert.ok(first instanceof RemotePoint);
  assert.equal(first, second);
  assert.equal(first.x, 1);
  const [itself, pair] = first.other as [unknown, readonly unknown[]];
  assert.equal(itself, first);
  assert.equal(pair[0], first);
});

Deno.test("Copyable asks getTypeToCopyFor and getStateToCopyFor with the perspective of the run", () => {
  class Pond extends pb.Copyable {
    override getTypeToCopyFor(perspective: unknown) {
      return `pond.${perspective}`;
    }
    override getStateToCopyFor(perspective: unknown) {
      return tuple(perspective, 2);
    }
  }
  const [tag, state] = pb.jelly(new Pond(), { perspective: "alice" }) as [Uint8Array, pb.Expression];
  assert.deepEqual(tag, bytes("pond.alice"));
  assert.deepEqual(pb.unjelly(state), tuple("alice", 2));
});

Deno.test("jelly() refuses a Copyable without copytype, and one whose state hook fails", () => {
  class Nameless extends pb.Copyable {}
  class Failing extends Point {
    override getStateToCopy(): never {
      throw new RangeError("mine");
    }
  }
  assert.throws(() => pb.jelly(new Nameless()), Violation);
  assert.throws(() => pb.jelly([new Failing()]), (error: Error) => {
    return error instanceof Violation && error.where === "[0]" && error.cause instanceof RangeError;
  });
});

const STATES: readonly (readonly [name: string, state: pb.Expression, x: unknown])[] = [
  ["None", [bytes("None")], undefined],
  ["byte keys", [bytes("dictionary"), [bytes("x"), 5]], 5],
  ["text keys", [bytes("dictionary"), [[bytes("unicode"), bytes("x")], 5]], 5],
];
for (const [name, state, x] of STATES) {
  Deno.test(`RemoteCopy takes a state of ${name}`, () => {
    const tags = registry();
    tags.setUnjellyableForClass("test.Point", RemotePoint);
    assert.equal((pb.unjelly([bytes("test.Point"), state], { registry: tags }) as RemotePoint).x, x);
  });
}

const WRONG_STATES: readonly (readonly [name: string, expression: pb.Expression])[] = [
  ["no state", [bytes("test.Point")]],
  ["two states", [bytes("test.Point"), [bytes("None")], [bytes("None")]]],
  ["a number as state", [bytes("test.Point"), 5]],
  ["a number as name", [bytes("test.Point"), [bytes("dictionary"), [5, 5]]]],
  ["a name that is not UTF-8", [bytes("test.Point"), [bytes("dictionary"), [Uint8Array.of(255), 5]]]],
  ["the name of a method", [bytes("test.Point"), [bytes("dictionary"), [bytes("method"), 5]]]],
  ["the name of an inherited method", [bytes("test.Point"), [bytes("dictionary"), [
    bytes("setCopyableState"),
    5,
  ]]]],
];
for (const [name, expression] of WRONG_STATES) {
  Deno.test(`RemoteCopy refuses ${name}`, () => {
    const tags = registry();
    tags.setUnjellyableForClass("test.Point", RemotePoint);
    assert.throws(() => pb.unjelly(expression, { registry: tags }), Violation);
  });
}

Deno.test("setUnjellyableFactoryForClass() has an object made of the state, also within a cycle through it", () => {
  const tags = registry();
  tags.setUnjellyableFactoryForClass("test.Point", (state) => ({ made: state }));
  const point = new Point();
  point.other = [point];
  const read = pb.unjelly(pb.jelly(point), { registry: tags }) as { made: { other: unknown[] } };
  assert.equal(read.made.other[0], read);
});

Deno.test("setUnjellyableForClass() takes a function of the run and the expression", () => {
  const tags = registry();
  tags.setUnjellyableForClass("test.Pair", (unjellier, expression) => {
    return expression.slice(1).map((part) => unjellier.unjelly(part));
  });
  const part = [bytes("list"), 1];
  const read = pb.unjelly([bytes("reference"), 1, [bytes("test.Pair"), part, part]], { registry: tags });
  assert.deepEqual(read, [[1], [1]]);
});

Deno.test("setUnjellyableForClassTree() registers the classes of a module that derive from one", () => {
  class Base extends pb.RemoteCopy {}
  class Frog extends Base {}
  class Stone {}
  const tags = registry();
  tags.setUnjellyableForClassTree({ Base, Frog, Stone, number: 5 }, Base, "pond");
  assert.deepEqual(["pond.Base", "pond.Frog", "pond.Stone"].map((tag) => tags.find(tag) !== undefined), [
    true,
    true,
    false,
  ]);
  tags.setUnjellyableForClassTree({ Frog }, Base, "");
  assert.ok(tags.find("Frog"));
});

Deno.test("setUnjellyableForClass() allows a tag without a dot for the shared security only", () => {
  pb.setUnjellyableForClass("UndottedPoint", RemotePoint);
  try {
    const expression = [bytes("UndottedPoint"), [bytes("dictionary")]];
    assert.ok(pb.unjelly(expression) instanceof RemotePoint);
    const security = new pb.SecurityOptions().allowBasicTypes();
    assert.throws(() => pb.unjelly(expression, { security }), pb.InsecureJelly);
    assert.ok(
      pb.unjelly(expression, { security: security.allowTypes("UndottedPoint") }) instanceof RemotePoint,
    );
  } finally {
    pb.copyTags.delete("UndottedPoint");
  }
});

Deno.test("Unjellier calls postUnjelly when all is read, and code that fails costs the value", () => {
  const log: unknown[] = [];
  class Late extends RemotePoint {
    postUnjelly() {
      log.push(this.other);
    }
  }
  class Failing extends RemotePoint {
    postUnjelly() {
      throw new RangeError("mine");
    }
  }
  class Impossible extends RemotePoint {
    constructor() {
      super();
      throw new RangeError("mine");
    }
  }
  const point = new Point();
  point.other = point;
  const expression = pb.jelly([point]);
  const tags = registry();
  tags.setUnjellyableForClass("test.Point", Late);
  const [read] = pb.unjelly(expression, { registry: tags }) as [Late];
  assert.deepEqual(log, [read]);
  for (const failing of [Failing, Impossible]) {
    tags.setUnjellyableForClass("test.Point", failing);
    assert.throws(() => pb.unjelly(expression, { registry: tags }), (error: Error) => {
      return error instanceof Violation && error.cause instanceof RangeError;
    });
  }
});

const GATES:
  readonly (readonly [name: string, security: pb.SecurityOptions, tag: string, isAllowed: boolean])[] = [
    ["a fresh one", new pb.SecurityOptions(), "unicode", true],
    ["a fresh one", new pb.SecurityOptions(), "decimal", true],
    ["a fresh one", new pb.SecurityOptions(), "set", true],
    ["a fresh one", new pb.SecurityOptions(), "frozenset", true],
    ["a fresh one", new pb.SecurityOptions(), "list", false],
    ["a fresh one", new pb.SecurityOptions(), "tuple", false],
    ["a fresh one", new pb.SecurityOptions(), "dictionary", false],
    ["a fresh one", new pb.SecurityOptions(), "reference", false],
    ["a fresh one", new pb.SecurityOptions(), "class", false],
    ["a fresh one", new pb.SecurityOptions(), "module", false],
    ["a fresh one", new pb.SecurityOptions(), "instance", false],
    ["a fresh one", new pb.SecurityOptions(), "any.Name", true],
    ["one with basic types", new pb.SecurityOptions().allowBasicTypes(), "list", true],
    ["one with basic types", new pb.SecurityOptions().allowBasicTypes(), "unpersistable", true],
    ["one with basic types", new pb.SecurityOptions().allowBasicTypes(), "class", false],
    ["the shared one", pb.globalSecurity, "dictionary", true],
    ["the shared one", pb.globalSecurity, "instance", false],
  ];
for (const [name, security, tag, isAllowed] of GATES) {
  Deno.test(`SecurityOptions.isTypeAllowed() of ${name} says ${isAllowed} to ${tag}`, () => {
    assert.equal(security.isTypeAllowed(tag), isAllowed);
  });
}

Deno.test("SecurityOptions.allowInstancesOf() lets objects, classes and the old instance form of these through", () => {
  class Order {
    declare item: string;
  }
  class Other {}
  const security = new pb.SecurityOptions().allowInstancesOf({ "shop.Order": Order });
  const order = new Order();
  order.item = "tea";
  const [first, second, type] = pb.unjelly(pb.jelly([order, order, Order], { security }), { security }) as [
    Order,
    Order,
    unknown,
  ];
  assert.ok(first instanceof Order);
  assert.equal(first, second);
  assert.equal(first.item, "tea");
  assert.equal(type, Order);
  const old = [bytes("instance"), [bytes("class"), bytes("shop.Order")], [bytes("dictionary")]];
  assert.ok(pb.unjelly(old, { security }) instanceof Order);
  assert.throws(() => pb.jelly(new Other(), { security }), Violation);
  assert.throws(
    () => pb.unjelly([bytes("shop.Other"), [bytes("None")]], { security }),
    /Class shop.Other not allowed/,
  );
  assert.throws(
    () => pb.unjelly([bytes("bank.Order"), [bytes("None")]], { security }),
    /Module bank not allowed \(in type bank.Order\)/,
  );
  assert.throws(() => security.allowInstancesOf({ Order }), TypeError);
  assert.throws(() => security.allowInstancesOf({ "shop.Order": Other }), TypeError);
});

Deno.test("jelly() and unjelly() leave objects in a store that the program names", () => {
  class Record {}
  const kept = new Record();
  const expression = pb.jelly([kept, kept], {
    persistentStore: (value) => value === kept ? bytes("kept") : undefined,
  });
  const read = pb.unjelly(expression, {
    persistentLoad: (id) => new TextDecoder().decode(id as Uint8Array) === "kept" && kept,
  });
  assert.deepEqual(read, [kept, kept]);
});

Deno.test("Unjellier asks its invoker for what the forms of references mean, whatever is allowed", () => {
  const asked: unknown[] = [];
  const invoker: pb.Invoker = {
    unjellyReference: (tag, id, { perspective }) => (asked.push([tag, id, perspective]), { tag }),
  };
  const security = new pb.SecurityOptions();
  for (const tag of ["remote", "local", "cached", "lcache"]) {
    assert.deepEqual(pb.unjelly([bytes(tag), 7], { invoker, security, perspective: "me" }), { tag });
  }
  assert.deepEqual(asked, ["remote", "local", "cached", "lcache"].map((tag) => [tag, 7, "me"]));
});
