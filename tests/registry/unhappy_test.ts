/**
 * What can be done wrong with grants, and at the wrong time.
 */
import assert from "node:assert/strict";
import {
  callable,
  type Capability,
  DeadReferenceError,
  FurlError,
  type GrantOptions,
  NoLocationError,
  PermissionDenied,
  Referenceable,
  type RemoteReference,
  Tub,
} from "../../mod.ts";
import { rejection, startTub, until } from "../interop/rig.ts";
import { Root } from "../interop/root.ts";
import { call, callAs, denial, Files, Rig } from "./support.ts";

interface Wrong {
  readonly name: string;
  readonly options: unknown;
  readonly error: new (...args: never[]) => Error;
  readonly message: RegExp;
}

const WRONG: readonly Wrong[] = [
  { name: "no object", options: 1, error: TypeError, message: /options are not an object/ },
  { name: "null", options: null, error: TypeError, message: /options are not an object/ },
  {
    name: "an unknown option",
    options: { maxcalls: 1 },
    error: TypeError,
    message: /no option "maxcalls"; it is one of/,
  },
  {
    name: "methods as text",
    options: { methods: "list" },
    error: TypeError,
    message: /methods is not a list/,
  },
  {
    name: "methods of numbers",
    options: { methods: [1] },
    error: TypeError,
    message: /methods is not a list/,
  },
  {
    name: "a method that there is not",
    options: { methods: ["remote_list"] },
    error: RangeError,
    message: /no such method; it has fail, later_self, list/,
  },
  { name: "maxCalls below 0", options: { maxCalls: -1 }, error: RangeError, message: /maxCalls/ },
  { name: "maxCalls with a fraction", options: { maxCalls: 1.5 }, error: RangeError, message: /maxCalls/ },
  { name: "maxCalls as text", options: { maxCalls: "1" }, error: RangeError, message: /maxCalls/ },
  { name: "no rate", options: { rate: 5 }, error: TypeError, message: /rate's calls and perMs/ },
  {
    name: "a rate in other units",
    options: { rate: { calls: 1, per: 1 } },
    error: TypeError,
    message: /no option "per"/,
  },
  {
    name: "a rate of 0",
    options: { rate: { calls: 0, perMs: 1 } },
    error: RangeError,
    message: /rate\.calls/,
  },
  {
    name: "a rate without a time",
    options: { rate: { calls: 1 } },
    error: RangeError,
    message: /rate\.perMs/,
  },
  {
    name: "a rate in no time",
    options: { rate: { calls: 1, perMs: NaN } },
    error: RangeError,
    message: /rate\.perMs/,
  },
  { name: "a holder as text", options: { holders: "a".repeat(32) }, error: TypeError, message: /holders/ },
  { name: "a holder that is no TubID", options: { holders: ["bob"] }, error: RangeError, message: /"bob"/ },
  { name: "requires as one", options: { requires: { name: "read" } }, error: TypeError, message: /requires/ },
  { name: "requires as text", options: { requires: ["read"] }, error: TypeError, message: /requires/ },
  {
    name: "a permission that Deno has not",
    options: { requires: [{ name: "nonsense" }] },
    error: TypeError,
    message: /no permission of Deno's/,
  },
  {
    name: "a permission that is missing",
    options: { requires: [{ name: "write", path: "/srv" }] },
    error: PermissionDenied,
    message: /run with --allow-write=\/srv/,
  },
  { name: "a label that is no text", options: { label: 5 }, error: TypeError, message: /label/ },
  { name: "a name that is no text", options: { name: 5 }, error: TypeError, message: /name is not a text/ },
  { name: "an empty name", options: { name: "" }, error: FurlError, message: /name/ },
  { name: "a name of two lines", options: { name: "a\nb" }, error: FurlError, message: /name/ },
  { name: "a name as derived ones have", options: { name: "cav1-x" }, error: FurlError, message: /name/ },
  { name: "a name that is taken", options: { name: "taken" }, error: RangeError, message: /another object/ },
  { name: "a time that has no meaning", options: { expires: "soon" }, error: RangeError, message: /expires/ },
  { name: "no time", options: { expires: {} }, error: TypeError, message: /expires/ },
];

for (const { name, options, error, message } of WRONG) {
  Deno.test(`grant() and attenuate() refuse ${name}, and grant nothing`, () => {
    const { registry } = new Rig();
    registry.register(new Files(), "taken");
    const parent = registry.grant(new Files());
    const before = registry.tree();
    for (
      const run of [
        () => registry.grant(new Files(), options as GrantOptions),
        () => parent.attenuate(options as GrantOptions),
      ]
    ) {
      assert.throws(run, (thrown) => {
        assert.ok(thrown instanceof error, String(thrown));
        assert.match(thrown.message, message);
        assert.match(thrown.message, /^Cannot /);
        return true;
      });
    }
    assert.deepEqual(registry.tree(), before);
  });
}

const NO_OBJECTS: readonly (readonly [name: string, object: unknown, message: RegExp])[] = [
  ["a plain object", {}, /is not a Referenceable; derive/],
  ["null", null, /is not a Referenceable/],
  ["a function", () => {}, /give callable\(f\)/],
];

for (const [name, object, message] of NO_OBJECTS) {
  Deno.test(`grant() refuses ${name}`, () => {
    assert.throws(() => new Rig().registry.grant(object as Referenceable), { name: "TypeError", message });
  });
}

Deno.test("grant() refuses methods of a function", () => {
  const options = { methods: ["call"] };
  assert.throws(
    () => new Rig().registry.grant(callable(() => 1), options),
    /Cannot grant methods of a function/,
  );
});

Deno.test("grant() of a capability of another registry has the limits of both, and ends with it", () => {
  const [one, other] = [new Rig(), new Rig()];
  const first = one.registry.grant(new Files(), { methods: ["list", "read"], maxCalls: 3 });
  const second = other.registry.grant(first.object, { methods: ["list", "write"] });
  assert.equal(other.registry.capabilityOf(first.object), undefined);
  assert.equal(other.registry.unwrap(second.object), first.object);
  assert.deepEqual(call(second.object, "list"), ["a.txt"]);
  assert.equal(first.info().callsUsed, 1);
  assert.equal(denial(() => call(second.object, "write", "a", "b")).limit, "method");
  assert.match(denial(() => call(second.object, "write", "a", "b")).message, /allows only list, read$/);
  assert.match(denial(() => call(second.object, "read", "a")).message, /allows only list, write$/);
  first.revoke();
  assert.equal(denial(() => call(second.object, "list")).limit, "revoked");
  assert.equal(second.info().isRevoked, false, "it is the other one's affair");
});

const AFTER: readonly (readonly [what: string, run: (capability: Capability<Files>) => unknown])[] = [
  ["attenuated", (capability) => capability.attenuate({ methods: ["list"] })],
  ["asked for its FURL", (capability) => capability.furl],
];

for (const [what, run] of AFTER) {
  Deno.test(`a capability that was revoked, or has expired, is not ${what}`, () => {
    const { registry, clock } = new Rig();
    const revoked = registry.grant(new Files());
    revoked.revoke();
    const error = denial(() => run(revoked));
    assert.equal(error.limit, "revoked");
    assert.match(error.message, /^Cannot .*: this capability was revoked; grant another one$/);
    const expired = registry.grant(new Files(), { expires: "PT1S" });
    clock.advance(1_000);
    assert.equal(denial(() => run(expired)).limit, "expires");
  });
}

Deno.test("revoke() and dispose are harmless when it was revoked, has expired, or the registry is cleared", () => {
  const { registry, clock, heard } = new Rig();
  const capability = registry.grant(new Files());
  assert.equal(capability.revoke(), true);
  assert.equal(capability.revoke(), false);
  capability[Symbol.dispose]();
  const expiring = registry.grant(new Files(), { expires: "PT1S" });
  clock.advance(1_000);
  assert.equal(expiring.revoke(), false);
  const last = registry.grant(new Files());
  registry.clear();
  registry.clear();
  assert.equal(last.revoke(), false);
  last[Symbol.dispose]();
  assert.deepEqual(heard.map(({ type }) => type), ["granted", "revoked", "granted", "expired", "granted"]);
  assert.throws(() => registry.grant(new Files()), /Cannot grant: this Tub has been stopped/);
});

Deno.test("a method that revokes its parent, attenuates or grants while it runs does so", () => {
  const { registry } = new Rig();
  class Busy extends Referenceable {
    remote_grant(): Referenceable {
      return child.attenuate({ methods: ["grant"] }).object;
    }
    remote_end(): string {
      parent.revoke();
      return "a secret";
    }
  }
  const parent = registry.grant(new Busy());
  const child = parent.attenuate();
  const made = call(child.object, "grant") as Referenceable;
  assert.ok(call(made, "grant") instanceof Referenceable);
  assert.equal(denial(() => call(child.object, "end")).limit, "revoked");
  assert.equal(denial(() => call(made, "grant")).limit, "revoked");
});

Deno.test("grant() in a Tub without a location works, and says where the FURL is missing", async () => {
  await using tub = await Tub.create();
  const capability = tub.registry.grant(new Files());
  assert.throws(() => capability.furl, (error) => {
    assert.ok(error instanceof NoLocationError);
    assert.match(error.message, /call setLocation/);
    return true;
  });
  assert.deepEqual(callAs(undefined, capability.object, "list"), ["a.txt"]);
  tub.setLocation("tcp:localhost:1");
  assert.match(capability.furl, /^pb:/);
});

Deno.test("a Tub that was stopped grants nothing, and what it granted is revoked", async () => {
  const tub = await startTub();
  const events = tub.registry.events();
  const capability = tub.registry.grant(new Files());
  await tub.stop();
  assert.throws(() => tub.registry.grant(new Files()), /Cannot grant: this Tub has been stopped/);
  assert.throws(() => capability.attenuate(), PermissionDenied);
  assert.equal(denial(() => call(capability.object, "list")).limit, "revoked");
  assert.equal(capability.info().isRevoked, true);
  assert.deepEqual(tub.registry.list(), []);
  assert.deepEqual(tub.registry.tree(), []);
  assert.deepEqual(tub.registry.requirements(), []);
  assert.deepEqual((await Array.fromAsync(events)).map(({ type }) => type), ["granted"]);
});

Deno.test("a reader of events that is slow loses the oldest, and none of the others waits for it", async () => {
  const { registry } = new Rig();
  using slow = registry.events({ capacity: 10 });
  using quick = registry.events({ capacity: 5_000 });
  const { object } = registry.grant(new Files());
  for (let i = 0; i < 1_000; i++) call(object, "list");
  assert.deepEqual([slow.size, slow.dropped, quick.size, quick.dropped], [10, 991, 1_001, 0]);
  assert.equal((await slow.next()).value?.sequence, 992);
  registry.clear();
  assert.equal((await Array.fromAsync(slow)).length, 9);
});

Deno.test("thousands of readers of events get each event once, and leave nothing behind", async () => {
  const { registry } = new Rig();
  const readers = Array.from({ length: 5_000 }, () => registry.events({ capacity: 1 }));
  const firsts = readers.map((reader) => reader.next());
  const { object } = registry.grant(new Files());
  for (const { value } of await Promise.all(firsts)) assert.equal(value?.type, "granted");
  for (const reader of readers.slice(1)) reader[Symbol.dispose]();
  call(object, "list");
  assert.deepEqual(readers.map(({ size }) => size).reduce((a, b) => a + b), 1);
  readers[0]![Symbol.dispose]();
  assert.deepEqual(await readers[0]!.next(), { value: undefined, done: true });
});

Deno.test("grant() of an object of a peer forwards its calls within limits, and register() refuses it", async () => {
  await using owner = await startTub();
  await using middle = await startTub();
  await using client = await startTub();
  const files = new Files();
  const remote = await middle.getReference(owner.registerReference(files));
  assert.throws(
    () => middle.registerReference(remote as unknown as Referenceable),
    /Cannot register an object of a peer: .*registry\.grant\(\)/,
  );
  const capability = middle.registry.grant(remote, { methods: ["list", "wait", "self"], label: "forwarded" });
  const held = await client.getReference<Files>(capability.furl);
  assert.equal(held.getRemoteTubID(), middle.tubId);
  assert.deepEqual(await held.callRemote("list"), ["a.txt"]);
  const error = await rejection(held.callRemote("write", "a", "b"));
  assert.ok(error instanceof PermissionDenied && error.limit === "method");
  assert.equal(files.contents.size, 1);
  const itself = await held.callRemote("self") as unknown;
  assert.equal(itself, held, "an object that gives itself gives what was granted");

  const root = new Root();
  const toOwner = await client.getReference(owner.registerReference(root));
  await toOwner.callRemote("hold", held);
  assert.equal((root.held as RemoteReference).getRemoteTubID(), middle.tubId, "at home it is not unwrapped");

  const failed = rejection(held.callRemote("wait"));
  await held.callRemote("list");
  capability.revoke();
  const refused = await failed;
  assert.ok(refused instanceof PermissionDenied && refused.limit === "revoked");

  const again = middle.registry.grant(remote);
  const other = await client.getReference<Files>(again.furl);
  await owner.stop();
  await until(() => !remote.isConnected(), "the connection has ended");
  const dead = await rejection(other.callRemote("list")) as Error;
  assert.ok(dead instanceof DeadReferenceError || dead.name === "RemoteException", String(dead));
});
