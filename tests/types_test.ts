/**
 * The types of references follow from those of the objects: what must not compile is marked, and `deno check` fails
 * where it does.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  callable,
  type EitherReference,
  type Float,
  type Kwargs,
  kwargs,
  type LocalReference,
  localReference,
  type PromisedValue,
  type Received,
  Referenceable,
  registerRemoteError,
  registerRemotelyCallable,
  registerSlicer,
  type RemoteFunction,
  RemoteInterface,
  type RemotePromise,
  type RemoteReference,
  schema,
  type Sendable,
  type Tub,
} from "../mod.ts";

class Item extends Referenceable {
  remote_name(): string {
    return "item";
  }
}

class Shop extends Referenceable {
  title = "not remote";
  local(): void {}
  remote_count(): number {
    return 0;
  }
  remote_find(_name: string, _limit?: number): Promise<Item[]> {
    return Promise.resolve([]);
  }
  remote_add(_item: RemoteReference<Item>): void {}
  remote_sort(_named: Kwargs<{ by: string }>): void {}
  remote_watch(_observer: RemoteFunction<(count: number) => void>): boolean {
    return true;
  }
}

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_yes: Same<A, B>): void {}

/** Never called: it is only checked. */
export async function typesOfLocals(shop: Shop, remote: RemoteReference<Shop>, item: RemoteReference<Item>) {
  const ref = localReference(shop);
  same<Awaited<ReturnType<typeof ref.isConnected>>, true>(true);
  // What comes is what the method gives, and not a reference to it.
  const items = await ref.callRemote("find", "tea");
  same<typeof items, Item[]>(true);
  await ref.callRemote("add", item);
  // @ts-expect-error the method gets what is given, and wants a reference
  await ref.callRemote("add", new Item());
  // @ts-expect-error no such method
  await ref.callRemote("local");
  await ref.with({ timeoutMs: 5 }).callRemote("find", "tea");
  // @ts-expect-error No RemoteInterface puts the names in order: the method would get them as one argument.
  await ref.callRemote("find", kwargs({ name: "tea" }));
  same<typeof ref, LocalReference<Shop>>(true);
  const itself: RemoteReference<Shop> = localReference(remote);
  const either: EitherReference<Shop> = localReference(Math.random() < 2 ? shop : remote);
  const found = await either.with({ timeoutMs: 5 }).callRemote("find", "tea");
  same<typeof found, Item[] | RemoteReference<Item>[]>(true);
  void itself;
}

class Coded extends Error {
  constructor(readonly code: number) {
    super();
  }
}

/** Never called. */
export function typesOfErrors(): void {
  registerRemoteError("tests.Coded", Coded, { make: (message) => new Coded(message.length) });
  // @ts-expect-error its constructor does not take a message, and nothing else makes one
  registerRemoteError("tests.Coded", Coded);
  // @ts-expect-error no error
  registerRemoteError("tests.Map", Map);
  registerSlicer(Coded, ({ code }) => code);
  // @ts-expect-error an adapter is a Referenceable
  registerRemotelyCallable(Coded, ({ code }) => code);
}

interface Basket extends Referenceable {
  remote_items(): { list: Item[]; first: Item; counts: Map<string, number> };
  remote_put(item: RemoteReference<Item>, labels: string[], count: number): Basket;
  remote_counter(): RemoteFunction<(step: number) => number>;
}

const RIShelf = RemoteInterface("RIShelf.types", {
  take: schema.method([["title", String], ["count", Number]], schema.ListOf(String)),
});

