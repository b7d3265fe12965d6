import assert from "node:assert/strict";
import {
  bridge,
  callable,
  currentCall,
  type Kwargs,
  kwargs,
  pb,
  Referenceable,
  RemoteInterface,
  type RemoteReference,
  schema,
  Tub,
  tuple,
} from "../../mod.ts";
import { FurlTarget } from "../../lib/bridge/furl_target.ts";
import { startTub, until } from "../tub/tubs.ts";
import { collected, toFoolscap } from "./support.ts";

class ShopError extends Error {}

class Item extends Referenceable {
  remote_number(): number {
    return 7;
  }
}

class Shop extends Referenceable {
  readonly item = new Item();
  readonly marks: unknown[] = [];
  held: unknown;
  signal: AbortSignal | undefined;

  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_add(a: number, named: Kwargs): unknown {
    return tuple(a, named.values.b);
  }
  remote_item(): Item {
    return this.item;
  }
  remote_isItem(value: unknown): boolean {
    return value === this.item;
  }
  remote_double(): unknown {
    return callable((n: number) => n * 2);
  }
  remote_hold(value: unknown): void {
    this.held = value;
  }
  remote_giveHeld(): unknown {
    return this.held;
  }
  remote_callHeld(method: string, ...args: unknown[]): Promise<unknown> {
    return (this.held as RemoteReference).callRemote(method, ...args);
  }
  remote_drop(): void {
    this.held = undefined;
  }
  remote_mark(mark: unknown): void {
    this.marks.push(mark);
  }
  remote_wait(): Promise<unknown> {
    this.signal = currentCall()!.signal;
    return new Promise((resolve) => this.signal!.addEventListener("abort", () => resolve(null)));
  }
  remote_fail(kind: string): never {
    if (kind === "expected") throw new pb.Error("sold out");
    throw new ShopError(
      "see pb://abcdefghijklmnopqrstuvwxyz234567@tcp:h:1/secretsecretsecret in /home/me/shop.ts",
    );
  }
}

class Own extends pb.Referenceable {
  remote_hello(name: string): string {
    return `hello ${name}`;
  }
  remote_fail(): never {
    throw new pb.Error("not me");
  }
}

async function failure(call: PromiseLike<unknown>): Promise<pb.RemoteError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof pb.RemoteError, String(error));
    return error;
  }
  throw new TypeError("it did not fail");
}

/** An object of the bridge's own process, or one of a Foolscap Tub behind it. */
const PLACES = {
  "of this process": async (shop: Shop) => {
    const server = await pb.serve(await bridge.pbRootOf(shop), "tcp:0:interface=127.0.0.1");
    const client = await pb.connect(server.address);
    return {
      server,
      client,
      root: client.getRootObject() as pb.RemoteReference,
      async [Symbol.asyncDispose]() {
        await client.close();
        await server.close();
      },
    };
  },
  "behind a FURL": (shop: Shop) => toFoolscap(shop),
};

for (const [where, start] of Object.entries(PLACES)) {
  Deno.test(`a PB client calls a Foolscap object ${where}, with keyword arguments`, async () => {
    await using chain = await start(new Shop());
    assert.equal(await chain.root.callRemote("echo", "text"), "text");
    assert.deepEqual(await chain.root.callRemote("add", 1, kwargs({ b: 2n ** 70n })), tuple(1, 2n ** 70n));
  });

  Deno.test(`a PB client holds what a Foolscap object ${where} gives out, and sends it home`, async () => {
    await using chain = await start(new Shop());
    const item = await chain.root.callRemote("item") as pb.RemoteReference;
    assert.ok(item instanceof pb.RemoteReference);
    assert.equal(await chain.root.callRemote("item"), item);
    assert.equal(await item.callRemote("number"), 7);
    assert.equal(await chain.root.callRemote("isItem", item), true);
    const double = await chain.root.callRemote("double") as pb.RemoteReference;
    assert.equal(await double.callRemote("call", 4), 8);
    await assert.rejects(double.callRemote("apply"), pb.RemoteError);
  });

  Deno.test(`an object of a PB client is called back by one ${where}, and comes home`, async () => {
    await using chain = await start(new Shop());
    const own = new Own();
    await chain.root.callRemote("hold", own);
    assert.equal(await chain.root.callRemote("callHeld", "hello", "x"), "hello x");
    assert.equal(await chain.root.callRemote("giveHeld"), own);
    const told = await failure(chain.root.callRemote("callHeld", "fail"));
    assert.deepEqual([told.remoteType, told.message], ["twisted.spread.pb.Error", "not me"]);
  });

  Deno.test(`errors of a Foolscap object ${where} keep their type, and no secret is told`, async () => {
    await using chain = await start(new Shop());
    const bug = await failure(chain.root.callRemote("fail", "bug"));
    assert.equal(bug.remoteType, "javascript.ShopError");
    assert.ok(bug.check("builtins.Exception"));
    assert.doesNotMatch(bug.message, /secretsecret|home/);
    assert.match(bug.message, /^see pb:/);
    const missing = await failure(chain.root.callRemote("nothing"));
    assert.ok(missing.check("builtins.AttributeError"));
    const date = await failure(chain.root.callRemote("echo", [new pb.CalendarDate(2026, 1, 2)]));
    assert.match(date.message, /Foolscap has no form for it.*\(at arguments\[0\]\[0\]\)/);
  });

  Deno.test(`calls by PB of an object ${where} keep their order, with and without answers`, async () => {
    const shop = new Shop();
    await using chain = await start(shop);
    const calls = Array.from({ length: 100 }, (_, i) => {
      if (i % 3 === 0) return void chain.root.callRemoteOnly("mark", i);
      return chain.root.callRemote("mark", i);
    });
    await Promise.all(calls);
    assert.deepEqual(shop.marks, Array.from({ length: 100 }, (_, i) => i));
  });

  Deno.test(`what a PB client has called of an object ${where} is given up when it is gone`, async () => {
    const shop = new Shop();
    await using chain = await start(shop);
    chain.root.callRemote("wait").catch(() => {});
    await until(() => shop.signal !== undefined);
    await chain.client.close();
    await until(() => shop.signal!.aborted);
  });
}

