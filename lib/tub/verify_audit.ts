/**
 * The lines of an audit file, and how to find what was changed in one.
 *
 * Each line is JSON, with the hash of the line before it and a MAC under a key of the Tub:
 *
 * `{"line":7,"at":...,"type":"used",...,"prev":"<SHA-256 of line 6>","mac":"<HMAC-SHA-256 of all that stands before it>"}`
 *
 * @module
 */

import { MAX_AUDIT_LINE_BYTES } from "../limits.ts";
import type { AuditHead } from "../registry/audit_trail.ts";
import { nodeBuffer, nodeCrypto } from "../util/node.ts";
import { requirePermission } from "./permissions.ts";
import { fileError, toPath } from "./private_file.ts";

/** In the first line of a file, and of each life of the Tub. */
export const AUDIT_VERSION = 1;
/** What the first line has as the hash of the one before. */
const NO_LINE = "";

/** The rest of a line that the process was killed in, as the next line tells of it. */
export interface TornLine {
  readonly bytes: number;
  /** SHA-256 of them, in base64. */
  readonly hash: string;
}

/** What a line may tell besides an event. */
export type AuditMark =
  /** The Tub starts; `after` is how the life before ended. */
  | {
    readonly type: "opened";
    readonly version: number;
    readonly tub: string;
    readonly after: "nothing" | "closed" | "unclosed";
    readonly torn: TornLine | undefined;
  }
  /** So many events before this one could not be written. */
  | { readonly type: "missed"; readonly count: number }
  /** The file had another length than was written: somebody else has written to it, or cut it. */
  | { readonly type: "disturbed"; readonly expected: number; readonly found: number }
  /** The file ends here, and the next one goes on: its first line is the one after this. */
  | { readonly type: "rotated" }
  /** The first line of a file that goes on where another one ended. */
  | { readonly type: "continued"; readonly version: number; readonly tub: string }
  /** The Tub has stopped. */
  | { readonly type: "closed" };

/** Where the chain of an empty file is. */
export const EMPTY_HEAD: AuditHead = Object.freeze({ line: 0, hash: NO_LINE });

/** The line after `head`, without its newline. */
export function writeLine(what: object, head: AuditHead, key: Uint8Array): string {
  const body = JSON.stringify({ line: head.line + 1, ...what, prev: head.hash }).slice(0, -1);
  return `${body},"mac":"${macOf(body, key)}"}`;
}

/** The hash of a line without its newline, in base64. */
export function hashOf(line: string | Uint8Array): string {
  return nodeCrypto().createHash("sha256").update(line).digest("base64");
}

/** A line, read; nothing of it has been verified. */
export interface ReadLine {
  readonly line: number;
  readonly type: string;
  readonly prev: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const MAC = /^(\{.*),"mac":"([A-Za-z0-9+/=]{44})"\}$/s;

/** The fields of a line; `undefined` if it is none. */
export function readLine(text: string): ReadLine | undefined {
  if (!MAC.test(text)) return undefined;
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const { line, type, prev } = fields;
    if (!Number.isSafeInteger(line) || typeof type !== "string" || typeof prev !== "string") return undefined;
    return { line: line as number, type, prev, fields };
  } catch {
    return undefined;
  }
}

/** Whether a line was written with this key. */
export function isGenuine(text: string, key: Uint8Array): boolean {
  const [, body, mac] = MAC.exec(text) ?? [];
  if (body === undefined || mac === undefined) return false;
  return nodeCrypto().timingSafeEqual(nodeBuffer().from(macOf(body, key)), nodeBuffer().from(mac));
}

function macOf(body: string, key: Uint8Array): string {
  return nodeCrypto().createHmac("sha256", key).update(body).digest("base64");
}

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
  /**
   * Where the first line goes on, if the files before are not there: the `head` of the report about them, kept when they
   * were moved away. `"anywhere"` takes the word of the first line for it: then nothing is known of what was before.
   *
   * @default the first line has to be line 1
   */
  readonly from?: AuditHead | "anywhere" | undefined;
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
  /** Good lines before that; those before `from` are counted. */
  readonly lines: number;
  /** The last of them. The `from` of the files that come after. */
  readonly head: AuditHead;
  /**
   * Whether the last one is that of a Tub that has stopped. If not, the Tub runs, or was killed, or the end was cut off:
   * without `head`, that cannot be told apart.
   */
  readonly isClosed: boolean;
  /**
   * Whether the last one says that another file goes on. If that is the last file that there is, the Tub was killed at that
   * moment, and makes the next one when it starts; or the next one was taken away, which only `head` tells.
   */
  readonly isRotated: boolean;
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
  requirePermission({ name: "read", path }, `verify ${shownOf(path)}`);
  const check = new AuditCheck(options);
  await check.read(path);
  return check.report();
}

