import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { attenuateFurl, callable, Referenceable, Tub } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { MIGRATIONS } from "../../lib/tub/sqlite_schema.ts";
import { call, edit, fails, FILES, Files, inFolder, live, nameIn } from "./store_support.ts";

Deno.test("Tub.create({ store }) leads old FURLs to what the factories make, with their limits", () =>
  inFolder(async (options) => {
    const names = await live(options, async (_, registry) => {
      const all = registry.grant(new Files("/srv"), { durable: FILES, label: "all", maxCalls: 4 });
      const reader = all.attenuate({ methods: ["read"], label: "reader" });
      await call(reader.object, "read");
      return [nameIn(all.furl), nameIn(reader.furl)];
    });
    await live(options, async (tub, registry) => {
      const [all, reader] = names.map((name) => registry.find(name!)!);
      assert.equal(await call(reader, "read"), "/srv");
      await fails(call(reader, "write"), "method");
      await call(all, "write");
      await call(all, "write");
      await fails(call(all, "write"), "maxCalls");
      await fails(call(reader, "read"), "maxCalls");
      const capability = registry.capabilityOf(reader!)!;
      assert.equal(capability.info().parent, registry.capabilityOf(all!)!.id);
      assert.equal(capability.label, "reader");
      assert.equal(nameIn(capability.furl), names[1], "whoever asks by the name tells it");
      assert.equal(nameIn(tub.getOrCreateURLForReference(reader!)!), names[1]);
    });
  }));

Deno.test("Tub.create({ store }) keeps revoked what was revoked, with all that came of it", () =>
  inFolder(async (options) => {
    const names = await live(options, (_, registry) => {
      const all = registry.grant(new Files("/srv"), { durable: FILES });
      const child = all.attenuate();
      const grandchild = child.attenuate();
      const names = [child, grandchild, all].map(({ furl }) => nameIn(furl));
      child.revoke();
      return names;
    });
    await live(options, async (_, registry) => {
      await fails(registry.lookup(names[0]!), "revoked");
      await fails(registry.lookup(names[1]!), "revoked");
      const all = registry.find(names[2]!)!;
      const later = registry.capabilityOf(all)!.attenuate();
      assert.ok(later.id > 3, "numbers are not used again");
      assert.equal(registry.capabilityOf(all)!.revoke(), true);
      await fails(call(later.object, "read"), "revoked");
    });
    await live(options, (_, registry) => assert.deepEqual(registry.tree(), []));
  }));

Deno.test("Tub.create({ store }) ends what expired while the Tub was down", () =>
  inFolder(async (options) => {
    const clock = new FakeClock();
    const names = await live({ ...options, clock }, (_, registry) => {
      const all = registry.grant(new Files("/srv"), { durable: FILES, expires: "PT1H" });
      return [all, all.attenuate(), registry.grant(new Files("/srv"), { durable: FILES, expires: "PT3H" })]
        .map(({ furl }) => nameIn(furl));
    });
    await live({ ...options, clock: new FakeClock(clock.now() + 2 * 3_600_000) }, async (_, registry) => {
      await fails(registry.lookup(names[0]!), "expires");
      await fails(registry.lookup(names[1]!), "expires");
      assert.equal(await call(registry.find(names[2]!), "read"), "/srv");
    });
  }));

Deno.test("Tub.create({ store }) keeps holders, rates, functions and asynchronous factories", () =>
  inFolder(async (options) => {
    const clock = new FakeClock();
    const holder = "a".repeat(32);
    const names = await live({ ...options, clock }, (_, registry) =>
      [
        registry.grant(new Files("/a"), { durable: { ...FILES, factory: "slowFiles" }, holders: [holder] }),
        registry.grant(callable(() => "ding"), {
          durable: { factory: "bell" },
          rate: { calls: 2, perMs: 1_000 },
        }),
      ].map(({ furl }) => nameIn(furl)));
    await live({ ...options, clock }, async (_, registry) => {
      await fails(call(registry.find(names[0]!), "read"), "holders");
      const bell = registry.capabilityOf(registry.find(names[1]!)!)!;
      const ring = () => Promise.resolve((bell.object as unknown as { call: () => unknown }).call());
      await assert.rejects(
        async () => await ring(),
        { limit: "rate" },
        "how many calls were made is not known",
      );
      clock.advance(500);
      assert.equal(await ring(), "ding");
    });
  }));

