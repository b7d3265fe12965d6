/**
 * What happened to a Tub's capabilities, line by line in a file that can only grow.
 *
 * Each line is given to the system before what it tells of happens: it survives the process, however that ends. It is
 * forced to the disk once a second. Nothing is ever left out quietly: what cannot be written does not happen, or, if the
 * program wants that, is counted and told of as soon as something can be written again.
 *
 * @module
 */

import { FileError, toError } from "../errors.ts";
import { AUDIT_RETRY_MS, AUDIT_SYNC_MS, MAX_AUDIT_LINE_BYTES } from "../limits.ts";
import type { AuditHead, AuditTrail } from "../registry/audit_trail.ts";
import type { CapabilityEvent } from "../registry/capability_event.ts";
import type { Clock } from "../util/clock.ts";
import { nodePath } from "../util/node.ts";
import { encodeText } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import { AUDIT_VERSION, type AuditMark, hashOf, shownOf, writeLine } from "./verify_audit.ts";
import {
  type AuditPlace,
  auditPlace,
  type AuditRotation,
  dropNext,
  type OpenAudit,
  openAudit,
  openNext,
  putNext,
} from "./audit_rotation.ts";
import { firstLineIn, segmentPath } from "./audit_series.ts";
import { requirePermission } from "./permissions.ts";
import { fileError, toPath } from "./private_file.ts";

/** Bytes for the line that ends a file. */
const SEAL_BYTES = 512;

/** Options of `Tub.create({ auditFile })`, or only the file. */
export interface AuditOptions {
  /** The file. If there is none, it is made, readable by its owner only; one that is there is continued. */
  readonly file: string | URL;
  /**
   * What becomes of a call that cannot be written down, because the disk is full, say: `"refuse"` fails it, and whatever
   * else would give access; `"continue"` lets it happen, and the file tells later how many lines it lacks. Revocations always
   * happen.
   *
   * @default "refuse"
   */
  readonly onFailure?: "refuse" | "continue" | undefined;
  /**
   * When the file ends and another one goes on, where the chain is. One that has ended gets the number of its last line
   * behind its name, `audit.jsonl.000000051234`, and is left to you; {@linkcode verifyAudit} checks all of them. A file that
   * somebody else has renamed is noticed within a second, and another one goes on in its place, with and without this. Needs
   * the permission to read and write the folder. If it fails, the file that there is goes on, and it is tried again.
   *
   * @default one file grows for ever
   */
  readonly rotate?: AuditRotation | undefined;
}

/** What an {@linkcode AuditFile} is opened with. */
export interface AuditFileOptions extends AuditOptions {
  readonly tubId: string;
  /** See `auditKeyOf`. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly trace: Trace;
}

/** Writes one audit file after the other. */
export class AuditFile implements AuditTrail {
  #file: Deno.FsFile;
  readonly #path: string;
  readonly #options: AuditFileOptions;
  #head: AuditHead;
  #size: number;
  #missed = 0;
  /** Whether a write is going on, or has failed half way, so that a piece of a line may stand at the end. */
  #isTorn = false;
  #isDirty = false;
  #isClosed = false;
  /** When the file was begun. */
  #begunAt: number;
  /** Whether there is an event in it. */
  #hasEvents: boolean;
  /** When it was last tried in vain to rotate. */
  #failedAt = -Infinity;
  #timer: Disposable | undefined;

  /** Use {@linkcode AuditFile.open}. */
  protected constructor({ file, path, tail }: OpenAudit, options: AuditFileOptions) {
    const { head, after, torn, isOpenEnded, isRotated } = tail;
    const { tubId: tub, clock } = options;
    this.#file = file;
    this.#path = path;
    this.#options = options;
    this.#head = head;
    this.#hasEvents = head.line > 0;
    this.#size = file.statSync().size;
    const begunAt = firstLineIn(file)?.fields.at;
    this.#begunAt = typeof begunAt === "number" ? begunAt : clock.now();
    if (isOpenEnded) this.#append("\n");
    if (isRotated) this.#goOn(() => this.#replace("ended"));
    this.#mark({ type: "opened", version: AUDIT_VERSION, tub, after, torn });
  }

  /**
   * Opens a file and says in it that the Tub has started.
   *
   * @throws {FileError} If it is another one's, or in use, or cannot be opened. It is not changed then.
   * @throws {PermissionDenied} If the program may not read and write it; names the flag.
   */
  static open(options: AuditFileOptions): AuditFile {
    const path = toPath(options.file, "auditFile");
    const shown = shownOf(path);
    const scopes = options.rotate === undefined ? [path] : [path, nodePath().dirname(path)];
    for (const scope of scopes) {
      requirePermission({ name: "read", path: scope }, `open ${shown}`);
      requirePermission({ name: "write", path: scope }, `open ${shown}`);
    }
    const opened = openAudit(path, options.key);
    try {
      return new AuditFile(opened, options);
    } catch (cause) {
      opened.file[Symbol.dispose]();
      throw cause instanceof FileError ? cause : fileError("open", shown, cause);
    }
  }

  get head(): AuditHead {
    return this.#head;
  }

