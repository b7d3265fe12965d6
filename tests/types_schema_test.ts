/**
 * One declaration of an interface gives the types of both sides. What must not compile is marked, and `deno check` fails
 * where it does.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  Callable,
  callable,
  Copyable,
  type Decimal,
  type Dict,
  type Float,
  type FrozenSet,
  kwargs,
  Referenceable,
  type RemoteFunction,
  RemoteInterface,
  type RemoteReference,
  schema,
  type Tub,
  type TupleOf,
  type ValueSet,
} from "../mod.ts";
import { z } from "./validator_deps.ts";

class Point extends Copyable {
  static override copytype = "types.example.com/Point";
  x = 0;
}

const RIObserver = RemoteInterface("RIObserver.types.example.com", {
  notify: schema.method([["text", String]], null),
});
type RIObserver = schema.InterfaceOf<typeof RIObserver>;

const RINamed = RemoteInterface("RINamed.types.example.com", {
  name: schema.method([], String),
});

const RIShop = RemoteInterface("RIShop.types.example.com", {
  add: schema.method([["a", schema.IntegerConstraint()], ["b", Number]], Number),
  watch: schema.method(
    [["observer", RIObserver], ["tag", schema.Optional(Uint8Array, new Uint8Array())]],
    null,
  ),
  find: schema.method([["text", String], ["limit", schema.Optional(Number)]], schema.ListOf(RIObserver)),
  swap: schema.method([["pair", [Number, String]]], [String, Number]),
  any: schema.method([["object", Referenceable], ["call", Callable]]),
  tables: schema.method([["of", schema.DictOf(String, Number)]], schema.DictOf(BigInt, String)),
  sets: schema.method([["of", schema.SetOf(Number)]], schema.ChoiceOf(String, null, Boolean)),
  point: schema.method([["point", Point]], Point),
  checked: schema.method([["age", z.string().transform(Number)]], z.object({ ok: z.boolean() })),
  open: schema.method([["a", Number]], String, { acceptUnknown: true }),
  free: schema.UnconstrainedMethod(),
  record: schema.method(
    [["state", schema.AttributeDictConstraint(["x", Number], ["label", schema.Optional(String)])]],
    schema.Any(),
  ),
}, { extends: [RINamed] });
type RIShop = schema.InterfaceOf<typeof RIShop>;

class Observer extends Referenceable implements RIObserver {
  static override remoteInterface = RIObserver;
  remote_notify(_text: string): void {}
}

class Shop extends Referenceable implements RIShop {
  static override remoteInterface = RIShop;
  remote_name(): string {
    return "shop";
  }
  remote_add(a: number, b: number): number {
    return a + b;
  }
  async remote_watch(observer: RemoteReference<RIObserver>, tag: Uint8Array): Promise<void> {
    await observer.callRemote("notify", `${tag.length}`);
  }
  remote_find(_text: string, _limit = 10): Observer[] {
    return [new Observer()];
  }
  remote_swap([number, text]: TupleOf<[number, string]>): [string, number] {
    return [text, number];
  }
  remote_any(object: RemoteReference, call: RemoteFunction): unknown {
    return [object, call];
  }
  remote_tables(of: Record<string, number>): Map<number, string> {
    return new Map(Object.entries(of).map(([name, number]) => [number, name]));
  }
  remote_sets(of: ValueSet<number> | FrozenSet<number>): string | null {
    return of.size > 0 ? "some" : null;
  }
  remote_point(point: Point): Point {
    return point;
  }
  remote_checked(age: number): { ok: boolean } {
    return { ok: age > 3 };
  }
  remote_open(a: number): string {
    return `${a}`;
  }
  remote_free(_a: Decimal, _b: string): number {
    return 1;
  }
  remote_record(state: { x: number; label?: string }): unknown {
    return state.label;
  }
}

class Wrong extends Referenceable {
  remote_notify(_number: number): void {}
}

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_yes: Same<A, B>): void {}

/** Never called: it is only checked. */
export async function typesOf(tub: Tub, furl: string): Promise<void> {
  const shop = await tub.getReference<RIShop>(furl);
  const sum = await shop.callRemote("add", 1, 2n);
  same<typeof sum, number>(true);
  await shop.callRemote("watch", new Observer());
  await shop.callRemote("watch", new Observer(), new Uint8Array(3));
  await shop.callRemote("watch", new Observer(), undefined);
  const [found] = await shop.remote.find("tea", 3);
  same<typeof found, RemoteReference<RIObserver> | undefined>(true);
  await found!.callRemote("notify", "x");
  await shop.callRemote("watch", found!);
  const swapped = await shop.remote.swap([1, "a"]);
  same<typeof swapped, TupleOf<[string, number]>>(true);
  const nothing = await shop.callRemote("watch", new Observer());
  same<typeof nothing, null>(true);
  await shop.callRemote("any", new Observer(), callable(() => 1));
  await shop.callRemote("any", found!, callable(() => 1));
  const table = await shop.remote.tables({ a: 1 });
  same<typeof table, Dict<number | bigint, string>>(true);
  const choice = await shop.remote.sets(new Set([1]));
  same<typeof choice, string | boolean | null>(true);
  const point = await shop.remote.point(new Point());
  same<typeof point, Point>(true);
  const checked = await shop.remote.checked("7");
  same<typeof checked, { ok: boolean }>(true);
  const named = await shop.remote.name();
  same<typeof named, string>(true);
  await shop.callRemote("open", 1, kwargs({ more: 2 }));
  await shop.callRemote("free", 1, "two", [3]);
  await shop.remote.record({ x: 1 });
  const any = await shop.remote.any(new Observer(), callable(() => 1));
  same<typeof any, unknown>(true);

  await shop.callRemote("add", kwargs({ a: 1, b: 2 }));
  await shop.callRemote("add", 1, kwargs({ b: 2 }));
  await shop.callRemote("find", kwargs({ text: "tea" }));
  await shop.callRemote("watch", kwargs({ observer: new Observer(), tag: new Uint8Array() }));

  // @ts-expect-error There is no such method.
  void shop.callRemote("nothing");
  // @ts-expect-error An argument of another type.
  void shop.callRemote("add", 1, "2");
  // @ts-expect-error An argument is missing.
  void shop.callRemote("add", 1);
  // @ts-expect-error One too many.
  void shop.callRemote("add", 1, 2, 3);
  // @ts-expect-error A keyword argument of another type.
  void shop.callRemote("add", 1, kwargs({ b: "2" }));
  // @ts-expect-error A keyword argument is missing.
  void shop.callRemote("add", kwargs({ a: 1 }));
  // @ts-expect-error An argument is there twice.
  void shop.callRemote("add", 1, kwargs({ a: 1, b: 2 }));
  // @ts-expect-error An argument that is not declared, beside one that is.
  void shop.callRemote("find", "tea", kwargs({ limit: 3, limits: 4 }));
  // @ts-expect-error An argument that is not declared, where there are none.
  void shop.callRemote("name", kwargs({ more: 1 }));
  await shop.callRemote("name", kwargs({}));
  // @ts-expect-error An array is no keyword arguments, even without elements.
  void shop.callRemote("name", []);
  // @ts-expect-error Nor has it names.
  void shop.callRemote("name", kwargs([]));
  // @ts-expect-error Nor where nothing is known of the method.
  void shop.callRemote("open", 1, kwargs([]));
  // @ts-expect-error A Map has none either, for the types.
  void shop.callRemote("open", 1, kwargs(new Map([["more", 2]])));
  // The type comes from where the result goes, and that of a function is told from that of an object.
  const inferred: RemoteReference<RIShop> = await tub.getReference(furl);
  same<typeof inferred, typeof shop>(true);
  const call = await tub.getReference<(a: number) => string>(furl);
  same<typeof call, RemoteFunction<(a: number) => string>>(true);
  const plain = await tub.getReference<{ remote_size(): number }>(furl);
  same<typeof plain, RemoteReference<{ remote_size(): number }>>(true);

  // @ts-expect-error A plain object is not a Referenceable.
  void shop.callRemote("watch", { remote_notify: () => {} });
  // @ts-expect-error An object with other methods.
  void shop.callRemote("watch", new Wrong());
  // @ts-expect-error A tuple of other elements.
  void shop.remote.swap(["a", 1]);
  // @ts-expect-error A validator takes text.
  void shop.remote.checked(7);
  // @ts-expect-error An attribute is missing.
  void shop.remote.record({ label: "x" });
  // @ts-expect-error A value that is no constraint.
  schema.ListOf(Date);
  // @ts-expect-error An object literal is no constraint.
  schema.method([["a", { b: Number }]], null);
  // @ts-expect-error A default of another type.
  schema.Optional(Number, "1");
  same<Float["value"], number>(true);
}

class Incomplete extends Referenceable {
  remote_name(): string {
    return "";
  }
}
// @ts-expect-error Methods are missing.
export const incomplete: RIShop = new Incomplete();

class Other extends Referenceable {
  remote_notify(_text: string, _more: number): void {}
}
// @ts-expect-error The method wants more than the interface gives.
export const other: RIObserver = new Other();

Deno.test("the methods that an interface declares are those that its object has", () => {
  const has = Object.getOwnPropertyNames(Shop.prototype).filter((name) => name.startsWith("remote_"));
  assert.deepEqual(has.map((name) => name.slice(7)).sort(), [...RIShop.names()].sort());
});
