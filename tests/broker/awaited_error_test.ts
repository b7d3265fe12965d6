/**
 * The errors of calls say where in the program the call was awaited, and which method it was.
 *
 * @module
 */

import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { registerRemoteError } from "../../lib/broker/remote_errors.ts";
import type { RemoteFunction, RemoteReference } from "../../lib/broker/remote_reference.ts";
import { DeadReferenceError, RemoteException, Violation } from "../../lib/errors.ts";
import { OWN_FEATURES } from "../../lib/util/features.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failureOf, Pair, turns } from "./support.ts";

class Missing extends Error {}
registerRemoteError("tests.awaited.Missing", Missing);
class Frozen extends Error {}
registerRemoteError("tests.awaited.Frozen", Frozen, {
  make: (text, cause) => Object.freeze(new Frozen(text, { cause })),
});

class Target extends Referenceable {
  remote_fail(): never {
    throw new RangeError("far");
  }
  remote_missing(): never {
    throw new Missing("far");
  }
  remote_frozen(): never {
    throw new Frozen("far");
  }
  remote_self(): Target {
    return this;
  }
  remote_list(): number[] {
    throw new RangeError("far");
  }
  remote_hang(): Promise<never> {
    return new Promise(() => {});
  }
  remote_sum(): number {
    return 3;
  }
  remote_function() {
    return callable((): never => {
      throw new RangeError("far");
    });
  }
}

const STACK = /\n {4}at async theCaller \(.*awaited_error_test/;

/** Awaits what is asked of it, and is what a stack is to name. */
async function theCaller(ask: () => PromiseLike<unknown>): Promise<unknown> {
  return await ask();
}

type Ask = (target: RemoteReference<Target>) => PromiseLike<unknown>;
const WAYS: readonly [name: string, ask: Ask, type: new (...args: never[]) => Error, method?: string][] = [
  ["callRemote()", (target) => target.callRemote("fail"), RemoteException, "fail"],
  ["a proxy", (target) => target.remote.fail(), RemoteException, "fail"],
  ["with()", (target) => target.with({ timeoutMs: 5 }).callRemote("fail"), RemoteException, "fail"],
  ["then()", (target) => target.remote.fail().then(() => {}), RemoteException, "fail"],
  [
    "Promise.all()",
    (target) => Promise.all([target.remote.sum(), target.remote.fail()]),
    RemoteException,
    "fail",
  ],
  ["a pipelined call", (target) => target.remote.self().remote.fail(), RemoteException, "fail"],
  ["a part of a result", (target) => target.remote.list().get(0), RemoteException, "list"],
  [
    "a call of a result that failed",
    (target) => target.callRemote("fail").callRemote("sum" as never),
    RemoteException,
    "fail",
  ],
  ["a registered error", (target) => target.remote.missing(), Missing],
  [
    "an answer that breaks the rules",
    (target) => target.with({ resultConstraint: String }).callRemote("sum"),
    Violation,
  ],
];
for (const features of [OWN_FEATURES, new Map()]) {
  for (const [name, ask, type, method] of WAYS) {
    const which = features.size > 0 ? "with" : "without";
    Deno.test(`${name} fails with a stack of who awaits it, ${which} the features of this library`, async () => {
      await using pair = new Pair({ features });
      const target = await pair.refTo(new Target());
      const error = await failureOf(theCaller(() => ask(target)));
      assert.ok(error instanceof type);
      assert.match(error.stack!, STACK);
      if (method !== undefined) assert.equal((error as RemoteException).method, method);
    });
  }
}

Deno.test("a RemoteFunction fails with a stack of who awaits it, and no name of a method", async () => {
  await using pair = new Pair();
  const target = await pair.refTo(new Target());
  const fail = await target.remote.function() as RemoteFunction<() => never>;
  const error = await failureOf(theCaller(() => fail.callRemote()));
  assert.match(error.stack!, STACK);
  assert.equal((error as RemoteException).method, "");
});

Deno.test("a call whose time is over fails with a stack of who awaits it", async () => {
  const clock = new FakeClock();
  await using pair = new Pair({ clock });
  const target = await pair.refTo(new Target());
  const failed = failureOf(theCaller(() => target.with({ timeoutMs: 5 }).callRemote("hang")));
  await turns();
  clock.advance(5);
  assert.match((await failed).stack!, STACK);
});

Deno.test("a call whose connection is lost fails with a stack of who awaits it", async () => {
  const pair = new Pair();
  const target = await pair.refTo(new Target());
  const failed = failureOf(theCaller(() => target.callRemote("hang")));
  await turns();
  await pair[Symbol.asyncDispose]();
  const error = await failed;
  assert.ok(error instanceof DeadReferenceError);
  assert.match(error.stack!, STACK);
});

Deno.test("the reason of a signal keeps its stack, which is the program's", async () => {
  await using pair = new Pair();
  const target = await pair.refTo(new Target());
  const stop = new AbortController();
  const failed = failureOf(theCaller(() => target.with({ signal: stop.signal }).callRemote("hang")));
  await turns();
  const reason = new Error("enough");
  const { stack } = reason;
  stop.abort(reason);
  assert.equal(await failed, reason);
  assert.equal(reason.stack, stack);
});

Deno.test("a frozen error of a registered class is passed on as it is", async () => {
  await using pair = new Pair();
  const target = await pair.refTo(new Target());
  assert.ok(await failureOf(theCaller(() => target.remote.frozen())) instanceof Frozen);
});

Deno.test("an error that several calls fail with keeps the stack of the one that was awaited", async () => {
  await using pair = new Pair({ features: OWN_FEATURES });
  const target = await pair.refTo(new Target());
  const list = target.remote.list();
  const error = failureOf(theCaller(() => list.get(0)));
  // Nobody awaits this one.
  list.get(1).catch(() => {});
  await failureOf(list);
  await turns();
  assert.match((await error).stack!, STACK);
});
