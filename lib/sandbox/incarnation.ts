/**
 * One life of a sandboxed object: from the start of its process to the end of that.
 *
 * @module
 */

import { confine } from "../broker/forwarder.ts";
import { RemoteReference } from "../broker/remote_reference.ts";
import { ProtocolError, type SandboxEnd, SandboxError, toError } from "../errors.ts";
import type { AttachedPeer } from "../tub/attach.ts";
import type { Tub } from "../tub/tub.ts";
import type { Clock } from "../util/clock.ts";
import type { SandboxExit, SandboxNumbers } from "./options.ts";
import { BoundedLines } from "./output.ts";
import { type Runner, RUNNER_NAME, type StartRequest } from "./runner.ts";
import type { Vessel, VesselEnd } from "./vessel.ts";

/** How a process is given time to end when its connection has. */
const GRACE_MS = 1_000;
const MIB = 1024 * 1024;
/** What V8 says before it ends a process that has filled its heap. */
const OUT_OF_MEMORY = /^# Fatal JavaScript out of memory|JavaScript heap out of memory/;

/** What one life needs. */
export interface IncarnationPlan {
  /** The Tub to which it is attached: it has nothing else, so that no name can be guessed. */
  readonly tub: Tub;
  readonly request: Omit<StartRequest, "closes">;
  /** What the process inherits and is not to have. Never rejects. */
  readonly inherited: Promise<readonly number[]>;
  readonly numbers: SandboxNumbers;
  readonly clock: Clock;
  /** Starts what it lives in. */
  start(onLine: (line: string) => void): Vessel;
  /** Must not throw. */
  onLine(line: string): void;
}

/** How a life has ended; whether another one begins is not known here. */
export type IncarnationEnd = Omit<SandboxExit, "willRestart">;

/** One life of a sandboxed object. */
export class Incarnation {
  readonly #plan: IncarnationPlan;
  readonly #vessel: Vessel;
  readonly #lines: BoundedLines;
  readonly #timers = new Set<Disposable>();
  /** Fires when it is over, or about to be. */
  readonly #over = new AbortController();
  #peer: AttachedPeer | undefined;
  #reason: SandboxEnd | undefined;
  #pinged: number | undefined;
  #ticked = 0;
  #saidMemory = false;
  /** Resolves when the process has ended. Never rejects. */
  readonly ended: Promise<IncarnationEnd>;

