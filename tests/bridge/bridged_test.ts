import assert from "node:assert/strict";
import {
  bridge,
  callable,
  Copyable,
  type Kwargs,
  kwargs,
  localReference,
  pb,
  PermissionDenied,
  Referenceable,
  RemoteException,
  RemoteReference,
  tuple,
} from "../../mod.ts";
import { inFolder } from "../tub/support.ts";
import { until } from "../tub/tubs.ts";
import { collected, toPb } from "./support.ts";

class Shape extends Copyable {
  static override copytype = "bridge.Shape";
  side = 0;
  parts: unknown = null;
}
bridge.registerBridgedCopy("bridge.Shape", Shape);

class PondError extends pb.Error {}
pb.nameError(PondError, "pond.PondError");

class Frog extends pb.Referenceable {
  jumps = 0;
  remote_jump(): number {
    return ++this.jumps;
  }
  remote_self(): this {
    return this;
  }
}

class Pond extends pb.Root {
  readonly frog = new Frog();
  readonly marks: unknown[] = [];
  held: unknown;
  readonly gate = Promise.withResolvers<void>();

  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_add(a: number, named: Kwargs): unknown {
    return [a, { ...named.values }];
  }
  remote_frog(): Frog {
    return this.frog;
  }
  remote_isFrog(value: unknown): boolean {
    return value === this.frog;
  }
  remote_self(): this {
    return this;
  }
  remote_hold(value: unknown): void {
    this.held = value;
  }
  remote_drop(): void {
    this.held = undefined;
  }
  remote_callHeld(method: string, ...args: unknown[]): Promise<unknown> {
    return (this.held as pb.RemoteReference).callRemote(method, ...args);
  }
  remote_giveHeld(): unknown {
    return this.held;
  }
  remote_mark(mark: unknown): void {
    this.marks.push(mark);
  }
  remote_wait(): Promise<void> {
    return this.gate.promise;
  }
  remote_date(): pb.CalendarDate {
    return new pb.CalendarDate(2026, 11, 22);
  }
  remote_fail(kind: string): never {
    if (kind === "expected") throw new PondError("the pond is frozen");
    throw new RangeError("too deep");
  }
}

class Visitor extends Referenceable {
  remote_greet(name: string): string {
    return `hello ${name}`;
  }
  remote_fail(): never {
    throw new TypeError("not today");
  }
}

async function failure(call: PromiseLike<unknown>): Promise<RemoteException> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof RemoteException, String(error));
    return error;
  }
  throw new TypeError("it did not fail");
}

Deno.test("bridged() lets a Foolscap peer call an object of Perspective Broker, with keyword arguments", async () => {
  await using chain = await toPb(new Pond());
  const { root } = chain;
  assert.equal(await root.callRemote("echo", "text"), "text");
  assert.deepEqual(await root.callRemote("add", 1, kwargs({ b: tuple(2, 3) })), [
    1,
    Object.assign(Object.create(null), { b: tuple(2, 3) }),
  ]);
});

Deno.test("bridged() gives the same for the same source, and refuses what is none", async () => {
  await using chain = await toPb(new Pond());
  assert.equal(bridge.bridged(chain.client), chain.object);
  assert.equal(chain.object.isConnected(), true);
  assert.throws(() => bridge.bridged("tcp:1" as never), TypeError);
  assert.throws(() => bridge.bridged(new Frog() as never), TypeError);
});

Deno.test("references of a bridged object keep their identity, and go home as themselves", async () => {
  await using chain = await toPb(new Pond());
  const { root } = chain;
  const frog = await root.callRemote("frog") as RemoteReference;
  assert.ok(frog instanceof RemoteReference);
  assert.equal(await root.callRemote("frog"), frog);
  assert.equal(await frog.callRemote("jump"), 1);
  assert.equal(await root.callRemote("isFrog", frog), true);
  assert.deepEqual(await root.callRemote("echo", [frog, tuple(frog)]), [frog, tuple(frog)]);
});

