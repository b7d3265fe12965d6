/** Peers that send calls, results by number, cancels, and what they claim to have seen, in any order and with any numbers. */
import assert from "node:assert/strict";
import { currentCall } from "../../lib/broker/call_context.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { OWN_FEATURES } from "../../lib/util/features.ts";
import { EMPTY, RawPeer, turns, until } from "./support.ts";

class Victim extends Referenceable {
  running = 0;
  remote_echo(value: unknown): unknown {
    return value;
  }
  async remote_later(value: unknown): Promise<unknown> {
    this.running++;
    await turns(1);
    this.running--;
    return value;
  }
  remote_self(): Victim {
    return this;
  }
  remote_fail(): never {
    throw new RangeError("broken");
  }
  remote_hang(): Promise<unknown> {
    const { signal } = currentCall()!;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}

type Rand = (below: number) => number;

function random(seed: number): Rand {
  let state = seed * 2654435761 >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 4294967296 * below);
  };
}

/** Writes one message, well formed or nearly so. */
function write(encoder: TokenEncoder, rand: Rand, used: number[]): void {
  const someId = () => rand(4) === 0 ? rand(60) : used[rand(used.length)] ?? rand(60);
  const promised = () => {
    const number = encoder.open("promised");
    encoder.integer(someId());
    for (let i = rand(3); i > 0; i--) rand(2) === 0 ? encoder.integer(rand(3)) : encoder.word("k");
    encoder.close(number);
  };
  const value = (depth: number): void => {
    switch (rand(depth > 3 ? 4 : 7)) {
      case 0:
        return encoder.integer(rand(100));
      case 1:
      case 2:
        return promised();
      case 3:
        return encoder.word("text");
    }
    const type = ["list", "tuple", "js-set", "js-map", "dict"][rand(5)]!;
    const number = encoder.open(type);
    for (let i = rand(3); i > 0; i--) {
      if (type === "js-map" || type === "dict") rand(3) === 0 ? value(depth + 1) : encoder.word(`k${i}`);
      value(depth + 1);
    }
    encoder.close(number);
  };
  switch (rand(10)) {
    case 0: {
      const number = encoder.open("cancel");
      encoder.integer(someId());
      encoder.integer(rand(3));
      return encoder.close(number);
    }
    case 1: {
      const number = encoder.open("seen");
      encoder.integer(rand(5) === 0 ? 0x7fffffff : rand(4));
      return encoder.close(number);
    }
    case 2: {
      const number = encoder.open(rand(2) === 0 ? "answer" : "decref");
      encoder.integer(someId());
      value(0);
      return encoder.close(number);
    }
  }
  const call = encoder.open("call");
  const id = 2 + (used.length % 1000);
  used.push(id);
  encoder.integer(rand(12) === 0 ? 0 : id);
  if (rand(3) === 0) promised();
  else encoder.integer(rand(15) === 0 ? 5 : 1);
  encoder.word(["echo", "later", "self", "fail", "hang", "later"][rand(6)]!);
  const list = encoder.open("arguments");
  encoder.integer(1);
  value(0);
  encoder.close(list);
  if (rand(3) > 0) encoder.integer([0, 1, 50, 0x7fffffff][rand(4)]!);
  encoder.close(call);
}

const SEEDS = 150;

Deno.test("random messages about results leave nothing behind, whatever they name and in whatever order", async () => {
  let survived = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const rand = random(seed);
    await using peer = new RawPeer({
      features: OWN_FEATURES,
      limits: { maxKeptAnswerBytes: 2_000, maxQueuedBytes: 5_000 },
    });
    const victim = new Victim();
    peer.host.names.set("root", victim);
    const encoder = new TokenEncoder(vocabularyWords(1));
    const call = encoder.open("call");
    encoder.integer(1);
    encoder.integer(0);
    encoder.word("getReferenceByName");
    const list = encoder.open("arguments");
    encoder.integer(1);
    encoder.word("root");
    encoder.close(list);
    encoder.close(call);
    const flush = async () => {
      for (const part of encoder.take()) if (peer.broker.ended === undefined) await peer.send(part);
    };
    await flush();
    await turns(4);
    const used = [1];
    for (let i = 0; i < 60; i++) {
      write(encoder, rand, used);
      if (rand(4) === 0) await flush();
      if (rand(8) === 0) await turns(rand(4));
    }
    await flush();
    await turns(5);
    if (peer.broker.ended === undefined) {
      survived++;
      // All is given up and seen.
      for (let id = 1; id < 200; id++) {
        const number = encoder.open("cancel");
        encoder.integer(id);
        encoder.integer(0);
        encoder.close(number);
      }
      await flush();
      await until(() => victim.running === 0, "methods end");
      await turns(5);
      const seen = encoder.open("seen");
      encoder.integer(0x7fffffff);
      encoder.close(seen);
      await flush();
      await turns(5);
      const { activeCalls, keptAnswers } = peer.broker.tables();
      const waiting = peer.broker.outstanding().inbound.filter(({ requestId }) => requestId !== 0);
      assert.deepEqual(waiting, [], `seed ${seed}`);
      // A call that wants no answer cannot be given up.
      assert.ok(activeCalls <= 20 && keptAnswers === 0, `seed ${seed}: ${activeCalls}, ${keptAnswers}`);
    }
    await peer.end[Symbol.asyncDispose]();
    assert.deepEqual(peer.broker.tables(), EMPTY);
  }
  assert.ok(survived > SEEDS / 3, `${survived} of ${SEEDS} connections held`);
});
