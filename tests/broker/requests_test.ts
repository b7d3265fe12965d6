import assert from "node:assert/strict";
import { RequestTable } from "../../lib/broker/requests.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A clock whose timers wait for their turn while time goes on. */
class BusyClock extends FakeClock {
  behindMs = 0;
  override now(): number {
    return super.now() + this.behindMs;
  }
}

for (
  const [name, behindMs, expected] of [
    [
      "a call that fails when its time is over has run out of time, whatever its callee says",
      5,
      "TimeoutError",
    ],
    ["a call that fails before its time is over fails with what its callee says", 4, "RangeError"],
  ] as const
) {
  Deno.test(name, async () => {
    const clock = new BusyClock();
    const requests = new RequestTable();
    const { promise, request } = requests.begin("count", { timeoutMs: 5 }, clock, () => {});
    const failure = promise.then(() => undefined, (error) => error);
    clock.behindMs = behindMs;
    request.reject(new RangeError("the time of the caller is over"));
    assert.equal((await failure).name, expected);
    assert.equal(clock.pending, 0);
    assert.equal(requests.size, 0);
  });
}