Deno.test("servePb() of a capability refuses what it does not allow, and everything once it is revoked", async () => {
  await using tub = await Tub.create();
  const capability = tub.registry.grant(new Shop(), { methods: ["echo"], maxCalls: 5 });
  const server = await bridge.servePb(tub, capability, "tcp:0:interface=127.0.0.1");
  await using client = await pb.connect(server.address);
  const root = client.getRootObject();
  assert.equal(await root.callRemote("echo", 1), 1);
  const denied = await failure(root.callRemote("item"));
  assert.equal(denied.remoteType, "javascript.PermissionDenied");
  assert.ok(denied.check("javascript.PermissionDenied.method"));
  assert.ok(denied.check("builtins.PermissionError"));
  assert.equal(capability.info().callsUsed, 1);
  capability.revoke();
  assert.ok((await failure(root.callRemote("echo", 2))).check("javascript.PermissionDenied.revoked"));
});

Deno.test("a capability for certain holders lets no PB client pass, since none proves who it is", async () => {
  await using tub = await Tub.create();
  const capability = tub.registry.grant(new Shop(), { holders: [tub.tubId] });
  const server = await bridge.servePb(tub, capability, "tcp:0:interface=127.0.0.1");
  await using client = await pb.connect(server.address);
  assert.ok((await failure(client.getRootObject().callRemote("echo", 1))).check("builtins.PermissionError"));
});

const RIAdder = RemoteInterface("RIAdder.bridge.tests", {
  add: schema.method([["a", Number], ["b", schema.Optional(Number, 10)]], Number),
});
class Adder extends Referenceable {
  static override remoteInterface = RIAdder;
  remote_add(a: number, b: number): number {
    return a + b > 99 ? "too much" as unknown as number : a + b;
  }
}

Deno.test("a PB client's calls are held to the RemoteInterface of the object", async () => {
  await using server = await pb.serve(await bridge.pbRootOf(new Adder()), "tcp:0:interface=127.0.0.1");
  await using client = await pb.connect(server.address);
  const root = client.getRootObject();
  assert.equal(await root.callRemote("add", 1), 11);
  assert.equal(await root.callRemote("add", kwargs({ b: 2, a: 1 })), 3);
  for (const call of [["add", "1"], ["add", 1, 2, 3], ["other"], ["add", 90, 80]] as const) {
    const [method, ...args] = call;
    const told = await failure(root.callRemote(method, ...args));
    assert.equal(told.remoteType, "foolscap.tokens.Violation", told.message);
  }
});

class Reader extends Referenceable {
  static override requires = [{ name: "ffi" }] as const;
}

Deno.test("pbRootOf() refuses what is no object, and one whose permissions are missing", async () => {
  await assert.rejects(bridge.pbRootOf({} as never), TypeError);
  await using tub = await Tub.create();
  await assert.rejects(bridge.servePb(tub, new Shop(), "tcp:nothing"), TypeError);
  if (Deno.permissions.querySync({ name: "ffi" }).state === "granted") return;
  await assert.rejects(bridge.pbRootOf(new Reader()), { name: "PermissionDenied" });
});

