import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  attenuateFurl,
  auditKeyOf,
  localReference,
  Referenceable,
  Tub,
  type TubOptions,
  verifyAuditFile,
} from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";

class Page extends Referenceable {
  remote_number(): number {
    return 7;
  }
}
class Book extends Referenceable {
  readonly page = new Page();
  remote_page(): Page {
    return this.page;
  }
}

const DURABLE = { factory: "book" };

async function inFolder(run: (options: TubOptions, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const files = { certFile: `${folder}/cert.pem`, store: `${folder}/caps.db` };
    await run({ ...files, factories: { book: () => new Book() } }, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function live<R>(options: TubOptions, run: (tub: Tub) => R | Promise<R>): Promise<R> {
  await using tub = await Tub.create(options);
  tub.setLocation("tcp:127.0.0.1:4501");
  return await run(tub);
}

const nameIn = (furl: string): string => furl.slice(furl.lastIndexOf("/") + 1);
const call = (object: unknown, method: string): Promise<unknown> =>
  Promise.resolve(localReference(object as Book).callRemote(method as "page"));
const fails = (promise: Promise<unknown>, limit: string): Promise<void> =>
  assert.rejects(promise, { name: "PermissionDenied", limit });

Deno.test("Tub.create({ store }) brings deep grants back as deep, with their children, counts and derived FURLs", () =>
  inFolder(async (options) => {
    const names = await live(options, async ({ registry }) => {
      const deep = registry.grant(new Book(), { durable: DURABLE, deep: true, maxCalls: 9, label: "deep" });
      const child = deep.attenuate({ methods: ["page"], label: "child" });
      const plain = registry.grant(new Book(), { durable: DURABLE, label: "plain" });
      const deepened = plain.attenuate({ deep: {}, label: "deepened" });
      await call(await call(child.object, "page"), "number");
      const derived = attenuateFurl(child.furl, { uses: 3 });
      return [deep.furl, child.furl, plain.furl, deepened.furl, derived].map(nameIn);
    });
    await live(options, async ({ registry }) => {
      const [deep, child, plain, deepened, derived] = names.map((name) => registry.find(name)!);
      const infos = [deep, child, plain, deepened].map((object) => registry.capabilityOf(object!)!.info());
      assert.deepEqual(infos.map(({ isDeep }) => isDeep), [true, true, false, true]);
      assert.deepEqual(infos.map(({ callsLeft }) => callsLeft), [7, 7, undefined, undefined]);
      const page = await call(child, "page"), other = await call(derived, "page");
      assert.equal(await call(page, "number"), 7);
      assert.equal(await call(other, "number"), 7);
      const bare = await call(plain, "page"), wrapped = await call(deepened, "page");
      assert.equal(registry.capabilityOf(deep!)!.info().callsLeft, 3);
      registry.capabilityOf(deep!)!.revoke();
      registry.capabilityOf(plain!)!.revoke();
      for (const reached of [page, other, wrapped]) await fails(call(reached, "number"), "revoked");
      assert.equal(await call(bare, "number"), 7);
    });
    await live(options, ({ registry }) => assert.deepEqual(registry.tree(), []));
  }));

const POLICIES = [{ allow: () => true }, { onCall: () => {} }];
for (const deep of POLICIES) {
  Deno.test(`CapabilityRegistry.grant({ durable }) refuses a policy with ${Object.keys(deep)}, also in what comes of it`, () =>
    inFolder((options) =>
      live(options, ({ registry }) => {
        const refused = { name: "TypeError", message: /^Cannot grant: what is durable has no policy/ };
        assert.throws(() => registry.grant(new Book(), { durable: DURABLE, deep }), refused);
        assert.deepEqual(registry.list(), []);
        const kept = registry.grant(new Book(), { durable: DURABLE });
        assert.throws(() => kept.attenuate({ deep }), refused);
        assert.equal(kept.info().children, 0);
        assert.equal(registry.grant(new Book(), { deep }).attenuate().info().isDeep, true);
      })
    ));
}

Deno.test("CapabilityRegistry.find() does not lead to a grant whose row was edited so that it is not deep any more", () =>
  inFolder(async (options) => {
    const name = await live(
      options,
      ({ registry }) => nameIn(registry.grant(new Book(), { durable: DURABLE, deep: true }).furl),
    );
    const db = new DatabaseSync(options.store as string);
    const changed = db.prepare(`UPDATE grants SET terms = replace(terms, '"deep":true', '"deep":false')`)
      .run();
    assert.equal(Number(changed.changes), 1);
    db.close();
    await live(options, ({ registry }) => {
      assert.throws(() => registry.find(name), { name: "StoreError", problem: "damaged" });
    });
  }));

Deno.test("Tub.create({ auditFile }) has a line for each call through a membrane", () =>
  inFolder(async (options, folder) => {
    const auditFile = `${folder}/audit.jsonl`;
    const clock = new FakeClock(1_700_000_000_000);
    const key = await live({ certFile: options.certFile!, auditFile, clock }, async (tub) => {
      const lent = tub.registry.membrane(new Book(), {
        label: "lent",
        allow: ({ method }) => method !== "tear",
      });
      const page = await call(lent.object, "page");
      assert.equal(await call(page, "number"), 7);
      await fails(call(page, "tear"), "policy");
      return auditKeyOf(tub.getCertData());
    });
    assert.equal((await verifyAuditFile(auditFile, { key })).problem, undefined);
    const lines = (await Deno.readTextFile(auditFile)).trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.filter(({ label }) => label === "lent")
        .map(({ type, how, method, limit }) => [type, how ?? method, limit]),
      [
        ["granted", "membrane", undefined],
        ["used", "page", undefined],
        ["used", "number", undefined],
        ["denied", "tear", "policy"],
      ],
    );
  }));
