import assert from "node:assert/strict";
import { pb } from "../../mod.ts";
import { findMethod } from "../../lib/pb/flavors/referenceable.ts";

class Base extends pb.Referenceable {
  remote_one(): number {
    return 1;
  }
}
class Derived extends Base {
  remote_two(): number {
    return 2;
  }
}

const find = (object: object, key: string) => findMethod(object, key, pb.Referenceable.prototype);

Deno.test("findMethod() finds a method anew when its class is changed, and none that an object hides", () => {
  const object = new Derived();
  for (let i = 0; i < 2; i++) {
    assert.equal(find(object, "remote_one"), Base.prototype.remote_one);
    assert.equal(find(object, "remote_two"), Derived.prototype.remote_two);
  }
  const other = () => 3;
  const { remote_two } = Derived.prototype;
  Derived.prototype.remote_two = other;
  assert.equal(find(object, "remote_two"), other);
  Derived.prototype.remote_two = remote_two;

  const hiding = new Derived();
  Object.defineProperty(hiding, "remote_one", { value: other });
  assert.equal(find(hiding, "remote_one"), undefined);
  // Also when it hides a method by the same.
  const same = new Derived();
  Object.defineProperty(same, "remote_one", { value: Base.prototype.remote_one });
  assert.equal(find(same, "remote_one"), undefined);
  assert.equal(find(new Derived(), "remote_one"), Base.prototype.remote_one);
});

Deno.test("findMethod() finds nothing in what is above the base, and in an object without a class", () => {
  assert.equal(find(new Derived(), "remoteMessageReceived"), undefined);
  assert.equal(find(new Derived(), "toString"), undefined);
  assert.equal(find(Object.create(null), "remote_one"), undefined);
});
