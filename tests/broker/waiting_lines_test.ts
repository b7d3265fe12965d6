/** Lines of calls that wait. */
import assert from "node:assert/strict";
import { type Waiting, WaitingLines } from "../../lib/broker/waiting_lines.ts";
import { collectGarbage } from "../support/gc.ts";

class Call implements Waiting {
  isReady = false;
  constructor(readonly name: number, readonly gone: number[]) {}
  go(): void {
    this.gone.push(this.name);
  }
}

Deno.test("calls that leave from anywhere in a line let the others keep their order", () => {
  for (const step of [1, 2, 3, 7]) {
    const lines = new WaitingLines<Call>();
    const key = {};
    const gone: number[] = [];
    const calls = Array.from({ length: 30 }, (_, i) => new Call(i, gone));
    for (const call of calls) lines.add(key, call);
    const leaving = calls.filter(({ name }) => name > 0 && name % step === 0);
    for (const call of leaving) lines.leave(key, call);
    for (const call of leaving) lines.leave(key, call); // twice is once
    assert.equal(lines.size, 30 - leaving.length);
    assert.deepEqual(gone.splice(0), leaving.map(({ name }) => name));
    const staying = calls.filter((call) => !leaving.includes(call));
    assert.deepEqual([...lines], staying);
    const late = new Call(30, gone);
    lines.add(key, late);
    for (const call of [...calls, late]) call.isReady = true;
    lines.advance(key);
    assert.deepEqual(gone, [...staying, late].map(({ name }) => name));
    assert.deepEqual([...lines], []);
    assert.equal(lines.size, 0);
    assert.equal(lines.has(key), false);
  }
});

Deno.test("a line forgets those that have left from behind one that waits", async () => {
  const lines = new WaitingLines<Call>();
  const key = {};
  lines.add(key, new Call(0, []));
  const refs: WeakRef<Call>[] = [];
  for (let i = 0; i < 100; i++) {
    const call = new Call(i, []);
    refs.push(new WeakRef(call));
    lines.add(key, call);
    lines.leave(key, call);
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  assert.ok(refs.filter((ref) => ref.deref() !== undefined).length <= 2);
});
