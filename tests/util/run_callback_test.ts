import assert from "node:assert/strict";
import { safePbTrace } from "../../lib/pb/broker/options.ts";
import { runCallback } from "../../lib/util/run_callback.ts";
import { safeTrace } from "../../lib/util/trace.ts";

const FAILING: readonly (readonly [what: string, callback: () => unknown])[] = [
  ["throws", () => {
    throw new RangeError("of the program");
  }],
  ["rejects", () => Promise.reject(new RangeError("of the program"))],
  ["rejects with something else", () => Promise.reject("of the program")],
];
for (const [what, callback] of FAILING) {
  Deno.test(`runCallback() tells of a callback that ${what}`, async () => {
    const failed: Error[] = [];
    runCallback(callback, (error) => failed.push(error));
    await Promise.resolve();
    assert.equal(failed.length, 1);
    assert.match(failed[0]!.message, /of the program/);
    assert.ok(failed[0] instanceof Error);
  });

  // A promise that nobody listens to would fail the test, as it ends a process.
  Deno.test(`a trace that ${what} hurts nobody`, async () => {
    safeTrace(callback)({ type: "listening", hint: "tcp:h:1" });
    safePbTrace(callback)({ type: "connected", peer: "tcp:h:1", dialect: "pb" });
    await Promise.resolve();
  });
}

Deno.test("runCallback() returns without waiting for a callback that works", () => {
  const never = Promise.withResolvers<void>();
  runCallback(() => never.promise, assert.fail);
  runCallback(() => "ignored", assert.fail);
});