Deno.test("servePb() ends with its Tub, and serves nothing of one that has stopped", async () => {
  const tub = await Tub.create();
  const server = await bridge.servePb(tub, new Shop(), "tcp:0:interface=127.0.0.1");
  await using client = await pb.connect(server.address);
  const lost = Promise.withResolvers<void>();
  client.notifyOnDisconnect(lost.resolve);
  await tub.stop();
  await lost.promise;
  await assert.rejects(pb.connect(server.address), { name: "UnreachableError" });
  await assert.rejects(bridge.servePb(tub, new Shop(), "tcp:0:interface=127.0.0.1"), TypeError);
});

Deno.test("what stands for a FURL gets its object again when the connection was lost, and keeps the order", async () => {
  const shops = [new Shop(), new Shop()];
  const services = await Promise.all([startTub(), startTub()]);
  await using tub = await Tub.create();
  const furls = services.map((service, i) => service.registerReference(shops[i]!));
  let lost = Promise.withResolvers<void>();
  // The other Tub's has the place of the same one, started again.
  const get = () => tub.getReference(furls.shift()!) as Promise<RemoteReference>;
  const target = new FurlTarget(get, () => lost.resolve());
  await using server = await pb.serve(await bridge.pbRootOf(target), "tcp:0:interface=127.0.0.1");
  await using client = await pb.connect(server.address);
  const root = client.getRootObject();
  for (const [i, service] of services.entries()) {
    await Promise.all([1, 2, 3].map((mark) => root.callRemote("mark", mark)));
    await root.callRemote("mark", 4);
    assert.deepEqual(shops[i]!.marks, [1, 2, 3, 4]);
    lost = Promise.withResolvers();
    await service.stop();
    await lost.promise;
  }
  // And now there is none: who waits is told.
  const told = await Promise.all([1, 2].map((mark) => failure(root.callRemote("mark", mark))));
  assert.deepEqual(
    told.map(({ remoteType }) => remoteType),
    Array(2).fill("twisted.spread.pb.DeadReferenceError"),
  );
});

Deno.test("servePb() disconnects its clients with the object, if it is told to", async () => {
  await using chain = await toFoolscap(new Shop(), { closeWhenLost: true });
  const lost = Promise.withResolvers<void>();
  chain.root.notifyOnDisconnect(() => lost.resolve());
  await chain.root.callRemote("echo", 1);
  await chain.service.stop();
  await lost.promise;
});

Deno.test("servePb() of a FURL that leads nowhere fails, and calls of one that is gone are DeadReferenceErrors", async () => {
  await using tub = await Tub.create();
  await using other = await startTub();
  const furl = other.registerReference(new Shop());
  const server = await bridge.servePb(tub, furl, "tcp:0:interface=127.0.0.1");
  await using client = await pb.connect(server.address);
  await other.stop();
  const told = await failure(client.getRootObject().callRemote("echo", 1));
  assert.equal(told.remoteType, "twisted.spread.pb.DeadReferenceError");
  await assert.rejects(bridge.servePb(tub, furl, "tcp:0:interface=127.0.0.1"), { name: "UnreachableError" });
});

Deno.test("an object of one PB connection reaches another one as an object of the bridge", async () => {
  const shop = new Shop();
  await using server = await pb.serve(await bridge.pbRootOf(shop), "tcp:0:interface=127.0.0.1");
  await using one = await pb.connect(server.address);
  await using two = await pb.connect(server.address);
  await one.getRootObject().callRemote("hold", new Own());
  const held = await two.getRootObject().callRemote("giveHeld") as pb.RemoteReference;
  assert.equal(await held.callRemote("hello", "two"), "hello two");
});

Deno.test({
  name: "what a PB client was given through the bridge is given back to the Foolscap Tub",
  fn: async () => {
    await using chain = await toFoolscap(new Shop());
    const before = chain.service.debug.tables().exported;
    await (async () => {
      for (let i = 0; i < 20; i++) {
        const item = await chain.root.callRemote("item") as pb.RemoteReference;
        await item.callRemote("number");
        await chain.root.callRemote("hold", new Own());
        await chain.root.callRemote("callHeld", "hello", "x");
      }
      await chain.root.callRemote("drop");
    })();
    const broker = chain.server.brokers[0]!;
    await collected(() => broker.tables.local === 0 && broker.tables.remote === 0, "an empty PB server");
    await collected(() => chain.client.broker.tables.local === 0, "an empty PB client");
    await collected(() => chain.service.debug.tables().exported === before, "no more exports");
    await collected(() => chain.tub.debug.tables().exported === 0, "no exports of the bridge");
  },
});
