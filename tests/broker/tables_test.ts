import assert from "node:assert/strict";
import { Backlog } from "../../lib/broker/backlog.ts";
import { ExportTable } from "../../lib/broker/export_table.ts";
import { RequestTable } from "../../lib/broker/requests.ts";
import { Violation } from "../../lib/errors.ts";
import { fc } from "../deps.ts";
import { FakeClock } from "../support/fake_clock.ts";

const clock = new FakeClock();
const begin = (table: RequestTable) => table.begin("m", {}, clock, () => {});

Deno.test("RequestTable begins again at 1 after 2^31 - 1", async () => {
  const table = new RequestTable(0x7ffffffd);
  const ids = [begin(table), begin(table)].map(({ request }) => request.id);
  assert.deepEqual(ids, [0x7ffffffe, 0x7fffffff]);
  assert.equal(table.wasIssued(5), true, "below the last");
  const first = begin(table);
  assert.equal(first.request.id, 1);
  assert.equal(table.wasIssued(0x7fffffff), true);
  assert.equal(table.wasIssued(0), false);
  const again = new RequestTable(0x7ffffffe);
  const kept = [begin(again), begin(again), begin(again)];
  assert.deepEqual(kept.map(({ request }) => request.id), [0x7fffffff, 1, 2]);
  first.request.resolve("done");
  first.request.reject(new Error("too late"));
  assert.equal(await first.promise, "done");
  assert.equal(table.size, 2);
});

Deno.test("ExportTable.undo() gives counts and numbers back, last first", () => {
  const table = new ExportTable<object>(10);
  const [a, b] = [{}, {}];
  table.give(a);
  const given = [table.give(a), table.give(b), table.give(b)];
  assert.deepEqual(given.map(({ isNew }) => isNew), [false, true, false]);
  for (const { entry } of given.reverse()) table.undo(entry);
  assert.equal(table.size, 1);
  assert.equal(table.give(b).entry.clid, 2, "the number was never seen by the peer");
  assert.equal(table.decref(1, 1), undefined);
  assert.equal(table.give(a).entry.clid, 3, "a number that the peer has seen is not used again");
});

Deno.test("ExportTable.give() refuses more objects than there may be, and goes on with those there are", () => {
  const table = new ExportTable<object>(1);
  const object = {};
  table.give(object);
  assert.throws(() => table.give({}), Violation);
  assert.equal(table.give(object).entry.count, 2);
});

Deno.test("ExportTable counts as a list of givings would, for any sequence", () => {
  const step = fc.tuple(fc.nat(4), fc.constantFrom("give", "back", "undo"), fc.nat(3));
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const table = new ExportTable<object>(100);
    const objects = Array.from({ length: 5 }, () => ({}));
    const counts = new Map<object, number>();
    for (const [which, what, count] of steps) {
      const object = objects[which]!;
      const known = counts.get(object) ?? 0;
      const { entry, isNew } = table.give(object);
      assert.equal(isNew, known === 0);
      if (what === "undo") table.undo(entry);
      else counts.set(object, known + 1);
      if (what !== "back") continue;
      const refused = table.decref(entry.clid, count);
      assert.equal(refused === undefined, count <= known + 1);
      if (refused === undefined) counts.set(object, known + 1 - count);
    }
    assert.equal(table.size, [...counts.values()].filter((count) => count > 0).length);
  }));
});

Deno.test("Backlog knows how much of what waits answers the peer, for any sequence", () => {
  const part = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.integer({ min: 1, max: 100 })), (parts, takes) => {
      const backlog = new Backlog();
      let queue: boolean[] = [];
      for (const [bytes, isReply] of parts) {
        backlog.add(bytes, isReply);
        queue.push(...new Array<boolean>(bytes).fill(isReply));
      }
      for (const take of takes) {
        const bytes = Math.min(take, queue.length);
        backlog.taken(bytes);
        queue = queue.slice(bytes);
        assert.equal(backlog.bytes, queue.length);
        assert.equal(backlog.replyBytes, queue.filter((isReply) => isReply).length);
      }
    }),
  );
});
