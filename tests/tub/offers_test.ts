import assert from "node:assert/strict";
import { type TraceEvent, Tub } from "../../mod.ts";
import { decided, DUPLICATE, judge, offer, OFFERS } from "../suites/offers_suite.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Attacker, identityBeside } from "./attacker.ts";
import { survive } from "./survival.ts";
import { startTub, Target, until } from "./tubs.ts";

for (const made of OFFERS) {
  const { rule, name, isAccepted } = made;
  Deno.test(`a master ${isAccepted ? "takes" : "refuses"} an offer with ${name}, by rule ${rule}`, () =>
    survive(async ({ tub, slave, events }) => {
      await judge(tub, slave, made);
      const reasons = events.flatMap((event) => event.type === "disconnected" ? [event.error.message] : []);
      // The first two connections were replaced, if not by this offer then by the one after it.
      const reason = `[${slave.tubId.slice(0, 4)}] replaced by a new connection`;
      assert.deepEqual(reasons.slice(0, 2), [reason, reason]);
      const refused = events.filter((event) => event.type === "negotiation-failed");
      assert.equal(refused.length, isAccepted ? 0 : 1);
    }));
}

Deno.test("a master lets an offer without memory replace a connection of 60 seconds, if told so", async () => {
  const clock = new FakeClock();
  await survive(async ({ tub, slave }) => {
    using existing = await Attacker.join(tub, slave);
    const [, own] = /current-connection: (\w+) 1\r\n/.exec(await existing.until("\r\n\r\n"))!;
    clock.advance(59_999);
    using early = await Attacker.secure(tub, slave);
    await early.until("\r\n\r\n");
    offer(early, slave, {}, own!);
    assert.equal(await early.end(), DUPLICATE);
    clock.advance(1);
    using late = await Attacker.secure(tub, slave);
    await late.until("\r\n\r\n");
    offer(late, slave, {}, own!);
    assert.equal(await late.until("\r\n\r\n"), decided(own!, 2));
    await existing.end();
    await late.lookUp("target");
  }, { clock, handleOldDuplicateConnections: true });
});

Deno.test("calls go on while offers for the same peer are refused", async () => {
  const events: TraceEvent[] = [];
  await using tub = await startTub({ trace: (event) => void events.push(event) });
  const target = new Target();
  const furl = tub.registerReference(target);
  const slave = await identityBeside(tub.tubId, "slave");
  await using client = await Tub.create({ certData: slave.certPem + slave.keyPem });
  const ref = await client.getReference<Target>(furl);
  const waiting = ref.callRemote("wait");
  await target.waiting.promise;
  for (let i = 0; i < 3; i++) {
    using attacker = await Attacker.secure(tub, slave);
    await attacker.until("\r\n\r\n");
    offer(attacker, slave, { last: "none 0" }, "");
    assert.equal(await attacker.end(), DUPLICATE);
  }
  target.gate.resolve("done");
  assert.equal(await waiting, "done");
  await until(() => tub.debug.tables().negotiating === 0);
  assert.equal(tub.debug.tables().connections, 1);
  assert.equal(events.filter(({ type }) => type === "disconnected").length, 0);
});
