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
import { AUDIT_SYNC_MS, MAX_AUDIT_LINE_BYTES } from "../limits.ts";
import type { AuditHead, AuditTrail } from "../registry/audit_trail.ts";
import type { CapabilityEvent } from "../registry/capability_event.ts";
import type { Clock } from "../util/clock.ts";
import { encodeText } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import { AUDIT_VERSION, type AuditMark, hashOf, writeLine } from "./verify_audit.ts";
import { type AuditTail, readTail } from "./audit_tail.ts";
import { requirePermission } from "./permissions.ts";
import { fileError, toPath } from "./private_file.ts";

const OWNER_ONLY = 0o600;

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
}

/** What an {@linkcode AuditFile} is opened with. */
export interface AuditFileOptions extends AuditOptions {
  readonly tubId: string;
  /** See `auditKeyOf`. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly trace: Trace;
}

/** Writes one audit file. */
export class AuditFile implements AuditTrail {
  readonly #file: Deno.FsFile;
  readonly #options: AuditFileOptions;
  #head: AuditHead;
  #size: number;
  #missed = 0;
  /** Whether a write is going on, or has failed half way, so that a piece of a line may stand at the end. */
  #isTorn = false;
  #isDirty = false;
  #isClosed = false;
  #timer: Disposable | undefined;

  /** Use {@linkcode AuditFile.open}. */
  protected constructor(
    file: Deno.FsFile,
    options: AuditFileOptions,
    { head, after, torn, isOpenEnded }: AuditTail,
  ) {
    this.#file = file;
    this.#options = options;
    this.#head = head;
    this.#size = file.statSync().size;
    if (isOpenEnded) this.#append("\n");
    const { tubId: tub } = options;
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
    const shown = `the audit file ${JSON.stringify(path)}`;
    requirePermission({ name: "read", path }, `open ${shown}`);
    requirePermission({ name: "write", path }, `open ${shown}`);
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(path, { read: true, append: true, create: true, mode: OWNER_ONLY });
    } catch (cause) {
      throw fileError("open", shown, cause);
    }
    try {
      if (!file.tryLockSync(true)) {
        throw new FileError(`Cannot open ${shown}: it is in use; stop the other Tub that writes to it`);
      }
      return new AuditFile(file, options, readTail(file, options.key, shown));
    } catch (cause) {
      file.close();
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
      if (this.#missed > 0) {
        this.#mark({ type: "missed", count: this.#missed });
        this.#missed = 0;
      }
      this.#write({ at, type, ...others });
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

  #write(what: object): void {
    const line = writeLine(what, this.#head, this.#options.key);
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
    } catch (thrown) {
      this.#failed(thrown);
    }
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
