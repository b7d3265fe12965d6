import assert from "node:assert/strict";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { RemoteException, Violation } from "../../lib/errors.ts";
import { failureOf, Pair } from "./support.ts";

class Target extends Referenceable {
  remote_fail(_value?: unknown) {
    throw new TypeError("no");
  }
}

Deno.test("callRemote() of what cannot be sent fails with a stack that names the line of the call", async () => {
  await using pair = new Pair();
  const ref = await pair.refTo(new Target());
  function whoCalls(): PromiseLike<unknown> {
    return ref.callRemote("fail", Symbol("no"));
  }
  const error = await failureOf(whoCalls());
  assert.ok(error instanceof Violation);
  assert.match(error.stack!, /whoCalls[^\n]*stack_test\.ts/);
});

Deno.test("callRemote() fails with the type of the peer's failure, and no line of the peer's program", async () => {
  await using pair = new Pair();
  const error = await failureOf((await pair.refTo(new Target())).callRemote("fail"));
  assert.ok(error instanceof RemoteException);
  assert.equal(error.remoteType, "javascript.TypeError");
  assert.doesNotMatch(`${error.stack}${error.remoteTraceback}`, /remote_fail/);
});