Deno.test("a Foolscap object and a function can be called back through the bridge, and come home", async () => {
  await using chain = await toPb(new Pond());
  const { root } = chain;
  const visitor = new Visitor();
  await root.callRemote("hold", visitor);
  assert.equal(await root.callRemote("callHeld", "greet", "pond"), "hello pond");
  assert.equal(await root.callRemote("giveHeld"), visitor);
  const told = await failure(root.callRemote("callHeld", "fail"));
  assert.equal(told.remoteType, "javascript.TypeError");
  assert.equal(told.message, "not today");
  assert.equal(told.check("builtins.TypeError"), "builtins.TypeError");

  const f = (a: number) => a * 2;
  await root.callRemote("hold", callable(f));
  assert.equal(await root.callRemote("callHeld", "call", 21), 42);
  assert.equal(
    (await failure(root.callRemote("callHeld", "other"))).remoteType,
    "twisted.spread.flavors.NoSuchMethod",
  );
  assert.equal(await root.callRemote("giveHeld"), callable(f));
});

Deno.test("errors of a bridged object keep type, parents and message", async () => {
  await using chain = await toPb(new Pond());
  const expected = await failure(chain.root.callRemote("fail", "expected"));
  assert.deepEqual([expected.remoteType, expected.message], ["pond.PondError", "the pond is frozen"]);
  assert.ok(expected.check("twisted.spread.pb.Error"));
  const bug = await failure(chain.root.callRemote("fail", "bug"));
  assert.deepEqual([bug.remoteType, bug.message], ["javascript.RangeError", "too deep"]);
  const missing = await failure(chain.root.callRemote("nothing"));
  assert.equal(missing.remoteType, "twisted.spread.flavors.NoSuchMethod");
  assert.ok(missing.check("builtins.AttributeError"));
});

Deno.test("copies that both protocols know pass the bridge both ways, shared parts and all", async () => {
  await using chain = await toPb(new Pond());
  const shape = new Shape();
  shape.side = 3;
  const list = ["x", new Visitor()];
  shape.parts = [list, list];
  const back = await chain.root.callRemote("echo", [shape, shape]) as Shape[];
  assert.ok(back[0] instanceof Shape);
  assert.equal(back[0], back[1]);
  const [one, two] = back[0].parts as unknown[][];
  assert.equal(one, two);
  assert.equal(one![1], list[1]);
});

Deno.test("a date, a bare object and too deep a value fail one call, with a Violation that says so", async () => {
  await using chain = await toPb(new Pond());
  const { root } = chain;
  const date = await failure(root.callRemote("date"));
  assert.equal(date.remoteType, "foolscap.tokens.Violation");
  assert.match(date.message, /Foolscap has no form/);
  const own = await failure(root.callRemote("echo", { when: new Date(0) }));
  assert.match(own.message, /Cannot pass a Date on.*arguments\[0\]\.when/);
  let deep: unknown = [];
  for (let i = 0; i < 350; i++) deep = [deep];
  assert.equal((await failure(root.callRemote("echo", deep))).remoteType, "foolscap.tokens.Violation");
  assert.equal(await root.callRemote("echo", 1), 1);
});

Deno.test("calls through the bridge keep their order", async () => {
  const pond = new Pond();
  await using chain = await toPb(pond);
  const calls = Array.from({ length: 200 }, (_, i) => chain.root.callRemote("mark", i));
  await Promise.all(calls);
  assert.deepEqual(pond.marks, Array.from({ length: 200 }, (_, i) => i));
});

Deno.test("a caller that gives a call through the bridge up is free, and the bridge holds nothing for it", async () => {
  await using chain = await toPb(new Pond());
  const stop = new AbortController();
  const call = chain.root.with({ signal: stop.signal }).callRemote("wait");
  await until(() => chain.client.broker.tables.waitingCalls === 1);
  stop.abort(new RangeError("enough"));
  await assert.rejects(call, /enough/);
  await until(() => chain.capability.info().callsUsed === 1);
  await assert.rejects(
    localReference(chain.object).with({ timeoutMs: 1 }).callRemote("wait"),
    { name: "TimeoutError" },
  );
  assert.equal(await chain.root.callRemote("echo", 1), 1);
});

Deno.test("a bridged capability is attenuated, and refuses when it was revoked", async () => {
  await using chain = await toPb(new Pond());
  const narrow = chain.capability.attenuate({ methods: ["echo"], maxCalls: 3 });
  const root = await chain.caller.getReference(narrow.furl);
  assert.equal(await root.callRemote("echo", 1), 1);
  await assert.rejects(root.callRemote("frog"), PermissionDenied);
  narrow.revoke();
  await assert.rejects(root.callRemote("echo", 2), PermissionDenied);
  assert.equal(await chain.root.callRemote("echo", 3), 3);
});

