import assert from "node:assert/strict";
import { type AuditProblem, verifyAudit, verifyAuditFile } from "../../mod.ts";
import { AuditFile } from "../../lib/tub/audit_file.ts";
import { segmentsOf } from "../../lib/tub/audit_series.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { event, inFolder, KEY, open, text, write } from "./audit_support.ts";

/** What is done to the files, and where it shows: in which of what is there then. */
interface Row {
  readonly what: string;
  readonly tamper: (file: string, ended: string[]) => void;
  readonly problem: AuditProblem | undefined;
  readonly in?: number;
  /** Where only the key tells it, what is found without. */
  readonly withoutKey?: AuditProblem | undefined;
}

const swap = (a: string, b: string) => {
  const [first, second] = [text(a), text(b)];
  Deno.writeTextFileSync(a, second);
  Deno.writeTextFileSync(b, first);
};
const edit = (file: string, change: (lines: string[]) => string[]) =>
  Deno.writeTextFileSync(
    file,
    change(text(file).trimEnd().split("\n")).map((line) => `${line}\n`).join(""),
  );

const ROWS: readonly Row[] = [
  { what: "nothing", tamper: () => {}, problem: undefined },
  {
    what: "a first file that was deleted",
    tamper: (_, ended) => Deno.removeSync(ended[0]!),
    problem: { at: 1, kind: "missing" },
    in: 0,
  },
  {
    what: "a file in the middle that was deleted",
    tamper: (_, ended) => Deno.removeSync(ended[1]!),
    problem: { at: 1, kind: "missing" },
    in: 1,
  },
  {
    what: "a last file that was deleted",
    tamper: (file) => Deno.removeSync(file),
    problem: { at: 6, kind: "truncated" },
    in: 2,
  },
  {
    what: "two files in each other's place",
    tamper: (_, ended) => swap(ended[0]!, ended[1]!),
    problem: { at: 1, kind: "missing" },
    in: 0,
  },
  {
    what: "later files in each other's place",
    tamper: (_, ended) => swap(ended[1]!, ended[2]!),
    problem: { at: 1, kind: "missing" },
    in: 1,
  },
  {
    what: "a file in the place of another one",
    tamper: (_, ended) => Deno.copyFileSync(ended[0]!, ended[1]!),
    problem: { at: 1, kind: "misplaced" },
    in: 1,
  },
  {
    what: "a last file that one before it was put over",
    tamper: (file, ended) => Deno.copyFileSync(ended[1]!, file),
    problem: { at: 6, kind: "truncated" },
    in: 2,
  },
  {
    what: "a last file that is another Tub's",
    tamper: (file) => {
      Deno.removeSync(file);
      AuditFile.open({
        file: `${file}.other`,
        key: new Uint8Array(32),
        tubId: "b".repeat(32),
        clock: new FakeClock(),
        trace: () => {},
      }).close();
      Deno.renameSync(`${file}.other`, file);
    },
    problem: { at: 1, kind: "edited" },
    in: 0,
    withoutKey: { at: 1, kind: "missing" },
  },
  {
    what: "an edited line in the middle",
    tamper: (_, ended) => edit(ended[1]!, (lines) => lines.with(2, lines[2]!.replace("xxx", "xyx"))),
    problem: { at: 3, kind: "edited" },
    in: 1,
    withoutKey: { at: 4, kind: "chain" },
  },
  {
    what: "a last line of a file that was edited",
    tamper: (_, ended) => edit(ended[0]!, (lines) => lines.with(4, lines[4]!.replace('"at":1', '"at":2'))),
    problem: { at: 5, kind: "edited" },
    in: 0,
    withoutKey: { at: 1, kind: "chain" },
  },
  {
    what: "a last line of a file that was cut off",
    tamper: (_, ended) => edit(ended[0]!, (lines) => lines.slice(0, -1)),
    problem: { at: 1, kind: "missing" },
    in: 1,
  },
  {
    what: "half of it",
    tamper: (_, ended) => Deno.truncateSync(ended[0]!, Deno.statSync(ended[0]!).size - 40),
    problem: { at: 5, kind: "torn" },
    in: 0,
  },
  {
    what: "a first line of a file that was cut off",
    tamper: (_, ended) => edit(ended[1]!, (lines) => lines.slice(1)),
    problem: { at: 1, kind: "missing" },
    in: 1,
  },
  {
    what: "a line that moved into the file before",
    tamper: (_, ended) => {
      edit(ended[0]!, (lines) => [...lines, text(ended[1]!).split("\n")[1]!]);
      edit(ended[1]!, (lines) => lines.toSpliced(1, 1));
    },
    problem: { at: 6, kind: "missing" },
    in: 0,
  },
  {
    what: "an empty file in the place of one",
    tamper: (_, ended) => Deno.truncateSync(ended[1]!, 0),
    problem: { at: 1, kind: "missing" },
    in: 2,
  },
  {
    what: "lines behind a file that has ended",
    tamper: (_, ended) => Deno.writeTextFileSync(ended[1]!, "hello\n", { append: true }),
    problem: { at: 6, kind: "torn" },
    in: 1,
  },
];
for (const { what, tamper, problem, in: index, ...rest } of ROWS) {
  Deno.test(`verifyAudit() finds ${what}`, () =>
    inFolder(async (folder) => {
      const file = `${folder}/audit.jsonl`;
      const head = write(file);
      tamper(file, segmentsOf(file).map(({ path }) => path));
      const report = await verifyAudit(file, { key: KEY, head });
      assert.deepEqual(report.problem, problem);
      assert.equal(report.problemFile, index === undefined ? undefined : report.files[index]);
      assert.equal(report.isIntact, problem === undefined);
      const { problem: open } = await verifyAudit(file);
      assert.deepEqual(open, "withoutKey" in rest ? rest.withoutKey : problem);
    }));
}

