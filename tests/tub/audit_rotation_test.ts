import assert from "node:assert/strict";
import {
  auditKeyOf,
  type AuditProblem,
  denoRunCommand,
  localReference,
  Tub,
  type TubOptions,
  verifyAudit,
  verifyAuditFile,
} from "../../mod.ts";
import { segmentsOf } from "../../lib/tub/audit_series.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Bell, DAY, event, inFolder, KEY, labels, names, open, SMALL, text, write } from "./audit_support.ts";

Deno.test("AuditFile rotates by size, and verifyAudit() reads all files in order", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const head = write(file);
    const report = await verifyAudit(file, { key: KEY, head });
    assert.deepEqual([report.problem, report.isClosed, report.lines], [undefined, true, head.line]);
    assert.deepEqual(report.files.map((path) => path.slice(folder.length + 1)), [
      "audit.jsonl.000000000005",
      "audit.jsonl.000000000010",
      "audit.jsonl.000000000015",
      "audit.jsonl",
    ]);
    assert.deepEqual(labels(report.files), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(names(folder).length, 4, "nothing else is left there");
    for (const path of report.files) {
      const { size, mode } = Deno.statSync(path);
      assert.ok(size <= 4_096 && (mode! & 0o777) === 0o600);
    }
    const [first] = report.files;
    assert.match(text(first!), /"type":"rotated"[^\n]*\n$/);
    assert.match(text(file), /^\{"line":16,"at":\d+,"type":"continued","version":1,"tub":"a{32}"/);
    // The next life goes on in the last one.
    open(file).audit.close();
    assert.deepEqual((await verifyAudit(file, { key: KEY, head })).lives, 2);
  }));

Deno.test("AuditFile rotates at the first event of a new period, not without one, and not when the clock goes back", () =>
  inFolder((folder) => {
    const file = `${folder}/audit.jsonl`;
    const clock = new FakeClock(20_000 * DAY + 1_000);
    const { audit } = open(file, { everyMs: DAY }, clock);
    audit.take(event(1));
    clock.advance(DAY - 2_000);
    audit.take(event(2));
    assert.equal(segmentsOf(file).length, 0);
    clock.advance(1_000);
    audit.take(event(3));
    assert.equal(segmentsOf(file).length, 1);
    clock.advance(10 * DAY);
    assert.equal(segmentsOf(file).length, 1);
    audit.close();
    // What began it is known after a restart.
    const again = open(file, { everyMs: DAY }, new FakeClock(20_000 * DAY)).audit;
    again.take(event(4));
    again.close();
    assert.equal(segmentsOf(file).length, 1);
    const later = open(file, { everyMs: DAY }, new FakeClock(20_002 * DAY)).audit;
    later.take(event(5));
    later.close();
    assert.deepEqual(labels([...segmentsOf(file).map(({ path }) => path), file]), [1, 2, 3, 4, 5]);
    assert.equal(segmentsOf(file).length, 2);
  }));

Deno.test("AuditFile writes an event that is longer than a file may be into one of its own", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const { audit } = open(file);
    for (let i = 1; i <= 3; i++) audit.take(event(i, `label ${i} `.padEnd(9_000, "ä")));
    audit.close();
    const { problem, files } = await verifyAudit(file, { key: KEY });
    assert.deepEqual([problem, files.length, labels(files)], [undefined, 3, [1, 2, 3]]);
  }));

Deno.test("AuditFile does not put another file over one that is there", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const inTheWay = `${file}.000000000005`;
    const { audit, clock, failures } = open(file);
    for (let i = 1; i <= 3; i++) audit.take(event(i));
    Deno.writeTextFileSync(inTheWay, "mine");
    for (let i = 4; i <= 6; i++) audit.take(event(i));
    assert.equal(failures.length, 1, "it is not tried with each event");
    assert.match(failures[0]!.message, /000000000005" is there; move it away/);
    assert.equal(text(inTheWay), "mine");
    Deno.removeSync(inTheWay);
    clock.advance(1_000);
    audit.take(event(7));
    audit.close();
    const { problem, files } = await verifyAudit(file, { key: KEY, head: audit.head });
    assert.deepEqual([problem, labels(files)], [undefined, [1, 2, 3, 4, 5, 6, 7]]);
  }));

Deno.test("AuditFile says in the file that ends that somebody else has written to it", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const { audit } = open(file);
    for (let i = 1; i <= 3; i++) audit.take(event(i));
    Deno.writeTextFileSync(file, "hello\n", { append: true });
    audit.take(event(4));
    audit.close();
    const { problem, problemFile } = await verifyAudit(file, { key: KEY });
    assert.deepEqual([problem?.kind, problemFile], ["torn", segmentsOf(file)[0]!.path]);
    assert.match(text(problemFile!), /"type":"disturbed"/);
  }));

/** What others do with the file, as logrotate does. */
interface Move {
  readonly what: string;
  readonly move: (file: string) => void;
  /** The files that there are then, in order, besides the one of that name. */
  readonly before: readonly string[];
  readonly problem?: AuditProblem;
}

