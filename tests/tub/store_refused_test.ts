import assert from "node:assert/strict";
import { StoreError, type StoreProblem, Tub, type TubOptions } from "../../mod.ts";
import { edit, FILES, Files, inFolder, live } from "./store_support.ts";

const WRONG_GRANTS: readonly [string, unknown, object][] = [
  ["an unknown factory", { factory: "nobody" }, {
    name: "RangeError",
    message: /there is no factory "nobody"/,
  }],
  ["no factory", {}, { name: "TypeError" }],
  ["a text", "files", { name: "TypeError" }],
  ["arguments that cannot be serialized", { factory: "files", args: () => {} }, { name: "Violation" }],
];
for (const [what, durable, expected] of WRONG_GRANTS) {
  Deno.test(`CapabilityRegistry.grant({ durable }) refuses ${what}`, () =>
    inFolder((options) =>
      live(options, (_, registry) => {
        assert.throws(
          () => registry.grant(new Files("/"), { durable: durable as { factory: string } }),
          expected,
        );
        assert.deepEqual(registry.list(), []);
      })
    ));
}

Deno.test("CapabilityRegistry.grant({ durable }) without a store fails", async () => {
  await using tub = await Tub.create();
  assert.throws(() => tub.registry.grant(new Files("/"), { durable: FILES }), /this Tub has no store/);
});

/** What makes a store unusable, after one grant was made in it. */
interface Wrong {
  readonly what: string;
  readonly problem: StoreProblem;
  readonly message: RegExp;
  spoil?(path: string): void;
  readonly options?: (options: TubOptions) => TubOptions | Promise<TubOptions>;
}

const WRONG: readonly Wrong[] = [
  {
    what: "no SQLite file",
    problem: "foreign",
    message: /no SQLite file/,
    spoil: (path) => Deno.writeTextFileSync(path, "some notes of mine\n".repeat(100)),
  },
  {
    what: "another program's SQLite file",
    problem: "foreign",
    message: /another program's/,
    spoil: (path) => {
      Deno.removeSync(path);
      edit(path, "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')");
    },
  },
  {
    what: "a file of a later version",
    problem: "newer",
    message: /a later version .*schema 99/,
    spoil: (path) => edit(path, "PRAGMA user_version = 99"),
  },
  {
    what: "damaged pages",
    problem: "damaged",
    message: /damaged/,
    spoil: (path) => {
      const bytes = Deno.readFileSync(path);
      bytes.fill(0x5a, 4_096);
      Deno.writeFileSync(path, bytes);
    },
  },
  {
    what: "a file that was cut off",
    problem: "damaged",
    message: /damaged/,
    spoil: (path) => Deno.truncateSync(path, 6_000),
  },
  {
    what: "a folder",
    problem: "unavailable",
    message: /check that it is a file/,
    spoil: (path) => {
      Deno.removeSync(path);
      Deno.mkdirSync(path);
    },
  },
  {
    what: "no folder",
    problem: "unavailable",
    message: /create the folder first/,
    options: (options) => ({ ...options, store: `${options.store}.d/caps.db` }),
  },
  {
    what: "another Tub's key",
    problem: "identity",
    message: /another Tub; start with the certificate/,
    options: (options) => ({ ...options, certFile: `${options.certFile}.other` }),
  },
  {
    what: "a factory that is missing",
    problem: "factory",
    message: /grant #1 "all": there is no factory "files"; Tub.create has no factories/,
    options: (options) => ({ ...options, factories: {} }),
  },
  {
    what: "a factory that throws",
    problem: "factory",
    message: /grant #1 "all": its factory "files" failed/,
    options: (options) => ({
      ...options,
      factories: {
        files: () => {
          throw new Error("no");
        },
      },
    }),
  },
  {
    what: "a factory that gives no object",
    problem: "factory",
    message: /its factory "files" failed/,
    options: (options) => ({ ...options, factories: { files: () => Promise.resolve({} as Files) } }),
  },
];

for (const { what, problem, message, spoil, options: change } of WRONG) {
  Deno.test(`Tub.create({ store }) refuses ${what} and overwrites nothing`, () =>
    inFolder(async (options) => {
      await live(
        options,
        (_, registry) => void registry.grant(new Files("/"), { durable: FILES, label: "all" }),
      );
      spoil?.(options.store);
      const isFile = Deno.statSync(options.store).isFile;
      const before = isFile ? await Deno.readFile(options.store) : undefined;
      const changed = await change?.(options) ?? options;
      await assert.rejects(Tub.create(changed), (error: StoreError) => {
        assert.ok(error instanceof StoreError, String(error));
        assert.equal(error.problem, problem, error.message);
        assert.match(error.message, message);
        return true;
      });
      if (before !== undefined && problem !== "factory") {
        assert.deepEqual(await Deno.readFile(options.store), before);
      }
    }));
}

Deno.test("Tub.create({ store }) refuses a store that another Tub has open", () =>
  inFolder((options) =>
    live(options, async () => {
      await assert.rejects(Tub.create(options), { name: "StoreError", problem: "locked" });
    })
  ));

const WRONG_OPTIONS: readonly [string, object, string][] = [
  ["a store without an identity that is kept", { store: "caps.db" }, "TypeError"],
  ["a store that is a number", { store: 1, certFile: "c.pem" }, "TypeError"],
  ["an unknown option of the store", { store: { file: "a.db", fast: true }, certFile: "c.pem" }, "TypeError"],
  ["a wrong survives", { store: { file: "a.db", survives: "all" }, certFile: "c.pem" }, "TypeError"],
  ["a wrong countAhead", { store: { file: "a.db", countAhead: 0 }, certFile: "c.pem" }, "RangeError"],
  ["a factory that is none", { factories: { files: 1 } }, "TypeError"],
  ["a wrong onFailure", { auditFile: { file: "a", onFailure: "x" } }, "TypeError"],
];
for (const [what, options, name] of WRONG_OPTIONS) {
  Deno.test(`Tub.create() refuses ${what}`, async () => {
    await assert.rejects(Tub.create(options as TubOptions), { name });
  });
}

Deno.test("Tub.create({ store }) names the flag where a permission is missing", {
  permissions: { read: true, write: false },
}, async () => {
  const certData = await Deno.readTextFile(new URL("fixtures/store_v1.identity", import.meta.url));
  await assert.rejects(Tub.create({ certData, store: "/tmp/foolscap-caps.db" }), {
    name: "StoreError",
    problem: "permission",
    message: /--allow-write=\/tmp\/foolscap-caps\.db/,
  });
});