  take(event: CapabilityEvent): void {
    const { at, type, ...others } = event;
    try {
      if (this.#isClosed) throw new FileError("Cannot write to the audit file: the Tub has been stopped");
      // In between, the timer looks.
      if (this.#timer === undefined) this.#lookForIt();
      if (this.#missed > 0) {
        this.#mark({ type: "missed", count: this.#missed });
        this.#missed = 0;
      }
      this.#write({ at, type, ...others }, true);
      this.#hasEvents = true;
    } catch (cause) {
      const isRefused = this.#options.onFailure !== "continue";
      // Counted also where it is refused: that somebody has tried is what the file lacks then.
      if (!this.#isClosed) this.#missed++;
      const error = cause instanceof FileError
        ? cause
        : new FileError("Cannot write to the audit file: the system refuses; make room on the disk", {
          cause,
        });
      if (isRefused) throw error;
      this.#options.trace({ type: "callback-failed", where: "audit file", error });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    try {
      this.#checkSize();
      this.#lookForIt();
      if (this.#missed > 0) this.#mark({ type: "missed", count: this.#missed });
      this.#mark({ type: "closed" });
      this.#file.syncDataSync();
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#file.close();
    }
  }

  #mark(mark: AuditMark): void {
    this.#write({ at: this.#options.clock.now(), ...mark });
  }

  #write(what: object, isEvent = false): void {
    let line = writeLine(what, this.#head, this.#options.key);
    if (isEvent && this.#isDue(line)) {
      this.#goOn(() => this.#replace("full"));
      line = writeLine(what, this.#head, this.#options.key);
    }
    if (line.length * 3 > MAX_AUDIT_LINE_BYTES && encodeText(line).length > MAX_AUDIT_LINE_BYTES) {
      throw new FileError("Cannot write to the audit file: the line would be too long; give shorter labels");
    }
    this.#append(`${line}\n`);
    this.#head = { line: this.#head.line + 1, hash: hashOf(line) };
  }

  #append(text: string): void {
    const bytes = encodeText(text);
    // An earlier write failed half way: its piece of a line goes.
    if (this.#isTorn) this.#file.truncateSync(this.#size);
    this.#isTorn = true;
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    this.#isTorn = false;
    this.#size += bytes.length;
    this.#isDirty = true;
    if (!this.#isClosed) this.#timer ??= this.#options.clock.setTimer(AUDIT_SYNC_MS, () => this.#sync());
  }

  #sync(): void {
    this.#timer = undefined;
    if (!this.#isDirty || this.#isClosed) return;
    this.#isDirty = false;
    try {
      this.#checkSize();
      this.#file.syncDataSync();
      this.#lookForIt();
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** Whether a line belongs in the next file. */
  #isDue(line: string): boolean {
    const { rotate, clock } = this.#options;
    if (rotate === undefined || !this.#hasEvents) return false;
    const { maxBytes, everyMs } = rotate;
    if (maxBytes !== undefined && this.#size + encodeText(line).length + SEAL_BYTES > maxBytes) return true;
    if (everyMs === undefined) return false;
    return Math.floor(clock.now() / everyMs) > Math.floor(this.#begunAt / everyMs);
  }

  /** Somebody may have renamed the file, or deleted it: then another one goes on in its place. */
  #lookForIt(): void {
    let place: AuditPlace = "here";
    this.#goOn(() => place = auditPlace(this.#path, this.#file));
    if (place === "here") return;
    const size = this.#size;
    this.#goOn(() => {
      if (place === "taken") {
        throw new FileError(
          `Cannot go on with ${
            shownOf(this.#path)
          }: it was moved, and another file is in its place; move that away`,
        );
      }
      this.#replace("moved");
    });
    const isGone = this.#file.statSync().nlink === 0;
    if (isGone) throw new FileError("Cannot write to the audit file: it was deleted; restart the Tub");
    if (place === "deleted") this.#mark({ type: "disturbed", expected: size, found: 0 });
  }

  /** Goes on in another file; or in the same one, and tries again later. */
  #goOn(change: () => void): void {
    const now = this.#options.clock.now();
    if (Math.abs(now - this.#failedAt) < AUDIT_RETRY_MS) return;
    try {
      change();
      this.#failedAt = -Infinity;
    } catch (thrown) {
      this.#failedAt = now;
      this.#failed(thrown);
    }
  }

  /**
   * Puts another file in the place of this one, all of it or nothing.
   *
   * @param why It is `full`; it has `ended` before; or it was `moved`.
   */
  #replace(why: "full" | "ended" | "moved"): void {
    this.#checkSize();
    const [file, head, size] = [this.#file, this.#head, this.#size];
    let next: Deno.FsFile | undefined;
    try {
      next = openNext(this.#path, file.statSync().mode);
      if (why !== "ended") this.#mark({ type: "rotated" });
      const ended = segmentPath(this.#path, this.#head.line);
      file.syncDataSync();
      this.#file = next;
      this.#size = 0;
      this.#mark({ type: "continued", version: AUDIT_VERSION, tub: this.#options.tubId });
      next.syncDataSync();
      putNext(this.#path, why === "moved" ? undefined : ended);
    } catch (thrown) {
      // What was written of it is cut off before anything else is.
      this.#isTorn ||= this.#head !== head;
      [this.#file, this.#head, this.#size] = [file, head, size];
      if (next !== undefined) {
        next.close();
        dropNext(this.#path);
      }
      throw thrown;
    }
    file.close();
    this.#begunAt = this.#options.clock.now();
    this.#hasEvents = false;
  }

  /** Notices if somebody else has written to the file, or cut it, and says so in it. */
  #checkSize(): void {
    const { size } = this.#file.statSync();
    if (size === this.#size || this.#isTorn) return;
    const expected = this.#size;
    this.#size = size;
    // What somebody else has left at the end may be no whole line.
    this.#append("\n");
    this.#mark({ type: "disturbed", expected, found: size });
  }

  #failed(thrown: unknown): void {
    this.#options.trace({ type: "callback-failed", where: "audit file", error: toError(thrown) });
  }
}
