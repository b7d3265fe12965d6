import assert from "node:assert/strict";
import { eventually, fireEventually, flushEventualQueue } from "../../mod.ts";

Deno.test("eventually() calls later, in order, and what such a call asks for in the turn after", async () => {
  const seen: string[] = [];
  eventually(() => {
    seen.push("a");
    eventually(() => seen.push("d"));
  });
  eventually((text: string, more: string) => seen.push(text + more), "b", "!");
  void fireEventually("c").then((text) => seen.push(text));
  queueMicrotask(() => seen.push("first"));
  assert.deepEqual(seen, []);
  await flushEventualQueue();
  assert.deepEqual(seen, ["first", "a", "b!", "c", "d"]);
});

Deno.test("fireEventually() takes a value, a promise or nothing", async () => {
  assert.equal(await fireEventually(), undefined);
  assert.equal(await fireEventually(5), 5);
  assert.equal(await fireEventually(Promise.resolve("x")), "x");
  await assert.rejects(fireEventually(Promise.reject(new RangeError("x"))), RangeError);
});

Deno.test("flushEventualQueue() has nothing to wait for when nothing is queued", async () => {
  await flushEventualQueue();
  let isDone = false;
  eventually(() => void eventually(() => void (isDone = true)));
  await Promise.all([flushEventualQueue(), flushEventualQueue()]);
  assert.ok(isDone);
});

const strange = Object.defineProperty(new Error("x"), "message", {
  get() {
    throw new Error("no message");
  },
});
const FAILING: readonly [name: string, call: () => unknown][] = [
  ["throws", () => {
    throw new RangeError("it fails");
  }],
  ["gives a promise that is rejected", () => Promise.reject(new RangeError("it fails"))],
  ["throws what is no error", () => {
    // deno-lint-ignore no-throw-literal
    throw null;
  }],
  ["throws an error that throws", () => {
    throw strange;
  }],
];
for (const [name, call] of FAILING) {
  Deno.test(`eventually() ends neither process nor queue when a call ${name}, and tells listeners`, async () => {
    const errors: unknown[] = [];
    const listen = (event: ErrorEvent) => {
      event.preventDefault();
      errors.push(event.error);
    };
    globalThis.addEventListener("error", listen);
    try {
      let isDone = false;
      eventually(call);
      eventually(() => void (isDone = true));
      await flushEventualQueue();
      await flushEventualQueue();
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert.ok(isDone);
      assert.equal(errors.length, 1);
      assert.ok(errors.every((error) => error instanceof Error));
    } finally {
      globalThis.removeEventListener("error", listen);
    }
  });
}

Deno.test("eventually() without a listener ends nothing either", async () => {
  eventually(() => {
    throw new RangeError("nobody hears");
  });
  await flushEventualQueue();
});

Deno.test("eventually() throws for what is no function", () => {
  assert.throws(() => eventually(undefined as never), TypeError);
});
