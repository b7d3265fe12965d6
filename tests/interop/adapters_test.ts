import assert from "node:assert/strict";
import {
  Copyable,
  localReference,
  OnlyReferenceable,
  Referenceable,
  registerCopier,
  registerRemotelyCallable,
  registerSlicer,
  type RemoteReference,
  tuple,
  Violation,
} from "../../mod.ts";
import { interopTest, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejectionOf, stepEachWay } from "./rig.ts";
import { Point } from "./root.ts";

class Money {
  constructor(readonly amount: number) {}
}
registerSlicer(Money, ({ amount }) => tuple("EUR", amount));
class Pixel {
  constructor(readonly at: number) {}
}
registerCopier(Pixel, ({ at }) => ["tests.Point", { x: at, y: at }]);
class AnyPoint extends Copyable {
  override getTypeToCopy() {
    return "tests.Point";
  }
  override getStateToCopy() {
    return { x: 7, y: 8 };
  }
}
class Counter {
  value = 0;
}
class CounterAdapter extends Referenceable {
  constructor(readonly counter: Counter) {
    super();
  }
  remote_increment(by: number): number {
    return this.counter.value += by;
  }
}
registerRemotelyCallable(Counter, (counter) => new CounterAdapter(counter));
class Face extends Referenceable {
  constructor(readonly name: string) {
    super();
  }
  override processUniqueID(): unknown {
    return Face;
  }
  remote_name(): string {
    return this.name;
  }
}

interopTest("objects of any class reach Python by their adapters", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "as another value, as a copy, and by reference", async (rig) => {
    const { python } = rig;
    const money = new Money(5);
    const [one, other] = await python.callRemote("echo", [money, money]) as unknown[];
    assert.deepEqual(one, tuple("EUR", 5));
    assert.equal(one, other);
    for (const [value, x, y] of [[new Pixel(3), 3, 3], [new AnyPoint(), 7, 8]] as const) {
      const point = await python.callRemote("flip", value);
      assert.ok(point instanceof Point);
      assert.deepEqual([point.x, point.y], [y, x]);
    }
    const counter = new Counter();
    assert.equal(await python.callRemote("same", counter, counter), true);
    assert.equal(await python.callRemote("call", counter, "increment", 2), 2);
    assert.equal(counter.value, 2);
    await python.callRemote("hold", counter);
    assert.equal(await python.callRemote("is_held", counter), true);
    assert.equal(await python.callRemote("held"), counter);
    await python.callRemote("drop");
  });

  await stepEachWay(t, peer, "several that look like one", async ({ python }) => {
    const faces = [new Face("one"), new Face("other")] as const;
    assert.equal(await python.callRemote("same", ...faces), true);
    await python.callRemote("hold", faces[0]);
    assert.equal(await python.callRemote("is_held", faces[1]), true);
    assert.equal(await python.callRemote("call", faces[1], "name"), "one");
    assert.equal(await python.callRemote("held"), faces[0]);
    await python.callRemote("drop");
  }, { ways: BOTH_DIALERS });

  await stepEachWay(t, peer, "but not an identity", async ({ python }) => {
    await rejectionOf(Violation, python.callRemote("echo", new OnlyReferenceable()));
    await rejectionOf(Violation, python.callRemote("echo", localReference(new Counting())));
  }, { ways: BOTH_DIALERS });
});

class Counting extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
}

interopTest("localReference() is called as a reference to Python's is", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "with the same words", async ({ python }) => {
    for (const object of [new Counting(), python as RemoteReference<Counting>]) {
      const ref = object instanceof Counting ? localReference(object) : localReference(object);
      assert.equal(await ref.callRemote("add", 1, 2), 3);
      using _watch = ref.notifyOnDisconnect(() => {});
      assert.ok(ref.isConnected());
    }
  }, { ways: BOTH_DIALERS });
});
