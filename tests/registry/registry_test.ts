import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { systemRandomBytes } from "../../lib/util/random_bytes.ts";
import { CapabilityRegistry } from "../../lib/registry/registry.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";

function newRegistry(): { registry: CapabilityRegistry; events: TraceEvent[] } {
  const events: TraceEvent[] = [];
  const registry = new CapabilityRegistry({
    randomBytes: systemRandomBytes,
    trace: (event) => void events.push(event),
  });
  return { registry, events };
}

Deno.test("CapabilityRegistry.register() makes names of 160 random bits, each another one", () => {
  const { registry } = newRegistry();
  const names = new Set(Array.from({ length: 50 }, () => registry.register(new Referenceable())));
  assert.equal(names.size, 50);
  for (const name of names) assert.match(name, /^[a-z2-7]{32}$/);
});

Deno.test("CapabilityRegistry.register() lets an object keep its first name", () => {
  const { registry } = newRegistry();
  const object = new Referenceable();
  const name = registry.nameOf(object);
  assert.equal(registry.register(object, "calc"), name);
  assert.equal(registry.find("calc"), undefined);
  assert.equal(registry.size, 1);
});

Deno.test("CapabilityRegistry.register() refuses what is not a Referenceable", () => {
  const { registry } = newRegistry();
  assert.throws(() => registry.register({} as Referenceable), TypeError);
  assert.equal(registry.size, 0);
});

for (const name of ["", "a\nb", "\ud800"]) {
  Deno.test(`CapabilityRegistry.register() refuses the name ${JSON.stringify(name)}`, () => {
    const { registry } = newRegistry();
    assert.throws(() => registry.register(new Referenceable(), name), { name: "FurlError" });
    assert.equal(registry.size, 0);
  });
}

Deno.test("CapabilityRegistry.list() tells what was registered from what only travelled", () => {
  const { registry } = newRegistry();
  const [registered, travelled] = [new Referenceable(), new Referenceable()];
  registry.register(registered);
  registry.nameOf(travelled);
  assert.deepEqual(registry.list(), [
    { object: registered, isImplicit: false },
    { object: travelled, isImplicit: true },
  ]);
});

Deno.test("CapabilityRegistry.find() asks lookup handlers in order and remembers the name", () => {
  const { registry } = newRegistry();
  const object = new Referenceable();
  const asked: string[] = [];
  registry.addLookup((name) => {
    asked.push(`first ${name}`);
    return null;
  });
  const handler = registry.addLookup((name) => {
    asked.push(`second ${name}`);
    return name === "made" ? object : undefined;
  });
  assert.equal(registry.find("other"), undefined);
  assert.equal(registry.find("made"), object);
  assert.equal(registry.find("made"), object);
  assert.equal(registry.nameOf(object), "made");
  assert.deepEqual(asked, ["first other", "second other", "first made", "second made"]);
  handler[Symbol.dispose]();
  assert.equal(registry.find("other"), undefined);
  assert.equal(asked.at(-1), "first other");
});

Deno.test("CapabilityRegistry.find() asks nobody for a name that no FURL can have", () => {
  const { registry } = newRegistry();
  registry.addLookup(() => assert.fail("it was asked"));
  assert.equal(registry.find("x".repeat(8_193)), undefined);
});

Deno.test("CapabilityRegistry.find() goes on when a lookup handler throws, and tells the trace", () => {
  const { registry, events } = newRegistry();
  const object = new Referenceable();
  registry.addLookup(() => {
    throw new TypeError("broken");
  });
  registry.addLookup(() => object);
  assert.equal(registry.find("x"), object);
  assert.deepEqual(events.map((event) => event.type), ["callback-failed"]);
});

Deno.test("CapabilityRegistry shows no name when it is printed", () => {
  const { registry } = newRegistry();
  const name = registry.register(new Referenceable());
  assert.ok(!Deno.inspect(registry, { depth: 10, showHidden: true }).includes(name));
  assert.ok(!JSON.stringify(registry.list()).includes(name));
});

