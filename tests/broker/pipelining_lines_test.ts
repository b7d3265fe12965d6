/** Calls of results beside direct calls of the same object, and calls of results that are objects of the caller's own. */
import assert from "node:assert/strict";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemotePromise, RemoteReference } from "../../lib/broker/remote_reference.ts";
import { type Kwargs, kwargs } from "../../lib/values/kwargs.ts";
import { tuple } from "../../lib/values/tuple.ts";
import { Dict } from "../../lib/values/dict.ts";
import { frozenSet, ValueSet } from "../../lib/values/value_set.ts";
import { type Features, OWN_FEATURES } from "../../lib/util/features.ts";
import { Pair, turns, until } from "./support.ts";

class Node extends Referenceable {
  readonly log: string[] = [];
  gate = Promise.withResolvers<unknown>();

  remote_self(): Node {
    return this;
  }
  remote_value(): number {
    return 7;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_wait(): Promise<unknown> {
    return this.gate.promise;
  }
  remote_note(mark: string, ..._others: unknown[]): string {
    this.log.push(mark);
    return mark;
  }
  remote_named({ values }: Kwargs): unknown {
    return values;
  }
}

const WITHOUT: Features = new Map([...OWN_FEATURES].filter(([name]) => name !== "pipeline"));

async function withNode(
  features: Features,
  run: (ref: RemoteReference<Node>, node: Node, pair: Pair) => Promise<void>,
): Promise<void> {
  await using pair = new Pair({ features });
  const node = new Node();
  await run(await pair.refTo(node), node, pair);
  await turns(5);
  assert.equal(pair.left.broker.tables().pendingCalls, 0);
  assert.equal(pair.right.broker.tables().activeCalls, 0);
}

type Own = RemotePromise<RemoteReference<Node>>;

for (
  const [who, features] of [["a Tub of this library", OWN_FEATURES], [
    "one without pipelining",
    WITHOUT,
  ]] as const
) {
  Deno.test(`an argument that is a call of the same object by a promise does not wait for its own call, with ${who}`, () =>
    withNode(features, async (ref, _node) => {
      const value = (ref.remote.self() as unknown as Own).remote.value();
      assert.equal(await ref.callRemote("echo", value as unknown), 7);
    }));

  Deno.test(`calls of a promise keep their order where the first waits for an argument, with ${who}`, () =>
    withNode(features, async (ref, node, pair) => {
      const self = ref.remote.self() as unknown as Own;
      const first = self.remote.note("first", ref.remote.wait());
      const second = self.remote.note("second");
      self.callRemoteOnly("note", "third");
      await turns(5);
      const other = await pair.refTo(new Node(), "other");
      await other.callRemote("value");
      assert.deepEqual(node.log, []);
      node.gate.resolve(1);
      assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
      await until(() => node.log.length === 3, "all three");
      assert.deepEqual(node.log, ["first", "second", "third"]);
    }));

  Deno.test(`calls of a promise that becomes an object of the caller's keep their order, with ${who}`, () =>
    withNode(features, async (ref, node) => {
      const own = new Node();
      const home = ref.remote.echo(own) as unknown as Own;
      const first = home.remote.note("first", ref.remote.wait());
      const failed = home.remote.note("failed", home.remote.named(0 as never).get("x" as never));
      failed.catch(() => {});
      const second = home.remote.note("second");
      await turns(10);
      assert.deepEqual(own.log, []);
      node.gate.resolve(1);
      assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
      assert.deepEqual(own.log, ["first", "second"]);
      await assert.rejects(failed);
    }));

  Deno.test(`promises anywhere in the arguments of a call of the caller's own object are there, with ${who}`, () =>
    withNode(features, async (ref) => {
      const home = ref.remote.echo(new Node()) as unknown as Own;
      // What it has become is called here, without a peer.
      await home;
      const seven = () => ref.remote.value() as unknown;
      const cyclic: unknown[] = [seven()];
      cyclic.push(cyclic);
      const values: [given: unknown, expected: unknown][] = [
        [[seven(), [seven()]], [7, [7]]],
        [tuple(1, seven()), tuple(1, 7)],
        [new Map([[1, seven()], [2, 3]]), new Map([[1, 7], [2, 3]])],
        [new Dict([["k", seven()]]), new Dict([["k", 7]])],
        [new Set([seven(), 8]), new Set([7, 8])],
        [new ValueSet([seven(), 8]), new ValueSet([7, 8])],
        [frozenSet(seven(), 8), frozenSet(7, 8)],
        [{ ["__proto__"]: seven(), b: seven() }, { ["__proto__"]: 7, b: 7 }],
      ];
      for (const [given, expected] of values) {
        assert.deepEqual(await home.remote.echo(given), expected);
      }
      const back = await home.remote.echo(cyclic) as unknown[];
      assert.equal(back[0], 7);
      assert.equal(back[1], back);
      assert.deepEqual(await home.callRemote("named", kwargs({ a: seven() })), { __proto__: null, a: 7 });
      const untouched = [1, { a: 2 }];
      assert.equal(await home.remote.echo(untouched), untouched);
    }));
}
