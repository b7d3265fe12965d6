import assert from "node:assert/strict";
import { Violation } from "../../lib/errors.ts";
import { registerRemoteCopyFactory } from "../../lib/graph/copy_types.ts";
import { Pending, PendingResult, type PendingScope } from "../../lib/graph/pending.ts";
import { BASE_UNSLICERS } from "../../lib/graph/tables.ts";
import { Unslicer } from "../../lib/graph/unslicer.ts";
import type { Dict } from "../../lib/values/dict.ts";
import { TestReceiver } from "../support/graph_receiver.ts";
import { type Piece, tokens } from "../support/tokens_text.ts";

registerRemoteCopyFactory("cp.pending", (state) => ({ ...state }));

/** Receives a message in which `(gift` sequences are pending, and settles them. */
function receive(pieces: readonly Piece[]): { test: TestReceiver; gifts: Pending[]; scope: PendingScope } {
  const gifts: Pending[] = [];
  class Gift extends Unslicer {
    override receive(): void {}
    override close(): PendingResult {
      const pending = new Pending(this.receiver.scope);
      gifts.push(pending);
      return new PendingResult(pending);
    }
  }
  const unslicers = BASE_UNSLICERS.extend([["gift", { make: (receiver) => new Gift(receiver) }]]);
  const test = new TestReceiver({ unslicers }).push(tokens(pieces));
  return { test, gifts, scope: test.receiver.scope };
}

Deno.test("containers keep the place of what is pending, and are complete when all is there", () => {
  const gift: Piece[] = ["(gift", ")"];
  const { test, gifts, scope } = receive([
    "(list",
    ...gift,
    ...["(tuple", 1, ...gift, ")"],
    ...["(dict", "(unicode", "a", ")", ...gift, ")"],
    ...["(dict", 1, ...gift, ")"],
    ...["(immutable-set", ...gift, 7, ")"],
    ...["(copyable", "cp.pending", "a", ...gift, ")"],
    ")",
  ]);
  const [list] = test.values as [unknown[]];
  const done: unknown[] = [];
  scope.whenComplete((failure) => done.push(failure));
  assert.equal(Object.isFrozen(list[1]), false);
  gifts.forEach((gift, i) => {
    assert.deepEqual(done, []);
    gift.resolve(`gift ${i}`);
  });
  assert.deepEqual(done, [undefined]);
  assert.deepEqual([list[0], ...list[1] as unknown[]], ["gift 0", 1, "gift 1"]);
  assert.ok(Object.isFrozen(list[1]));
  assert.equal((list[2] as { a: unknown }).a, "gift 2");
  assert.equal((list[3] as Dict).get(1), "gift 3");
  assert.deepEqual(new Set(list[4] as Set<unknown>), new Set([7, "gift 4"]));
  assert.throws(() => (list[4] as Set<unknown>).add(1), TypeError);
  assert.deepEqual(list[5], { a: "gift 5" });
});

Deno.test("a message fails with the first failure, after everything has settled", () => {
  const { gifts, scope } = receive(["(list", "(gift", ")", "(gift", ")", ")"]);
  const done: unknown[] = [];
  scope.whenComplete((failure) => done.push(failure));
  const failure = new Violation("Cannot fetch it");
  gifts[1]!.reject(failure);
  assert.deepEqual(done, []);
  gifts[0]!.resolve(1);
  gifts[0]!.reject(new Violation("too late"));
  assert.deepEqual(done, [failure]);
});

Deno.test("a message fails when a pending member turns out to have no hash", () => {
  const { gifts, scope } = receive(["(set", "(gift", ")", ")"]);
  gifts[0]!.resolve([]);
  assert.match(scope.failure!.message, /as a member of a set/);
});

Deno.test("a pending value cannot be a key", () => {
  const { test } = receive(["(dict", "(gift", ")", 1, ")"]);
  assert.match(test.violations[0]!.message, /incomplete object as a key/);
});

Deno.test("a factory whose code fails when its gift is there fails the message", () => {
  registerRemoteCopyFactory("cp.late-failure", () => {
    throw new TypeError("no");
  });
  const { gifts, scope } = receive(["(copyable", "cp.late-failure", "a", "(gift", ")", ")"]);
  let failure: Error | undefined;
  scope.whenComplete((error) => failure = error);
  gifts[0]!.resolve(1);
  assert.match(failure!.message, /code of its class failed/);
});
