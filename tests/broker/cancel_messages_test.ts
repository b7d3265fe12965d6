/** The messages of `cancel` and `deadline`, byte by byte, from a peer that the test plays. */
import assert from "node:assert/strict";
import { type CallContext, currentCall } from "../../lib/broker/call_context.ts";
import { Tracker } from "../../lib/broker/import_table.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { type Features, OWN_FEATURES } from "../../lib/util/features.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failureOf, RawPeer, type TestOptions, turns } from "./support.ts";

class Target extends Referenceable {
  readonly contexts: CallContext[] = [];
  readonly ends: ((value: unknown) => void)[] = [];
  remote_w(): Promise<unknown> {
    this.contexts.push(currentCall()!);
    return new Promise((resolve) => this.ends.push(resolve));
  }
}

/** Of a number below 128. */
const int = (n: number, type = "81") => n.toString(16).padStart(2, "0") + type;
let opens = 0;
function sequence(word: string, ...inside: string[]): string {
  const n = opens++ % 100;
  return int(n, "88") + int(word.length, "82") + new TextEncoder().encode(word).toHex() + inside.join("") +
    int(n, "89");
}
const call = (request: string, ...more: string[]) =>
  sequence("call", request, int(1), "018277", sequence("arguments", int(0)), ...more);
const cancel = (...inside: string[]) => sequence("cancel", ...inside);

async function withPeer(
  run: (peer: RawPeer, target: Target, clock: FakeClock) => Promise<void>,
  options: TestOptions = {},
): Promise<void> {
  const clock = new FakeClock();
  await using peer = new RawPeer({ features: OWN_FEATURES, clock, ...options });
  const target = new Target();
  peer.broker.outgoing.call(new Tracker(0), "take", [target], {}).catch(() => {});
  await turns(3);
  peer.take();
  await run(peer, target, clock);
}

Deno.test("a call with a time and its cancel have the bytes of docs/wire.md", () =>
  withPeer(async (peer, _target, clock) => {
    const controller = new AbortController();
    const options = { signal: controller.signal, timeoutMs: 500 };
    const failed = failureOf(peer.broker.outgoing.call(new Tracker(3), "add", [1, 2], options));
    await turns(3);
    assert.equal(
      peer.take(),
      ["0388", "0b87", "0281", "0381", "0382616464", "0488", "0c87", "0281", "0181", "0281", "0489"]
        .concat("740381", "0389").join(""),
    );
    controller.abort();
    await failed;
    await turns(3);
    assert.equal(peer.take(), ["0588", "068263616e63656c", "0281", "0081", "0589"].join(""));
    const timedOut = failureOf(peer.broker.outgoing.call(new Tracker(3), "add", [], { timeoutMs: 1 }));
    await turns(3);
    peer.take();
    clock.advance(1);
    await timedOut;
    await turns(3);
    assert.equal(peer.take(), ["0888", "068263616e63656c", "0381", "0181", "0889"].join(""));
  }));

Deno.test("a call that wants no answer, and one that nobody limits, say no time", () =>
  withPeer(async (peer) => {
    peer.broker.outgoing.callOnly(new Tracker(3), "a", [], { timeoutMs: 5 });
    void peer.broker.outgoing.call(new Tracker(3), "a", [], {}).catch(() => {});
    await turns(3);
    assert.equal(peer.take().match(/0081[0-9a-f]{2}89[0-9a-f]{2}89/g)?.length, 2);
  }));

Deno.test("a call that has a signal and no time says that it has none", () =>
  withPeer(async (peer, target) => {
    const { signal } = new AbortController();
    void peer.broker.outgoing.call(new Tracker(3), "a", [], { signal }).catch(() => {});
    await turns(3);
    assert.match(peer.take(), /897f7f7f7f0781..89$/);
    await peer.send(call(int(5), "7f7f7f7f0781") + call(int(6)) + call(int(7), int(100)));
    await turns(5);
    assert.deepEqual(
      target.contexts.map(({ isCancellable, remainingMs }) => [isCancellable, remainingMs]),
      [[true, undefined], [false, undefined], [true, 100]],
    );
  }));

