import assert from "node:assert/strict";
import { currentCall } from "../../lib/broker/call_context.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { RemoteInterface } from "../../lib/broker/remote_interface.ts";
import { PermissionDenied } from "../../lib/errors.ts";
import type { GrantOptions } from "../../lib/registry/grant_options.ts";
import { formatTree } from "../../lib/registry/tree.ts";
import { ALICE, BOB, call, contextOf, denial, Files, Rig } from "./support.ts";

const WRONG: readonly (readonly [GrantOptions, string, RegExp])[] = [
  [{ maxcalls: 1 } as GrantOptions, "TypeError", /no option "maxcalls"; it is one of methods, expires/],
  [
    { methods: ["wrte"] },
    "RangeError",
    /"wrte": the object has no such method; it has fail, later_self, list/,
  ],
  [{ methods: "list" as never }, "TypeError", /not a list of names/],
  [{ expires: "1 hour" }, "RangeError", /give a duration such as "PT1H"/],
  [{ expires: "-PT1H" }, "RangeError", /it would have expired/],
  [{ expires: new Date(NaN) }, "RangeError", /no time/],
  [{ expires: {} as never }, "TypeError", /neither text/],
  [{ maxCalls: -1 }, "RangeError", /not a number of calls/],
  [{ maxCalls: 1.5 }, "RangeError", /not a number of calls/],
  [{ rate: { calls: 0, perMs: 1 } }, "RangeError", /rate.calls/],
  [{ rate: { calls: 1, perMs: 0 } }, "RangeError", /rate.perMs/],
  [{ rate: { calls: 1, per: 1 } as never }, "TypeError", /no option "per"/],
  [{ holders: ["me"] }, "RangeError", /"me" is not a TubID/],
  [{ requires: [{ name: "nonsense" } as never] }, "TypeError", /"nonsense", which is no permission/],
  [{ requires: ["read"] as never }, "TypeError", /not a list of Deno permissions/],
  [{ requires: [{ name: "net" }, { name: "env" }] }, "PermissionDenied", /--allow-net --allow-env$/],
  [{ name: "a\nb" }, "FurlError", /newline/],
  [{ label: 1 as never }, "TypeError", /label/],
];
for (const [options, name, message] of WRONG) {
  Deno.test(`grant() refuses ${Deno.inspect(options)}`, () => {
    const { registry } = new Rig();
    assert.throws(() => registry.grant(new Files(), options), { name, message });
    assert.equal(registry.size, 0);
    assert.deepEqual(registry.tree(), []);
  });
}

Deno.test("expires takes durations, times, Dates, numbers and what Temporal has", () => {
  const { registry, clock } = new Rig();
  const until = (expires: GrantOptions["expires"]) =>
    registry.grant(new Files(), { expires }).info().expiresAt;
  const now = clock.now();
  assert.equal(until("PT1H"), now + 3_600_000);
  assert.equal(until(now + 5), now + 5);
  assert.equal(until(new Date(now + 6)), now + 6);
  assert.equal(until(Temporal.Instant.fromEpochMilliseconds(now + 7)), now + 7);
  assert.equal(until(Temporal.Duration.from({ days: 1 })), now + 86_400_000);
  assert.equal(until("2030-01-01T00:00:00Z"), Date.UTC(2030, 0));
  registry.clear();
  assert.equal(clock.pending, 0);
});

Deno.test("attenuate() gives a child nothing that its parent has not", () => {
  const { registry } = new Rig();
  const parent = registry.grant(new Files(), {
    methods: ["list", "read"],
    holders: [ALICE],
    expires: "PT1S",
  });
  assert.throws(() => parent.attenuate({ methods: ["write"] }), /it allows list, read/);
  assert.throws(() => parent.attenuate({ holders: [BOB] }), RangeError);
  const child = parent.attenuate({ methods: ["list"], expires: "PT1H" });
  assert.equal(child.info().expiresAt, parent.info().expiresAt);
  assert.deepEqual([child.info().methods, child.info().holders, child.info().parent], [["list"], [ALICE], 1]);
  // To grant what was granted is to attenuate it.
  const grand = registry.grant(child.object);
  assert.deepEqual([grand.info().parent, grand.info().methods], [child.id, ["list"]]);
});

