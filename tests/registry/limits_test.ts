import assert from "node:assert/strict";
import { CapabilityRegistry } from "../../lib/registry/registry.ts";
import { systemRandomBytes } from "../../lib/util/random_bytes.ts";
import { callable } from "../../lib/broker/callable.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { GrantOptions } from "../../lib/registry/grant_options.ts";
import { ALICE, BOB, call, callAs, denial, Files, Rig } from "./support.ts";

interface Row {
  readonly limit: string;
  readonly options: GrantOptions;
  /** Makes the next call one that is refused, where arguments alone do not. */
  readonly exhaust?: (rig: Rig, object: Files) => void;
  readonly caller?: string | undefined;
  readonly method?: string;
  readonly message: RegExp;
}

const ROWS: readonly Row[] = [
  {
    limit: "method",
    options: { methods: ["list", "read"] },
    method: "write",
    message: /^Cannot call "write": this capability allows only list, read$/,
  },
  {
    limit: "method",
    options: { methods: [] },
    method: "list",
    message: /allows no method$/,
  },
  {
    limit: "expires",
    options: { expires: "PT1S" },
    exhaust: ({ clock }) => clock.advance(1_000),
    message: /^Cannot call "list": this capability has expired$/,
  },
  {
    limit: "maxCalls",
    options: { maxCalls: 1 },
    exhaust: (_, object) => void call(object, "list"),
    message: /^Cannot call "list": all of this capability's 1 calls are used$/,
  },
  {
    limit: "rate",
    options: { rate: { calls: 2, perMs: 1_000 } },
    exhaust: (_, object) => {
      call(object, "list");
      call(object, "list");
    },
    message: /^Cannot call "list": more than 2 calls in 1000 ms; try again in 500 ms$/,
  },
  {
    limit: "holders",
    options: { holders: [ALICE] },
    caller: BOB,
    message: /^Cannot call "list": this capability is for other holders$/,
  },
  {
    limit: "requires",
    options: { requires: [{ name: "read", path: "/srv/secret" }] },
    exhaust: ({ permissions }) => permissions.given.clear(),
    message: /^Cannot call "list": the process lacks a Deno permission that it requires$/,
  },
];

for (const { limit, options, exhaust, caller = ALICE, method = "list", message } of ROWS) {
  Deno.test(`grant() with ${JSON.stringify(options)} allows a call, and refuses one by "${limit}"`, () => {
    const rig = new Rig();
    const allowed = rig.registry.grant(new Files(), options);
    if (options.methods?.length !== 0) assert.deepEqual(call(allowed.object, "list"), ["a.txt"]);
    const { object } = rig.registry.grant(new Files(), options);
    exhaust?.(rig, object);
    const error = denial(() => callAs(caller, object, method));
    assert.equal(error.limit, limit);
    assert.match(error.message, message);
    assert.ok(!error.message.includes("/srv"));
  });

  Deno.test(`attenuate() with ${JSON.stringify(options)} keeps the parent's "${limit}" for the child`, () => {
    const rig = new Rig();
    const parent = rig.registry.grant(new Files(), options);
    const child = parent.attenuate();
    exhaust?.(rig, child.object);
    assert.equal(denial(() => callAs(caller, child.object, method)).limit, limit);
  });
}

Deno.test("maxCalls counts the calls of all children, and none that was refused", () => {
  const { registry } = new Rig();
  const parent = registry.grant(new Files(), { maxCalls: 3 });
  const [one, two] = [parent.attenuate({ methods: ["list"] }), parent.attenuate({ maxCalls: 2 })];
  for (let i = 0; i < 5; i++) denial(() => call(one.object, "write", "b.txt", "x"));
  call(one.object, "list");
  call(two.object, "list");
  assert.equal(two.info().callsLeft, 1);
  call(two.object, "list");
  assert.equal(denial(() => call(one.object, "list")).limit, "maxCalls");
  assert.deepEqual([parent.info().callsUsed, parent.info().callsLeft, one.info().callsUsed], [3, 0, 1]);
});

Deno.test("rate fills evenly, and waits no longer than it says", () => {
  const { registry, clock } = new Rig();
  const { object } = registry.grant(new Files(), { rate: { calls: 3, perMs: 1_000 } });
  for (let i = 0; i < 3; i++) call(object, "list");
  for (let i = 0; i < 20; i++) {
    const { message } = denial(() => call(object, "list"));
    clock.advance(Number(/again in (\d+) ms/.exec(message)![1]));
    call(object, "list");
  }
  clock.advance(3_600_000);
  for (let i = 0; i < 3; i++) call(object, "list");
  denial(() => call(object, "list"));
});

Deno.test("requires is asked again at each turn, and works again when the permission is back", async () => {
  const { registry, permissions } = new Rig();
  const { object } = registry.grant(new Files(), { requires: [{ name: "read" }] });
  const { asked } = permissions;
  for (let i = 0; i < 100; i++) call(object, "list");
  assert.equal(permissions.asked, asked + 1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  permissions.given.clear();
  assert.equal(denial(() => call(object, "list")).limit, "requires");
  permissions.given.add("read");
  call(object, "list");
});

Deno.test("a grant of a function is a function, with the same limits", async () => {
  const { registry } = new Rig();
  const add = registry.grant(callable((a: number, b: number) => a + b), { maxCalls: 1 });
  assert.equal(add.object.call(1, 2), 3);
  assert.match(denial(() => add.object.call(1, 2)).message, /^Cannot call the function: all of/);
  assert.throws(() => registry.grant(callable(() => 1), { methods: ["a"] }), TypeError);
  const held = Promise.withResolvers<number>();
  const waits = registry.grant(callable(() => held.promise));
  const result = waits.object.call();
  waits.revoke();
  await assert.rejects(result, { limit: "revoked" });
});

class Guarded extends Referenceable {
  static override requires = [{ name: "write", path: "/srv/x" }] as const;
  remote_go(): string {
    return "gone";
  }
}

Deno.test("grant() and register() honour what a class requires, and name the flags", () => {
  const { registry, permissions } = new Rig();
  const message = /run with --allow-write=\/srv\/x$/;
  assert.match(denial(() => registry.grant(new Guarded())).message, message);
  assert.match(denial(() => registry.register(new Guarded())).message, message);
  assert.equal(registry.size, 0);
  permissions.given.add("write");
  assert.equal(call(registry.grant(new Guarded()).object, "go"), "gone");
  const unheard = new CapabilityRegistry({ randomBytes: systemRandomBytes, trace: () => {} });
  unheard.register(new Referenceable());
  assert.equal(unheard.guard, undefined, "no call is looked at where nothing is asked and nobody is told");
  const plain = new Guarded();
  registry.register(plain);
  const inbound = { requestId: 1, target: plain, method: "go", args: [], rules: undefined };
  const context = { caller: ALICE } as never;
  assert.equal(registry.guard!({ ...inbound, context }, () => "delivered"), "delivered");
});
