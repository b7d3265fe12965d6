import assert from "node:assert/strict";
import {
  attenuateFurl,
  callable,
  type FurlCaveats,
  type Kwargs,
  kwargs,
  PermissionDenied,
  type RemoteReference,
  type Tub,
} from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { rejection, startTub, step } from "./rig.ts";
import { Root } from "./root.ts";

const REFUSED = /^javascript\.PermissionDenied: /;

/** What a limit lets through, and what it refuses with. */
interface Row {
  readonly what: string;
  readonly caveats: (holder: string) => FurlCaveats;
  readonly allowed: readonly string[];
  readonly denied: string;
  readonly about: RegExp;
}

const ROWS: readonly Row[] = [
  {
    what: "methods",
    caveats: () => ({ methods: ["add"] }),
    allowed: ["add", "add"],
    denied: "echo",
    about: /Cannot call "echo": this capability allows only add$/,
  },
  {
    what: "uses",
    caveats: () => ({ uses: 2 }),
    allowed: ["add", "echo"],
    denied: "add",
    about: /Cannot call "add": all of this capability's 2 calls are used$/,
  },
  {
    what: "its holder",
    caveats: (holder) => ({ forTub: holder, methods: ["add"] }),
    allowed: ["add"],
    denied: "echo",
    about: /allows only add$/,
  },
  {
    what: "methods of a chain",
    caveats: () => ({ methods: ["add", "echo"] }),
    allowed: ["add"],
    denied: "describe",
    about: /allows only add, echo$/,
  },
];

/** Somebody who holds what a FURL leads to. */
interface Holder {
  readonly tubId: string;
  get(furl: string, as: string): Promise<unknown>;
  call(as: string, method: string): Promise<unknown>;
}