Deno.test("Tub.create({ store }) counts and revokes attenuated FURLs across restarts", () =>
  inFolder(async (options) => {
    const { twice, revoked, ofRegistered } = await live(options, async (tub, registry) => {
      const { furl } = registry.grant(new Files("/srv"), { durable: FILES });
      const twice = attenuateFurl(furl, { uses: 2 });
      const revoked = attenuateFurl(furl, { methods: ["read"] });
      const ofRegistered = attenuateFurl(tub.registerReference(new Files("/reg"), "registered"), { uses: 1 });
      registry.revokeFurl(revoked);
      await call(registry.find(nameIn(twice)), "read");
      await call(registry.find(nameIn(ofRegistered)), "read");
      return { twice, revoked, ofRegistered };
    });
    await live(options, async (tub, registry) => {
      const object = await registry.lookup(nameIn(twice));
      assert.equal(await call(object, "read"), "/srv");
      await fails(call(object, "read"), "maxCalls");
      await fails(registry.lookup(nameIn(attenuateFurl(revoked, { uses: 9 }))), "revoked");
      tub.registerReference(new Files("/reg"), "registered");
      await fails(call(await registry.lookup(nameIn(ofRegistered)), "read"), "maxCalls");
    });
  }));

Deno.test("Capability.furl of a restored one says that only a hash is kept, until somebody asks by the name", () =>
  inFolder(async (options) => {
    const name = await live(
      options,
      (_, registry) => nameIn(registry.grant(new Files("/srv"), { durable: FILES }).furl),
    );
    await live(options, (tub, registry) => {
      const [entry] = registry.list();
      const capability = registry.capabilityOf(entry!.object)!;
      assert.throws(() => capability.furl, { name: "FurlError", message: /keeps no names/ });
      assert.equal(tub.getOrCreateURLForReference(entry!.object), undefined);
      assert.match(capability.attenuate().furl, /^pb:/);
      assert.equal(registry.find(name), entry!.object);
      assert.equal(nameIn(capability.furl), name);
    });
  }));

Deno.test("Tub.create({ store }) shows no name, argument key or root in its file", () =>
  inFolder(async (options) => {
    const name = await live(
      options,
      (_, registry) =>
        nameIn(registry.grant(new Files("/srv"), { durable: FILES, name: "a-chosen-name-of-mine" }).furl),
    );
    assert.equal(name, "a-chosen-name-of-mine");
    assert.ok(!new TextDecoder("latin1").decode(await Deno.readFile(options.store)).includes(name));
    assert.equal((await Deno.stat(options.store)).mode! & 0o777, 0o600);
  }));

Deno.test("CapabilityRegistry.unregister() takes the name of a durable grant away for good", () =>
  inFolder(async (options) => {
    const names = await live(options, (_, registry) => {
      const all = registry.grant(new Files("/srv"), { durable: FILES });
      const names = [nameIn(all.furl), nameIn(all.attenuate().furl)];
      registry.unregister(all.object);
      return names;
    });
    await live(options, (_, registry) => {
      assert.equal(registry.find(names[0]!), undefined);
      assert.ok(registry.find(names[1]!) !== undefined);
    });
  }));

Deno.test("CapabilityRegistry.batch() writes all at its end, also when it throws", () =>
  inFolder(async (options) => {
    const names = await live(options, (_, registry) => {
      const names: string[] = [];
      assert.throws(() =>
        registry.batch(() => {
          for (let i = 0; i < 20; i++) {
            names.push(nameIn(registry.grant(new Files("/"), { durable: FILES }).furl));
          }
          throw new RangeError("enough");
        }), { message: "enough" });
      assert.throws(() => registry.batch(() => registry.batch(() => {})), TypeError);
      const waiting = () => registry.batch(() => Promise.reject(new Error("later")) as unknown as void);
      assert.throws(waiting, { name: "TypeError", message: /what waits/ });
      return names;
    });
    await live(options, (_, registry) => assert.ok(names.every((name) => registry.find(name) !== undefined)));
  }));

Deno.test("CapabilityRegistry.batch() without a store fails", async () => {
  await using tub = await Tub.create();
  assert.throws(() => tub.registry.batch(() => {}), { name: "TypeError", message: /no store/ });
});

