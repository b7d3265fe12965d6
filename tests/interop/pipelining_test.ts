import assert from "node:assert/strict";
import { buy, type Shop } from "../../examples/pipelining/shop.ts";
import {
  Referenceable,
  RemoteException,
  type RemotePromise,
  type RemoteReference,
  type ResultCalls,
  type Tub,
} from "../../mod.ts";
import { interopTest, startPython } from "../support/python.ts";
import { rejectionOf, startTub, stepEachWay, until } from "./rig.ts";

const call = (of: RemoteReference | RemotePromise<unknown>, name: string, ...args: unknown[]) =>
  of.callRemote(name, ...args) as RemotePromise<unknown>;

class Counter extends Referenceable {
  readonly marks: unknown[] = [];
  remote_mark(mark: unknown): number {
    return this.marks.push(mark);
  }
}

interopTest("calls of results that are not there yet, towards Python", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "chains, arguments and parts", async ({ python, root }) => {
    const sum = call(python, "add", call(python, "add", 1, 2), call(python, "add", 3, 4));
    assert.equal(await sum, 10);
    assert.equal(await call(call(python, "give_kept"), "number"), -1);
    assert.deepEqual(await call(python, "echo", [call(python, "add", 1, 1), { a: sum }]), [
      2,
      nullObject({ a: 10 }),
    ]);
    assert.equal(await call(python, "echo", call(python, "many", 5).get(3)), 3);
    assert.equal(await call(python, "is_root", python), true);
    assert.equal(await call(call(python, "echo", root), "add", 5, 6), 11, "an object of Deno's own");
    // The argument is a call of the very object that is called: it must not wait behind the call that waits for it.
    assert.equal(await call(python, "echo", call(call(python, "echo", python), "add", 1, 2)), 3);
  });

  await stepEachWay(t, peer, "failures", async ({ python }) => {
    const failing = call(python, "fail", "ValueError", "broken");
    const dependent = call(call(failing, "number"), "number");
    const error = await rejectionOf(RemoteException, failing);
    assert.equal(await rejectionOf(RemoteException, dependent), error);
    assert.equal(await rejectionOf(RemoteException, call(python, "echo", [failing])), error);
  });

  await stepEachWay(t, peer, "options of calls of results, whose time begins at once", async (rig) => {
    const { python, ours } = rig;
    const inTime = { timeoutMs: 60_000 };
    assert.equal(await call(python, "give_kept").with(inTime).callRemote("number"), -1);
    const kept = call(python, "echo", [call(python, "give_kept")]);
    assert.equal(await (kept.with(inTime).get(0) as ResultCalls<unknown>).callRemote("number"), -1);
    // Python answers this one when it is told to: a result that is late, and one that is called for too long.
    const late = call(python, "wait", `late ${ours}`);
    const stop = new AbortController();
    const reason = new TypeError("given up by the test");
    const given = rejectionOf(TypeError, late.with({ signal: stop.signal }).callRemote("number"));
    const timed = rejectionOf(DOMException, late.with({ timeoutMs: 1 }).callRemote("number"));
    const held = call(python, "echo", python);
    const begun = rejectionOf(
      TypeError,
      held.with({ signal: stop.signal }).callRemote("wait", `begun ${ours}`),
    );
    await held;
    assert.equal((await timed).message, "No answer to number within 1 ms");
    await until(async () => (await rig.pythonTables())!.active === 2, "both are being waited for");
    stop.abort(reason);
    assert.equal(await given, reason);
    assert.equal(await begun, reason);
    await call(python, "release", `begun ${ours}`);
    await call(python, "release", `late ${ours}`, call(python, "give_kept"));
    assert.equal(await call(late, "number"), -1, "the result itself is what it was");
  });

  await stepEachWay(t, peer, "the order of the calls of one object", async ({ python }) => {
    const counter = new Counter();
    const held = call(python, "echo", counter);
    const made = [
      call(held, "mark", call(python, "add", 1, 0)),
      call(held, "mark", 2),
      call(python, "call", counter, "mark", call(python, "add", 1, 2)),
      call(python, "call", counter, "mark", 4),
    ];
    await Promise.all(made);
    assert.deepEqual(counter.marks.filter((mark) => Number(mark) < 3), [1, 2]);
    assert.deepEqual(counter.marks.filter((mark) => Number(mark) > 2), [3, 4]);
  });
});

/** Calls what it is given, when it is asked to. */
class Asked extends Referenceable {
  async remote_ask(target: RemoteReference): Promise<unknown> {
    return await target.callRemote("add", 1, 2);
  }
}

interopTest(
  "two Deno Tubs whose calls of Python wait for each other's go on when one of them is given up",
  async () => {
    await using peer = await startPython();
    await using one = await startTub();
    await using two = await startTub();
    const python = await Promise.all([one, two].map((tub) => tub.getReference(peer.furl)));
    const toOther = await Promise.all([
      one.getReference(two.registerReference(new Asked())),
      two.getReference(one.registerReference(new Asked())),
    ]);
    const toPython = (tub: Tub) =>
      tub.debug.listBrokers().filter(({ tubId }) => tubId === peer.ready.tubid)
        .flatMap(({ outbound }) => outbound.map(({ method, isSent }) => [method, isSent]));
    const stop = new AbortController();
    const answers = [call(toOther[0]!, "ask", python[0]), call(toOther[1]!, "ask", python[1])];
    const given = rejectionOf(
      RangeError,
      python[0]!.with({ signal: stop.signal }).callRemote("echo", answers[0]),
    );
    const echoed = call(python[1]!, "echo", answers[1]);
    for (const tub of [one, two]) {
      const isStuck = () => JSON.stringify(toPython(tub)) === '[["echo",false],["add",false]]';
      await until(isStuck, "the call of the other waits behind the one that waits for its answer");
    }
    // It is not Python who lets them wait: it answers all that it is sent.
    const { connections } = await peer.command("tables") as { connections: { active: number }[] };
    assert.deepEqual(connections.map(({ active }) => active), [0, 0]);
    stop.abort(new RangeError("given up"));
    await given;
    assert.deepEqual(await Promise.all([...answers, echoed]), [3, 3, 3]);
  },
);

interopTest("the program of the example, in a Python shop", async () => {
  const { startChild } = await import("../../examples/support/child.ts");
  const program = new URL("../../examples/python/shop.py", import.meta.url).pathname;
  await using shop = await startChild("/usr/bin/python3", ["-u", program]);
  const { Tub } = await import("../../mod.ts");
  await using tub = await Tub.create();
  const ref = await tub.getReference<Shop>(shop.firstLine);
  assert.deepEqual(await buy(ref), { total: 3550, name: "green tea" });
});

interopTest("a Python peer sees none of it: what it calls is as before", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "calls of Python", async ({ ours, root, tub }) => {
    assert.deepEqual(await peer.call(ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
    await peer.callWith(ours, "give_kept", { as: "item" });
    assert.deepEqual(await peer.call(ours, "is_kept", { ref: "item" }), { bool: true });
    assert.ok(root.kept instanceof Referenceable);
    assert.equal(tub.debug.tables().keptAnswers, 0);
  });
});

function nullObject(values: Record<string, unknown>): unknown {
  return Object.assign(Object.create(null), values);
}