Deno.test("revoke() ends children too, at once, and calls that have begun", async () => {
  const { registry, heard } = new Rig();
  let signal: AbortSignal | undefined;
  class Slow extends Files {
    override remote_wait(): Promise<unknown> {
      signal = currentCall()!.signal;
      return super.remote_wait();
    }
  }
  const files = new Slow();
  const parent = registry.grant(files);
  const child = parent.attenuate().attenuate();
  const outer = contextOf(ALICE, "wait");
  const running = (child.object as Referenceable).doRemoteCall("wait", [], outer);
  assert.equal(child.info().callsRunning, 1);
  assert.equal(parent.revoke(), true);
  assert.equal(parent.revoke(), false);
  await assert.rejects(running as Promise<unknown>, { name: "PermissionDenied", limit: "revoked" });
  assert.ok(signal!.aborted && signal!.reason instanceof PermissionDenied);
  assert.equal(outer.abortReason, undefined);
  files.slow.resolve("too late");
  assert.equal(
    denial(() => call(child.object, "list")).message,
    'Cannot call "list": this capability was revoked',
  );
  assert.equal(denial(() => child.attenuate()).limit, "revoked");
  assert.equal(denial(() => child.furl).limit, "revoked");
  assert.deepEqual([child.info().isRevoked, child.info().callsRunning, registry.size], [true, 0, 0]);
  const revoked = heard.filter(({ type }) => type === "revoked");
  assert.deepEqual(revoked.map((event) => "by" in event && [event.capability, event.by]), [[1, 1], [2, 1], [
    3,
    1,
  ]]);
});

Deno.test("a method that revokes its own capability gets no result out", async () => {
  const { registry } = new Rig();
  class Last extends Referenceable {
    remote_end(): string {
      capability.revoke();
      return "secret";
    }
    async remote_end_later(): Promise<string> {
      other.revoke();
      return await Promise.resolve("secret");
    }
  }
  const capability = registry.grant(new Last());
  assert.equal(denial(() => call(capability.object, "end")).limit, "revoked");
  const other = registry.grant(new Last());
  await assert.rejects(call(other.object, "end_later") as Promise<unknown>, { limit: "revoked" });
});

Deno.test("a facet has its target's interface, its own identity, and lets failures through", async () => {
  const { registry } = new Rig();
  const RIFacetTest = RemoteInterface("RIFacetTest.example.com", {});
  class Known extends Files {
    static override remoteInterface = RIFacetTest;
  }
  const files = new Known();
  const capability = registry.grant(files);
  const facet = capability.object as Referenceable;
  assert.equal(facet.getInterfaceName(), "RIFacetTest.example.com");
  assert.equal(facet.getInterface(), RIFacetTest);
  assert.equal(facet.processUniqueID(), facet);
  assert.ok(facet !== files && !(facet instanceof Files));
  assert.equal(call(facet, "self"), facet);
  assert.equal(await call(facet, "later_self"), facet);
  assert.throws(() => call(facet, "fail"), RangeError);
  assert.throws(() => call(facet, "nothing"), { name: "NoSuchMethodError", message: /"Known" object/ });
  assert.equal(registry.unwrap(capability.object), files);
  assert.equal(registry.unwrap(files), undefined);
  assert.equal(new Rig().registry.unwrap(capability.object), undefined);
  assert.equal(registry.capabilityOf(capability.object), capability);
  assert.deepEqual(Reflect.ownKeys(facet), []);
});