Deno.test("verifyAudit() of files of which the last ones were taken away finds that by a head that was kept, and only by that", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const head = write(file);
    const ended = segmentsOf(file).map(({ path }) => path);
    // As if the Tub had been killed while it rotated.
    Deno.renameSync(ended[2]!, file);
    const cut = await verifyAudit(file, { key: KEY });
    assert.deepEqual([cut.isIntact, cut.isClosed, cut.isRotated], [true, false, true]);
    const { problem, problemFile } = await verifyAudit(file, { key: KEY, head });
    assert.deepEqual([problem, problemFile], [{ at: 6, kind: "truncated" }, file]);
  }));

Deno.test("verifyAudit({ from }) goes on where files were moved away", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const head = write(file);
    const [first, second] = segmentsOf(file).map(({ path }) => path);
    const { head: from } = await verifyAuditFile(first!, { key: KEY });
    assert.equal(from.line, 5);
    Deno.mkdirSync(`${folder}/old`);
    Deno.renameSync(first!, `${folder}/old/1`);
    const check = async (options: object) => (await verifyAudit(file, { key: KEY, ...options })).problem;
    assert.deepEqual(await check({}), { at: 1, kind: "missing" });
    assert.equal(await check({ from, head }), undefined);
    assert.equal(await check({ from: "anywhere", head }), undefined);
    assert.equal(await check({ from, head: from }), undefined);
    assert.deepEqual(await check({ from: { ...from, hash: head.hash } }), { at: 1, kind: "chain" });
    assert.deepEqual(await check({ from: "anywhere", head: { ...from, line: 3 } }), {
      at: 1,
      kind: "missing",
    });
    // Each alone, and all of them from two places.
    assert.equal((await verifyAuditFile(second!, { key: KEY, from })).problem, undefined);
    const moved = [`${folder}/old/1`, ...segmentsOf(file).map(({ path }) => path), file];
    assert.equal((await verifyAudit(moved, { key: KEY, head })).problem, undefined);
    const { problem, problemFile } = await verifyAudit(moved.toSpliced(1, 1), { key: KEY });
    assert.deepEqual([problem, problemFile], [{ at: 1, kind: "missing" }, moved[2]]);
  }));

Deno.test("verifyAudit() reads while the Tub goes on rotating", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    const { audit } = open(file);
    for (let i = 1; i <= 10; i++) {
      audit.take(event(i));
      const reading = verifyAudit(file, { key: KEY, head: audit.head });
      for (let n = 0; n < 5; n++) audit.take(event(n));
      assert.equal((await reading).problem, undefined);
    }
    audit.close();
  }));

Deno.test("verifyAudit() of a file that is not there fails", () =>
  inFolder((folder) => assert.rejects(verifyAudit(`${folder}/none`), { name: "FileError" })));