const FATAL: readonly (readonly [name: string, bytes: string, features?: Features])[] = [
  ["a cancel with one number", cancel(int(5))],
  ["a cancel with none", cancel()],
  ["a cancel with three", cancel(int(5), int(0), int(0))],
  ["a cancel of a NEG", cancel(int(5, "83"), int(0))],
  ["a cancel of a STRING", cancel("018235", int(0))],
  ["a cancel of a LONGINT", cancel("088500" + "ff".repeat(7), int(0))],
  ["a cancel of a FLOAT", cancel("843ff0000000000000", int(0))],
  ["a cancel of a list", cancel(sequence("list"), int(0))],
  ["a cancel of an INT above 2^63", cancel("7f".repeat(9) + "0181", int(0))],
  ["a cancel of something with a NEG for the reason", cancel(int(5), int(1, "83"))],
  ["a call with a NEG for its time", call(int(5), int(1, "83"))],
  ["a call with a LONGINT for its time", call(int(5), "0285ffff")],
  ["a call with a FLOAT for its time", call(int(5), "843ff0000000000000")],
  ["a call with a list for its time", call(int(5), sequence("list"))],
  ["a call with a time of 2^31", call(int(5), "000000000881")],
  ["a call with two times", call(int(5), int(9), int(9))],
  ["a call with a time, where that was not agreed on", call(int(5), int(9)), new Map([["cancel", 1]])],
];
for (const [name, bytes, features] of FATAL) {
  Deno.test(`${name} ends the connection`, () =>
    withPeer(async (peer, target) => {
      await peer.send(bytes);
      await peer.closed();
      assert.equal(peer.broker.ended?.name, "ProtocolError");
      assert.deepEqual(target.contexts, []);
    }, features === undefined ? {} : { features }));
}

const HARMLESS: readonly (readonly [name: string, bytes: string, features?: Features])[] = [
  ["of a call that never was", cancel(int(77), int(0))],
  ["of number 0", cancel(int(0), int(0))],
  ["of a huge number", cancel("7f".repeat(6) + "0181", int(0))],
  ["that is cut by ABORT", "638806826361" + "6e63656c058163" + "8a6389"],
  ["where it was not agreed on", cancel(int(5), int(0)), new Map([["deadline", 1]])],
];
for (const [name, bytes, features] of HARMLESS) {
  Deno.test(`a cancel ${name} does nothing`, () =>
    withPeer(async (peer, target) => {
      await peer.send(call(int(5)));
      await turns(3);
      await peer.send(bytes);
      await turns(3);
      assert.equal(peer.broker.ended, undefined);
      assert.equal(target.contexts[0]!.signal.aborted, false);
      target.ends[0]!(1);
      await turns(3);
      assert.match(peer.take(), /^..880d870581018/);
    }, features === undefined ? {} : { features }));
}

for (const [why, name] of [[0, "AbortError"], [1, "TimeoutError"], [99, "AbortError"]] as const) {
  Deno.test(`a cancel with the reason ${why} makes an ${name}, once, and frees the number`, () =>
    withPeer(async (peer, target) => {
      await peer.send(call(int(5)));
      await turns(3);
      const { signal } = target.contexts[0]!;
      let fired = 0;
      signal.addEventListener("abort", () => fired++);
      await peer.send(cancel(int(5), int(why)) + cancel(int(5), int(0)));
      await turns(3);
      assert.equal(signal.reason.name, name);
      assert.equal(fired, 1);
      // The number is another call's now: the end of the first one must not be taken for its answer.
      await peer.send(call(int(5)));
      await turns(3);
      target.ends[0]!("first");
      await turns(3);
      assert.equal(peer.take(), "");
      target.ends[1]!(7);
      await turns(3);
      assert.match(peer.take(), /^..880d8705810781..89$/);
      assert.equal(peer.broker.tables().activeCalls, 0);
    }));
}

Deno.test("calls that are given up count against the limit until their methods end", () =>
  withPeer(async (peer, target) => {
    for (let i = 0; i < 10; i++) {
      await peer.send(call(int(5)));
      await turns(2);
      await peer.send(cancel(int(5), int(0)));
      await turns(2);
    }
    assert.equal(target.contexts.length, 10);
    assert.equal(peer.broker.tables().activeCalls, 10);
    await peer.send(call(int(5)));
    await peer.closed();
    assert.match(peer.broker.ended!.message, /10 calls waiting/);
  }, { limits: { maxPendingCalls: 10 } }));

Deno.test("a flood of calls and their cancels, behind one that waits, keeps nothing", () =>
  withPeer(async (peer, target) => {
    // So that nothing is begun: this end waits for a gift.
    peer.host.acquire = () => new Promise(() => {});
    const furl = "pb://x@tcp:h:1/y";
    const gift = sequence(
      "their-reference",
      int(9),
      int(furl.length, "82") + new TextEncoder().encode(furl).toHex(),
    );
    await peer.send(
      sequence("call", int(1), int(1), "018277", sequence("arguments", int(1), gift)),
    );
    for (let i = 0; i < 200; i++) {
      let bytes = "";
      for (let j = 0; j < 100; j++) bytes += call(int(5)) + cancel(int(5), int(0));
      await peer.send(bytes);
      await turns(1);
    }
    assert.equal(peer.broker.ended, undefined);
    assert.equal(peer.broker.tables().activeCalls, 1);
    assert.equal(peer.broker.outstanding().inbound.length, 1);
    await peer.send(cancel(int(1), int(0)) + call(int(6)));
    await turns(3);
    assert.equal(target.contexts.length, 1, "what waited is out of the way");
  }, { limits: { maxPendingCalls: 50 } }));
