/** Calls over several Tubs, and chains of calls, when one of the Tubs gives up or goes. */
import assert from "node:assert/strict";
import {
  type CallContext,
  currentCall,
  Referenceable,
  type RemotePromise,
  type RemoteReference,
  type Tub,
} from "../../mod.ts";
import { EMPTY_TABLES, startTub, until } from "./tubs.ts";
import { collectGarbage } from "../support/gc.ts";

/** Asks the next one, and the last one waits until it is given up. */
class Hop extends Referenceable {
  readonly reasons: string[] = [];
  readonly contexts: CallContext[] = [];
  readonly own = new AbortController();
  next: RemoteReference<Hop> | undefined;
  onAdd: () => void = () => {};

  async remote_wait(): Promise<unknown> {
    const context = currentCall()!;
    this.contexts.push(context);
    context.signal.addEventListener("abort", () => this.reasons.push(context.signal.reason.name), {
      once: true,
    });
    if (this.next === undefined) {
      return await new Promise((_, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
      });
    }
    await Promise.resolve();
    // A chain that the next one runs by itself.
    const self = this.next.with({ signal: this.own.signal }).callRemote("self");
    return await (self as unknown as RemotePromise<RemoteReference<Hop>>).remote.wait();
  }
  remote_self(): Hop {
    return this;
  }
  remote_add(a: number, b: number): number {
    this.onAdd();
    return a + b;
  }
}

interface Row {
  readonly tubs: Tub[];
  readonly hops: Hop[];
  readonly ref: RemoteReference<Hop>;
}

/** A calls B, which calls C, which calls D. */
async function withFour(run: (row: Row) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const tubs: Tub[] = [];
  for (let i = 0; i < 4; i++) tubs.push(stack.use(await startTub()));
  const hops = [new Hop(), new Hop(), new Hop()];
  for (const i of [1, 0]) {
    hops[i]!.next = await tubs[i + 1]!.getReference<Hop>(tubs[i + 2]!.registerReference(hops[i + 1]!));
  }
  const ref = await tubs[0]!.getReference<Hop>(tubs[1]!.registerReference(hops[0]!));
  await run({ tubs, hops, ref });
  await until(() =>
    tubs.every((tub) => {
      const { pendingCalls, activeCalls } = tub.debug.tables();
      return pendingCalls === 0 && activeCalls === 0;
    }), "nothing waits");
}

/** The call has come to the last. */
const atTheEnd = ({ hops }: Row) => until(() => hops[2]!.contexts.length === 1, "it has come to the last");

Deno.test("a call over four Tubs that ends in time over all of them has failed with TimeoutError everywhere", () =>
  withFour(async (row) => {
    const controller = new AbortController();
    const call = row.ref.with({ signal: controller.signal }).callRemote("wait");
    await atTheEnd(row);
    controller.abort(new DOMException("no time", "TimeoutError"));
    await assert.rejects(call, { name: "TimeoutError" });
    await until(() => row.hops.every(({ reasons }) => reasons.length === 1), "all know");
    assert.deepEqual(row.hops.map(({ reasons }) => reasons[0]), Array(3).fill("TimeoutError"));
  }));

Deno.test("when a Tub in the middle stops, its caller is told, and what it has called is given up", () =>
  withFour(async (row) => {
    const call = row.ref.with({ timeoutMs: 60_000 }).callRemote("wait");
    call.catch(() => {});
    await atTheEnd(row);
    await row.tubs[2]!.stop();
    await assert.rejects(call, (error: Error) => {
      assert.match(error.message, /Connection was lost .*during method=wait/);
      assert.doesNotMatch(error.message, /no time|\/tmp/);
      return true;
    });
    await until(() => row.hops[2]!.reasons.length === 1, "the last one knows");
    assert.deepEqual(row.hops[0]!.reasons, []);
    assert.equal(await row.ref.callRemote("add", 1, 2), 3);
  }));

Deno.test("when the first Tub stops, all that it has set going is given up", () =>
  withFour(async (row) => {
    const call = row.ref.with({ timeoutMs: 60_000 }).callRemote("wait");
    call.catch(() => {});
    await atTheEnd(row);
    await row.tubs[0]!.stop();
    await assert.rejects(call, { name: "DeadReferenceError" });
    await until(() => row.hops.every(({ reasons }) => reasons.length === 1), "all know");
    assert.equal(row.hops[2]!.reasons[0], "AbortError");
  }));

/** Ten calls, each of the result of the one before. */
function chain(ref: RemoteReference<Hop>): Promise<unknown> {
  let self = ref as unknown as RemotePromise<RemoteReference<Hop>>;
  for (let i = 0; i < 9; i++) self = self.remote.self() as unknown as typeof self;
  return self.remote.add(1, self.remote.add(1, 1) as unknown as number);
}

Deno.test("5,000 chains of ten calls whose server stops in between all end, and leave no memory behind", async () => {
  await using client = await startTub();
  const round = async (count: number, isCut: boolean) => {
    const server = await startTub();
    const hop = new Hop();
    const ref = await client.getReference<Hop>(server.registerReference(hop));
    let stopping: Promise<void> | undefined;
    let left = count;
    hop.onAdd = () => {
      if (isCut && --left === 0) stopping = server.stop();
    };
    const settled = Promise.allSettled(Array.from({ length: count }, () => chain(ref)));
    const results = await settled;
    await (stopping ?? server.stop());
    const failures = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    for (const { reason } of failures) assert.equal(reason.name, "DeadReferenceError");
    for (const result of results) if (result.status === "fulfilled") assert.equal(result.value, 3);
    if (!isCut) assert.equal(failures.length, 0);
    assert.deepEqual(server.debug.tables(), { ...EMPTY_TABLES, names: server.debug.tables().names });
    await until(() => client.debug.tables().connections === 0, "the client knows");
    const { names: _, ...tables } = client.debug.tables();
    const { names: __, ...empty } = EMPTY_TABLES;
    assert.deepEqual(tables, empty);
    collectGarbage();
    return [failures.length, Deno.memoryUsage().heapUsed] as const;
  };
  await round(500, false);
  const [, before] = await round(1_000, true);
  await round(1_000, true);
  const [cut] = await round(2_500, true);
  assert.ok(cut > 1_000, `${cut} were cut off`);
  const [, after] = await round(500, false);
  // 50,000 calls that left 100 bytes each would be 5 MB.
  assert.ok(after - before < 3_000_000, `${after - before} bytes more`);
});
