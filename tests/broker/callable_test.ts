import assert from "node:assert/strict";
import { Callable, callable } from "../../lib/broker/callable.ts";

class Counter {
  count = 0;
  add(by: number): number {
    return this.count += by;
  }
}

Deno.test("callable() gives one Callable for one function, and another for another", () => {
  const f = (a: number) => a;
  assert.equal(callable(f), callable(f));
  assert.ok(callable(f) instanceof Callable);
  const counter = new Counter();
  assert.notEqual(callable(counter.add.bind(counter)), callable(counter.add.bind(counter)));
});

Deno.test("callable() gives one Callable for one method of one object", () => {
  const [one, other] = [new Counter(), new Counter()];
  assert.equal(callable(one, "add"), callable(one, "add"));
  assert.notEqual(callable(one, "add"), callable(other, "add"));
  assert.equal(callable(one, "add").call(2), 2);
  assert.equal(callable(one, "add").call(3), 5);
  assert.equal(other.count, 0);
  // Looked up at each call.
  one.add = () => -1;
  assert.equal(callable(one, "add").call(3), -1);
});

const refused: readonly (readonly [string, () => unknown])[] = [
  ["no function", () => callable({} as () => void)],
  ["no object", () => callable(null as unknown as Counter, "add")],
  ["a field that is no method", () => callable(new Counter(), "count" as "add")],
  ["a method that is not there", () => callable(new Counter(), "__proto__" as "add")],
];
for (const [name, make] of refused) {
  Deno.test(`callable() refuses ${name}`, () => void assert.throws(make, TypeError));
}
