import assert from "node:assert/strict";
import {
  auditKeyOf,
  type AuditProblem,
  type AuditReport,
  localReference,
  PermissionDenied,
  Tub,
  type TubOptions,
  verifyAuditFile,
} from "../../mod.ts";
import { AuditFile } from "../../lib/tub/audit_file.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Bell, event, inFolder, KEY } from "./audit_support.ts";

interface Opened {
  readonly audit: AuditFile;
  readonly clock: FakeClock;
  readonly events: TraceEvent[];
}

function open(file: string, options: { onFailure?: "continue"; key?: Uint8Array } = {}): Opened {
  const clock = new FakeClock();
  const events: TraceEvent[] = [];
  const audit = AuditFile.open({
    file,
    key: KEY,
    tubId: "a".repeat(32),
    clock,
    trace: (event) => void events.push(event),
    ...options,
  });
  return { audit, clock, events };
}

/** A file of two lives: 10 lines, opened and closed at 1, 5, 6 and 10. */
function write(file: string): void {
  for (let life = 0; life < 2; life++) {
    const { audit } = open(file);
    for (let i = 1; i <= 3; i++) audit.take(event(i));
    audit.close();
  }
}

/** What was done to a file, and where it shows, with the key and without it. */
interface Row {
  readonly what: string;
  readonly tamper: (lines: string[]) => string[];
  readonly problem: AuditProblem | undefined;
  readonly withoutKey?: AuditProblem | undefined;
}

const ROWS: readonly Row[] = [
  { what: "nothing", tamper: (lines) => lines, problem: undefined },
  {
    what: "an edited line",
    tamper: (lines) => lines.with(2, lines[2]!.replace("label 2", "label 9")),
    problem: { at: 3, kind: "edited" },
    withoutKey: { at: 4, kind: "chain" },
  },
  {
    what: "an edited last line",
    tamper: (lines) => lines.with(9, lines[9]!.replace('"at":1', '"at":2')),
    problem: { at: 10, kind: "edited" },
    withoutKey: undefined,
  },
  { what: "a deleted line", tamper: (lines) => lines.toSpliced(3, 1), problem: { at: 4, kind: "missing" } },
  { what: "a deleted first line", tamper: (lines) => lines.slice(1), problem: { at: 1, kind: "missing" } },
  {
    what: "two lines in another order",
    tamper: (lines) => lines.toSpliced(2, 2, lines[3]!, lines[2]!),
    problem: { at: 3, kind: "missing" },
  },
  {
    what: "a line twice",
    tamper: (lines) => lines.toSpliced(3, 0, lines[2]!),
    problem: { at: 4, kind: "misplaced" },
  },
  {
    what: "an inserted text",
    tamper: (lines) => lines.toSpliced(4, 0, "hello"),
    problem: { at: 5, kind: "malformed" },
  },
  {
    what: "an inserted line of its own making",
    tamper: (lines) => lines.toSpliced(4, 0, lines[4]!.replace(/"mac":"./, '"mac":"/')),
    problem: { at: 5, kind: "edited" },
    withoutKey: { at: 6, kind: "misplaced" },
  },
  {
    what: "an empty line",
    tamper: (lines) => lines.toSpliced(4, 0, ""),
    problem: { at: 5, kind: "malformed" },
  },
  {
    what: "half a last line",
    tamper: (lines) => lines.with(9, lines[9]!.slice(0, 30)),
    problem: { at: 10, kind: "torn" },
  },
  {
    what: "half a line in the middle",
    tamper: (lines) => lines.with(4, lines[4]!.slice(0, 30)),
    problem: { at: 5, kind: "malformed" },
    // The next life says that the one before was closed.
  },
];

for (const { what, tamper, problem, ...rest } of ROWS) {
  Deno.test(`verifyAuditFile() finds ${what}`, () =>
    inFolder(async (folder) => {
      const file = `${folder}/audit.jsonl`;
      write(file);
      const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
      assert.equal(lines.length, 10);
      await Deno.writeTextFile(file, tamper(lines).map((line) => `${line}\n`).join(""));
      const report = await verifyAuditFile(file, { key: KEY });
      assert.deepEqual(report.problem, problem);
      assert.equal(report.isIntact, problem === undefined);
      const open = await verifyAuditFile(file);
      assert.deepEqual(open.problem, "withoutKey" in rest ? rest.withoutKey : problem);
    }));
}

Deno.test("verifyAuditFile() finds lines that were cut off by a head that was kept elsewhere, and only by that", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    write(file);
    const { head, isClosed } = await verifyAuditFile(file, { key: KEY });
    assert.deepEqual([head.line, isClosed], [10, true]);
    assert.equal((await verifyAuditFile(file, { key: KEY, head })).isIntact, true);
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n").slice(0, 7);
    await Deno.writeTextFile(file, lines.map((line) => `${line}\n`).join(""));
    const cut = await verifyAuditFile(file, { key: KEY });
    assert.deepEqual([cut.isIntact, cut.isClosed, cut.lines], [true, false, 7]);
    const { problem } = await verifyAuditFile(file, { key: KEY, head });
    assert.deepEqual(problem, { at: 8, kind: "truncated" });
    const other = { line: 3, hash: head.hash };
    assert.deepEqual((await verifyAuditFile(file, { key: KEY, head: other })).problem, {
      at: 3,
      kind: "chain",
    });
  }));

