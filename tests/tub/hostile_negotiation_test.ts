import assert from "node:assert/strict";
import { FakeClock } from "../support/fake_clock.ts";
import { Attacker, decision } from "./attacker.ts";
import { gift, lastFailure, type Scene, survive } from "./survival.ts";
import { until } from "./tubs.ts";

const PLAINTEXT = [
  { name: "bytes that are no text", data: "\xff\x00\x80\r\n\r\n", answer: /^HTTP\/1\.1 500 / },
  { name: "a block of 100,000 bytes", data: "a".repeat(100_000), answer: /^HTTP\/1\.1 500 |^$/ },
  { name: "another method", data: "POST /id/x HTTP/1.1\r\n\r\n", answer: /^HTTP\/1\.1 500 / },
  {
    name: "another Tub",
    data: `GET /id/${"a".repeat(32)} HTTP/1.1\r\n\r\n`,
    answer: /unknown TubID a{32}\r\n/,
  },
  {
    name: "the Tub __proto__",
    data: "GET /id/__proto__ HTTP/1.1\r\n\r\n",
    answer: /unknown TubID __proto__\r\n/,
  },
  {
    name: "a line break in the TubID",
    data: "GET /id/a\rSet-Cookie:x HTTP/1.1\r\n\r\n",
    answer: /^HTTP[^\r\n]*\r\n\r\n$/,
  },
  { name: "a TLS hello that is none", data: "\x16\x03\x01\x00\x06\x01\r\n\r\n\0", answer: /^(?!HTTP)/ },
];
for (const { name, data, answer } of PLAINTEXT) {
  Deno.test(`a Tub refuses ${name} from a stranger, and serves on`, () =>
    survive(async ({ tub }) => {
      using attacker = await Attacker.dial(tub);
      attacker.send(data);
      assert.match(await attacker.end(), answer);
    }));
}

const HELLOS: { name: string; hello: (scene: Scene) => string; reason: RegExp }[] = [
  {
    name: "a key of 4,095 bytes",
    hello: () => `${"k".repeat(4_095)}: v\r\n\r\n`,
    reason: /longer than 4096/,
  },
  { name: "a block without end", hello: () => "x: y\r\n".repeat(2_000), reason: /longer than 4096/ },
  {
    name: "__proto__ keys",
    hello: () => "__proto__: x\r\nconstructor: y\r\n\r\n",
    reason: /No valid banana-neg/,
  },
  {
    name: "the TubID of the Tub itself",
    hello: ({ tub }) => `banana-negotiation-range: 3 3\r\nmy-tub-id: ${tub.tubId}\r\n\r\n`,
    reason: /TubID mismatch/,
  },
  {
    name: "the TubID of another Tub",
    hello: ({ master }) => `banana-negotiation-range: 3 3\r\nmy-tub-id: ${master.tubId}\r\n\r\n`,
    reason: /TubID mismatch/,
  },
  {
    name: "an error",
    hello: () => `error: ${"e".repeat(3_000)}\r\n\r\n`,
    reason: /The peer refused: "e{1,200}/,
  },
];
for (const { name, hello, reason } of HELLOS) {
  Deno.test(`a Tub refuses a hello with ${name}, and serves on`, () =>
    survive(async (scene) => {
      using attacker = await Attacker.secure(scene.tub, scene.slave);
      await attacker.until("\r\n\r\n");
      attacker.send(hello(scene));
      await attacker.end();
      await until(() => lastFailure(scene.events) !== "");
      assert.match(lastFailure(scene.events), reason);
      assert(lastFailure(scene.events).length < 600);
    }));
}

Deno.test("a Tub refuses TLS without a certificate, and serves on", () =>
  survive(async ({ tub, events }) => {
    using attacker = await Attacker.secure(tub, undefined);
    attacker.hello("a".repeat(32));
    await attacker.end();
    await until(() => lastFailure(events) !== "");
    assert.match(lastFailure(events), /in phase tls/);
  }));

