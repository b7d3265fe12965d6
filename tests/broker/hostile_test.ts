import assert from "node:assert/strict";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { INT, STRING } from "../../lib/wire/tokens.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY, Pair, RawPeer, type TestOptions, turns, until } from "./support.ts";

const MiB = 1024 * 1024;

class Echo extends Referenceable {
  calls = 0;
  remote_echo(value: unknown) {
    this.calls++;
    return value;
  }
  remote_size(value: Uint8Array) {
    this.calls++;
    return value.length;
  }
  remote_hang() {
    this.calls++;
    return new Promise(() => {});
  }
}

/** A peer that writes what it likes to a broker that serves an Echo as object 1. */
class Attacker extends RawPeer {
  readonly echo = new Echo();
  readonly encoder = new TokenEncoder(vocabularyWords(1));
  #requests = 0;

  static async make(options: TestOptions = {}, reads = true): Promise<Attacker> {
    const attacker = new Attacker(options, reads);
    attacker.host.names.set("root", attacker.echo);
    attacker.call(0, "getReferenceByName", 1, () => attacker.encoder.word("root"));
    await attacker.flush();
    await until(() => attacker.broker.tables().exported === 1, "object 1");
    await turns(2);
    attacker.take();
    return attacker;
  }

  /** Begins a call; returns what ends it. */
  begin(clid: number, method: string, count: number): () => void {
    const { encoder } = this;
    const call = encoder.open("call");
    encoder.integer(++this.#requests);
    encoder.integer(clid);
    encoder.word(method);
    const args = encoder.open("arguments");
    encoder.integer(count);
    return () => {
      encoder.close(args);
      encoder.close(call);
    };
  }

  call(clid: number, method: string, count: number, write: () => void): void {
    const end = this.begin(clid, method, count);
    write();
    end();
  }

  /** Sends what was encoded, unless the broker has ended the connection. */
  async flush(): Promise<void> {
    for (const part of this.encoder.take()) {
      if (this.broker.ended !== undefined) return;
      await this.send(part);
    }
  }

  /** That the connection goes on: a call is answered. */
  async checkAlive(): Promise<void> {
    this.take();
    const before = this.echo.calls;
    this.call(1, "size", 1, () => this.encoder.bytes(new Uint8Array(3)));
    await this.flush();
    await until(() => this.echo.calls > before || this.broker.ended !== undefined, "a call is answered");
    assert.equal(this.broker.ended, undefined);
  }

  /** That the connection has ended, for this reason, and nothing is left of it. */
  async checkEnded(reason: RegExp): Promise<void> {
    await until(() => this.broker.ended !== undefined, "the connection ends");
    assert.match(this.broker.ended!.message, reason);
    assert.ok(this.broker.ended instanceof ProtocolError);
    assert.deepEqual(this.broker.tables(), EMPTY);
  }
}

Deno.test("a string that is too long costs its call, and is not kept", async () => {
  await using peer = await Attacker.make();
  const end = peer.begin(1, "size", 1);
  peer.encoder.bare(STRING, 100 * MiB);
  await peer.flush();
  const piece = new Uint8Array(4 * MiB);
  for (let i = 0; i < 25; i++) await peer.send(piece);
  end();
  await peer.flush();
  await turns(4);
  assert.match(new TextDecoder().decode(Uint8Array.fromHex(peer.take())), /STRING token too large/);
  await peer.checkAlive();
});

Deno.test("a string of 10 GB costs the connection after 256 MiB of it, and no memory", async () => {
  await using peer = await Attacker.make();
  const before = Deno.memoryUsage();
  peer.begin(1, "size", 1);
  peer.encoder.bare(STRING, 10_000_000_000);
  await peer.flush();
  const piece = new Uint8Array(4 * MiB);
  let sent = 0;
  while (peer.broker.ended === undefined && sent < 400) {
    await peer.send(piece);
    sent += 4;
    await turns(1);
  }
  assert.ok(sent >= 256 && sent < 300, `${sent} MiB`);
  await peer.checkEnded(/refused values/);
  const grown = Deno.memoryUsage().external - before.external;
  assert.ok(grown < 64 * MiB, `${grown}`);
});

Deno.test("100,000 nested lists cost their call", async () => {
  await using peer = await Attacker.make();
  peer.call(1, "echo", 1, () => {
    const numbers = Array.from({ length: 100_000 }, () => peer.encoder.open("list"));
    for (const number of numbers.reverse()) peer.encoder.close(number);
  });
  await peer.flush();
  await turns(6);
  assert.match(new TextDecoder().decode(Uint8Array.fromHex(peer.take())), /nested deeper than 1000/);
  await peer.checkAlive();
});

Deno.test("a million open references cost the connection at the 200,001st", async () => {
  await using peer = await Attacker.make();
  let sent = 0;
  while (peer.broker.ended === undefined && sent < 1_000_000) {
    const end = peer.begin(1, "size", 10_000);
    for (let i = 0; i < 10_000; i++) {
      const number = peer.encoder.open("my-reference");
      peer.encoder.integer(++sent);
      peer.encoder.close(number);
    }
    end();
    await peer.flush();
    await turns(1);
  }
  assert.ok(sent <= 220_000, `${sent}`);
  await peer.checkEnded(/more than 200000 references/);
});

Deno.test("an integer that is too long costs its call", async () => {
  await using peer = await Attacker.make();
  peer.call(1, "echo", 1, () => peer.encoder.sized(0x85, new Uint8Array(70_000).fill(255)));
  await peer.flush();
  await turns(4);
  assert.match(new TextDecoder().decode(Uint8Array.fromHex(peer.take())), /LONGINT token too large/);
  await peer.checkAlive();
});

Deno.test("a message that is too large costs its call", async () => {
  await using peer = await Attacker.make({ limits: { maxMessageBytes: 100_000 } });
  peer.call(1, "echo", 200, () => {
    for (let i = 0; i < 200; i++) peer.encoder.bytes(new Uint8Array(1_000));
  });
  await peer.flush();
  await turns(4);
  assert.match(new TextDecoder().decode(Uint8Array.fromHex(peer.take())), /more than 100000 bytes/);
  await peer.checkAlive();
});

Deno.test("a count of arguments that never come costs nothing until they do", async () => {
  await using peer = await Attacker.make();
  peer.begin(1, "echo", 0);
  peer.encoder.bare(INT, 2 ** 52);
  await peer.flush();
  await turns(4);
  assert.equal(peer.broker.tables().activeCalls, 0);
});

Deno.test("a message that is begun and not gone on with ends the connection after its time", async () => {
  const clock = new FakeClock();
  await using peer = await Attacker.make({ clock });
  peer.begin(1, "echo", 3);
  await peer.flush();
  await turns(2);
  clock.advance(599_000);
  peer.encoder.integer(5);
  await peer.flush();
  await turns(2);
  clock.advance(599_000);
  assert.equal(peer.broker.ended, undefined, "its last byte came later");
  clock.advance(2_000);
  await peer.checkEnded(/not gone on with for 600000 ms/);
});

Deno.test("a connection that is idle between messages stays", async () => {
  const clock = new FakeClock();
  await using peer = await Attacker.make({ clock });
  await peer.checkAlive();
  clock.advance(100 * 3_600_000);
  await peer.checkAlive();
  assert.ok(clock.pending <= 2);
});

Deno.test("a peer that never reads its answers gets no more of them, and loses the connection", async () => {
  const clock = new FakeClock();
  await using peer = await Attacker.make({ clock });
  peer.end.connection.hold(); // nothing of the broker's arrives
  let sent = 0;
  const body = new Uint8Array(MiB);
  const send = (async () => {
    while (peer.broker.ended === undefined && sent < 500) {
      peer.call(1, "echo", 1, () => peer.encoder.bytes(body));
      await peer.flush();
      sent++;
    }
  })();
  await until(() => peer.echo.calls > 0, "it begins");
  await turns(200);
  assert.ok(peer.echo.calls <= 4, `${peer.echo.calls} calls were begun for it`);
  assert.ok(sent < 100, `${sent} MiB were read from it`);
  clock.advance(60_000);
  await peer.checkEnded(/has not read for 60000 ms/);
  await send;
  peer.end.connection.release();
});

Deno.test("a peer that leaves refusals unread loses the connection at 64 MiB", async () => {
  await using peer = await Attacker.make({ limits: { maxQueuedBytes: 2 * MiB } });
  peer.end.connection.hold();
  for (let i = 0; i < 20_000 && peer.broker.ended === undefined; i++) {
    peer.call(99, "echo", 0, () => {});
    if (i % 100 === 0) await peer.flush();
  }
  await peer.checkEnded(/left \d+ bytes unread/);
  peer.end.connection.release();
});

Deno.test("a peer that sends PINGs and reads no PONG costs no more than 1 MiB", async () => {
  await using peer = await Attacker.make();
  peer.end.connection.hold();
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 25_000; j++) peer.encoder.bare(0x8e, i * 25_000 + j + 1);
    await peer.flush();
    await turns(1);
  }
  assert.equal(peer.broker.ended, undefined);
  peer.end.connection.release();
  await turns(10);
  assert.ok(peer.receivedBytes <= 1.3 * MiB, `${peer.receivedBytes}`);
  await peer.checkAlive();
});