Deno.test("verifyAuditFile() with another key finds the first line", () =>
  inFolder(async (folder) => {
    write(`${folder}/a`);
    const { problem } = await verifyAuditFile(`${folder}/a`, { key: new Uint8Array(32) });
    assert.deepEqual(problem, { at: 1, kind: "edited" });
  }));

Deno.test("AuditFile goes on behind a torn line, and says so", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    write(file);
    const text = await Deno.readTextFile(file);
    // Every place where a kill can cut the last line but one: its beginning, its middle, before its newline.
    for (const cut of [1, 30, 120, text.split("\n").at(-2)!.length]) {
      const start = text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1);
      await Deno.writeTextFile(file, start + text.slice(start.length, start.length + cut));
      const { audit } = open(file);
      audit.take(event(1));
      audit.close();
      const report: AuditReport = await verifyAuditFile(file, { key: KEY });
      assert.deepEqual([report.problem, report.lives, report.isClosed], [undefined, 3, true]);
      const opened = (await Deno.readTextFile(file)).split("\n").filter((line) => line.includes('"opened"'))
        .at(-1)!;
      const isWhole = opened.includes('"after":"closed"');
      assert.equal(isWhole, cut === text.split("\n").at(-2)!.length, "only the newline is missing");
      if (!isWhole) assert.match(opened, new RegExp(`"after":"unclosed","torn":\\{"bytes":${cut},`));
      // The torn line is bound as well.
      const lines = (await Deno.readTextFile(file)).split("\n");
      const torn = lines.findIndex((line) => !line.endsWith("}") && line !== "");
      if (torn < 0) continue;
      await Deno.writeTextFile(file, lines.with(torn, `${lines[torn]}x`).join("\n"));
      assert.deepEqual((await verifyAuditFile(file, { key: KEY })).problem, {
        at: torn + 1,
        kind: "malformed",
      });
    }
  }));

Deno.test("AuditFile goes on behind a first line that was torn", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    await Deno.writeTextFile(file, '{"line":1,"at":17');
    open(file).audit.close();
    assert.equal((await verifyAuditFile(file, { key: KEY })).isIntact, true);
  }));

Deno.test("AuditFile notices that somebody else writes to its file, or cuts it", () =>
  inFolder(async (folder) => {
    for (
      const disturb of [
        (file: string) => Deno.writeTextFileSync(file, "hello\n", { append: true }),
        (file: string) => Deno.truncateSync(file, 500),
      ]
    ) {
      const file = `${folder}/${crypto.randomUUID()}`;
      const { audit, clock } = open(file);
      audit.take(event(1));
      audit.take(event(2));
      disturb(file);
      clock.advance(1_000);
      audit.close();
      assert.match(await Deno.readTextFile(file), /"type":"disturbed","expected":\d+,"found":\d+/);
      assert.equal((await verifyAuditFile(file, { key: KEY })).isIntact, false);
    }
  }));

const WRONG_FILES: readonly [string, (file: string) => void, RegExp][] = [
  ["another file", (file) => Deno.writeTextFileSync(file, "notes\nof mine\n"), /it is no audit file/],
  ["another file without a newline", (file) => Deno.writeTextFileSync(file, "notes"), /it is no audit file/],
  ["a folder", (file) => Deno.mkdirSync(file), /the system refuses/],
  [
    "a file of another key",
    (file) => open(file, { key: new Uint8Array(32) }).audit.close(),
    /another Tub's file/,
  ],
];
for (const [what, make, message] of WRONG_FILES) {
  Deno.test(`AuditFile.open() refuses ${what} and does not change it`, () =>
    inFolder((folder) => {
      const file = `${folder}/audit.jsonl`;
      make(file);
      const { size } = Deno.statSync(file);
      assert.throws(() => open(file), { name: "FileError", message });
      assert.equal(Deno.statSync(file).size, size);
    }));
}

Deno.test("AuditFile.open() refuses a file that is in use", () =>
  inFolder((folder) => {
    const { audit } = open(`${folder}/a`);
    assert.throws(() => open(`${folder}/a`), { name: "FileError", message: /in use/ });
    audit.close();
  }));

