/** Peers that name results as they should not. */
import assert from "node:assert/strict";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY, RawPeer, type TestOptions, turns, until } from "./support.ts";

class Echo extends Referenceable {
  calls = 0;
  release: (value: unknown) => void = () => {};
  remote_echo(value: unknown) {
    this.calls++;
    return value;
  }
  remote_hang() {
    return new Promise((resolve) => this.release = resolve);
  }
  remote_fail() {
    throw new RangeError("broken");
  }
}

class Attacker extends RawPeer {
  readonly echo = new Echo();
  readonly encoder = new TokenEncoder(vocabularyWords(1));

  static async make(options: TestOptions = {}): Promise<Attacker> {
    const attacker = new Attacker({ features: new Map([["pipeline", 1]]), ...options });
    attacker.host.names.set("root", attacker.echo);
    attacker.call(1, () => attacker.encoder.integer(0), "getReferenceByName", [
      () => attacker.encoder.word("root"),
    ]);
    await attacker.flush();
    await until(() => attacker.broker.tables().exported === 1, "object 1");
    await turns(2);
    attacker.take();
    return attacker;
  }

  /** `OPEN promised INT(request) ... CLOSE` */
  readonly promised = (request: number, ...path: (string | number)[]) => () => {
    const number = this.encoder.open("promised");
    this.encoder.integer(request);
    for (const key of path) typeof key === "number" ? this.encoder.integer(key) : this.encoder.word(key);
    this.encoder.close(number);
  };

  call(request: number, target: number | (() => void), method: string, args: readonly (() => void)[]): void {
    const { encoder } = this;
    const call = encoder.open("call");
    encoder.integer(request);
    if (typeof target === "number") encoder.integer(target);
    else target();
    encoder.word(method);
    const list = encoder.open("arguments");
    encoder.integer(args.length);
    for (const write of args) write();
    encoder.close(list);
    encoder.close(call);
  }

  seen(count: number): void {
    const number = this.encoder.open("seen");
    this.encoder.integer(count);
    this.encoder.close(number);
  }

  async flush(): Promise<void> {
    for (const part of this.encoder.take()) if (this.broker.ended === undefined) await this.send(part);
  }

  /** What the broker writes in answer to what was encoded, as text. */
  async answers(): Promise<string> {
    this.take();
    await this.flush();
    await turns(8);
    return new TextDecoder("latin1").decode(Uint8Array.fromHex(this.take()));
  }
}

const REFUSED: Record<string, [write: (peer: Attacker) => void, answer: RegExp]> = {
  "a number of no call": [(p) => p.call(9, 1, "echo", [p.promised(77)]), /call 77: it is not kept/],
  "0": [(p) => p.call(9, 1, "echo", [p.promised(0)]), /call 0: it is not kept/],
  "its own number": [(p) => p.call(9, 1, "echo", [p.promised(9)]), /call 9: it is not kept/],
  "its own number as target": [(p) => p.call(9, p.promised(9), "echo", []), /call 9: it is not kept/],
  "a number still to come": [(p) => {
    p.call(9, 1, "echo", [p.promised(10)]);
    p.call(10, 1, "echo", [() => p.encoder.integer(1)]);
  }, /call 10: it is not kept/],
  "a call that wanted no answer": [(p) => {
    p.call(0, 1, "echo", [() => p.encoder.integer(1)]);
    p.call(9, 1, "echo", [p.promised(0)]);
  }, /call 0: it is not kept/],
  "a key that is too long": [(p) => p.call(9, 1, "echo", [p.promised(1, "x".repeat(1_001))]), /too long/],
  "a path that is too long": [
    (p) => p.call(9, 1, "echo", [p.promised(1, ...Array<number>(65).fill(0))]),
    /More than 65/,
  ],
  "a property of an object": [(p) => p.call(9, 1, "echo", [p.promised(1, "calls")]), /without that/],
  "a method by its path": [(p) => p.call(9, p.promised(1, "remote_echo"), "", []), /without that/],
  "a method that there is none of": [(p) => p.call(9, p.promised(1), "secret", []), /no method/],
  "an inherited method": [(p) => p.call(9, p.promised(1), "constructor", []), /no method/],
  "what was seen": [(p) => {
    p.seen(1);
    p.call(9, p.promised(1), "echo", []);
  }, /call 1: it is not kept/],
  "a failed call": [(p) => {
    p.call(8, 1, "fail", []);
    p.call(9, p.promised(8), "echo", []);
  }, /broken[^]*broken/],
  "a failed call beside one that hangs": [(p) => {
    p.call(7, 1, "hang", []);
    p.call(8, 1, "fail", []);
    p.call(9, p.promised(7), "echo", [p.promised(8)]);
  }, /broken[^]*broken/],
  "a refused call": [(p) => {
    p.call(8, 55, "x", []);
    p.call(9, 1, "echo", [p.promised(8)]);
  }, /Unknown CLID 55[^]*Unknown CLID 55/],
};

