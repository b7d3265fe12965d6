import assert from "node:assert/strict";
import type { RemoteReference } from "../../mod.ts";
import { DeadReferenceError } from "../../mod.ts";
import { interopTest, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejectionOf, type Rig, stepEachWay, until } from "./rig.ts";
import { collectGarbage } from "../support/gc.ts";

const COUNT = 1000;

/** Until Python keeps no more for us than its root object, and none of its items is alive. */
async function untilPythonLetGo(rig: Rig): Promise<void> {
  await until(async () => (await rig.pythonTables())?.exports === 1, "Python's table of exports shrinks");
  assert.equal(await rig.python.callRemote("alive"), 0);
}

/** In a function of its own, so that nothing on the stack keeps them. */
async function receiveAndForget({ python, tub }: Rig): Promise<void> {
  const items = await python.callRemote("give_many", COUNT) as RemoteReference[];
  assert.equal(items.length, COUNT);
  assert.equal(tub.debug.tables().imported, COUNT + 1);
}

/** Who is master makes no difference here. */
const ways = BOTH_DIALERS;

interopTest("references that are given up are given back", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "1,000 of Python's, by dispose", async (rig) => {
    const items = await rig.python.callRemote("give_many", COUNT) as RemoteReference[];
    assert.equal((await rig.pythonTables())?.exports, COUNT + 1);
    for (const item of items) item[Symbol.dispose]();
    await rejectionOf(DeadReferenceError, items[0]!.callRemote("number"));
    await untilPythonLetGo(rig);
    await until(() => rig.tub.debug.tables().imported === 1, "our table of imports shrinks");
  }, { ways });

  await stepEachWay(t, peer, "1,000 of Python's, by collection", async (rig) => {
    await receiveAndForget(rig);
    await until(async () => {
      collectGarbage();
      return (await rig.pythonTables())?.exports === 1;
    }, "what was collected is given back");
    await untilPythonLetGo(rig);
    assert.equal(rig.tub.debug.tables().imported, 1);
  }, { ways });

  await stepEachWay(t, peer, "1,000 of Deno's", async (rig) => {
    await rig.python.callRemote("hold_many", rig.root, COUNT);
    assert.equal(rig.tub.debug.tables().exported, COUNT + 1);
    await rig.python.callRemote("drop");
    await until(() => rig.tub.debug.tables().exported === 1, "our table of exports shrinks");
    assert.equal((await rig.pythonTables())?.imports, 1);
  }, { ways });

  await stepEachWay(t, peer, "one that came many times, while it comes again", async (rig) => {
    const { python } = rig;
    for (let i = 0; i < 50; i++) {
      const kept = await python.callRemote("give_kept") as RemoteReference;
      const again = python.callRemote("give_kept");
      kept[Symbol.dispose]();
      const other = await again as RemoteReference;
      assert.equal(await other.callRemote("number"), -1);
      if (i % 2 === 0) other[Symbol.dispose]();
    }
    using last = await python.callRemote("give_kept") as RemoteReference;
    assert.equal(await python.callRemote("is_kept", last), true);
  }, { ways });

  await stepEachWay(t, peer, "a handle of its own by dup()", async (rig) => {
    const item = await rig.python.callRemote("give") as RemoteReference;
    const other = item.dup();
    item[Symbol.dispose]();
    assert.equal(await other.callRemote("number"), 0);
    assert.equal(await rig.python.callRemote("alive"), 1);
    other[Symbol.dispose]();
    await untilPythonLetGo(rig);
  }, { ways });

  await stepEachWay(t, peer, "one with a call in flight, after its answer", async (rig) => {
    const item = await rig.python.callRemote("give") as RemoteReference;
    const answer = item.callRemote("number");
    item[Symbol.dispose]();
    assert.equal(await answer, 0);
    await untilPythonLetGo(rig);
  }, { ways });
});
