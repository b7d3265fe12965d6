import assert from "node:assert/strict";
import { FirstFlight } from "../../lib/transport/first_flight.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A record of 3 bytes and what follows it. */
const FLIGHT = Uint8Array.of(22, 3, 3, 0, 3, 1, 2, 3, 20, 3, 3, 0, 1, 1);

function scene(): { flight: FirstFlight; clock: FakeClock; sent: number[][]; send(bytes: Uint8Array): void } {
  const clock = new FakeClock();
  const flight = new FirstFlight(clock);
  const sent: number[][] = [];
  const add = (bytes: Uint8Array) => void sent.push([...bytes]);
  return { flight, clock, sent, send: (bytes) => flight.send(bytes, add, add) };
}

Deno.test("FirstFlight.send() sends the first record alone, and the rest when the client has answered", () => {
  const { flight, clock, sent, send } = scene();
  send(FLIGHT);
  assert.deepEqual(sent, [[22, 3, 3, 0, 3, 1, 2, 3]]);
  flight.answered();
  assert.deepEqual(sent[1], [20, 3, 3, 0, 1, 1]);
  flight.answered();
  send(FLIGHT);
  assert.deepEqual(sent.slice(2), [[...FLIGHT]]);
  assert.equal(clock.pending, 0);
});

Deno.test("FirstFlight.send() does not wait long for a client that does not answer", () => {
  const { clock, sent, send } = scene();
  send(FLIGHT);
  clock.advance(19);
  assert.equal(sent.length, 1);
  clock.advance(1);
  assert.equal(sent.length, 2);
});

for (const length of [0, 3, 8]) {
  Deno.test(`FirstFlight.send() sends ${length} bytes with nothing behind the first record as they are`, () => {
    const { clock, sent, send } = scene();
    send(FLIGHT.subarray(0, length));
    assert.deepEqual(sent, [[...FLIGHT.subarray(0, length)]]);
    assert.equal(clock.pending, 0);
  });
}

Deno.test("FirstFlight sends nothing more when it is disposed", () => {
  const { flight, clock, sent, send } = scene();
  send(FLIGHT);
  flight[Symbol.dispose]();
  flight.answered();
  clock.advance(100);
  assert.equal(sent.length, 1);
});
