/**
 * Checks an audit file: the first place where it is not what was written.
 *
 * @module
 */

import { MAX_AUDIT_LINE_BYTES } from "../limits.ts";
import type { AuditHead } from "../registry/audit_trail.ts";
import { EMPTY_HEAD, hashOf, isGenuine, type ReadLine, readLine, type TornLine } from "./audit_lines.ts";
import { requirePermission } from "./permissions.ts";
import { fileError, toPath } from "./private_file.ts";

/** Options of {@linkcode verifyAuditFile}. */
export interface VerifyAuditOptions {
  /**
   * The key that the lines were written with: see {@linkcode auditKeyOf}.
   *
   * @default only the chain of hashes is checked, which whoever can write the file can make anew
   */
  readonly key?: Uint8Array | undefined;
  /**
   * A line that the file has to have: `auditHead` of the Tub's registry at some time, kept where nobody who can write the
   * file can change it. By nothing else can it be known that lines were cut off at the end.
   *
   * @default none
   */
  readonly head?: AuditHead | undefined;
}

/** Where a file is not what was written. */
export interface AuditProblem {
  /** Which line of the file, from 1. */
  readonly at: number;
  /**
   * `malformed`: no line of an audit file. `edited`: its MAC is wrong. `missing`: lines before it were deleted.
   * `misplaced`: it stands, or stands again, where another one was, or lines were put in. `chain`: the line before it, or
   * its place, is not what it was. `torn`: a line was cut off, and no start of the Tub tells of that. `disturbed`: the Tub
   * has noticed while it ran that somebody else changed the file. `truncated`: the end is missing.
   */
  readonly kind:
    | "malformed"
    | "edited"
    | "missing"
    | "misplaced"
    | "chain"
    | "torn"
    | "disturbed"
    | "truncated";
}

/** What {@linkcode verifyAuditFile} has found. */
export interface AuditReport {
  /** Whether nothing is wrong, as far as can be told with what was given. */
  readonly isIntact: boolean;
  /** The first thing that is wrong. */
  readonly problem: AuditProblem | undefined;
  /** Good lines before that. */
  readonly lines: number;
  /** The last of them. */
  readonly head: AuditHead;
  /**
   * Whether the last one is that of a Tub that has stopped. If not, the Tub runs, or was killed, or the end was cut off:
   * without `head`, that cannot be told apart.
   */
  readonly isClosed: boolean;
  /** How often the Tub started. */
  readonly lives: number;
  /** Events that the Tub says that it could not write. */
  readonly missed: number;
}

/**
 * Checks the audit file of a Tub from its first line to its last, or to the first one that was tampered with: edited,
 * deleted, moved, put in, or cut off.
 *
 * @throws {FileError} If it cannot be read.
 * @throws {PermissionDenied} If the program may not read it; names the flag.
 *
 * @example
 * ```ts
 * import { auditKeyOf, Referenceable, Tub, verifyAuditFile } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const auditFile = `${await Deno.makeTempDir()}/audit.jsonl`;
 * const tub = await Tub.create({ auditFile });
 * tub.registry.grant(new Referenceable(), { label: "door" }).revoke();
 * const key = auditKeyOf(tub.getCertData());
 * await tub.stop();
 *
 * const { isIntact, lines } = await verifyAuditFile(auditFile, { key });
 * assert.equal(isIntact, true);
 * assert.equal(lines, 4); // opened, granted, revoked, closed
 * ```
 */
export async function verifyAuditFile(
  file: string | URL,
  options: VerifyAuditOptions = {},
): Promise<AuditReport> {
  const path = toPath(file, "file");
  const shown = `the audit file ${JSON.stringify(path)}`;
  requirePermission({ name: "read", path }, `verify ${shown}`);
  const check = new Check(options);
  try {
    using opened = await Deno.open(path);
    for await (const { bytes, isWhole } of linesOf(opened)) if (!check.take(bytes, isWhole)) break;
  } catch (cause) {
    throw fileError("verify", shown, cause);
  }
  return check.report();
}