Deno.test("more calls at once than may be pending end the connection", async () => {
  await using peer = await Attacker.make();
  for (let i = 0; i < 50_002 && peer.broker.ended === undefined; i++) {
    peer.call(1, "hang", 0, () => {});
    if (i % 1_000 === 0) await peer.flush();
  }
  await peer.flush();
  await peer.checkEnded(/50000 calls waiting/);
});

Deno.test("calls whose numbers are chosen to collide are begun like others", async () => {
  await using peer = await Attacker.make();
  for (let i = 1; i < 20_000; i++) {
    const { encoder } = peer;
    const call = encoder.open("call");
    encoder.integer((i * 65_536) % 0x7fffffff);
    encoder.integer(1);
    encoder.word("hang");
    const args = encoder.open("arguments");
    encoder.integer(0);
    encoder.close(args);
    encoder.close(call);
  }
  await peer.flush();
  await until(() => peer.echo.calls === 19_999, "all are begun");
  await peer.checkAlive();
});

Deno.test("calls behind a gift that never comes are kept up to a limit, and then not read", async () => {
  await using peer = await Attacker.make({ limits: { maxQueuedBytes: 4 * MiB } });
  peer.host.acquire = () => new Promise(() => {});
  peer.call(1, "echo", 1, () => {
    const gift = peer.encoder.open("their-reference");
    peer.encoder.integer(7);
    peer.encoder.word("pb://a@b/c");
    peer.encoder.close(gift);
  });
  let sent = 0;
  const body = new Uint8Array(MiB);
  void (async () => {
    while (sent < 100 && peer.broker.ended === undefined) {
      peer.call(1, "size", 1, () => peer.encoder.bytes(body));
      await peer.flush();
      sent++;
    }
  })();
  await turns(300);
  assert.ok(sent < 20, `${sent} MiB were read`);
  assert.equal(peer.echo.calls, 0);
  assert.equal(peer.broker.ended, undefined);
});