for (const [name, [write, answer]] of Object.entries(REFUSED)) {
  Deno.test(`a call that names ${name} is refused, and the connection goes on`, async () => {
    await using peer = await Attacker.make();
    write(peer);
    assert.match(await peer.answers(), answer);
    const before = peer.echo.calls;
    peer.call(20, 1, "echo", [() => peer.encoder.integer(5)]);
    await peer.answers();
    assert.equal(peer.echo.calls, before + 1);
    assert.equal(peer.broker.ended, undefined);
  });
}

const ENDED: Record<string, [write: (peer: Attacker) => void, reason: RegExp]> = {
  "a list in the place of an object": [
    (p) => p.call(9, () => p.encoder.close(p.encoder.open("list")), "echo", []),
    /Object ID must be/,
  ],
  "text for a number": [(p) =>
    p.call(9, 1, "echo", [() => {
      const number = p.encoder.open("promised");
      p.encoder.word("x");
      p.encoder.close(number);
    }]), /Request ID must be an INT/],
  "nothing": [
    (p) => p.call(9, 1, "echo", [() => p.encoder.close(p.encoder.open("promised"))]),
    /without a number/,
  ],
  "a container in its path": [(p) =>
    p.call(9, 1, "echo", [() => {
      const number = p.encoder.open("promised");
      p.encoder.integer(1);
      p.encoder.close(p.encoder.open("list"));
      p.encoder.close(number);
    }]), /INTs and STRINGs/],
  "seen without a number": [(p) => {
    const number = p.encoder.open("seen");
    p.encoder.word("x");
    p.encoder.close(number);
  }, /takes one INT/],
};

for (const [name, [write, reason]] of Object.entries(ENDED)) {
  Deno.test(`${name} ends the connection`, async () => {
    await using peer = await Attacker.make();
    write(peer);
    await peer.answers();
    assert.ok(peer.broker.ended instanceof ProtocolError);
    assert.match(peer.broker.ended.message, reason);
    assert.deepEqual(peer.broker.tables(), EMPTY);
  });
}

Deno.test("without the feature, a promised result is an unknown type, and an object's number a number", async () => {
  await using peer = await Attacker.make({ features: new Map() });
  peer.call(9, 1, "echo", [peer.promised(1)]);
  peer.seen(5);
  assert.match(await peer.answers(), /Unknown OPEN type "promised"/);
  assert.equal(peer.broker.ended, undefined);
  peer.call(10, peer.promised(1), "echo", []);
  await peer.answers();
  assert.match(peer.broker.ended!.message, /Object ID must be an INT\/NEG/);
});

Deno.test("a promised result in an answer or a failure is refused", async () => {
  await using peer = await Attacker.make();
  const given = peer.broker.outgoing.callPeer("x", {});
  const answer = peer.encoder.open("answer");
  peer.encoder.integer(1);
  peer.promised(1)();
  peer.encoder.close(answer);
  await peer.flush();
  await assert.rejects(given, /outside of a call/);
  assert.equal(peer.broker.ended, undefined);
});

Deno.test("calls that wait count as pending, and one more ends the connection", async () => {
  await using peer = await Attacker.make({ limits: { maxPendingCalls: 50 } });
  peer.call(2, 1, "hang", []);
  for (let i = 3; i < 60; i++) peer.call(i, peer.promised(i - 1), "echo", []);
  await peer.answers();
  assert.match(peer.broker.ended!.message, /50 calls waiting/);
  assert.deepEqual(peer.broker.tables(), EMPTY);
});

Deno.test("calls that wait take no more memory than the limit, and those beyond it are refused alone", async () => {
  await using peer = await Attacker.make({ limits: { maxQueuedBytes: 20_000 } });
  peer.call(2, 1, "hang", []);
  for (let i = 3; i < 10; i++) {
    peer.call(i, 1, "echo", [() => peer.encoder.bytes(new Uint8Array(5_000)), peer.promised(2)]);
  }
  assert.match(await peer.answers(), /calls of 20000 bytes wait for others already/);
  assert.equal(peer.broker.ended, undefined);
  assert.ok(peer.broker.tables().activeCalls < 6);
  peer.echo.release(1);
  await turns(10);
  assert.equal(peer.broker.tables().activeCalls, 0);
});

