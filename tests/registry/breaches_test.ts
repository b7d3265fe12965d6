/**
 * Ways in which somebody got more than a capability allows, or kept it for longer.
 */
import assert from "node:assert/strict";
import {
  attenuateFurl,
  bridge,
  currentCall,
  formatTree,
  grantSandbox,
  localReference,
  pb,
  PermissionDenied,
  Referenceable,
  Tub,
} from "../../mod.ts";
import { RateLimit } from "../../lib/registry/limits.ts";
import { startTub } from "../interop/rig.ts";
import { LIBRARY, moduleOf } from "../sandbox/support.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { ALICE, call, contextOf, denial, Files, Rig } from "./support.ts";

interface Late {
  readonly name: string;
  /** Gives what is called, and what ends it. */
  start(rig: Rig, files: Files, expires: number): { readonly object: Files; revoke(): boolean };
}

const LATE: readonly Late[] = [
  {
    name: "itself",
    start(rig, files, expires) {
      const capability = rig.registry.grant(files, { expires });
      return { object: capability.object, revoke: () => capability.revoke() };
    },
  },
  {
    name: "its parent",
    start(rig, files, expires) {
      const parent = rig.registry.grant(files);
      return { object: parent.attenuate({ expires }).object, revoke: () => parent.revoke() };
    },
  },
  {
    name: "the first of those that it comes of, when the others have expired too",
    start(rig, files, expires) {
      const first = rig.registry.grant(files);
      const { object } = first.attenuate({ expires: expires - 1 }).attenuate({}).attenuate({ expires });
      return { object, revoke: () => first.revoke() };
    },
  },
  {
    name: "its parent, of a deep one",
    start(rig, files, expires) {
      const parent = rig.registry.grant(files);
      return { object: parent.attenuate({ expires, deep: true }).object, revoke: () => parent.revoke() };
    },
  },
];

for (const { name, start } of LATE) {
  Deno.test(`revoke() of ${name} ends calls that began before it expired`, async () => {
    const rig = new Rig(), files = new Files();
    const { object, revoke } = start(rig, files, rig.clock.now() + 1_000);
    const context = contextOf(ALICE, "wait");
    const answer = object.doRemoteCall("wait", [], context) as Promise<unknown>;
    const refused = assert.rejects(answer, { name: "PermissionDenied", limit: "revoked" });
    rig.clock.advance(2_000);
    assert.equal(denial(() => call(object, "list")).limit, "expires");
    assert.equal(revoke(), true);
    await refused;
    assert.equal(revoke(), false);
    files.slow.resolve("too late");
  });
}

Deno.test("revokeFurl() ends calls that began before the FURL expired", async () => {
  const rig = new Rig(), files = new Files();
  const furl = attenuateFurl(rig.registry.grant(files).furl, { until: rig.clock.now() + 1_000 });
  const object = rig.registry.find(furl.slice(furl.lastIndexOf("/") + 1));
  const refused = assert.rejects(call(object!, "wait") as Promise<unknown>, { limit: "revoked" });
  rig.clock.advance(2_000);
  assert.equal(rig.registry.revokeFurl(furl), false);
  await refused;
  files.slow.resolve("too late");
});

Deno.test("a capability keeps no child that has expired and whose calls are over", async () => {
  const rig = new Rig();
  const parent = rig.registry.grant(new Files());
  for (let i = 0; i < 100; i++) {
    const files = new Files();
    const child = rig.registry.grant(files, { expires: rig.clock.now() + 1 });
    const answer = call(child.object, "wait") as Promise<unknown>;
    rig.clock.advance(2);
    files.slow.resolve("in time");
    // A call that began in time ends well.
    assert.equal(await answer, "in time");
    assert.equal(child.revoke(), false);
  }
  assert.equal(parent.info().children, 0);
});

for (const perMs of [1.9e9, 2.5e9]) {
  Deno.test(`a rate of one call in ${perMs} ms is as fast for who asks each millisecond as for who waits`, () => {
    const clock = new FakeClock();
    const limit = new RateLimit({ calls: 1, perMs }, clock);
    const asked = { method: "m", context: contextOf(ALICE, "m") };
    limit.count();
    for (let i = 0; i < 1_000; i++) {
      clock.advance(1);
      assert.ok(limit.refuses(asked));
    }
    assert.match(limit.refuses(asked)!, new RegExp(`again in ${perMs - 1_000} ms`));
    clock.advance(perMs - 1_001);
    assert.match(limit.refuses(asked)!, /again in 1 ms/);
    clock.advance(1);
    assert.equal(limit.refuses(asked), undefined);
  });
}

Deno.test("grant() refuses a rate whose time is beyond what is counted exactly", () => {
  const rate = { calls: 1, perMs: 1e300 };
  assert.throws(() => new Rig().registry.grant(new Files(), { rate }), /rate\.perMs is not a number/);
});