class Check {
  readonly #options: VerifyAuditOptions;
  #head = EMPTY_HEAD;
  #at = 0;
  #problem: AuditProblem | undefined;
  /** A piece of a line, that the next line has to tell of. */
  #torn: TornLine | undefined;
  #isClosed = false;
  #lives = 0;
  #missed = 0;
  #hasHead = false;

  constructor(options: VerifyAuditOptions) {
    this.#options = options;
  }

  /** Takes a line; whether the next one is wanted. */
  take(bytes: Uint8Array, isWhole: boolean): boolean {
    this.#at++;
    const text = new TextDecoder().decode(bytes);
    const line = isWhole ? readLine(text) : undefined;
    if (line === undefined) {
      // Once a line was cut off, only what tells of it may follow.
      if (this.#torn !== undefined) return this.#fail("torn", this.#at - 1);
      this.#torn = { bytes: bytes.length, hash: hashOf(bytes) };
      return true;
    }
    return this.#checkLine(line, text, hashOf(bytes));
  }

  report(): AuditReport {
    if (this.#problem === undefined && this.#torn !== undefined) this.#fail("torn", this.#at);
    const { head } = this.#options;
    if (this.#problem === undefined && head !== undefined && head.line > 0 && !this.#hasHead) {
      this.#fail(head.line > this.#head.line ? "truncated" : "chain", Math.min(head.line, this.#at + 1));
    }
    return {
      isIntact: this.#problem === undefined,
      problem: this.#problem,
      lines: this.#head.line,
      head: this.#head,
      isClosed: this.#isClosed,
      lives: this.#lives,
      missed: this.#missed,
    };
  }

  #checkLine({ line, type, prev, fields }: ReadLine, text: string, hash: string): boolean {
    const { key, head } = this.#options;
    if (key !== undefined && !isGenuine(text, key)) return this.#fail("edited");
    const torn = fields.torn as TornLine | undefined;
    if (this.#torn !== undefined || torn !== undefined) {
      const isTold = type === "opened" && torn !== undefined && this.#torn !== undefined &&
        torn.bytes === this.#torn.bytes && torn.hash === this.#torn.hash;
      if (!isTold && type !== "disturbed") {
        return this.#fail(this.#torn === undefined ? "chain" : "malformed", this.#at - 1);
      }
    }
    const expected = this.#head.line + 1;
    if (line !== expected) return this.#fail(line > expected ? "missing" : "misplaced");
    if (prev !== this.#head.hash) return this.#fail("chain");
    if (type === "disturbed") return this.#fail("disturbed");
    if (type === "opened") this.#lives++;
    if (type === "missed") this.#missed += Number(fields.count);
    this.#torn = undefined;
    this.#isClosed = type === "closed";
    this.#head = { line, hash };
    if (head !== undefined && head.line === line) {
      this.#hasHead = head.hash === hash;
      if (!this.#hasHead) return this.#fail("chain");
    }
    return true;
  }

  #fail(kind: AuditProblem["kind"], at = this.#at): false {
    this.#problem = { at, kind };
    return false;
  }
}

interface Line {
  readonly bytes: Uint8Array;
  /** Whether a newline ends it. */
  readonly isWhole: boolean;
}

const NEWLINE = 0x0a;

/** The lines of a file; one that is too long ends them, as none. */
async function* linesOf(file: Deno.FsFile): AsyncGenerator<Line> {
  let kept = new Uint8Array(0);
  for await (const chunk of file.readable.values({ preventCancel: true })) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield { bytes: joined(kept, chunk.subarray(start, end)), isWhole: true };
      kept = new Uint8Array(0);
      start = end + 1;
    }
    kept = joined(kept, chunk.subarray(start));
    if (kept.length > MAX_AUDIT_LINE_BYTES) break;
  }
  if (kept.length > 0) yield { bytes: kept, isWhole: false };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