/** Never called: it is only checked. */
export async function typesOfPromises(
  shop: RemoteReference<Shop>,
  basket: RemoteReference<Basket>,
  shelf: RemoteReference<schema.InterfaceOf<typeof RIShelf>>,
  untyped: RemoteReference,
) {
  const first = shop.remote.find("tea").get(0);
  same<typeof first, RemotePromise<RemoteReference<Item>>>(true);
  const name = first.remote.name();
  same<typeof name, RemotePromise<string>>(true);
  same<Awaited<typeof name>, string>(true);
  const items = basket.remote.items();
  const part = items.get("first");
  same<typeof part, RemotePromise<RemoteReference<Item>>>(true);
  const again = basket.remote.put(items.get("list").get(0), [name], shop.remote.count());
  same<typeof again, RemotePromise<RemoteReference<Basket>>>(true);
  await again.remote.put(first, ["a", name], 3).callRemote("items").get("first").callRemote("name");
  again.callRemoteOnly("put", first, [], 1);
  same<ReturnType<typeof shop.remote.count>, RemotePromise<number>>(true);
  const titles = shelf.remote.take(name, shop.remote.count());
  same<typeof titles, RemotePromise<string[]>>(true);
  await shelf.callRemote("take", titles.get(0), kwargs({ count: shop.remote.count() }));
  const anything = untyped.remote.anything!(1).get("whatever").get(0);
  same<typeof anything, RemotePromise<unknown>>(true);
  same<Awaited<ReturnType<typeof anything.callRemote>>, unknown>(true);
  await anything.callRemote("more", first, [name]);
  const watched = basket.remote.counter().callFunction(3);
  same<typeof watched, RemotePromise<number>>(true);
  const limited = shop.remote.find("tea").with({ timeoutMs: 5 });
  const limitedName = limited.get(0).with({ signal: new AbortController().signal }).remote.name();
  same<typeof limitedName, RemotePromise<string>>(true);
  const limitedCall = basket.remote.counter().with({ detached: true }).callFunction(3);
  same<typeof limitedCall, RemotePromise<number>>(true);
  await untyped.remote.anything!().with({}).get("whatever").callRemote("more", first);

  // @ts-expect-error A proxy has no such method.
  void first.remote.nothing();
  // @ts-expect-error A number has no methods.
  void shop.remote.count().callRemote("name");
  // @ts-expect-error A list has no key of that kind.
  shop.remote.find("tea").get("first");
  // @ts-expect-error There is no such part.
  items.get("last");
  // @ts-expect-error An object that lives elsewhere has no parts.
  first.get("title");
  // @ts-expect-error A promise of another type.
  void shop.remote.find(shop.remote.count());
  // @ts-expect-error A promise of another class's object.
  void basket.remote.put(basket.remote.put(first, [], 1), [], 1);
  // @ts-expect-error The constraint takes text.
  void shelf.remote.take(shop.remote.count(), 1);
  // @ts-expect-error An object is no function.
  void first.callFunction(1);
  // @ts-expect-error With options it is no function either.
  void first.with({}).callFunction(1);
  // @ts-expect-error A list has no methods, whatever the options.
  void limited.remote.name();
  // @ts-expect-error There is no such part.
  void items.with({}).get("last");
  // @ts-expect-error There is no such option.
  void items.with({ timeout: 5 });
}

/** Never called: it is only checked. */
export async function typesOf(tub: Tub, furl: string): Promise<void> {
  const shop = await tub.getReference<Shop>(furl);
  const count = shop.callRemote("count");
  same<typeof count, RemotePromise<number>>(true);
  const items = await shop.callRemote("find", "tea", 3);
  same<typeof items, RemoteReference<Item>[]>(true);
  const nothing = await shop.callRemote("add", new Item());
  same<typeof nothing, null | undefined>(true);
  same<Received<Date | undefined>, Date | null | undefined>(true);
  same<Received<URL | RegExp | TypeError | ArrayBuffer>, URL | RegExp | TypeError | ArrayBuffer>(true);
  same<Received<Set<Date>>, Set<Date>>(true);
  same<Sendable<Map<Date, undefined>>, Map<Date, undefined> | PromisedValue<Map<Date, undefined>>>(true);
  await shop.callRemote("add", items[0]!);
  await shop.callRemote("watch", callable((count: number) => void count));
  // @ts-expect-error The same.
  await shop.callRemote("find", kwargs({ name: "tea" }));
  await shop.callRemote("sort", kwargs({ by: "price" }));
  same<Awaited<ReturnType<typeof shop.remote.count>>, number>(true);
  shop.callRemoteOnly("add", new Item());
  await shop.with({ timeoutMs: 5 }).callRemote("find", "tea");

  // @ts-expect-error There is no such method.
  void shop.callRemote("nothing");
  // @ts-expect-error A method that is not remote.
  void shop.callRemote("local");
  // @ts-expect-error A field.
  void shop.callRemote("title");
  // @ts-expect-error An argument of another type.
  void shop.callRemote("find", 3);
  // @ts-expect-error An argument is missing.
  void shop.callRemote("find");
  // @ts-expect-error An argument too many.
  void shop.callRemote("count", 1);
  // @ts-expect-error The method names another argument.
  void shop.callRemote("sort", kwargs({ to: "price" }));
  // @ts-expect-error A bare function is not sent by accident.
  void shop.callRemote("watch", (count: number) => void count);
  // @ts-expect-error The proxy has no such method.
  void shop.remote.nothing();
  // @ts-expect-error A plain object with the same methods is not a Referenceable.
  tub.registerReference({ remote_name: () => "item" });

  const f = await tub.getReference<(a: number) => string>(furl);
  same<typeof f, RemoteFunction<(a: number) => string>>(true);
  const answer = await f.callRemote(1);
  same<typeof answer, string>(true);
  tub.registerReference(callable((a: number) => a));
  const list = { values: [1], take: (a: number) => a };
  await shop.callRemote("watch", callable(list, "take"));
  // @ts-expect-error A field is no method.
  callable(list, "values");

  const untyped = await tub.getReference(furl);
  const anything = await untyped.callRemote("whatever", 1, "two", [3]);
  same<typeof anything, unknown>(true);
  same<Float["value"], number>(true);
}

Deno.test("the methods that the types offer are those that the class declares as remote", () => {
  const offered = Object.getOwnPropertyNames(Shop.prototype).filter((name) => name.startsWith("remote_"));
  // The types themselves are checked where this file is compiled.
  assert.deepEqual(offered, ["remote_count", "remote_find", "remote_add", "remote_sort", "remote_watch"]);
});