class DenoHolder implements Holder {
  readonly #refs = new Map<string, RemoteReference>();
  constructor(readonly tub: Tub) {}
  get tubId(): string {
    return this.tub.tubId;
  }
  async get(furl: string, as: string): Promise<unknown> {
    const ref = await this.tub.getReference(furl);
    this.#refs.set(as, ref);
    return ref;
  }
  call(as: string, method: string): Promise<unknown> {
    return Promise.resolve(this.#refs.get(as)!.callRemote(method, 1, 2));
  }
}

/** The text of a refusal, which must have no secret in it. */
function textOf(error: unknown, ...secrets: readonly string[]): string {
  const text = error instanceof PeerFailure ? `${error.failure.type}: ${error.failure.value}` : String(error);
  for (const secret of secrets) assert.ok(!text.includes(secret.slice(-20)));
  return text;
}

const numbers = [{ int: "1" }, { int: "2" }] as const;

async function holdsLimits(t: Deno.TestContext, kind: string, holder: Holder): Promise<void> {
  for (const { what, caveats, allowed, denied, about } of ROWS) {
    await step(t, `${kind} is let through and refused by ${what}`, async () => {
      await using server = await startTub();
      const own = server.registerReference(new Root());
      const furl = attenuateFurl(own, caveats(holder.tubId));
      await holder.get(furl, what);
      for (const method of allowed) await holder.call(what, method);
      const text = textOf(await rejection(holder.call(what, denied)), own, furl);
      assert.match(text, about);
    });
  }
  await step(
    t,
    `${kind} is refused what has expired, was revoked, is for another Tub or forged`,
    async () => {
      const clock = new FakeClock(Date.now());
      await using server = await startTub({ clock });
      const own = server.registerReference(new Root());
      const until = attenuateFurl(own, { until: clock.now() + 60_000 });
      const revoked = attenuateFurl(own, { label: "to be revoked" });
      await holder.get(until, "until");
      await holder.get(revoked, "revoked");
      await holder.call("until", "add");
      await holder.call("revoked", "add");
      clock.advance(60_000);
      assert.ok(server.registry.revokeFurl(revoked));
      const others = attenuateFurl(own, { forTub: server.tubId });
      const expectations: readonly [attempt: () => Promise<unknown>, about: RegExp][] = [
        [() => holder.call("until", "add"), /Cannot call "add": this capability has expired$/],
        [() => holder.get(until, "again"), /Cannot get a reference: this capability has expired$/],
        [() => holder.call("revoked", "add"), /Cannot call "add": this capability was revoked$/],
        [() => holder.get(revoked, "again"), /Cannot get a reference: this capability was revoked$/],
        [() => holder.get(others, "others"), /Cannot get a reference: this capability is for other holders$/],
        [
          () => holder.get(`${until.slice(0, -3)}AAA`, "forged"),
          /unable to find reference for name starting with 'ca'/,
        ],
      ];
      for (const [attempt, about] of expectations) {
        assert.match(textOf(await rejection(attempt()), own, until, revoked, others), about);
      }
    },
  );
}

interopTest("an attenuated FURL has its limits for whoever holds it", async (t) => {
  await using peer = await startPython();
  await holdsLimits(t, "Python", {
    tubId: peer.ready.tubid,
    get: (furl, as) => peer.get(furl, as),
    call: (as, method) => peer.call(as, method, ...method === "add" ? numbers : numbers.slice(1)),
  });
  {
    await using tub = await startTub();
    await holdsLimits(t, "Deno", new DenoHolder(tub));
  }

  await step(t, "Deno is told which limit it was", async () => {
    await using server = await startTub();
    await using client = await startTub();
    const own = server.registerReference(new Root());
    const ref = await client.getReference(attenuateFurl(own, { methods: ["echo"], uses: 0 }));
    for (const [method, limit] of [["add", "method"], ["echo", "maxCalls"]] as const) {
      const error = await rejection(ref.callRemote(method, 1));
      assert.ok(error instanceof PermissionDenied && error.limit === limit);
    }
    const gone = await rejection(client.getReference(attenuateFurl(own, { until: 0 })));
    assert.ok(gone instanceof PermissionDenied && gone.limit === "expires");
  });

  await step(t, "Python holds, tells and gives on the very FURL that it was given", async () => {
    await using server = await startTub();
    await using third = await startTub();
    const own = server.registerReference(new Root());
    const furl = attenuateFurl(own, { methods: ["add"], uses: 2 });
    await peer.get(furl, "cap");
    assert.equal((await peer.command("furl", { ref: "cap" })).furl, furl);
    await peer.get(furl, "same");
    assert.deepEqual((await peer.command("identical", { one: "cap", other: "same" })).result, { bool: true });
    await peer.command("hold", { value: { ref: "cap" } });
    const python = await third.getReference(peer.furl);
    const gift = await python.callRemote("held") as RemoteReference;
    assert.equal(gift.getSturdyRef().getURL(), furl);
    assert.equal(await gift.callRemote("add", 1, 2), 3);
    assert.match(textOf(await rejection(gift.callRemote("echo", 1)), own, furl), /allows only add$/);
    await peer.call("cap", "add", ...numbers);
    // The two calls were counted for both.
    for (const call of [() => gift.callRemote("add", 1, 2), () => peer.call("cap", "add", ...numbers)]) {
      assert.match(textOf(await rejection(call()), own, furl), /all of this capability's 2 calls are used$/);
    }
    // Who holds the attenuated one can weaken it further, and not more than that.
    const weaker = attenuateFurl(gift.getSturdyRef(), { label: "weaker" });
    const held = await third.getReference(weaker);
    assert.match(textOf(await rejection(held.callRemote("add", 1, 2)), own), /2 calls are used$/);
    assert.ok(server.registry.revokeFurl(furl));
    for (const ref of [gift, held]) {
      assert.match(textOf(await rejection(ref.callRemote("add", 1, 2)), own, furl), /was revoked$/);
    }
    await peer.command("hold", { value: { none: null } });
  });

  await step(t, "Python is told of a refusal as what it is", async () => {
    await using server = await startTub();
    await peer.get(attenuateFurl(server.registerReference(new Root()), { methods: [] }), "nothing");
    assert.match(textOf(await rejection(peer.call("nothing", "add", ...numbers))), REFUSED);
  });

  await step(t, "Deno gives an attenuated reference to Python, as a gift and by itself", async () => {
    await using server = await startTub();
    await using giver = await startTub();
    const furl = attenuateFurl(server.registerReference(new Root()), {
      methods: ["add"],
      forTub: peer.ready.tubid,
    });
    // The giver is not the holder, so it gives the FURL, and Python gets the object.
    await assert.rejects(Promise.resolve(giver.getReference(furl)), /for other holders/);
    const open = attenuateFurl(server.registerReference(new Root()), { methods: ["add"] });
    const python = await giver.getReference(peer.furl);
    const ref = await giver.getReference(open);
    assert.equal(await python.callRemote("call", ref, "add", 3, 4), 7);
    assert.match(
      textOf(await rejection(python.callRemote("call", ref, "echo", 1)), open),
      /allows only add$/,
    );
    const own = server.getReferenceForURL(open);
    const direct = await server.getReference(peer.furl);
    assert.match(
      textOf(await rejection(direct.callRemote("call", own, "echo", 1)), open),
      /allows only add$/,
    );
  });

  await step(t, "Python and Deno call an attenuated function", async () => {
    await using server = await startTub();
    const f = callable(({ values }: Kwargs) => Number(values.a) * 2);
    const furl = attenuateFurl(server.registerReference(f), { uses: 1 });
    await peer.get(furl, "function");
    // Python calls functions with keyword arguments alone.
    const call = () => peer.callWith("function", undefined, { kwargs: { a: { int: "21" } } });
    assert.deepEqual(await call(), { int: "42" });
    const used = /Cannot call the function: all of this capability's 1 calls are used$/;
    assert.match(textOf(await rejection(call()), furl), used);
    await using client = await startTub();
    const ours = await client.getReference<(named: Kwargs) => number>(furl);
    assert.match(textOf(await rejection(ours.callRemote(kwargs({ a: 1 }))), furl), used);
  });
});