Deno.test("calls that take long hold no more memory than two messages may", async () => {
  await using peer = await Attacker.make({ limits: { maxMessageBytes: 2 * MiB, maxQueuedBytes: 2 * MiB } });
  const body = new Uint8Array(MiB);
  let sent = 0;
  void (async () => {
    while (sent < 100 && peer.broker.ended === undefined) {
      peer.call(1, "hang", 1, () => peer.encoder.bytes(body));
      await peer.flush();
      sent++;
    }
  })();
  await turns(300);
  assert.ok(peer.echo.calls <= 5, `${peer.echo.calls} were begun`);
  assert.ok(sent < 20, `${sent} MiB were read`);
});

for (
  const [name, count, limits] of [["64 x 1 MiB", 64, {}], ["small limits", 40, {
    pauseReadingBytes: 64 * 1024,
  }]] as const
) {
  Deno.test(`two brokers that echo a lot to each other do not wait for each other: ${name}`, async () => {
    await using pair = new Pair({ limits, pair: { pieceBytes: 16 * 1024 } });
    const left = await pair.refTo(new Echo()) as unknown as RemoteReference;
    pair.left.host.names.set("left", new Echo());
    const right = await pair.right.broker.getReferenceByName("left") as RemoteReference;
    const body = new Uint8Array(MiB);
    const calls = Array.from(
      { length: count },
      () => [left.callRemote("echo", body), right.callRemote("echo", body)],
    ).flat();
    const results = await Promise.all(calls) as Uint8Array[];
    assert.ok(results.every(({ length }) => length === MiB));
  });
}

Deno.test("a program that sends 200 MiB at one go to a peer that reads does not lose the connection", async () => {
  await using pair = new Pair();
  const echo = new Echo();
  const ref = await pair.refTo(echo) as unknown as RemoteReference;
  const body = new Uint8Array(2 * MiB);
  for (let i = 0; i < 99; i++) ref.callRemoteOnly("size", body);
  assert.equal(await ref.callRemote("size", body), 2 * MiB);
  assert.equal(echo.calls, 100);
});

Deno.test("a program that goes on calling a peer that is too slow loses the connection above 64 MiB", async () => {
  const clock = new FakeClock();
  await using pair = new Pair({ clock });
  const ref = await pair.refTo(new Echo()) as unknown as RemoteReference;
  pair.left.connection.hold();
  const body = new Uint8Array(4 * MiB);
  for (let i = 0; i < 17; i++) ref.callRemoteOnly("size", body);
  await turns(4);
  assert.ok(ref.isConnected());
  clock.advance(1_000);
  ref.callRemoteOnly("size", body);
  assert.match(String(pair.left.broker.ended), /bytes unread/);
  pair.left.connection.release();
});
