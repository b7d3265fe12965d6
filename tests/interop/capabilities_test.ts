import assert from "node:assert/strict";
import {
  callable,
  type Capability,
  type CapabilityEvent,
  type GrantOptions,
  type Kwargs,
  PermissionDenied,
  Referenceable,
  type RemoteReference,
  type Tub,
} from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { failureText } from "./introductions.ts";
import { rejection, startTub, step, until } from "./rig.ts";
import { Root } from "./root.ts";

class Files extends Referenceable {
  readonly waiting = Promise.withResolvers<string>();
  waits = 0;

  remote_list(): string[] {
    return ["a.txt"];
  }
  remote_write(_name: string): void {}
  remote_self(): this {
    return this;
  }
  remote_wait(): Promise<string> {
    this.waits++;
    return this.waiting.promise;
  }
}

/** Somebody who holds a capability and calls it: through a Tub of this library, through Python, or as a gift. */
interface Caller {
  readonly tubId: string;
  call(method: string): Promise<unknown>;
}

interface Row {
  readonly limit: string;
  readonly options: (caller: Caller, tub: Tub) => GrantOptions;
  readonly exhaust?: (capability: Capability<Files>, clock: FakeClock, caller: Caller) => unknown;
  readonly method?: string;
  readonly text: RegExp;
}

