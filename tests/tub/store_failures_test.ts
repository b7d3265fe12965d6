import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  attenuateFurl,
  auditKeyOf,
  type Capability,
  type CapabilityRegistry,
  localReference,
  Referenceable,
  StoreError,
  Tub,
  type TubOptions,
  verifyAudit,
} from "../../mod.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";
import { FakeClock } from "../support/fake_clock.ts";

class Thing extends Referenceable {
  used = 0;
  remote_use(): number {
    return ++this.used;
  }
}
const DURABLE = { factory: "thing" };

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const optionsOf = (folder: string): TubOptions & { readonly store: string; readonly certFile: string } => ({
  certFile: `${folder}/cert.pem`,
  store: `${folder}/caps.db`,
  factories: { thing: () => new Thing() },
});

const nameOf = (furl: string): string => furl.slice(furl.lastIndexOf("/") + 1);
const use = (object: unknown): Promise<unknown> =>
  Promise.resolve(localReference(object as Thing).callRemote("use"));

/** A Tub, and the database that it has open. */
async function live<R>(
  options: TubOptions,
  run: (registry: CapabilityRegistry, db: DatabaseSync, tub: Tub) => R | Promise<R>,
): Promise<R> {
  const { exec } = DatabaseSync.prototype;
  let db: DatabaseSync | undefined;
  DatabaseSync.prototype.exec = function (sql) {
    db ??= this;
    return exec.call(this, sql);
  };
  let tub: Tub;
  try {
    tub = await Tub.create(options);
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
  await using _tub = tub;
  tub.setLocation("tcp:127.0.0.1:4501");
  return await run(tub.registry, db!, tub);
}

/** What somebody wants of a store that cannot be written, and what they see. */
interface Row {
  readonly what: string;
  readonly act: (registry: CapabilityRegistry, thing: Capability, counted: Capability) => unknown;
  readonly error: object;
  /** How it is afterwards, and after a restart: what is refused has not happened. */
  readonly isRevoked?: boolean;
}

const REFUSED = {
  name: "StoreError",
  problem: "unavailable",
  message: /^Cannot write to the store: it can only be read/,
};
const ROWS: readonly Row[] = [
  {
    what: "grant()",
    act: (registry) => registry.grant(new Thing(), { durable: DURABLE, name: "third" }),
    error: REFUSED,
  },
  { what: "attenuate()", act: (_, thing) => thing.attenuate({ name: "third" }), error: REFUSED },
  {
    what: "a call of what has maxCalls",
    act: (_, __, counted) => use(counted.object),
    error: { name: "PermissionDenied", limit: "record" },
  },
  {
    what: "a call of a derived FURL with uses",
    act: (registry, thing) => use(registry.find(nameOf(attenuateFurl(thing.furl, { uses: 3 })))),
    error: { name: "PermissionDenied", limit: "record" },
  },
  { what: "revoke()", act: (_, thing) => thing.revoke(), error: REFUSED, isRevoked: true },
  { what: "unregister()", act: (registry, thing) => registry.unregister(thing.object), error: REFUSED },
  {
    what: "batch() of a grant",
    act: (registry) =>
      registry.batch(() => void registry.grant(new Thing(), { durable: DURABLE, name: "third" })),
    error: REFUSED,
  },
  {
    what: "batch() of a revocation",
    // It is not even begun.
    act: (registry, thing) => registry.batch(() => void thing.revoke()),
    error: REFUSED,
  },
];
for (const { what, act, error, isRevoked = false } of ROWS) {
  Deno.test(`${what} fails while the store can only be read, and the Tub goes on when it can be written`, () =>
    inFolder(async (folder) => {
      const options = optionsOf(folder);
      const clock = new FakeClock();
      await live({ ...options, clock }, async (registry, db) => {
        const thing = registry.grant(new Thing(), { durable: DURABLE, name: "thing" });
        const counted = registry.grant(new Thing(), { durable: DURABLE, name: "counted", maxCalls: 5 });
        assert.equal(await use(counted.object), 1);
        db.exec("PRAGMA query_only = 1");
        await assert.rejects(async () => await act(registry, thing, counted), error);
        assert.equal(registry.find("third"), undefined);
        assert.equal(counted.info().callsLeft, 4, "what was refused is not counted");
        assert.equal(registry.find("thing") === undefined, isRevoked);
        if (!isRevoked) assert.equal(await use(thing.object), 1, "what needs no record goes on");
        db.exec("PRAGMA query_only = 0");
        // A revocation is written by itself.
        clock.advance(1_000);
        assert.equal(await use(counted.object), 2);
        registry.grant(new Thing(), { durable: DURABLE, name: "third" });
      });
      await live(options, (registry) => {
        assert.equal(registry.find("thing") === undefined, isRevoked);
        assert.ok(registry.find("third") !== undefined);
        assert.equal(registry.capabilityOf(registry.find("counted")!)!.info().callsLeft, 3);
      });
    }));
}

Deno.test("revokeFurl() acts at once, and what could not be written of it is written later", () =>
  inFolder(async (folder) => {
    const options = optionsOf(folder);
    const clock = new FakeClock();
    const furls = await live({ ...options, clock }, async (registry, db) => {
      const { furl } = registry.grant(new Thing(), { durable: DURABLE, name: "thing" });
      const [early, late] = ["early", "late"].map((label) => attenuateFurl(furl, { label }));
      const facet = registry.find(nameOf(early!));
      db.exec("PRAGMA query_only = 1");
      assert.throws(() => registry.revokeFurl(early!), StoreError);
      assert.equal(registry.find(nameOf(early!)), undefined);
      await assert.rejects(use(facet), { name: "PermissionDenied", limit: "revoked" });
      assert.equal(registry.revokeFurl(early!), false, "it is over all the same");
      clock.advance(10_000);
      db.exec("PRAGMA query_only = 0");
      clock.advance(1_000);
      const { n } = db.prepare("SELECT count(*) AS n FROM caveat_revocations").get()!;
      assert.equal(n, 1, "without waiting for the stop");
      assert.throws(() =>
        registry.batch(() => {
          registry.revokeFurl(late!);
          db.exec("PRAGMA query_only = 1");
          registry.grant(new Thing(), { durable: DURABLE });
        }), StoreError);
      assert.equal(registry.find(nameOf(late!)), undefined);
      db.exec("PRAGMA query_only = 0");
      return [early!, late!];
    });
    await live(options, (registry) => {
      assert.ok(registry.find("thing") !== undefined);
      for (const furl of furls) assert.equal(registry.find(nameOf(furl)), undefined);
    });
  }));

Deno.test("revoke() that could not be written is written before its name is granted again, or at the stop", () =>
  inFolder(async (folder) => {
    const options = optionsOf(folder);
    const clock = new FakeClock();
    await live({ ...options, clock }, (registry, db) => {
      const grant = (name: string) => registry.grant(new Thing(), { durable: DURABLE, name });
      const [first, second] = [grant("first"), grant("second")];
      db.exec("PRAGMA query_only = 1");
      assert.throws(() => first.revoke(), StoreError);
      assert.throws(() => second.revoke(), StoreError);
      assert.equal(first.revoke(), false, "it is over all the same");
      clock.advance(10_000);
      assert.throws(() => grant("first"), StoreError);
      db.exec("PRAGMA query_only = 0");
      assert.throws(() =>
        registry.batch(() => {
          grant("first");
          db.exec("PRAGMA query_only = 1");
          grant("third");
        }), StoreError);
      db.exec("PRAGMA query_only = 0");
      grant("first");
    });
    await live(options, (registry) => {
      assert.ok(registry.find("first") !== undefined);
      assert.equal(registry.find("second"), undefined);
      assert.equal(registry.find("third"), undefined);
    });
  }));

Deno.test("batch() that fails after a revocation undoes its grants, and the revocation is written later", () =>
  inFolder(async (folder) => {
    const options = optionsOf(folder);
    const clock = new FakeClock();
    await live({ ...options, clock }, (registry, db) => {
      const thing = registry.grant(new Thing(), { durable: DURABLE, name: "thing" });
      assert.throws(() =>
        registry.batch(() => {
          registry.grant(new Thing(), { durable: DURABLE, name: "second" });
          thing.revoke();
          db.exec("PRAGMA query_only = 1");
          registry.grant(new Thing(), { durable: DURABLE, name: "third" });
        }), StoreError);
      for (const name of ["thing", "second", "third"]) assert.equal(registry.find(name), undefined);
      clock.advance(1_000);
      db.exec("PRAGMA query_only = 0");
      clock.advance(1_000);
      const { n } = db.prepare("SELECT count(*) AS n FROM grants").get()!;
      assert.equal(n, 0, "without waiting for the stop");
    });
    await live(options, (registry) => assert.equal(registry.find("thing"), undefined));
  }));

Deno.test("Tub.stop() says it if a revocation could never be written", () =>
  inFolder(async (folder) => {
    const failures: TraceEvent[] = [];
    const trace = (event: TraceEvent) => void (event.type === "callback-failed" && failures.push(event));
    await live({ ...optionsOf(folder), trace }, (registry, db) => {
      const thing = registry.grant(new Thing(), { durable: DURABLE, name: "thing" });
      db.exec("PRAGMA query_only = 1");
      assert.throws(() => thing.revoke(), StoreError);
    });
    assert.deepEqual(failures.map((event) => "where" in event && event.where), ["store"]);
    await live(optionsOf(folder), (registry) => assert.ok(registry.find("thing") !== undefined));
  }));

Deno.test("Tub.create({ store }) waits for nobody who has the file locked, and opens it afterwards", () =>
  inFolder(async (folder) => {
    const options = optionsOf(folder);
    await live(options, (registry) => void registry.grant(new Thing(), { durable: DURABLE, name: "thing" }));
    const locker = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { DatabaseSync } from "node:sqlite";
         const db = new DatabaseSync(Deno.args[0]);
         db.exec("BEGIN EXCLUSIVE");
         console.log("locked");
         await Deno.stdin.read(new Uint8Array(1));`,
        options.store,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = locker.stdout.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "locked\n");
    const before = await Deno.readFile(options.store);
    await assert.rejects(Tub.create(options), { name: "StoreError", problem: "locked", message: /in use/ });
    assert.deepEqual(await Deno.readFile(options.store), before);
    await locker.stdin.close();
    await reader.cancel();
    await locker.status;
    await live(options, async (registry) => {
      assert.equal(await use(registry.find("thing")), 1);
      // And nobody gets in while it is open, in this process or another one.
      const { stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          `import { DatabaseSync } from "node:sqlite";
           new DatabaseSync(Deno.args[0]).exec("UPDATE grants SET used = 0");`,
          options.store,
        ],
      }).output();
      assert.equal(success, false);
      assert.match(new TextDecoder().decode(stderr), /locked/);
    });
  }));

/** Whether a file system can be made that is small enough to be filled: only root can. */
const canMount = await (async () => {
  const { state } = await Deno.permissions.query({ name: "run", command: "mount" });
  if (Deno.build.os !== "linux" || state !== "granted") return false;
  const folder = await Deno.makeTempDir();
  const isMounted = await mount(folder, "-t", "tmpfs", "-o", "size=1m", "foolscap-test");
  if (isMounted) await unmount(folder);
  await Deno.remove(folder);
  return isMounted;
})();

async function mount(folder: string, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command("mount", { args: [...args, folder], stdout: "null", stderr: "null" });
  return await command.output().then(({ success }) => success, () => false);
}

async function unmount(folder: string): Promise<void> {
  await new Deno.Command("umount", { args: ["-l", folder] }).output();
}

async function onSmallDisk(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  assert.ok(await mount(folder, "-t", "tmpfs", "-o", "size=1m", "foolscap-test"));
  try {
    await run(folder);
  } finally {
    await unmount(folder);
    await Deno.remove(folder);
  }
}

/** Takes all room that there is. */
function fill(path: string): void {
  using file = Deno.openSync(path, { create: true, append: true });
  for (let size = 65_536; size >= 1;) {
    try {
      file.writeSync(new Uint8Array(size));
    } catch {
      size = size >> 1;
    }
  }
}

Deno.test("Tub.create({ store, auditFile }) lives through a disk that is full, and loses nothing", {
  ignore: !canMount,
}, () =>
  onSmallDisk(async (folder) => {
    const options: TubOptions = {
      ...optionsOf(folder),
      auditFile: { file: `${folder}/audit.jsonl`, rotate: { maxBytes: 16_384 } },
    };
    const clock = new FakeClock();
    let used = 0;
    await live({ ...options, clock }, async (registry) => {
      const thing = registry.grant(new Thing(), { durable: DURABLE, name: "thing" });
      const counted = registry.grant(new Thing(), { durable: DURABLE, name: "counted", maxCalls: 1_000 });
      fill(`${folder}/filler`);
      const label = "x".repeat(10_000);
      assert.throws(() => {
        for (let i = 0; i < 100; i++) registry.grant(new Thing(), { durable: DURABLE, label });
      }, { name: /^(StoreError|FileError)$/, message: /make room/ });
      let refused = 0;
      for (let i = 0; i < 50; i++) {
        await use(counted.object).then(() => used++, (error) => {
          refused++;
          assert.equal(error.limit, "record", String(error));
        });
      }
      assert.ok(refused > 0);
      try {
        thing.revoke();
      } catch (error) {
        assert.ok(error instanceof StoreError && error.problem === "write", String(error));
      }
      await assert.rejects(use(thing.object), { limit: "revoked" });
      Deno.removeSync(`${folder}/filler`);
      clock.advance(1_000);
      await use(counted.object);
      used++;
    });
    await live(options, (registry) => {
      assert.equal(registry.find("thing"), undefined);
      const { callsLeft } = registry.capabilityOf(registry.find("counted")!)!.info();
      // A call that was counted and then could not be audited was refused, and is counted.
      assert.ok(callsLeft! <= 1_000 - used && callsLeft! >= 1_000 - used - 50, `${callsLeft} ${used}`);
    });
    const key = auditKeyOf(await Deno.readTextFile(`${folder}/cert.pem`));
    const { problem, missed } = await verifyAudit(`${folder}/audit.jsonl`, { key });
    assert.deepEqual([problem, missed > 0], [undefined, true]);
  }));

Deno.test(
  "Tub.create({ store }) refuses a file system that can only be read, and opens the store afterwards",
  { ignore: !canMount },
  () =>
    onSmallDisk(async (folder) => {
      const options = optionsOf(folder);
      await live(
        options,
        (registry) => void registry.grant(new Thing(), { durable: DURABLE, name: "thing" }),
      );
      const remount = async (how: string) => assert.ok(await mount(folder, "-o", `remount,${how}`));
      await remount("ro");
      await assert.rejects(Tub.create(options), {
        name: "StoreError",
        problem: "unavailable",
        message: /check that it is a file, its owner and its mode/,
      });
      await assert.rejects(Tub.create({ certFile: options.certFile, auditFile: `${folder}/a` }), {
        name: "FileError",
        message: /the system refuses/,
      });
      await remount("rw");
      await live(options, async (registry) => assert.equal(await use(registry.find("thing")), 1));
    }),
);
