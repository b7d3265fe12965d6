import assert from "node:assert/strict";
import {
  type AuditHead,
  auditKeyOf,
  type AuditProblem,
  type AuditRotation,
  denoRunCommand,
  localReference,
  Referenceable,
  Tub,
  type TubOptions,
  verifyAudit,
  verifyAuditFile,
} from "../../mod.ts";
import { AuditFile } from "../../lib/tub/audit_file.ts";
import { segmentsOf } from "../../lib/tub/audit_series.ts";
import type { CapabilityEvent } from "../../lib/registry/capability_event.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";
import { FakeClock } from "../support/fake_clock.ts";

const KEY = new Uint8Array(32).fill(7);
const SMALL: AuditRotation = { maxBytes: 4_096 };
const DAY = 86_400_000;

class Bell extends Referenceable {
  rung = 0;
  remote_ring(): number {
    return ++this.rung;
  }
}

async function inFolder(run: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const event = (sequence: number, label = `label ${sequence} `.padEnd(700, "x")): CapabilityEvent => ({
  at: 1_700_000_000_000,
  sequence,
  capability: 1,
  label,
  type: "used",
  caller: undefined,
  method: "ring",
});

interface Opened {
  readonly audit: AuditFile;
  readonly clock: FakeClock;
  readonly failures: Error[];
}

function open(file: string, rotate: AuditRotation | undefined = SMALL, clock = new FakeClock()): Opened {
  const failures: Error[] = [];
  const trace = (event: TraceEvent) => {
    if (event.type === "callback-failed") failures.push(event.error);
  };
  return {
    audit: AuditFile.open({ file, key: KEY, tubId: "a".repeat(32), clock, trace, rotate }),
    clock,
    failures,
  };
}

/** Five files, in each of which are two events, or three; the last one is `audit.jsonl`. */
function write(file: string, events = 10): AuditHead {
  const { audit, failures } = open(file);
  for (let i = 1; i <= events; i++) audit.take(event(i));
  audit.close();
  assert.deepEqual(failures, []);
  return audit.head;
}

const names = (folder: string): string[] => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
const text = (file: string): string => Deno.readTextFileSync(file);
const labels = (files: readonly string[]): number[] =>
  files.flatMap((file) => Array.from(text(file).matchAll(/"label":"label (\d+) /g), ([, n]) => Number(n)));

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

/** Calls of the system, any of which may be the last one of a process. */
const STEPS = ["openSync", "linkSync", "renameSync", "removeSync", "chmodSync"] as const;
const FILE_STEPS = ["writeSync", "truncateSync", "syncDataSync", "syncSync"] as const;

/** Lets so many steps be done, and none after them, as a kill does; or one fail, as a full disk does. */
function after(
  steps: number,
  { isKill = true, hasLinks = true } = {},
): Disposable & { readonly done: number } {
  let done = 0;
  const restores: (() => void)[] = [];
  const guard = (owner: Record<string, unknown>, name: string) => {
    const real = owner[name] as (...args: unknown[]) => unknown;
    owner[name] = function (this: unknown, ...args: unknown[]): unknown {
      if (name === "linkSync" && !hasLinks) throw new Error("Operation not permitted (os error 1)");
      if (isKill ? done >= steps : done++ === steps) throw new Error("no further");
      if (isKill) done++;
      return real.apply(this, args);
    };
    restores.push(() => owner[name] = real);
  };
  for (const name of STEPS) guard(Deno as unknown as Record<string, unknown>, name);
  for (const name of FILE_STEPS) guard(Deno.FsFile.prototype as unknown as Record<string, unknown>, name);
  return {
    get done() {
      return done;
    },
    [Symbol.dispose]: () => restores.forEach((restore) => restore()),
  };
}

/** Files that are open, to be closed as the system does at the end of a process. */
function openFiles(): Disposable {
  const { openSync } = Deno;
  const files: Deno.FsFile[] = [];
  Deno.openSync = (...args) => {
    const file = openSync(...args);
    files.push(file);
    return file;
  };
  return {
    [Symbol.dispose]() {
      Deno.openSync = openSync;
      for (const file of files) file[Symbol.dispose]();
    },
  };
}

for (const hasLinks of [true, false]) {
  const where = hasLinks ? "" : " where there are no hard links";
  Deno.test(`AuditFile goes on after a kill before any step of a rotation${where}`, () =>
    inFolder(async (folder) => {
      let isOver = false;
      let steps = 0;
      for (; !isOver; steps++) {
        const file = `${folder}/${steps}/audit.jsonl`;
        Deno.mkdirSync(`${folder}/${steps}`);
        let head: AuditHead;
        {
          using _files = openFiles();
          const { audit } = open(file);
          for (let i = 1; i <= 3; i++) audit.take(event(i));
          head = audit.head;
          using life = after(steps, { hasLinks });
          try {
            audit.take(event(4));
            head = audit.head;
            isOver = life.done < steps;
          } catch {
            // It has not happened.
          }
        }
        // One of the lives has no links either: it has to do the rest in the same way.
        using _links = after(Infinity, { hasLinks });
        const { audit, failures } = open(file);
        audit.take(event(5));
        audit.take(event(6));
        audit.close();
        assert.deepEqual(failures, []);
        const report = await verifyAudit(file, { key: KEY, head });
        const shown = `${steps}: ${JSON.stringify(report)}`;
        assert.deepEqual([report.problem, report.lives, report.isClosed], [undefined, 2, true], shown);
        const found = labels(report.files).filter((label) => label !== 4);
        assert.deepEqual(found, [1, 2, 3, 5, 6], shown);
        assert.ok(!names(`${folder}/${steps}`).includes("audit.jsonl.next"));
      }
      assert.ok(steps > 10, `${steps} steps`);
    }));
}

Deno.test("AuditFile goes on with the file that there is when any step of a rotation fails, and tries again", () =>
  inFolder(async (folder) => {
    let failed = 0;
    for (let steps = 0; steps < 14; steps++) {
      const file = `${folder}/${steps}/audit.jsonl`;
      Deno.mkdirSync(`${folder}/${steps}`);
      const { audit, clock, failures } = open(file);
      for (let i = 1; i <= 3; i++) audit.take(event(i));
      let isTaken = true;
      {
        using _disk = after(steps, { isKill: false });
        try {
          audit.take(event(4));
        } catch (error) {
          isTaken = false;
          assert.equal((error as Error).name, "FileError");
        }
      }
      if (failures.length > 0) {
        failed++;
        assert.ok(isTaken, "the event is in the old file");
        assert.equal(segmentsOf(file).length, 0);
        clock.advance(1_000);
      }
      audit.take(event(5));
      assert.equal(segmentsOf(file).length, 1);
      audit.close();
      const report = await verifyAudit(file, { key: KEY, head: audit.head });
      assert.deepEqual(report.problem, undefined, JSON.stringify([steps, report]));
      assert.deepEqual(labels(report.files), isTaken ? [1, 2, 3, 4, 5] : [1, 2, 3, 5]);
      assert.ok(!names(`${folder}/${steps}`).includes("audit.jsonl.next"));
    }
    assert.ok(failed > 5, `${failed} failed`);
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

const KILLS = 6;

Deno.test(`AuditFile loses nothing when its process is killed ${KILLS} times while it rotates`, () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    let head: AuditHead = { line: 0, hash: "" };
    for (let life = 0; life < KILLS; life++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "-A", new URL("audit_child.ts", import.meta.url).href, file],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const enough = 1 + Math.floor(Math.random() * 30);
      let rest = "", lines = 0;
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
        const whole = (rest + part).split("\n");
        rest = whole.pop()!;
        const [line, hash] = whole.at(-1)?.split(" ") ?? [];
        if (hash !== undefined) head = { line: Number(line), hash };
        const before = lines;
        lines += whole.length;
        if (before < enough && lines >= enough) child.kill("SIGKILL");
      }
      await child.status;
      const { problem, lives } = await verifyAudit(file, { key: KEY, head });
      const torn = problem?.kind === "torn";
      if (!torn) assert.deepEqual([problem, lives], [undefined, life + 1]);
    }
    open(file).audit.close();
    const { problem, isClosed } = await verifyAudit(file, { key: KEY, head });
    assert.deepEqual([problem, isClosed], [undefined, true]);
  }));
