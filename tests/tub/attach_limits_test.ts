import assert from "node:assert/strict";
import { NegotiationError, type TraceEvent, Tub } from "../../mod.ts";
import { portPair, streamPair } from "../support/stream_pairs.ts";
import { attachBoth, quietTub } from "./attaching.ts";
import { Attacker } from "./attacker.ts";
import { EMPTY_TABLES, startTub } from "./tubs.ts";

Deno.test("strangers that flood a listener do not push out what is being attached", async () => {
  await using tub = await startTub({ limits: { maxUnnegotiated: 2 } });
  await using other = await quietTub();
  const [one, two] = streamPair();
  const attached = tub.attach(one);
  attached.catch(() => {});
  const strangers: Attacker[] = [];
  for (let i = 0; i < 4; i++) strangers.push(await Attacker.dial(tub));
  await Promise.all([strangers[0]!.end(), strangers[1]!.end()]);
  await other.attach(two, { target: tub.tubId });
  assert.equal((await attached).tubId, other.tubId);
  // Of attached streams whose other end says nothing the oldest makes way too.
  const silentOnes = Array.from({ length: 3 }, () => tub.attach(streamPair()[0]));
  for (const each of silentOnes) each.catch(() => {});
  await assert.rejects(silentOnes[0]!, /the attempt was given up/);
  for (const stranger of strangers) stranger[Symbol.dispose]();
  await Promise.all([
    tub.stop(),
    ...silentOnes.slice(1).map((each) => assert.rejects(each, NegotiationError)),
  ]);
});

Deno.test("200 connections that are attached and closed leave nothing", async () => {
  await using near = await quietTub();
  await using far = await quietTub();
  for (let i = 0; i < 200; i++) {
    const tls = i % 4 === 0;
    const [peer, back] = await attachBoth(
      [near, tls ? { target: far.tubId } : { tls }],
      [far, tls ? {} : { tls }],
      i % 2 === 0 ? streamPair() : portPair(),
    );
    await (i % 3 === 0 ? back : peer).close();
    await Promise.all([peer.closed, back.closed]);
  }
  assert.deepEqual(near.debug.tables(), EMPTY_TABLES);
  assert.deepEqual(far.debug.tables(), EMPTY_TABLES);
});

Deno.test("close of attached streams that throws is told to the trace", async () => {
  const events: TraceEvent[] = [];
  await using near = await Tub.create({ trace: (event) => void events.push(event) });
  await using far = await quietTub();
  const [one, two] = streamPair();
  const close = () => {
    throw new RangeError("the program's own");
  };
  const [peer] = await attachBoth([near, { tls: false }], [far, { tls: false }], [{ ...one, close }, two]);
  await peer.close();
  const failures = events.flatMap((event) => event.type === "callback-failed" ? [event] : []);
  assert.deepEqual(failures.map(({ where, error }) => [where, error.message]), [
    ["close of attached streams", "the program's own"],
  ]);
});
