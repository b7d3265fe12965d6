import assert from "node:assert/strict";
import { type AuditHead, verifyAudit } from "../../mod.ts";
import { segmentsOf } from "../../lib/tub/audit_series.ts";
import { event, inFolder, KEY, labels, names, open } from "./audit_support.ts";

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