Deno.test("Tub.create({ store: { countAhead } }) gives back at the stop what was written ahead", () =>
  inFolder(async (options) => {
    const ahead = { ...options, store: { file: options.store, countAhead: 10, survives: "crash" } } as const;
    const name = await live(ahead, async (_, registry) => {
      const capability = registry.grant(new Files("/"), { durable: FILES, maxCalls: 100 });
      for (let i = 0; i < 12; i++) await call(capability.object, "read");
      return nameIn(capability.furl);
    });
    await live(
      ahead,
      (_, registry) => assert.equal(registry.capabilityOf(registry.find(name)!)!.info().callsLeft, 88),
    );
  }));

Deno.test("Tub.create({ store }) revokes what its factory gives nothing for", () =>
  inFolder(async (options) => {
    const name = await live(
      options,
      (_, registry) => nameIn(registry.grant(new Files("/"), { durable: { factory: "gone" } }).furl),
    );
    for (let i = 0; i < 2; i++) {
      await live(options, (_, registry) => fails(registry.lookup(name), "revoked"));
    }
  }));

Deno.test("CapabilityRegistry.find() does not lead to a grant whose row was edited", () =>
  inFolder(async (options) => {
    const name = await live(
      options,
      (_, registry) => nameIn(registry.grant(new Files("/"), { durable: FILES, methods: ["read"] }).furl),
    );
    edit(options.store, `UPDATE grants SET terms = '{"methods":["read","write"]}'`);
    await live(
      options,
      (_, registry) => assert.throws(() => registry.find(name), { name: "StoreError", problem: "damaged" }),
    );
  }));

Deno.test("CapabilityRegistry.find() does not lead to a grant if what it comes of was edited", () =>
  inFolder(async (options) => {
    const names = await live(options, (_, registry) => {
      const parent = registry.grant(new Files("/"), { durable: FILES, methods: ["read"] });
      const child = parent.attenuate();
      return [child.furl, attenuateFurl(child.furl, { uses: 9 })].map(nameIn);
    });
    edit(options.store, `UPDATE grants SET terms = '{}' WHERE parent IS NULL`);
    for (const name of names) {
      await live(
        options,
        (_, registry) => assert.throws(() => registry.find(name), { name: "StoreError", problem: "damaged" }),
      );
    }
  }));

Deno.test("CapabilityRegistry.unregister() of a durable grant leaves those that come of it, also at the next start", () =>
  inFolder(async (options) => {
    const [taken, kept] = await live(options, (_, registry) => {
      const again = () => registry.grant(new Files("/"), { durable: FILES, name: "files" });
      // Twice the same name, taken back both times.
      const [first, second] = [again, again].map((grant) => {
        const parent = grant();
        const child = parent.attenuate();
        registry.unregister(parent.object);
        return child;
      });
      first!.revoke();
      return ["files", nameIn(second!.furl)] as const;
    });
    await live(options, (_, registry) => {
      assert.equal(registry.find(taken), undefined);
      assert.ok(registry.find(kept) instanceof Referenceable);
    });
  }));

Deno.test("Tub.create({ store }) opens a store that version 1 wrote", () =>
  inFolder(async (options) => {
    await Deno.copyFile(new URL("fixtures/store_v1.db", import.meta.url), options.store);
    await Deno.copyFile(new URL("fixtures/store_v1.identity", import.meta.url), options.certFile);
    await live(options, async (_, registry) => {
      const reader = registry.find("v1-reader")!;
      assert.equal(await call(reader, "read"), "/v1");
      assert.deepEqual(registry.capabilityOf(reader)!.info().callsLeft, 7);
      await fails(registry.lookup("v1-revoked"), "revoked");
      const derived = registry.find(
        Deno.readTextFileSync(new URL("fixtures/store_v1.txt", import.meta.url)).trim(),
      );
      await fails(call(derived, "read"), "maxCalls");
    });
    const db = new DatabaseSync(options.store);
    assert.equal(db.prepare("PRAGMA user_version").get()!.user_version, MIGRATIONS.length);
    db.close();
  }));

Deno.test("Tub.create() loads node:sqlite only for a store", async () => {
  const source = await Deno.readTextFile(new URL("../../lib/tub/sqlite_file.ts", import.meta.url));
  assert.match(source, /await import\("node:sqlite"\)/);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("../../mod.ts", import.meta.url).href],
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { dependencies?: { specifier: string; isDynamic?: boolean; code?: object }[] }[];
  };
  const uses = modules.flatMap(({ dependencies = [] }) => dependencies)
    .filter(({ specifier, code }) => specifier === "node:sqlite" && code !== undefined);
  assert.ok(uses.length > 0 && uses.every(({ isDynamic }) => isDynamic === true));
});
