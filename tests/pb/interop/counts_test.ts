import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { fc } from "../../deps.ts";
import { interopTest, startPython } from "../../support/python.ts";
import { collectGarbage } from "../../support/gc.ts";

const THINGS = 4;
const thing = fc.nat(THINGS - 1);
const step = fc.oneof(
  fc.record({ do: fc.constant("get" as const), things: fc.array(thing, { minLength: 1, maxLength: 4 }) }),
  fc.record({
    do: fc.constantFrom(
      "dispose" as const,
      "forget" as const,
      "home" as const,
      "keep" as const,
      "drop" as const,
      "count" as const,
    ),
    things: fc.tuple(thing),
  }),
);

/** Lets references that nobody holds be collected, and their finalizers run. */
async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

interopTest(
  "references to and from Twisted are counted as Twisted counts, whatever is sent and given up when",
  async () => {
    await using python = await startPython("../pb/interop/counts_peer.py");
    const port = python.ready.port as number;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await using client = await pb.connect(`tcp:127.0.0.1:${port}`);
        const root = client.getRootObject();
        const ours = Array.from({ length: THINGS }, () => new pb.Referenceable());
        /** What the model knows: what is held here, how often it came since it is, and at all, and what Twisted holds. */
        const held = new Map<number, pb.RemoteReference>();
        const received = new Map<number, { since: number; ever: number }>();
        const kept = new Set<number>();
        const check = async () => {
          const counts = await root.callRemote("counts") as Record<string, number>;
          // What was forgotten is given back when a finalizer runs, and what comes again before that goes on with it.
          for (let index = 0; index < THINGS; index++) {
            const count = counts[String(index)]!;
            const { since, ever } = received.get(index) ?? { since: 0, ever: 0 };
            assert.ok(count >= since && count <= ever, `${count} is not from ${since} to ${ever}`);
          }
          assert.equal(client.broker.tables.local, kept.size);
        };
        // In a function of its own, whose variables hold nothing afterwards.
        const get = async (things: readonly number[]) => {
          const got = await root.callRemote("give", ...things) as pb.RemoteReference[];
          for (const [place, one] of things.entries()) {
            const before = held.get(one);
            assert.ok(before === undefined || before === got[place]);
            held.set(one, got[place]!);
          }
          // Each place counts, also in one message.
          for (const one of things) {
            const { since, ever } = received.get(one) ?? { since: 0, ever: 0 };
            received.set(one, { since: since + 1, ever: ever + 1 });
          }
        };
        for (const { do: what, things } of steps) {
          const [index] = things as [number];
          switch (what) {
            case "get":
              await get(things);
              break;
            case "dispose":
              held.get(index)?.[Symbol.dispose]();
              if (held.delete(index)) received.delete(index);
              break;
            case "forget":
              held.delete(index);
              if (received.has(index)) received.set(index, { since: 0, ever: received.get(index)!.ever });
              await collect();
              break;
            case "home":
              if (held.has(index)) {
                assert.equal(await root.callRemote("isHome", index, held.get(index)), true);
              }
              break;
            case "keep":
              await root.callRemote("keep", index, ours[index]);
              kept.add(index);
              break;
            case "drop":
              await root.callRemote("drop", index);
              kept.delete(index);
              // The decrefs were written before the answer, or come with the next.
              await root.callRemote("counts");
              break;
            default:
              await check();
          }
        }
        await check();
        held.clear();
        for (let i = 0; i < 20 && client.broker.tables.remote > 0; i++) await collect();
        const counts = await root.callRemote("counts") as Record<string, number>;
        assert.deepEqual(Object.values(counts), Array(THINGS).fill(0));
      }),
      { numRuns: 10 },
    );
  },
);
