import assert from "node:assert/strict";
import { Gate } from "../../lib/tub/gate.ts";

const never = new AbortController().signal;

Deno.test("Gate.enter() lets the next in when one leaves, in order", async () => {
  const gate = new Gate(2);
  const order: string[] = [];
  const enter = async (name: string) => {
    const room = await gate.enter(never);
    order.push(name);
    return room;
  };
  const [a, b] = [await enter("a"), await enter("b")];
  const c = enter("c"), d = enter("d");
  assert.deepEqual([gate.inside, gate.waiting], [2, 2]);
  b[Symbol.dispose]();
  // More than once is harmless.
  b[Symbol.dispose]();
  (await c)[Symbol.dispose]();
  (await d)[Symbol.dispose]();
  a[Symbol.dispose]();
  assert.deepEqual(order, ["a", "b", "c", "d"]);
  assert.deepEqual([gate.inside, gate.waiting], [0, 0]);
});

Deno.test("Gate.enter() rejects with the reason of its signal, and takes no room", async () => {
  const gate = new Gate(1);
  const stop = new AbortController();
  const room = await gate.enter(never);
  const waiting = gate.enter(stop.signal);
  const reason = new RangeError("enough");
  stop.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(gate.enter(stop.signal), reason);
  assert.equal(gate.waiting, 0);
  room[Symbol.dispose]();
  assert.equal(gate.inside, 0);
});
