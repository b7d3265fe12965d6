import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { Violation } from "../../lib/errors.ts";
import { serialize } from "../../lib/graph/storage.ts";
import { Pair } from "./support.ts";

class Thing extends Referenceable {
  remote_self(): this {
    return this;
  }
}

Deno.test("serialize() refuses what only a connection can carry, and says where it is", async () => {
  await using pair = new Pair();
  const reference = await pair.refTo(new Thing());
  for (const value of [new Thing(), callable(() => 1), reference]) {
    assert.throws(() => serialize({ a: [1, value] }), (error) => {
      assert.ok(error instanceof Violation);
      assert.equal(error.where, "a[1]");
      assert.match(error.message, /^Cannot serialize /);
      return true;
    });
  }
  assert.equal(pair.right.broker.tables().exported, 1);
});
