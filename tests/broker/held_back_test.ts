import assert from "node:assert/strict";
import { Acknowledger } from "../../lib/broker/held_back.ts";
import { FakeClock } from "../support/fake_clock.ts";

function scene(): { acknowledger: Acknowledger; clock: FakeClock; counts: { writes: number; own: number } } {
  const clock = new FakeClock();
  const counts = { writes: 0, own: 0 };
  const acknowledger = new Acknowledger({
    clock,
    writes: () => counts.writes,
    write: () => {
      counts.writes++;
      counts.own++;
    },
  });
  return { acknowledger, clock, counts };
}

Deno.test("Acknowledger writes once when nothing else was written a millisecond after something has come", () => {
  const { acknowledger, clock, counts } = scene();
  acknowledger.arrived();
  assert.equal(counts.own, 0);
  clock.advance(1);
  assert.equal(counts.own, 1);
  clock.advance(1_000);
  assert.equal(counts.own, 1);
  assert.equal(clock.pending, 0);
});

Deno.test("Acknowledger writes nothing where something was written since", () => {
  const { acknowledger, clock, counts } = scene();
  acknowledger.arrived();
  counts.writes++;
  clock.advance(1);
  assert.equal(counts.own, 0);
  acknowledger.arrived();
  clock.advance(1);
  assert.equal(counts.own, 1);
});

Deno.test("Acknowledger looks at what came last, and sets one timer for all of it", () => {
  const { acknowledger, clock, counts } = scene();
  acknowledger.arrived();
  counts.writes++;
  acknowledger.arrived();
  assert.equal(clock.pending, 1);
  clock.advance(1);
  assert.equal(counts.own, 1);
});

Deno.test("Acknowledger does nothing when it is disposed", () => {
  const { acknowledger, clock, counts } = scene();
  acknowledger.arrived();
  acknowledger[Symbol.dispose]();
  acknowledger.arrived();
  assert.equal(clock.pending, 0);
  clock.advance(10);
  assert.equal(counts.own, 0);
});