const MOVES: readonly Move[] = [
  { what: "renames it", move: (file) => Deno.renameSync(file, `${file}.1`), before: [".1"] },
  {
    what: "renames it and makes an empty one",
    move: (file) => {
      Deno.renameSync(file, `${file}.1`);
      Deno.writeTextFileSync(file, "");
    },
    before: [".1"],
  },
  {
    what: "deletes it",
    move: (file) => Deno.removeSync(file),
    before: [],
    problem: { at: 1, kind: "missing" },
  },
];
for (const { what, move, before, problem } of MOVES) {
  for (const when of ["idle", "writing", "stopped"] as const) {
    Deno.test(`AuditFile goes on in a file of the same name when somebody ${what} while the Tub is ${when}`, () =>
      inFolder(async (folder) => {
        const file = `${folder}/audit.jsonl`;
        const { audit, clock, failures } = open(file, undefined);
        Deno.chmodSync(file, 0o640);
        audit.take(event(1));
        if (when === "idle") clock.advance(1_000);
        move(file);
        if (when === "writing") {
          audit.take(event(2));
          clock.advance(1_000);
        }
        if (when !== "stopped") audit.take(event(3));
        audit.close();
        assert.deepEqual(failures, []);
        assert.equal(Deno.statSync(file).mode! & 0o777, 0o640);
        const files = [...before.map((end) => file + end), file];
        const report = await verifyAudit(files, { key: KEY, head: audit.head });
        assert.deepEqual(report.problem, problem);
        if (problem !== undefined) {
          const { problem } = await verifyAuditFile(file, { key: KEY, from: "anywhere" });
          assert.deepEqual(problem, { at: 2, kind: "disturbed" });
          return;
        }
        const expected = { idle: [1, 3], writing: [1, 2, 3], stopped: [1] }[when];
        assert.deepEqual([labels(files), report.isClosed], [expected, true]);
      }));
  }
}

Deno.test("AuditFile goes on in the file that was renamed while another one is in its place, and says so", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const { audit, clock, failures } = open(file, undefined);
    clock.advance(1_000);
    Deno.renameSync(file, `${file}.1`);
    Deno.writeTextFileSync(file, "mine\n");
    audit.take(event(1));
    assert.match(failures[0]!.message, /it was moved, and another file is in its place; move that away/);
    Deno.removeSync(file);
    clock.advance(1_000);
    audit.take(event(2));
    audit.close();
    assert.deepEqual(labels([`${file}.1`]), [1]);
    assert.deepEqual(labels([file]), [2]);
    assert.equal((await verifyAudit([`${file}.1`, file], { key: KEY })).problem, undefined);
  }));

Deno.test("AuditFile refuses events when its file was deleted and another one is in its place", () =>
  inFolder((folder) => {
    const file = `${folder}/audit.jsonl`;
    const { audit, clock } = open(file, undefined);
    clock.advance(1_000);
    Deno.removeSync(file);
    Deno.writeTextFileSync(file, "mine\n");
    assert.throws(() => audit.take(event(1)), { name: "FileError", message: /was deleted/ });
    Deno.removeSync(file);
    clock.advance(1_000);
    audit.take(event(2));
    audit.close();
    assert.deepEqual(labels([file]), [2]);
  }));

Deno.test("AuditFile.open() refuses to begin anew beside files that have ended", () =>
  inFolder((folder) => {
    const file = `${folder}/audit.jsonl`;
    write(file);
    Deno.removeSync(file);
    assert.throws(() => open(file), { name: "FileError", message: /which it goes on from; bring it back/ });
    assert.ok(!names(folder).includes("audit.jsonl"));
  }));

Deno.test("AuditFile follows a link to its file, and rotates beside that", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/real`);
    write(`${folder}/real/audit.jsonl`, 1);
    Deno.symlinkSync(`${folder}/real/audit.jsonl`, `${folder}/link`);
    const { audit } = open(`${folder}/link`);
    for (let i = 2; i <= 6; i++) audit.take(event(i));
    audit.close();
    assert.equal(Deno.lstatSync(`${folder}/link`).isSymlink, true);
    assert.ok(segmentsOf(`${folder}/real/audit.jsonl`).length > 0);
    const { problem, files } = await verifyAudit(`${folder}/link`, { key: KEY });
    assert.deepEqual([problem, labels(files)], [undefined, [1, 2, 3, 4, 5, 6]]);
  }));

Deno.test("Tub.create({ auditFile: { rotate } }) rotates, and its head is that of the series", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const tub = await Tub.create({ auditFile: { file, rotate: SMALL } });
    const bell = tub.registry.grant(new Bell(), { label: "x".repeat(500) });
    for (let i = 1; i <= 30; i++) assert.equal(await localReference(bell.object).callRemote("ring"), i);
    assert.match(denoRunCommand(tub, { main: "a.ts" }), new RegExp(`--allow-write=${folder}`));
    const head = tub.registry.auditHead!;
    await tub.stop();
    const report = await verifyAudit(file, { key: auditKeyOf(tub.getCertData()), head });
    assert.deepEqual([report.problem, report.isClosed, report.files.length > 4], [undefined, true, true]);
    assert.equal(report.files.map(text).join("").match(/"type":"used"/g)!.length, 30);
  }));

const WRONG: readonly [string, unknown, string][] = [
  ["a number", 4_096, "TypeError"],
  ["an unknown option", { bytes: 4_096 }, "TypeError"],
  ["files that are too small", { maxBytes: 100 }, "RangeError"],
  ["half a byte", { maxBytes: 5_000.5 }, "RangeError"],
  ["a period that is too short", { everyMs: 1 }, "RangeError"],
  ["a period that is a text", { everyMs: "P1D" }, "RangeError"],
];
for (const [what, rotate, name] of WRONG) {
  Deno.test(`Tub.create({ auditFile: { rotate } }) refuses ${what}`, () =>
    assert.rejects(Tub.create({ auditFile: { file: "a", rotate } } as TubOptions), { name }));
}

Deno.test(
  "Tub.create({ auditFile: { rotate } }) names the flag where it may not write the folder",
  {
    permissions: { read: true, write: ["/tmp/foolscap-audit/audit.jsonl"] },
  },
  () =>
    assert.rejects(Tub.create({ auditFile: { file: "/tmp/foolscap-audit/audit.jsonl", rotate: SMALL } }), {
      name: "PermissionDenied",
      message: /--allow-write=\/tmp\/foolscap-audit$/,
    }),
);