Deno.test("a bridged capability of a numbered object is what its own methods give for it", async () => {
  await using chain = await toPb(new Pond());
  const frog = bridge.bridged(await chain.client.getRootObject().callRemote("frog") as pb.RemoteReference);
  const { furl } = chain.tub.registry.grant(frog, { methods: ["self"] });
  const held = await chain.caller.getReference(furl);
  assert.equal(await held.callRemote("self"), held);
  assert.equal(await frog.callRemote("jump"), 1);
  assert.equal(await frog.remote.jump!(), 2);
  assert.equal(await frog.with({ timeoutMs: 10_000 }).callRemote("jump"), 3);
  frog.callRemoteOnly("jump");
  assert.equal(await frog.callRemote("jump"), 5);
});

Deno.test("the loss of the PB connection is a DeadReferenceError at the caller, and is told", async () => {
  await using chain = await toPb(new Pond());
  const lost = Promise.withResolvers<void>();
  chain.object.notifyOnDisconnect(lost.resolve);
  const waiting = failure(chain.root.callRemote("wait"));
  await until(() => chain.client.broker.tables.waitingCalls === 1);
  await chain.server.close();
  assert.equal((await waiting).remoteType, "foolscap.ipb.DeadReferenceError");
  await lost.promise;
  assert.equal(chain.object.isConnected(), false);
  const later = await failure(chain.root.callRemote("echo", 1));
  assert.equal(later.remoteType, "foolscap.ipb.DeadReferenceError");
  assert.equal(
    later.message,
    'Cannot call "echo": the connection with its Perspective Broker service is gone',
  );
  const again = Promise.withResolvers<void>();
  chain.object.notifyOnDisconnect(again.resolve);
  await again.promise;
});

Deno.test("bridged() of a persistent client calls the service again when that is there again", async () => {
  await inFolder(async (folder) => {
    const place = `unix:${folder}/pond`;
    await using first = await pb.serve(new Pond(), place);
    let connected = Promise.withResolvers<void>();
    await using client = pb.connectPersistently(place, () => connected.resolve(), {
      reconnect: { initialDelayMs: 1, maxDelayMs: 5, jitter: 0 },
    });
    await connected.promise;
    const object = localReference(bridge.bridged(client));
    assert.equal(await object.callRemote("echo", 1), 1);
    connected = Promise.withResolvers();
    await first.close();
    await until(() => client.state !== "connected");
    await assert.rejects(object.callRemote("echo", 2), { name: "DeadReferenceError" });
    await using _second = await pb.serve(new Pond(), place);
    await connected.promise;
    assert.equal(await object.callRemote("echo", 3), 3);
  });
});

Deno.test("bridged() of a function calls what that gives, and nothing while it gives nothing", async () => {
  await using chain = await toPb(new Pond());
  const login: { avatar?: pb.RemoteReference } = {};
  const object = localReference(bridge.bridged(() => login.avatar));
  await assert.rejects(object.callRemote("echo", 1), { name: "DeadReferenceError" });
  login.avatar = chain.client.getRootObject();
  assert.equal(await object.callRemote("echo", 2), 2);
});

Deno.test({
  name: "what crossed a bridge is given back on both sides when nobody holds it any more",
  fn: async () => {
    const pond = new Pond();
    await using chain = await toPb(pond);
    const before = chain.tub.debug.tables().exported;
    await (async () => {
      for (let i = 0; i < 20; i++) {
        const frog = await chain.root.callRemote("frog") as RemoteReference;
        await frog.callRemote("jump");
        await chain.root.callRemote("hold", new Visitor());
        await chain.root.callRemote("callHeld", "greet", "x");
      }
      await chain.root.callRemote("drop");
    })();
    const server = chain.server.brokers[0]!;
    await collected(() => server.tables.local === 0 && server.tables.remote === 0, "an empty PB server");
    await collected(() => chain.client.broker.tables.local === 0, "an empty PB client");
    await collected(() => chain.tub.debug.tables().exported === before, "no more exports");
    await collected(() => chain.tub.debug.tables().imported === 0, "no imports");
    await collected(() => chain.caller.debug.tables().exported === 0, "no exports of the caller");
  },
});