Deno.test("attenuate() ends at a depth that lists and trees can tell", () => {
  const { registry } = new Rig();
  let last = registry.grant(new Files());
  for (let i = 0; i < 1_000; i++) last = last.attenuate();
  assert.throws(() => last.attenuate(), { name: "RangeError", message: /it comes of 1000 others already/ });
  assert.equal(registry.tree().length, 1);
  assert.equal(registry.size, 1_001);
});

class Needy extends Referenceable {
  static override requires = [{ name: "net" as const, host: "db.internal:5432" }];
  remote_ask() {
    return "asked";
  }
}

class Giver extends Referenceable {
  remote_give() {
    return new Needy();
  }
  remote_list() {
    return [new Needy()];
  }
}

Deno.test("grant({ deep }) tells nobody outside which permission an object needs that it gives out", () => {
  const rig = new Rig();
  const giver = rig.registry.grant(new Giver(), { deep: true });
  const [listed] = call(giver.object, "list") as Needy[];
  for (const needy of [call(giver.object, "give") as Needy, listed!]) {
    const refused = denial(() => call(needy, "ask"));
    assert.equal(refused.limit, "requires");
    assert.doesNotMatch(refused.message, /internal|--allow/);
  }
  rig.permissions.given.add("net");
  assert.equal(call(listed!, "ask"), "asked");
});

Deno.test("events() tell no FURL that somebody says as the name of a method", () => {
  const rig = new Rig();
  const { object, furl } = rig.registry.grant(new Files(), { methods: ["list"] });
  denial(() => call(object, `x${"y".repeat(80)} ${furl}`));
  const event = rig.heard.at(-1)!;
  assert.equal(event.type, "denied");
  assert.doesNotMatch(JSON.stringify(rig.heard), new RegExp(furl.slice(-32)));
});

Deno.test("events() give what happens to those who wait for it, in the order in which they asked", async () => {
  const { registry } = new Rig();
  using events = registry.events();
  const waiting = [events.next(), events.next()];
  const capability = registry.grant(new Files());
  capability.revoke();
  const types = (await Promise.all(waiting)).map(({ value }) => value?.type);
  assert.deepEqual(types, ["granted", "revoked"]);
});

Deno.test("find() asks no lookup handler for the name of what was revoked", () => {
  const { registry } = new Rig();
  registry.grant(new Files(), { name: "desk" }).revoke();
  using _handler = registry.addLookup(() => new Files());
  assert.equal(registry.find("desk"), undefined);
});

/** Gives itself, and has something that it is not granted for. */
class Vault extends Referenceable {
  remote_self() {
    return this;
  }
  remote_box() {
    return { it: this };
  }
  remote_secret() {
    return "secret";
  }
}

const VAULT = moduleOf(`
  import { Referenceable } from ${JSON.stringify(LIBRARY)};
  export default class Vault extends Referenceable {
    remote_self() { return this; }
    remote_box() { return { it: this }; }
    remote_secret() { return "secret"; }
  }
`);

async function refusesSecret(tub: Tub, furl: string, methods: readonly string[]): Promise<void> {
  const vault = await tub.getReference(furl);
  for (const method of methods) {
    const given = await vault.callRemote(method) as typeof vault | { it: typeof vault };
    const self = "it" in given ? given.it : given;
    assert.equal(self, vault);
    await assert.rejects(Promise.resolve(self.callRemote("secret")), PermissionDenied);
  }
}

for (const deep of [false, true]) {
  const methods = deep ? ["self", "box"] : ["self"];
  const kind = deep ? "a deep grant" : "a grant";
  Deno.test(`${kind} of a peer's object limits what that object gives as itself`, async () => {
    await using far = await startTub();
    await using between = await startTub();
    await using client = await Tub.create();
    const furl = far.registerReference(new Vault());
    const reference = await between.getReference(furl);
    await refusesSecret(client, between.registry.grant(reference, { methods, deep }).furl, methods);
    const forwarder = bridge.forwarder(between, furl);
    await refusesSecret(client, between.registry.grant(forwarder, { methods, deep }).furl, methods);
  });

  Deno.test(`${kind} of a sandboxed object limits what that object gives as itself`, async () => {
    await using between = await startTub();
    await using client = await Tub.create();
    await using sandbox = await grantSandbox(between, VAULT, { grant: { methods, deep } });
    await refusesSecret(client, sandbox.furl!, methods);
  });

  Deno.test(`${kind} of a Perspective Broker object limits what that object gives as itself`, async () => {
    class Service extends pb.Referenceable {
      remote_self() {
        return this;
      }
      remote_box() {
        return { it: this };
      }
      remote_secret() {
        return "secret";
      }
    }
    class Root extends pb.Root {
      remote_service() {
        return new Service();
      }
    }
    await using server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
    await using between = await startTub();
    await using client = await Tub.create();
    await using broker = await pb.connect(server.address);
    const service = await (await broker.getRootObject()).callRemote("service") as pb.RemoteReference;
    const capability = between.registry.grant(bridge.bridged(() => service), { methods, deep });
    await refusesSecret(client, capability.furl, methods);
  });
}