/** How a file is called in an error. */
export function shownOf(path: string): string {
  return `the audit file ${JSON.stringify(path)}`;
}

/** Checks line after line, of one file or of several. */
export class AuditCheck {
  readonly #options: VerifyAuditOptions;
  #head: AuditHead;
  /** Whether the first line says itself where it goes on. */
  #isAnywhere: boolean;
  /** The line before the first one. */
  #start: AuditHead;
  #at = 0;
  #problem: AuditProblem | undefined;
  /** A piece of a line, that the next line has to tell of. */
  #torn: TornLine | undefined;
  /** The type of the last line. */
  #last = "";
  #lives = 0;
  #missed = 0;
  #hasHead = false;

  /** Nothing has been read. */
  constructor(options: VerifyAuditOptions) {
    const { from = EMPTY_HEAD, head } = options;
    this.#options = options;
    this.#isAnywhere = from === "anywhere";
    this.#start = this.#head = from === "anywhere" ? EMPTY_HEAD : from;
    this.#meet(head, this.#head);
  }

  /** Takes the lines of a file, which may be open: it is closed then. */
  async read(path: string, file?: Deno.FsFile): Promise<void> {
    try {
      using opened = file ?? await Deno.open(path);
      for await (const { bytes, isWhole } of linesOf(opened)) if (!this.take(bytes, isWhole)) return;
    } catch (cause) {
      throw fileError("verify", shownOf(path), cause);
    }
  }

  /** Begins another file; whether it is wanted. */
  next(): boolean {
    // What was cut off in the one before has to be told of in it.
    if (this.#problem === undefined && this.#torn !== undefined) this.#fail("torn");
    if (this.#problem === undefined) this.#at = 0;
    return this.#problem === undefined;
  }

  /** A file that should have gone on is not there. */
  end(): void {
    if (this.#problem === undefined) this.#fail("truncated", this.#at + 1);
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

  /** What was found. */
  report(): AuditReport {
    if (this.#problem === undefined && this.#torn !== undefined) this.#fail("torn", this.#at);
    const { head } = this.#options;
    if (this.#problem === undefined && head !== undefined && head.line > 0 && !this.#hasHead) {
      const { line: start } = this.#start;
      if (head.line < start) this.#fail("missing", 1);
      else if (head.line > this.#head.line) this.#fail("truncated", this.#at + 1);
      else this.#fail("chain", Math.max(1, head.line - start));
    }
    return {
      isIntact: this.#problem === undefined,
      problem: this.#problem,
      lines: this.#head.line,
      head: this.#head,
      isClosed: this.#last === "closed",
      isRotated: this.#last === "rotated",
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
    if (this.#isAnywhere) {
      this.#isAnywhere = false;
      this.#start = this.#head = { line: line - 1, hash: prev };
      this.#meet(head, this.#head);
    }
    const expected = this.#head.line + 1;
    if (line !== expected) return this.#fail(line > expected ? "missing" : "misplaced");
    if (prev !== this.#head.hash) return this.#fail("chain");
    if (type === "disturbed") return this.#fail("disturbed");
    if (type === "opened") this.#lives++;
    if (type === "missed") this.#missed += Number(fields.count);
    this.#torn = undefined;
    this.#last = type;
    this.#head = { line, hash };
    return this.#meet(head, this.#head) || this.#fail("chain");
  }

  /** Whether the line is what `head` says of it, or `head` says nothing of it. */
  #meet(head: AuditHead | undefined, { line, hash }: AuditHead): boolean {
    if (head === undefined || head.line !== line) return true;
    return this.#hasHead = head.hash === hash;
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
