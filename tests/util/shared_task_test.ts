import assert from "node:assert/strict";
import { SharedTask } from "../../lib/util/shared_task.ts";

/** A task whose runs the test ends. */
function scripted() {
  const runs: {
    readonly signal: AbortSignal;
    readonly expire: () => void;
    readonly end: PromiseWithResolvers<string>;
  }[] = [];
  const task = new SharedTask<string>((signal, expire) => {
    const end = Promise.withResolvers<string>();
    signal.addEventListener("abort", () => end.reject(signal.reason));
    runs.push({ signal, expire, end });
    return end.promise;
  });
  return { task, runs };
}

const never = new AbortController().signal;

Deno.test("SharedTask.get() runs once for all who wait, and keeps the result until it expires", async () => {
  const { task, runs } = scripted();
  const both = Promise.all([task.get(never), task.get(never)]);
  await Promise.resolve();
  runs[0]!.end.resolve("one");
  assert.deepEqual(await both, ["one", "one"]);
  assert.equal(await task.get(never), "one");
  runs[0]!.expire();
  assert.equal(runs[0]!.signal.aborted, true);
  const next = task.get(never);
  await Promise.resolve();
  // The end of old work is not that of new work.
  runs[0]!.expire();
  runs[1]!.end.resolve("two");
  assert.equal(await next, "two");
});

Deno.test("SharedTask.get() does not keep a failure", async () => {
  const { task, runs } = scripted();
  const first = task.get(never);
  await Promise.resolve();
  runs[0]!.end.reject(new RangeError("no"));
  await assert.rejects(first, /no/);
  void task.get(never).catch(() => {});
  await Promise.resolve();
  assert.equal(runs.length, 2);
  task.forget(new RangeError("over"));
});

Deno.test("SharedTask gives the work up when the last one who waits has gone", async () => {
  const { task, runs } = scripted();
  const [a, b] = [new AbortController(), new AbortController()];
  const waits = [task.get(a.signal), task.get(b.signal)];
  await Promise.resolve();
  a.abort(new RangeError("a went"));
  await assert.rejects(waits[0]!, /a went/);
  assert.equal(runs[0]!.signal.aborted, false);
  b.abort(new RangeError("b went"));
  await assert.rejects(waits[1]!, /b went/);
  assert.equal(runs[0]!.signal.aborted, true);
  assert.equal(task.current, undefined);
});

Deno.test("SharedTask.forget() ends those who wait with its reason", async () => {
  const { task } = scripted();
  const wait = task.get(never);
  await Promise.resolve();
  task.forget(new RangeError("over"));
  await assert.rejects(wait, /over/);
});

Deno.test("SharedTask.hold() keeps the result until the last one lets go, once each", async () => {
  const { task, runs } = scripted();
  const over = new RangeError("over");
  const closed: string[] = [];
  const hold = () => task.hold(over, (result) => Promise.resolve(void closed.push(result)));
  const [one, other] = [hold(), hold()];
  const result = task.get(never);
  await Promise.resolve();
  runs[0]!.end.resolve("one");
  await result;
  await one[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
  assert.deepEqual([closed, runs[0]!.signal.aborted], [[], false]);
  await other[Symbol.asyncDispose]();
  assert.deepEqual([closed, runs[0]!.signal.reason, task.current], [["one"], over, undefined]);
  // Whoever comes later begins anew.
  await using _third = hold();
  const next = task.get(never);
  await Promise.resolve();
  runs[1]!.end.resolve("two");
  assert.equal(await next, "two");
});

Deno.test("SharedTask.hold() gives up work in hand, and does not mind what cannot be ended", async () => {
  const { task, runs } = scripted();
  const over = new RangeError("over");
  const holder = task.hold(over, () => assert.fail("nothing came of it"));
  const waits = task.get(never);
  await Promise.resolve();
  await Promise.all([assert.rejects(waits, over), holder[Symbol.asyncDispose]()]);
  const stubborn = task.hold(over, () => Promise.reject(new TypeError("no")));
  const result = task.get(never);
  await Promise.resolve();
  runs[1]!.end.resolve("one");
  await result;
  await stubborn[Symbol.asyncDispose]();
  await task.hold(over, () => assert.fail("nothing was begun"))[Symbol.asyncDispose]();
});