/** How far a peer comes before it vanishes. */
const PHASES: { name: string; go: (scene: Scene) => Promise<Attacker> }[] = [
  { name: "at once", go: ({ tub }) => Attacker.dial(tub) },
  {
    name: "in its GET",
    go: async ({ tub }) => {
      const attacker = await Attacker.dial(tub);
      attacker.send("GET /id/");
      return attacker;
    },
  },
  {
    name: "behind its GET",
    go: async ({ tub }) => {
      const attacker = await Attacker.dial(tub);
      attacker.get();
      await attacker.until("\r\n\r\n");
      return attacker;
    },
  },
  {
    name: "in the TLS handshake",
    go: async ({ tub }) => {
      const attacker = await Attacker.dial(tub);
      attacker.get();
      await attacker.until("\r\n\r\n");
      attacker.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
      return attacker;
    },
  },
  { name: "behind the TLS handshake", go: ({ tub, slave }) => Attacker.secure(tub, slave) },
  {
    name: "in its hello",
    go: async ({ tub, slave }) => {
      const attacker = await Attacker.secure(tub, slave);
      attacker.send("banana-negotiation-range: 3 3\r\n");
      return attacker;
    },
  },
  {
    name: "as slave behind its hello",
    go: async ({ tub, slave }) => {
      const attacker = await Attacker.secure(tub, slave);
      attacker.hello(slave.tubId);
      return attacker;
    },
  },
  {
    name: "as master behind its hello",
    go: async ({ tub, master }) => {
      const attacker = await Attacker.secure(tub, master);
      attacker.hello(master.tubId);
      return attacker;
    },
  },
  {
    name: "as master in its decision",
    go: async ({ tub, master }) => {
      const attacker = await Attacker.secure(tub, master);
      attacker.hello(master.tubId);
      attacker.send(decision().slice(0, 30));
      return attacker;
    },
  },
  { name: "behind its decision", go: ({ tub, master }) => Attacker.join(tub, master) },
  { name: "behind the Tub's decision", go: ({ tub, slave }) => Attacker.join(tub, slave) },
  {
    name: "in a message",
    go: async ({ tub, slave }) => {
      const attacker = await Attacker.join(tub, slave);
      attacker.encoder.open("call");
      attacker.encoder.integer(1);
      attacker.flush();
      return attacker;
    },
  },
  {
    name: "with a call unanswered",
    go: async ({ tub, slave }) => {
      const attacker = await Attacker.join(tub, slave);
      await attacker.lookUp("target");
      attacker.call(1, "wait", 0);
      attacker.flush();
      await until(() => tub.debug.tables().activeCalls === 1);
      return attacker;
    },
  },
  {
    name: "with a reference of its own in the Tub's hands",
    go: async ({ tub, slave }) => {
      const attacker = await Attacker.join(tub, slave);
      await attacker.lookUp("target");
      attacker.call(1, "hold", 1, () => {
        const number = attacker.encoder.open("my-reference");
        attacker.encoder.integer(7);
        attacker.encoder.close(number);
      });
      attacker.flush();
      await until(() => tub.debug.tables().imported === 1);
      return attacker;
    },
  },
  {
    name: "while the Tub fetches a gift of its",
    go: async ({ tub, slave }) => {
      const attacker = await Attacker.join(tub, slave);
      gift(attacker, `pb://${"b".repeat(32)}@tcp:127.0.0.1:${tub.listeners[0]!.port}/x`, 5);
      attacker.flush();
      return attacker;
    },
  },
];
for (const { name, go } of PHASES) {
  Deno.test(`a Tub forgets a peer that vanishes ${name}, and serves on`, () =>
    survive(async (scene) => {
      const attacker = await go(scene);
      attacker.reset();
    }));
}

for (const { name, go } of PHASES.slice(0, 9)) {
  Deno.test(`a Tub gives a peer up that falls silent ${name}, after the time for a negotiation`, async () => {
    const clock = new FakeClock();
    await survive(async (scene) => {
      using attacker = await go(scene);
      await until(() => scene.tub.debug.tables().negotiating === 1);
      clock.advance(119_999);
      assert.equal(scene.tub.debug.tables().negotiating, 1);
      clock.advance(1);
      const over = attacker.end();
      await until(() => {
        // What closes waits for the peer, on the same clock.
        clock.advance(1_000);
        return scene.tub.debug.tables().negotiating === 0;
      });
      await over;
      assert.match(lastFailure(scene.events), /no agreement within 120000 ms/);
    }, { clock });
  });
}