  /**
   * Starts the process.
   *
   * @throws {PermissionDenied} If this process may not.
   * @throws {SandboxError} If the system does not start it.
   */
  constructor(plan: IncarnationPlan) {
    this.#plan = plan;
    this.#lines = new BoundedLines(plan.clock, (line) => plan.onLine(line));
    this.#vessel = plan.start((line) => {
      // Noticed as it comes: a long stack trace follows, which may push it out of the last lines.
      if (OUT_OF_MEMORY.test(line)) this.#saidMemory = true;
      this.#lines.add(line);
    });
    this.ended = this.#vessel.ended.then((end) => this.#close(end));
  }

  /** The process's id. */
  get pid(): number | undefined {
    return this.#vessel.pid;
  }

  /**
   * Waits for the object.
   *
   * @throws {SandboxError} If the module cannot be loaded or gives no object, or it takes too long.
   */
  async ready(): Promise<RemoteReference> {
    const { tub, request, inherited, numbers: { startTimeoutMs, maxSilenceMs }, clock } = this.#plan;
    const timer = this.#after(startTimeoutMs, () => this.kill("start"));
    try {
      const { signal } = this.#over;
      this.#peer = await tub.attach(this.#vessel.streams, { tls: false, address: "a sandbox", signal });
      this.#watchConnection(this.#peer);
      const runner = await this.#peer.getReference<Runner>(RUNNER_NAME);
      confine(runner);
      this.#ticked = clock.now();
      this.#tick(runner, maxSilenceMs / 4);
      const closes = await inherited;
      const object: unknown = await runner.with({ signal }).callRemote(
        "start",
        { ...request, closes } as never,
      );
      if (object instanceof RemoteReference) return object;
      throw new TypeError("It gave something else than an object");
    } catch (thrown) {
      throw await this.#failed(toError(thrown));
    } finally {
      this.#drop(timer);
    }
  }

  /** Ends it at once. */
  kill(reason: SandboxEnd): void {
    this.#reason ??= reason;
    this.#over.abort(new SandboxError("The sandbox has been ended", this.#reason));
    this.#vessel.kill();
  }

  /** Lets it end by itself, and ends it if it does not. */
  async stop(): Promise<void> {
    this.#reason ??= "stopped";
    this.#after(this.#plan.numbers.stopTimeoutMs, () => this.kill("stopped"));
    if (this.#peer === undefined) this.kill("stopped");
    else void this.#peer.close();
    await this.ended;
  }

  async #failed(error: Error): Promise<SandboxError> {
    // Why it was ended before this failure, if it was: that is the reason then, and the failure what came of it.
    const hadReason = this.#reason;
    this.kill("start");
    const { lastLines, signal, code } = await this.ended;
    const why = hadReason === "start"
      ? `it was not ready within ${this.#plan.numbers.startTimeoutMs} ms`
      : hadReason !== undefined
      ? reasonText(hadReason)
      : signal !== "SIGKILL"
      ? `its process ended with ${signal ?? `code ${code}`}`
      : error.message;
    const said = lastLines.length === 0 ? error : new Error(lastLines.join("\n"), { cause: error });
    return new SandboxError(`Cannot start a sandbox: ${why}`, "start", { cause: said });
  }

  #watchConnection(peer: AttachedPeer): void {
    void peer.closed.then((error) => {
      // Whoever breaks the protocol has nothing more to say; others are about to end.
      if (isProtocolError(error)) this.kill("protocol");
      else this.#after(GRACE_MS, () => this.kill("crashed"));
    });
  }

  /** Asks for a sign of life, and looks at the memory. */
  #tick(runner: RemoteReference<Runner>, everyMs: number): void {
    this.#after(everyMs, () => {
      const now = this.#plan.clock.now();
      // If this process itself was stopped for a while (a debugger, a suspended machine), that is no silence of the child's.
      const slept = now - this.#ticked - everyMs;
      this.#ticked = now;
      if (this.#pinged !== undefined && slept > everyMs) this.#pinged += slept;
      const { maxSilenceMs, maxRssMb } = this.#plan.numbers;
      if (this.#pinged !== undefined && now - this.#pinged >= maxSilenceMs) return this.kill("silent");
      if (this.#pinged === undefined) {
        this.#pinged = now;
        runner.callRemote("ping").then((bytes) => {
          this.#pinged = undefined;
          if (!(typeof bytes === "number" && bytes <= maxRssMb * MIB)) this.kill("memory");
        }, () => {});
      }
      if ((memoryOf(this.pid) ?? 0) > maxRssMb * MIB) return this.kill("memory");
      this.#tick(runner, everyMs);
    });
  }

  #after(ms: number, run: () => void): Disposable | undefined {
    if (this.#over.signal.aborted) return undefined;
    const timer = this.#plan.clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      run();
    }, true);
    this.#timers.add(timer);
    return timer;
  }

  #drop(timer: Disposable | undefined): void {
    if (timer === undefined) return;
    timer[Symbol.dispose]();
    this.#timers.delete(timer);
  }

  /** What it wrote last may be why it has ended: told that it breaks the protocol, it ends as if all were well. */
  async #readToEnd(): Promise<void> {
    const late = Promise.withResolvers<void>();
    // A child of the child may keep the pipe open for ever.
    using _timer = this.#plan.clock.setTimer(GRACE_MS, () => late.resolve());
    await Promise.race([this.#peer?.closed, late.promise]);
  }

  async #close({ code, signal }: VesselEnd): Promise<IncarnationEnd> {
    if (this.#reason === undefined) await this.#readToEnd();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
    const lastLines = this.#lines.last;
    // What came first is what it was; what the system says comes after.
    this.#reason ??= code === 0 ? "exited" : this.#saidMemory ? "memory" : "crashed";
    const reason = this.#reason;
    this.#over.abort(new SandboxError("The sandbox has ended", reason));
    await this.#peer?.close();
    return { reason, code, signal, lastLines };
  }
}

/** What an end is called in a message. */
export function reasonText(reason: SandboxEnd): string {
  switch (reason) {
    case "start":
      return "it could not be started";
    case "exited":
      return "its process has ended";
    case "crashed":
      return "its process has crashed";
    case "memory":
      return "it took more memory than it may";
    case "silent":
      return "it did not answer any more";
    case "protocol":
      return "what it wrote was not the protocol";
    case "stopped":
      return "it has been stopped";
  }
}

function isProtocolError(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof ProtocolError) return true;
  return false;
}

/** The memory of a process as the system counts it, where this process may look; in bytes. */
function memoryOf(pid: number | undefined): number | undefined {
  if (pid === undefined || Deno.build.os !== "linux") return undefined;
  const path = `/proc/${pid}/status`;
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(path))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    // It has ended, or Deno wants more permissions for that.
    return undefined;
  }
}
