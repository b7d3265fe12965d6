/** Attackers who dial, and begin with TLS. */
import assert from "node:assert/strict";
import { FakeClock } from "../support/fake_clock.ts";
import { makeIdentity } from "../support/identity.ts";
import { Attacker } from "./attacker.ts";
import { lastFailure, type Scene, survive } from "./survival.ts";
import { until } from "./tubs.ts";

/** A stranger who has begun with TLS. */
async function secure({ tub }: Scene): Promise<Attacker> {
  const attacker = await Attacker.dial(tub);
  await attacker.startTls(await makeIdentity());
  await attacker.until("foolscap-tls: 1\r\n\r\n");
  return attacker;
}

const NONCE = "a".repeat(52);
const REQUESTS: [what: string, block: (scene: Scene) => string, reason: RegExp][] = [
  [
    "a hello",
    ({ tub }) => `banana-negotiation-range: 3 3\r\nmy-tub-id: ${tub.tubId}\r\n\r\n`,
    /proof of version 1/,
  ],
  ["a GET", ({ tub }) => `GET /id/${tub.tubId} HTTP/1.1\r\n\r\n`, /has no colon/],
  ["a block of 100,000 bytes", () => "x".repeat(100_000), /longer than 4096/],
  ["bytes that are no text", () => "\xff\xfe\r\n\r\n", /not UTF-8/],
  [
    "a nonce of 31 bytes",
    ({ tub }) => `foolscap-tls: 1\r\ntub-id: ${tub.tubId}\r\nnonce: ${NONCE.slice(2)}\r\n\r\n`,
    /nonce is not 32 bytes/,
  ],
  [
    "the name of another Tub",
    () => `foolscap-tls: 1\r\ntub-id: ${"b".repeat(32)}\r\nnonce: ${NONCE}\r\n\r\n`,
    /unknown TubID/,
  ],
  [
    "the name __proto__",
    () => `foolscap-tls: 1\r\ntub-id: __proto__\r\nnonce: ${NONCE}\r\n\r\n`,
    /no TubID: "__proto__"/,
  ],
];
for (const [what, block, reason] of REQUESTS) {
  Deno.test(`a Tub refuses ${what} from a stranger who has begun with TLS, and serves on`, () =>
    survive(async (scene) => {
      using attacker = await secure(scene);
      attacker.send(block(scene));
      assert.ok(!(await attacker.end()).includes("signature"));
      await until(() => lastFailure(scene.events) !== "");
      assert.match(lastFailure(scene.events), reason);
    }));
}

for (
  const [what, connect, reason] of [
    [
      "TLS 1.2",
      async (attacker: Attacker) => attacker.startTls(await makeIdentity(), "TLSv1.2"),
      /does not speak TLS 1\.3/,
    ],
    ["no certificate", (attacker: Attacker) => attacker.startTls(undefined), /showed no certificate/],
  ] as const
) {
  Deno.test(`a Tub refuses a stranger with ${what} who begins with TLS, and signs nothing`, () =>
    survive(async ({ tub, events }) => {
      using attacker = await Attacker.dial(tub);
      await connect(attacker).catch(() => {});
      attacker.send(`foolscap-tls: 1\r\ntub-id: ${tub.tubId}\r\nnonce: ${NONCE}\r\n\r\n`);
      assert.ok(!(await attacker.end()).includes("signature"));
      await until(() => lastFailure(events) !== "");
      assert.match(lastFailure(events), reason);
    }));
}

Deno.test("a Tub gives up a stranger who begins with TLS and asks nothing, after the time for a negotiation", () => {
  const clock = new FakeClock();
  return survive(async (scene) => {
    using attacker = await secure(scene);
    assert.equal(scene.tub.debug.tables().negotiating, 1);
    clock.advance(120_000);
    await attacker.end();
    await until(() => lastFailure(scene.events) !== "");
    assert.match(lastFailure(scene.events), /phase proof: no agreement within 120000 ms/);
  }, { clock });
});

Deno.test("strangers who begin with TLS and ask nothing count as not negotiated: the oldest makes way", () =>
  survive(async (scene) => {
    using oldest = await secure(scene);
    using _second = await secure(scene);
    using _third = await secure(scene);
    await oldest.end();
    await until(() => lastFailure(scene.events) !== "");
    assert.match(lastFailure(scene.events), /given up/);
    assert.equal(scene.tub.debug.tables().negotiating, 2);
  }, { limits: { maxUnnegotiated: 2 } }));