Deno.test("expiry is told by one timer, and by a call that comes first", () => {
  const { registry, clock, heard } = new Rig();
  const grants = [500, 100, 300].map((ms) => registry.grant(new Files(), { expires: clock.now() + ms }));
  const child = grants[1]!.attenuate({ expires: "PT1H" });
  assert.equal(clock.pending, 1);
  const expired = () => heard.filter(({ type }) => type === "expired").map(({ capability }) => capability);
  clock.advance(99);
  assert.deepEqual(expired(), []);
  clock.advance(1);
  assert.deepEqual(expired(), [2, 4]);
  assert.equal(child.info().isExpired, true);
  grants[2]!.revoke();
  clock.advance(400);
  assert.deepEqual(expired(), [2, 4, 1]);
  assert.deepEqual([clock.pending, registry.size], [0, 0]);
});

Deno.test("lookup() says of a name why its capability is gone, and forgets when the name is used again", async () => {
  const { registry } = new Rig();
  const capability = registry.grant(new Files(), { name: "files" });
  assert.equal(await registry.lookup("files"), capability.object);
  capability.revoke();
  assert.equal(registry.find("files"), undefined);
  await assert.rejects(registry.lookup("files"), { name: "PermissionDenied", limit: "revoked" });
  assert.equal(await registry.lookup("other"), undefined);
  const again = registry.grant(new Files(), { name: "files" });
  assert.equal(await registry.lookup("files"), again.object);
});

Deno.test("events() drops the oldest, counts them, filters, and ends with the registry", async () => {
  const { registry, clock } = new Rig();
  const all = registry.events({ capacity: 2 });
  const labelled = registry.events({ label: "x" });
  const one = registry.grant(new Files(), { label: "x" });
  const byId = registry.events({ capability: one });
  const two = registry.grant(new Files());
  call(two.object, "list");
  denial(() => call(one.attenuate({ methods: [] }).object, "m".repeat(1_000)));
  registry.clear();
  const read = async (events: AsyncIterable<{ type: string; sequence: number }>) =>
    (await Array.fromAsync(events)).map(({ type, sequence }) => `${sequence} ${type}`);
  assert.deepEqual(await read(all), ["4 granted", "5 denied"]);
  assert.equal(all.dropped, 3);
  assert.deepEqual(await read(labelled), ["1 granted"]);
  assert.deepEqual(await read(byId), []);
  assert.equal(clock.pending, 0);
  assert.throws(() => registry.events({ capacity: 0 }), RangeError);
  assert.throws(() => registry.grant(new Files()), /has been stopped/);
});

Deno.test("list(), tree() and what is printed show what there is, and no name", () => {
  const { registry, clock } = new Rig();
  registry.register(new Files(), "plain-secret");
  registry.nameOf(new Referenceable());
  const all = registry.grant(new Files(), { label: "all", name: "cap-secret", expires: clock.now() + 1_000 });
  all.attenuate({ methods: ["list"], maxCalls: 5, rate: { calls: 1, perMs: 10 }, holders: [BOB] });
  all.attenuate({ requires: [{ name: "read", path: "/srv" }] });
  assert.equal(
    formatTree(registry.tree()),
    [
      '#2 Files "all": everything; until 2023-11-14T22:13:21.000Z',
      "├─ #3 Files: list; until 2023-11-14T22:13:21.000Z; 5 calls left; 1 call in 10 ms; for bbbb",
      "└─ #4 Files: everything; until 2023-11-14T22:13:21.000Z; needs read",
      "#1 Files: everything (registered)",
      "Referenceable: everything (implicit)",
      "",
    ].join("\n"),
  );
  assert.deepEqual(registry.list().map(({ capability }) => capability?.id), [undefined, undefined, 2, 3, 4]);
  const name = registry.nameOf(all.object);
  for (const shown of [all, all.object, registry, all.info(), registry.tree()]) {
    assert.ok(!Deno.inspect(shown, { depth: 9, showHidden: true }).includes(name));
  }
  registry.clear();
});
