/**
 * Grants of objects that live somewhere else: what they return of themselves is limited as well.
 */
import assert from "node:assert/strict";
import {
  bridge,
  callable,
  PermissionDenied,
  Referenceable,
  type RemoteReference,
  type Tub,
} from "../../mod.ts";
import { startTub } from "../tub/tubs.ts";

class Safe extends Referenceable {
  remote_self(): this {
    return this;
  }
  remote_selves(): this[] {
    return [this];
  }
  remote_isSelf(other: unknown): boolean {
    return other === this;
  }
  remote_open(): string {
    return "gold";
  }
}

type Source = (tub: Tub, furl: string) => Promise<Referenceable | RemoteReference<Safe>>;

const SOURCES: Record<string, Source> = {
  "a reference": (tub, furl) => tub.getReference<Safe>(furl),
  "a forwarder": (tub, furl) => Promise.resolve(bridge.forwarder(tub, furl)),
};

for (const [name, source] of Object.entries(SOURCES)) {
  for (const deep of [false, true]) {
    Deno.test(`grant(${name}, { deep: ${deep} }) gives the facet for an object that returns itself`, async () => {
      await using home = await startTub();
      await using tub = await startTub();
      await using client = await startTub();
      const object = await source(tub, home.registerReference(new Safe()));
      const methods = ["self", "selves", "isSelf"];
      const { furl } = tub.registry.grant(object as Referenceable, { methods, deep });
      const safe = await client.getReference<Safe>(furl);
      for (const self of [await safe.callRemote("self"), await safe.callRemote("self")]) {
        assert.equal(self, safe);
        await assert.rejects(self.callRemote("open"), PermissionDenied);
      }
      if (!deep) return;
      assert.deepEqual(await safe.callRemote("selves"), [safe]);
      assert.equal(await safe.callRemote("isSelf", safe), true);
    });
  }
}

/** Keeps what it is given, and calls it. */
class Keeper extends Referenceable {
  kept!: RemoteReference<Safe>;
  remote_keep(value: RemoteReference<Safe>): void {
    this.kept = value;
  }
  remote_kept(): RemoteReference<Safe> {
    return this.kept;
  }
  remote_open(): Promise<unknown> {
    return Promise.resolve(this.kept.callRemote("open"));
  }
}

Deno.test("Capability.revoke() lets a call out of its membrane be refused, and told, whoever makes it", async () => {
  await using tub = await startTub();
  await using client = await startTub();
  const keeper = new Keeper();
  const deep = tub.registry.grant(keeper, { deep: true, label: "deep" });
  const remote = await client.getReference<Keeper>(deep.furl);
  await remote.callRemote("keep", new Safe());
  using events = tub.registry.events({ capability: deep });
  deep.revoke();
  const open = await client.getReference<Keeper>(tub.registerReference(keeper));
  await assert.rejects(Promise.resolve(keeper.kept.callRemote("open")), { limit: "revoked" });
  await assert.rejects(Promise.resolve(open.callRemote("open")), { limit: "revoked" });
  const told: unknown[] = [];
  for await (const event of events) {
    if (event.type === "denied") told.push(event.limit);
    if (told.length === 2) break;
  }
  assert.deepEqual(told, ["revoked", "revoked"]);
});

Deno.test("grant({ holders, deep }) refuses the program's own call of what was reached, whomever it serves", async () => {
  await using home = await startTub();
  await using tub = await startTub();
  await using client = await startTub();
  const inside = new Keeper(), deputy = new Keeper();
  inside.kept = await tub.getReference<Safe>(home.registerReference(new Safe()));
  const { furl } = tub.registry.grant(inside, { holders: [client.tubId], deep: true });
  const safe = await (await client.getReference<Keeper>(furl)).callRemote("kept") as RemoteReference<Safe>;
  assert.equal(await safe.callRemote("open"), "gold");
  const remote = await client.getReference<Keeper>(tub.registerReference(deputy));
  await remote.callRemote("keep", safe);
  for (const options of [{}, { timeoutMs: 60_000 }]) {
    await assert.rejects(Promise.resolve(remote.with(options).callRemote("open")), { limit: "holders" });
  }
});

Deno.test("grant({ holders }) of a function refuses the program's own call, whomever it serves", async () => {
  await using tub = await startTub();
  await using client = await startTub();
  const { object, furl } = tub.registry.grant(callable(() => "gold"), {
    holders: [client.tubId],
    deep: true,
  });
  class Deputy extends Referenceable {
    remote_open(): unknown {
      return (object.call as () => unknown)();
    }
  }
  const open = await client.getReference<() => string>(furl);
  assert.equal(await open.callRemote(), "gold");
  const remote = await client.getReference<Deputy>(tub.registerReference(new Deputy()));
  await assert.rejects(Promise.resolve(remote.callRemote("open")), { limit: "holders" });
});