/** A file that takes so many bytes: the disk is full after that. */
function fullAfter(bytes: number): Disposable & { free(): void } {
  const { writeSync } = Deno.FsFile.prototype;
  let left = bytes;
  Deno.FsFile.prototype.writeSync = function (data) {
    if (left === 0) throw new Error("No space left on device (os error 28)");
    const part = data.subarray(0, Math.min(left, data.length));
    left -= part.length;
    return writeSync.call(this, part);
  };
  return {
    free: () => left = Infinity,
    [Symbol.dispose]: () => void (Deno.FsFile.prototype.writeSync = writeSync),
  };
}

Deno.test("Tub.create({ auditFile }) refuses calls and grants while the disk is full, not revocations", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const certFile = `${folder}/cert.pem`;
    const tub = await Tub.create({ auditFile: file, certFile });
    const bell = new Bell();
    const [first, second] = [tub.registry.grant(bell), tub.registry.grant(bell)];
    using disk = fullAfter(100);
    await assert.rejects(Promise.resolve(localReference(first.object).callRemote("ring")), {
      name: "PermissionDenied",
      limit: "record",
      message: 'Cannot call "ring": its use cannot be recorded at the moment; try again later',
    });
    assert.equal(bell.rung, 0);
    assert.throws(() => tub.registry.grant(bell, { name: "third" }), { name: "FileError" });
    assert.equal(tub.registry.find("third"), undefined);
    assert.equal(second.revoke(), true);
    disk.free();
    assert.equal(await localReference(first.object).callRemote("ring"), 1);
    await tub.stop();
    const report = await verifyAuditFile(file, { key: auditKeyOf(await Deno.readTextFile(certFile)) });
    assert.deepEqual([report.problem, report.isClosed, report.missed > 0], [undefined, true, true]);
  }));

Deno.test('Tub.create({ auditFile: { onFailure: "continue" } }) lets calls pass and counts what is missing', () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const trace: TraceEvent[] = [];
    const options: TubOptions = {
      auditFile: { file, onFailure: "continue" },
      trace: (event) => void trace.push(event),
    };
    const tub = await Tub.create(options);
    const bell = tub.registry.grant(new Bell());
    {
      using _disk = fullAfter(0);
      assert.equal(await localReference(bell.object).callRemote("ring"), 1);
      assert.equal(await localReference(bell.object).callRemote("ring"), 2);
    }
    assert.equal(trace.filter(({ type }) => type === "callback-failed").length, 2);
    bell.revoke();
    const key = auditKeyOf(tub.getCertData());
    await tub.stop();
    const report = await verifyAuditFile(file, { key });
    assert.deepEqual([report.isIntact, report.missed], [true, 2]);
  }));

Deno.test("Tub.create({ auditFile }) writes no name, FURL, argument or result, and gives its head", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    await using tub = await Tub.create({ auditFile: file });
    tub.setLocation("tcp:127.0.0.1:1");
    const bell = tub.registry.grant(new Bell(), { label: "bell", name: "a-secret-name" });
    const drawn = tub.registry.grant(new Bell()).furl.split("/").at(-1)!;
    await localReference(bell.object).callRemote("ring");
    tub.registry.given(bell.object, "b".repeat(32));
    const text = await Deno.readTextFile(file);
    assert.ok(!text.includes("a-secret-name") && !text.includes(drawn));
    assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
    const types = text.trimEnd().split("\n").map((line) => JSON.parse(line).type);
    assert.deepEqual(types, ["opened", "granted", "granted", "used", "introduced"]);
    assert.deepEqual((await verifyAuditFile(file)).head, tub.registry.auditHead);
  }));

Deno.test("Tub.stop() is the last line, whatever is unregistered or called after it", () =>
  inFolder(async (folder) => {
    const failures: TraceEvent[] = [];
    const trace = (event: TraceEvent) => void (event.type === "callback-failed" && failures.push(event));
    const tub = await Tub.create({ auditFile: `${folder}/audit.jsonl`, trace });
    tub.setLocation("tcp:localhost:4501");
    const bell = new Bell();
    tub.registerReference(bell);
    const granted = tub.registry.grant(new Bell());
    await tub.stop();
    assert.equal(tub.unregisterReference(bell), false);
    await assert.rejects(localReference(granted.object).callRemote("ring"), PermissionDenied);
    assert.deepEqual(failures, []);
    const report = await verifyAuditFile(`${folder}/audit.jsonl`, { key: auditKeyOf(tub.getCertData()) });
    assert.equal(report.isClosed, true);
  }));

Deno.test("AuditFile forces its lines to the disk once a second", () =>
  inFolder((folder) => {
    const { audit, clock } = open(`${folder}/a`);
    assert.equal(clock.pending, 1);
    clock.advance(1_000);
    assert.equal(clock.pending, 0);
    audit.take(event(1));
    assert.equal(clock.pending, 1);
    audit.close();
    assert.equal(clock.pending, 0);
  }));