const ROWS: readonly Row[] = [
  {
    limit: "method",
    options: () => ({ methods: ["list", "self"] }),
    method: "write",
    text: /Cannot call "write": this capability allows only list, self$/,
  },
  {
    limit: "expires",
    options: () => ({ expires: "PT1H" }),
    exhaust: (_, clock) => clock.advance(3_600_000),
    text: /has expired$/,
  },
  {
    limit: "revoked",
    options: () => ({}),
    exhaust: (capability) => capability.revoke(),
    text: /was revoked$/,
  },
  { limit: "maxCalls", options: () => ({ maxCalls: 1 }), text: /all of this capability's 1 calls are used$/ },
  {
    limit: "rate",
    options: () => ({ rate: { calls: 1, perMs: 1_000 } }),
    text: /more than 1 calls in 1000 ms; try again in 1000 ms$/,
  },
  {
    limit: "requires",
    options: () => ({ requires: [{ name: "env", variable: "FOOLSCAP_SECRET" }] }),
    exhaust: () => denied.add("env"),
    text: /lacks a Deno permission that it requires$/,
  },
];

/** A permission cannot be taken from a test that others still need. */
const denied = new Set<string>();

interface Setting {
  readonly tub: Tub;
  readonly clock: FakeClock;
}

async function eachLimit(
  t: Deno.TestContext,
  who: string,
  { tub, clock }: Setting,
  hold: (furl: string) => Promise<Caller>,
): Promise<void> {
  const query = Deno.permissions.querySync;
  using stack = new DisposableStack();
  stack.defer(() => Deno.permissions.querySync = query);
  Deno.permissions.querySync = (descriptor) =>
    denied.has(descriptor.name)
      ? { state: "prompt", partial: false } as Deno.PermissionStatus
      : query.call(Deno.permissions, descriptor);
  for (const { limit, options, exhaust, method = "list", text } of ROWS) {
    await step(t, `${who}: "${limit}" allows, and then refuses`, async () => {
      const capability = tub.registry.grant(new Files(), options(undefined as never, tub));
      const { furl } = capability;
      const caller = await hold(furl);
      assert.deepEqual(await caller.call("list"), ["a.txt"]);
      await exhaust?.(capability, clock, caller);
      const error = await rejection(caller.call(method));
      denied.clear();
      assert.match(failureText(error), text);
      if (error instanceof PeerFailure) {
        assert.equal(error.failure.type, "javascript.PermissionDenied");
        assert.ok(error.failure.parents.includes(`javascript.PermissionDenied.${limit}`));
        assert.ok(error.failure.parents.includes("builtins.PermissionError"));
      } else {
        assert.ok(error instanceof PermissionDenied);
        assert.equal(error.limit, limit);
      }
      const shown = error instanceof PeerFailure ? JSON.stringify(error.failure) : Deno.inspect(error);
      assert.ok(!shown.includes(furl.slice(furl.lastIndexOf("/") + 1)) && !shown.includes("FOOLSCAP_SECRET"));
    });
  }
  await step(t, `${who}: a method that returns its object returns the facet`, async () => {
    const { furl } = tub.registry.grant(new Files(), { methods: ["self", "list"] });
    const caller = await hold(furl);
    assert.match(failureText(await rejection(caller.call("self.write"))), /allows only self, list$/);
  });
  await step(t, `${who}: a revocation ends a call that has begun`, async () => {
    const files = new Files();
    const capability = tub.registry.grant(files);
    const { furl } = capability;
    const caller = await hold(furl);
    const failed = rejection(caller.call("wait"));
    await until(() => files.waits === 1, "the call has begun");
    capability.revoke();
    assert.match(failureText(await failed), /was revoked$/);
    files.waiting.resolve("too late");
    assert.match(failureText(await rejection(hold(furl))), /this capability was revoked$/);
  });
}

async function byReference(ref: RemoteReference, path: string): Promise<unknown> {
  const [first, second] = path.split(".");
  const result = await ref.callRemote(first!);
  return second === undefined ? result : await (result as RemoteReference).callRemote(second, "x");
}

interopTest("every limit of a capability holds for a Deno peer", async (t) => {
  const clock = new FakeClock(Date.now());
  await using tub = await startTub({ clock });
  await using client = await startTub();
  await eachLimit(t, "Deno", { tub, clock }, async (furl) => {
    const ref = await client.getReference(furl);
    return { tubId: client.tubId, call: (method) => byReference(ref, method) };
  });
  await step(t, "Deno: only holders may call", async () => {
    await using other = await startTub();
    const { furl } = tub.registry.grant(new Files(), { holders: [client.tubId] });
    assert.deepEqual(await (await client.getReference(furl)).callRemote("list"), ["a.txt"]);
    const error = await rejection((await other.getReference(furl)).callRemote("list"));
    assert.ok(error instanceof PermissionDenied && error.limit === "holders");
  });
  await step(t, "Deno: a capability comes home as itself, and a pipelined call stays behind it", async () => {
    const root = new Root();
    const ref = await client.getReference(tub.registerReference(root));
    const capability = tub.registry.grant(new Files(), { methods: ["self"] });
    root.held = capability.object;
    await ref.callRemote("hold", await ref.callRemote("held"));
    assert.equal(root.held, capability.object);
    const held = ref.remote.held!() as unknown as { remote: Record<string, () => PromiseLike<unknown>> };
    const refused = await rejection(held.remote.list!());
    assert.ok(refused instanceof PermissionDenied && refused.limit === "method");
  });
});

interopTest(
  "every limit of a capability holds for a Python peer, and for those it passes it on to",
  async (t) => {
    await using peer = await startPython();
    const clock = new FakeClock(Date.now());
    await using tub = await startTub({ clock });
    let names = 0;
    const python = async (furl: string): Promise<Caller> => {
      const name = await peer.get(furl, `cap${++names}`);
      const call = async (path: string): Promise<unknown> => {
        const [first, second] = path.split(".");
        if (second !== undefined) {
          await peer.callWith(name, first, { as: "itself" });
          return await peer.call("itself", second, { str: "x" });
        }
        const result = await peer.call(name, first, ...(first === "write" ? [{ str: "x" }] : []));
        return "list" in (result as object) ? ["a.txt"] : result;
      };
      return { tubId: peer.ready.tubid, call };
    };
    await eachLimit(t, "Python", { tub, clock }, python);
    await step(t, "Python: only holders may call", async () => {
      const mine = await python(tub.registry.grant(new Files(), { holders: [peer.ready.tubid] }).furl);
      assert.deepEqual(await mine.call("list"), ["a.txt"]);
      const other = await python(tub.registry.grant(new Files(), { holders: [tub.tubId] }).furl);
      assert.match(failureText(await rejection(other.call("list"))), /is for other holders$/);
    });
    await step(t, "Python calls a function that was granted", async () => {
      const { furl } = tub.registry.grant(callable(({ values }: Kwargs) => Number(values.n) + 1), {
        maxCalls: 1,
      });
      await peer.get(furl, "granted");
      // Python calls functions by the names of their arguments only.
      const named = { kwargs: { n: { int: "1" } } };
      assert.deepEqual(await peer.callWith("granted", undefined, named), { int: "2" });
      const error = await rejection(peer.callWith("granted", undefined, named));
      assert.match(
        failureText(error),
        /Cannot call the function: all of this capability's 1 calls are used$/,
      );
    });

    await using third = await startTub();
    const root = new Root();
    await peer.get(third.registerReference(root), "third");
    await eachLimit(t, "a third Tub, introduced by Python", { tub, clock }, async (furl) => {
      const name = await peer.get(furl, `cap${++names}`);
      await peer.call("third", "hold", { ref: name });
      const ref = root.held as RemoteReference;
      assert.equal(ref.getRemoteTubID(), tub.tubId);
      return { tubId: third.tubId, call: (method) => byReference(ref, method) };
    });
    await step(t, "an introduction is told, with the Tub that was introduced", async () => {
      using events = tub.registry.events();
      const capability = tub.registry.grant(new Files(), { label: "gift" });
      await peer.get(capability.furl, "gift");
      await peer.call("third", "hold", { ref: "gift" });
      await (root.held as RemoteReference).callRemote("list");
      const told: CapabilityEvent[] = [];
      for await (const event of events) {
        told.push(event);
        if (event.type === "used") break;
      }
      const who = (event: CapabilityEvent) =>
        "to" in event ? event.to : "caller" in event ? event.caller : undefined;
      assert.deepEqual(told.map((event) => [event.type, who(event)]), [
        ["granted", undefined],
        ["introduced", peer.ready.tubid],
        ["introduced", third.tubId],
        ["used", third.tubId],
      ]);
    });
  },
);

interopTest("a grant of a Python object limits what that object gives as itself", async (t) => {
  await using peer = await startPython();
  await using tub = await startTub();
  await using client = await startTub();
  const python = await tub.getReference(peer.furl);
  await python.callRemote("hold", python);
  for (const deep of [false, true]) {
    await step(t, deep ? "of a deep one" : "of a plain one", async () => {
      const capability = tub.registry.grant(python, { methods: ["held"], deep });
      const granted = await client.getReference(capability.furl);
      assert.equal(await granted.callRemote("held"), granted);
      const error = await rejection(granted.callRemote("add", 1, 2));
      assert.ok(error instanceof PermissionDenied && error.limit === "method");
    });
  }
});
