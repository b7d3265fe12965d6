import assert from "node:assert/strict";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { systemRandomBytes } from "../../lib/names/swissnum.ts";
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