Deno.test("a promise of its own object, too, is the facet to a caller in this process", async () => {
  const { registry } = new Rig();
  const { object } = registry.grant(new Files(), { methods: ["later_self"] });
  assert.equal(await localReference<Files>(object).callRemote("later_self"), object);
});

Deno.test("a call that the policy of a deep grant refuses is no use of it", () => {
  const rig = new Rig();
  const told: string[] = [];
  const capability = rig.registry.grant(new Files(), {
    maxCalls: 1,
    deep: { allow: ({ method }) => method !== "write", onCall: ({ method }) => void told.push(method) },
  });
  const { object } = capability;
  const child = capability.attenuate({ label: "child" });
  for (const refused of [object, child.object]) {
    assert.equal(denial(() => call(refused, "write", "a.txt", "")).limit, "policy");
  }
  const { callsUsed, callsLeft } = capability.info();
  assert.deepEqual([callsUsed, callsLeft], [0, 1]);
  assert.deepEqual(call(child.object, "list"), ["a.txt"]);
  assert.equal(denial(() => call(object, "list")).limit, "maxCalls");
  assert.deepEqual(told, ["list"]);
  const events = rig.heard.map((event) => "limit" in event ? event.limit : event.type);
  assert.deepEqual(events, ["granted", "granted", "policy", "policy", "used", "maxCalls"]);
});

for (const what of ["the object itself", "an object that it gives out"]) {
  Deno.test(`a policy that calls ${what} leaves no call too many`, () => {
    const rig = new Rig();
    class Counter extends Referenceable {
      count = 0;
      remote_next(): number {
        return ++this.count;
      }
    }
    class Maker extends Counter {
      readonly made = new Counter();
      remote_made(): Counter {
        return this.made;
      }
    }
    const maker = new Maker();
    let callee: Counter | undefined;
    let isFirst = true;
    const { object } = rig.registry.grant(maker, {
      maxCalls: 2,
      deep: {
        allow: ({ method }) => {
          if (method !== "next" || !isFirst) return true;
          isFirst = false;
          call(callee!, "next");
          return true;
        },
      },
    });
    callee = call(object, "made") as Counter;
    if (what === "the object itself") callee = object;
    assert.equal(denial(() => call(callee!, "next")).limit, "maxCalls");
    assert.equal(maker.count + maker.made.count, 1);
  });
}

Deno.test("a call whose time is over by when it was taken down is refused", () => {
  const rig = new Rig();
  const { object } = rig.registry.grant(new Files(), { expires: rig.clock.now() + 100 });
  rig.onHeard = ({ type }) => {
    if (type === "used") rig.clock.advance(200);
  };
  assert.equal(denial(() => call(object, "list")).limit, "expires");
});

Deno.test("who derives a FURL writes nothing of its own into trees and refusals but a word", () => {
  const rig = new Rig();
  const furl = `pb://${ALICE}@tcp:h:1/${rig.registry.register(new Files())}`;
  const forged = 'read\n#9 Files "for the owner": everything';
  const derived = attenuateFurl(furl, { methods: [forged, "ünlock"], label: "\u009b2J\u202egone" });
  const facet = rig.registry.find(derived.split("/").at(-1)!)! as Files;
  const lines = formatTree(rig.registry.tree()).trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[1]!, /^#2 Files "\\u009b2J\\u202egone": "read\\n#9 Files .*everything", ünlock$/);
  assert.match(denial(() => call(facet, "list")).message, /^Cannot call "list": .* only "read\\n#9 /);
});

Deno.test("who derives a FURL puts no FURL into events by its label", () => {
  const rig = new Rig();
  const furl = `pb://${ALICE}@tcp:h:1/${rig.registry.register(new Files())}`;
  const derived = attenuateFurl(furl, { label: `see ${furl}` });
  rig.registry.find(derived.split("/").at(-1)!);
  const { label } = rig.heard.at(-1)!;
  assert.equal(label, `see pb://${ALICE}@tcp:h:1/…`);
});

for (const deep of [false, true]) {
  Deno.test(`revoke() of a ${deep ? "deep " : ""}grant of a peer's object ends its calls there, whoever made them`, async () => {
    await using owner = await startTub();
    await using lender = await startTub();
    await using user = await startTub();
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    class Worker extends Referenceable {
      remote_work(): Promise<void> {
        currentCall()!.signal.addEventListener("abort", () => ended.resolve());
        begun.resolve();
        return new Promise(() => {});
      }
    }
    const worker = await lender.getReference(owner.registerReference(new Worker()));
    const lent = lender.registry.grant(worker, { deep });
    // Without a signal and a timeout: this caller gives nothing up.
    const call = (await user.getReference<Worker>(lent.furl)).callRemote("work");
    const failed = assert.rejects(Promise.resolve(call), PermissionDenied);
    await begun.promise;
    lent.revoke();
    await failed;
    await ended.promise;
  });
}
