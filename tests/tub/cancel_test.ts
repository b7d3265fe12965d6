import assert from "node:assert/strict";
import { type CallContext, currentCall, Referenceable, type RemoteReference, type Tub } from "../../mod.ts";
import { EMPTY_TABLES, startTub, until } from "./tubs.ts";
import { collectGarbage } from "../support/gc.ts";

/** Serves itself, or asks the next one to. */
class Hop extends Referenceable {
  readonly contexts: CallContext[] = [];
  readonly remaining: number[] = [];
  aborted = 0;
  next: RemoteReference<Hop> | undefined;

  async remote_wait(): Promise<string> {
    const context = currentCall()!;
    this.contexts.push(context);
    if (context.remainingMs !== undefined) this.remaining.push(context.remainingMs);
    context.signal.addEventListener("abort", () => this.aborted++, { once: true });
    if (this.next !== undefined) {
      // Work of its own, which takes some of the time.
      await new Promise((resolve) => setTimeout(resolve, 5));
      return await this.next.callRemote("wait");
    }
    return await new Promise((_, reject) => {
      context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
    });
  }
  remote_add(a: number, b: number): number {
    return a + b;
  }
}

/** A calls B, which calls C. */
async function withThree(run: (ref: RemoteReference<Hop>, b: Hop, c: Hop, tubs: Tub[]) => Promise<void>) {
  await using atB = await startTub();
  await using atC = await startTub();
  await using atA = await startTub();
  const b = new Hop(), c = new Hop();
  b.next = await atB.getReference<Hop>(atC.registerReference(c));
  await run(await atA.getReference<Hop>(atB.registerReference(b)), b, c, [atA, atB, atC]);
}

/** Without the answers that are kept until their caller says that it has seen them, a second later. */
const tablesOf = (tub: Tub) => ({ ...tub.debug.tables(), keptAnswers: 0 });
const isIdle = (tub: Tub) => {
  const { pendingCalls, activeCalls } = tub.debug.tables();
  return pendingCalls === 0 && activeCalls === 0;
};

Deno.test("cancelling at the first of three Tubs cancels at the last, and empties every table", () =>
  withThree(async (ref, b, c, tubs) => {
    const controller = new AbortController();
    const call = ref.with({ signal: controller.signal }).callRemote("wait");
    await until(() => c.contexts.length === 1, "it has come to the last");
    controller.abort();
    await assert.rejects(call, { name: "AbortError" });
    await until(() => c.aborted === 1 && b.aborted === 1, "both know");
    await until(() => tubs.every(isIdle), "the tables are empty");
  }));

Deno.test("the third Tub has less time left than the second", () =>
  withThree(async (ref, b, c, tubs) => {
    const controller = new AbortController();
    const limited = ref.with({ timeoutMs: 60_000, signal: controller.signal });
    const call = limited.callRemote("wait");
    await until(() => c.remaining.length === 1, "it has come to the last");
    assert.ok(b.remaining[0]! <= 60_000);
    assert.ok(c.remaining[0]! < b.remaining[0]!, `${c.remaining[0]} and ${b.remaining[0]}`);
    controller.abort();
    await assert.rejects(call, { name: "AbortError" });
    await until(() => tubs.every(isIdle), "the tables are empty");
  }));

Deno.test("a Tub's connection with itself cancels as others do", async () => {
  await using tub = await startTub();
  const hop = new Hop();
  const ref = await tub.getReference<Hop>(tub.registerReference(hop));
  const controller = new AbortController();
  const call = ref.with({ signal: controller.signal }).callRemote("wait");
  await until(() => hop.contexts.length === 1, "it is being served");
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  await until(() => isIdle(tub), "the tables are empty");
  assert.equal(hop.contexts[0]!.signal.reason.name, "AbortError");
});

Deno.test("10,000 calls given up over TLS leave every table empty, and no memory behind", async () => {
  await using server = await startTub();
  await using client = await startTub();
  const hop = new Hop();
  const ref = await client.getReference<Hop>(server.registerReference(hop));
  const before = { client: tablesOf(client), server: tablesOf(server) };
  const storm = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 1_000; i++) {
        const controller = new AbortController();
        const limited = ref.with({ signal: controller.signal, timeoutMs: 60_000 });
        calls.push(limited.callRemote("wait").catch(() => {}));
        if (i % 3 === 0) controller.abort();
        else if (i % 3 === 1) queueMicrotask(() => controller.abort());
        else setTimeout(() => controller.abort(), i % 7);
      }
      await Promise.all(calls);
      await until(() => isIdle(server) && isIdle(client), "the storm is over");
      hop.contexts.length = hop.remaining.length = 0;
    }
    collectGarbage();
    return Deno.memoryUsage().heapUsed;
  };
  const warm = await storm(2);
  const after = await storm(8);
  assert.deepEqual({ client: tablesOf(client), server: tablesOf(server) }, before);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  // 8,000 calls that left 500 bytes each would be 4 MB.
  assert.ok(after - warm < 3_000_000, `${after - warm} bytes more`);
  await client.stop();
  assert.deepEqual(client.debug.tables(), { ...EMPTY_TABLES, names: client.debug.tables().names });
});