Deno.test("a large result that is named by many calls is not there more often than the limit on memory allows", async () => {
  const text = "x".repeat(100_000);
  await using peer = await Attacker.make({ limits: { maxMessageBytes: 300_000 } });
  let most = 0, running = 0;
  peer.echo.remote_echo = () => 0;
  Object.defineProperty(Object.getPrototypeOf(peer.echo), "remote_keep", {
    value: async () => {
      most = Math.max(most, ++running);
      await turns(1);
      running--;
    },
    configurable: true,
  });
  peer.call(2, 1, "hang", []);
  for (let i = 3; i < 60; i++) peer.call(i, 1, "keep", [peer.promised(2)]);
  await peer.answers();
  peer.echo.release([text]);
  await until(() => peer.broker.tables().activeCalls === 0, "all are done");
  assert.ok(most > 1 && most <= 8, `${most}`);
});

Deno.test("a flood of 20,000 calls on one result that fails takes no more than linear time", async () => {
  await using peer = await Attacker.make();
  peer.call(2, 1, "hang", []);
  for (let i = 3; i < 20_003; i++) peer.call(i, peer.promised(2), "echo", [peer.promised(2)]);
  peer.forgetReceived();
  await peer.flush();
  await until(() => peer.broker.tables().activeCalls === 20_001, "they wait");
  peer.echo.release(Promise.reject(new RangeError("no")));
  await until(() => peer.broker.tables().activeCalls === 0, "they fail");
  peer.seen(0x7fffffff);
  await peer.flush();
  await until(() => peer.broker.tables().keptAnswers === 0, "they are seen");
});

Deno.test("answers are kept no longer than the limits say if the peer never says that it has seen them", async () => {
  const clock = new FakeClock();
  await using peer = await Attacker.make({ clock, limits: { maxKeptAnswerBytes: 10_000 } });
  for (let i = 2; i < 50; i++) peer.call(i, 1, "echo", [() => peer.encoder.bytes(new Uint8Array(3_000))]);
  await peer.answers();
  assert.ok(peer.broker.tables().keptAnswers <= 4);
  peer.seen(48);
  await peer.answers();
  assert.ok(peer.broker.tables().keptAnswers <= 1, "the answers that made way count");
});

Deno.test("answers that waiting calls name are kept no longer than the limits say, however many calls wait", async () => {
  await using peer = await Attacker.make({ limits: { maxKeptAnswerBytes: 10_000 } });
  // Another object: else the calls that wait would hold up those that are answered.
  const other = new Echo();
  peer.host.names.set("other", other);
  peer.call(3, 0, "getReferenceByName", [() => peer.encoder.word("other")]);
  await peer.answers();
  peer.call(2, 1, "hang", []);
  for (let i = 0; i < 40; i++) {
    peer.call(100 + i, 1, "echo", [() => peer.encoder.bytes(new Uint8Array(3_000))]);
    peer.call(200 + i, 2, "echo", [peer.promised(100 + i), peer.promised(2)]);
    await peer.answers();
  }
  assert.equal(peer.broker.tables().activeCalls, 41);
  peer.echo.release(0);
  await until(() => peer.broker.tables().activeCalls === 0, "all are done");
  assert.ok(other.calls > 0 && other.calls <= 8, `${other.calls} results were there`);
  await turns(2);
  const text = new TextDecoder("latin1").decode(Uint8Array.fromHex(peer.take()));
  assert.ok(text.includes("Cannot use the result that is named: it is not kept any more"));
  assert.equal(peer.broker.ended, undefined);
});

Deno.test("an answer that was seen while calls wait with it is there for them", async () => {
  await using peer = await Attacker.make({ limits: { maxKeptAnswerBytes: 10_000 } });
  peer.call(2, 1, "hang", []);
  peer.call(3, 1, "echo", [() => peer.encoder.bytes(new Uint8Array(3_000))]);
  peer.call(4, 1, "echo", [peer.promised(3), peer.promised(2)]);
  peer.call(5, 1, "echo", [peer.promised(3), peer.promised(2)]);
  await peer.answers();
  peer.seen(2);
  await peer.answers();
  const before = peer.echo.calls;
  peer.echo.release(0);
  await until(() => peer.broker.tables().activeCalls === 0, "all are done");
  assert.equal(peer.echo.calls - before, 2);
});

Deno.test("one call does not take more copies of a result than a message may take memory", async () => {
  await using peer = await Attacker.make({ limits: { maxMessageBytes: 300_000 } });
  let value: unknown = "x".repeat(100_000);
  for (let i = 0; i < 60; i++) value = [value];
  peer.call(2, 1, "hang", []);
  await peer.answers();
  const paths = Array.from({ length: 61 }, (_, i) => Array<number>(i).fill(0));
  peer.call(3, 1, "echo", paths.map((path) => peer.promised(2, ...path)));
  await peer.answers();
  const before = peer.echo.calls;
  peer.echo.release(value);
  const answer = await peer.answers();
  assert.ok(answer.includes("Cannot copy the results that are named: they take more than 300000 bytes"));
  assert.equal(peer.echo.calls, before);
  assert.equal(peer.broker.ended, undefined);
});
