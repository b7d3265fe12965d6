import assert from "node:assert/strict";
import {
  type Callable,
  callable,
  Referenceable,
  type RemoteFunction,
  type RemoteReference,
} from "../../mod.ts";
import { SAMPLES } from "../graph/rich/samples.ts";
import { startMasterAndSlave, startTub } from "./tubs.ts";

class Mirror extends Referenceable {
  held: RemoteFunction<(a: number) => number> | undefined;
  readonly double: Callable<(a: number) => number> = callable((a: number) => a * 2);
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_nothing(): void {}
  remote_hold(f: RemoteFunction<(a: number) => number>): void {
    this.held = f;
  }
  remote_callHeld(a: number): PromiseLike<number> {
    return this.held!.callRemote(a);
  }
  remote_held(): unknown {
    return this.held;
  }
  remote_function(): unknown {
    return this.double;
  }
  remote_isMine(f: unknown): boolean {
    return f === this.double;
  }
}

for (const who of ["master", "slave"] as const) {
  Deno.test(`two Tubs exchange values that only JavaScript has over TLS, called by the ${who}`, async () => {
    const tubs = await startMasterAndSlave();
    await using caller = tubs[who === "master" ? 0 : 1]!;
    await using callee = tubs[who === "master" ? 1 : 0]!;
    const ref = await caller.getReference<Mirror>(callee.registerReference(new Mirror()));
    for (const [name, make] of SAMPLES) {
      const value = make();
      const got = await ref.callRemote("echo", value);
      assert.deepEqual(got, value, name);
      if (typeof value === "object") {
        assert.equal(Object.getPrototypeOf(got), Object.getPrototypeOf(value), name);
      }
    }
    assert.equal(await ref.callRemote("nothing"), undefined);
  });

  Deno.test(`two Tubs send functions home over TLS, called by the ${who}`, async () => {
    const tubs = await startMasterAndSlave();
    await using caller = tubs[who === "master" ? 0 : 1]!;
    await using callee = tubs[who === "master" ? 1 : 0]!;
    const ref = await caller.getReference<Mirror>(callee.registerReference(new Mirror()));
    const mine = callable((a: number) => a + 1);
    await ref.callRemote("hold", mine);
    assert.equal(await ref.callRemote("callHeld", 4), 5);
    assert.equal(await ref.callRemote("held"), mine);
    const theirs = await ref.callRemote("function") as RemoteFunction<(a: number) => number>;
    assert.equal(await theirs.callRemote(4), 8);
    assert.equal(await ref.callRemote("isMine", theirs), true);
    assert.equal(
      ((await ref.callRemote("echo", new Map([["f", theirs]]))) as Map<string, unknown>).get("f"),
      theirs,
    );
  });
}

Deno.test("a Tub exchanges them with itself", async () => {
  await using tub = await startTub();
  const ref = await tub.getReference<Mirror>(tub.registerReference(new Mirror())) as RemoteReference<Mirror>;
  const value = new Map<unknown, unknown>([[new Date(5), undefined], ["5", 5n]]);
  assert.deepEqual(await ref.callRemote("echo", value), value);
});

Deno.test("a Map waits for a reference to a third Tub's object that is its key", async () => {
  await using alice = await startTub();
  await using bob = await startTub();
  await using carol = await startTub();
  const mirror = await alice.getReference<Mirror>(bob.registerReference(new Mirror()));
  const object = await alice.getReference<Mirror>(carol.registerReference(new Mirror()));
  const map = new Map<unknown, unknown>([["a", 1], [object, object], ["b", new Set([object, 2])]]);
  const got = await mirror.callRemote("echo", map) as typeof map;
  assert.deepEqual([...got.keys()], ["a", object, "b"]);
  assert.equal(got.get(object), object);
  assert.deepEqual([...got.get("b") as Set<unknown>], [object, 2]);
});