Deno.test("CapabilityRegistry.lookup() waits for handlers in order, and remembers what one gives", async () => {
  const { registry } = newRegistry();
  const object = new Referenceable();
  const asked: string[] = [];
  registry.addLookup(async (name) => (asked.push(`first ${name}`), await Promise.resolve(), null));
  registry.addLookup(() => 0 as unknown as null);
  registry.addLookup(async (name) => (asked.push(`third ${name}`), await Promise.resolve(), object));
  assert.equal(registry.find("a"), undefined, "who cannot wait finds nothing");
  assert.equal(await registry.lookup("a"), object);
  assert.equal(await registry.lookup("a"), object);
  assert.equal(registry.find("a"), object);
  assert.deepEqual(asked, ["first a", "third a", "first a", "third a"]);
  assert.equal(registry.nameOf(object), "a");
  // A second name for it is found, and not remembered.
  assert.equal(await registry.lookup("b"), object);
  assert.equal(registry.nameOf(object), "a");
  assert.equal(await registry.lookup("x".repeat(10_000)), undefined);
});

Deno.test("CapabilityRegistry.lookup() tells the trace of handlers that fail, and asks the next", async () => {
  const { registry, events } = newRegistry();
  const object = new Referenceable();
  registry.addLookup(() => Promise.reject(new RangeError("one")));
  registry.addLookup(() => {
    throw new RangeError("two");
  });
  registry.addLookup(() => "an object" as unknown as Referenceable);
  registry.addLookup(() => object);
  assert.equal(await registry.lookup("a"), object);
  const failed = events.map((event) =>
    event.type === "callback-failed" ? event.error.message.slice(0, 20) : ""
  );
  assert.deepEqual(failed, ["one", "two", "Cannot use what a lo"]);
});

Deno.test("CapabilityRegistry.find() reports the failure of a handler that promises, and does not wait", async () => {
  const { registry, events } = newRegistry();
  registry.addLookup(() => Promise.reject(new RangeError("late")));
  assert.equal(registry.find("a"), undefined);
  await Promise.resolve().then(() => {});
  assert.equal(events.length, 1);
});

Deno.test("CapabilityRegistry.lookup() gives all who ask at once the same object", async () => {
  const { registry } = newRegistry();
  registry.addLookup(async () => (await Promise.resolve(), new Referenceable()));
  const [one, other] = await Promise.all([registry.lookup("a"), registry.lookup("a")]);
  assert.ok(one !== undefined);
  assert.equal(one, other);
});

Deno.test("CapabilityRegistry.lookup() gives nothing of a handler that was taken back while it thought", async () => {
  const { registry } = newRegistry();
  const gate = Promise.withResolvers<Referenceable>();
  registry.addLookup(() => gate.promise);
  const found = registry.lookup("a");
  registry.clear();
  gate.resolve(new Referenceable());
  assert.equal(await found, undefined);
  assert.equal(registry.size, 0);
});

Deno.test("CapabilityRegistry.register() takes a function that callable() was given, and says so of a bare one", () => {
  const { registry } = newRegistry();
  const f = () => 1;
  const name = registry.register(callable(f), "f");
  assert.equal(name, "f");
  assert.equal(registry.find("f"), callable(f));
  assert.throws(() => registry.register(f as unknown as Referenceable), /callable\(f\)/);
});

Deno.test("a listener of events that rejects hurts nobody, and the trace is told", async () => {
  const failed: string[] = [];
  const registry = new CapabilityRegistry({
    randomBytes: systemRandomBytes,
    trace: (event) => event.type === "callback-failed" && failed.push(event.where),
    onEvent: [() => Promise.reject(new TypeError("of the program"))],
  });
  registry.grant(new Referenceable());
  await Promise.resolve();
  assert.deepEqual(failed, ["capability events"]);
});
