/**
 * Objects that run in a process of their own, which may do nothing but what it is given.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { forwardBy } from "../broker/forwarder.ts";
import { type LocalReference, localReference } from "../broker/local_reference.ts";
import type { Referenceable } from "../broker/referenceable.ts";
import type { RemoteReference, Untyped } from "../broker/remote_reference.ts";
import { type SandboxEnd, SandboxError, toError } from "../errors.ts";
import type { Capability } from "../registry/capability.ts";
import { endWith } from "../tub/debug.ts";
import { Tub } from "../tub/tub.ts";
import { usePermissions } from "../tub/used_permissions.ts";
import { systemClock } from "../util/clock.ts";
import { runCallback } from "../util/run_callback.ts";
import { safeTrace, type Trace } from "../util/trace.ts";
import { checkOwnPermissions, descriptorsOf, sourcesOf } from "./confinement.ts";
import { Incarnation, type IncarnationEnd, type IncarnationPlan } from "./incarnation.ts";
import { inheritedPipes } from "./inherited.ts";
import { checkSandboxOptions, type SandboxExit, type SandboxOptions } from "./options.ts";
import { startProcess, surroundings } from "./process.ts";
import { Restarts } from "./restarts.ts";
import { SandboxRoot, type SandboxSource } from "./root.ts";
import type { VesselPlan } from "./vessel.ts";
import { startWorker } from "./worker.ts";

/** What a sandbox is doing. */
export type SandboxState = "running" | "restarting" | "ended";

/** A running sandbox. Made by `grantSandbox`. */
export interface Sandbox<T = Untyped> extends AsyncDisposable {
  /** The FURL of the object; `undefined` if the Tub has no location, or `publish: false` was said. */
  readonly furl: string | undefined;
  /**
   * The object of this process that stands for the one in the sandbox: to be passed, registered, and granted. It stays the
   * same when the sandbox is started again.
   */
  readonly object: Referenceable;
  /** What its FURL leads to, if `grant` was said: to be attenuated, revoked, passed on. It ends with the sandbox. */
  readonly capability: Capability<Referenceable> | undefined;
  /** What calls it from this process. */
  readonly reference: LocalReference<T>;
  /** What it is doing now. */
  readonly state: SandboxState;
  /** The id of its process, if it has one now. */
  readonly pid: number | undefined;
  /** How often it was started again. */
  readonly restarts: number;
  /** Resolves when it has ended and is not started again. Never rejects. */
  readonly ended: Promise<SandboxExit>;
  /**
   * Ends it, takes its FURL away, and fails the calls in flight. Never rejects.
   *
   * @returns When the process has gone.
   */
  stop(): Promise<void>;
}

/** What `grantSandbox` does. */
export async function startSandbox<T = Untyped>(
  tub: Tub,
  module: string | URL,
  options: SandboxOptions = {},
): Promise<Sandbox<T>> {
  const numbers = checkSandboxOptions(options);
  if (!tub.running) {
    throw new TypeError("Cannot start a sandbox: the Tub has been stopped; create another one");
  }
  const { clock = systemClock, env = {}, launcher = [], downloads = false } = options;
  const permissions = descriptorsOf(options.permissions ?? "none");
  const own = sourcesOf([module]);
  const more = sourcesOf(options.imports ?? []);
  const needed: Deno.PermissionDescriptor[] = [
    ...permissions,
    ...[...own.paths, ...more.paths].map((path) => ({ name: "read" as const, path })),
  ];
  checkOwnPermissions(needed);
  const trace = safeTrace(options.trace);
  const { onOutput } = options;
  const vessel: Omit<VesselPlan, "onLine"> = {
    permissions,
    sources: [...own.paths, ...more.paths],
    hosts: [...own.hosts, ...more.hosts],
    env,
    memoryMb: numbers.memoryMb,
    downloads,
    launcher,
    clock,
  };
  const plan: Omit<IncarnationPlan, "tub"> = {
    request: {
      module: own.paths.length > 0 ? pathToFileURL(own.paths[0]!).href : module.toString(),
      export: options.export ?? "default",
      caps: options.caps ?? {},
      args: options.args ?? [],
      readUntilLoaded: own.paths,
    },
    inherited: options.in === "worker"
      ? Promise.resolve([])
      : inheritedPipes({ launcher, env: surroundings(), clock: systemClock }),
    numbers,
    clock,
    start: (onLine) =>
      options.in === "worker" ? startWorker({ ...vessel, onLine }) : startProcess({ ...vessel, onLine }),
    onLine: (line) => guarded(trace, "onOutput", () => onOutput?.(line)),
  };
  // A Tub of its own: who is attached to a Tub may ask it for any name that can be guessed.
  const inner = await Tub.create({ acceptGifts: false, limits: options.limits, trace: options.trace });
  const sandbox = new RunningSandbox<T>(tub, { ...plan, tub: inner }, options, trace);
  await sandbox.start();
  const command = launcher[0] ?? Deno.execPath();
  usePermissions(tub.registry, options.in === "worker" ? needed : [...needed, { name: "run", command }]);
  return sandbox;
}

function guarded(trace: Trace, where: string, run: () => unknown): void {
  runCallback(run, (error) => trace({ type: "callback-failed", where: `${where} of a sandbox`, error }));
}

class RunningSandbox<T> implements Sandbox<T>, SandboxSource {
  readonly #tub: Tub;
  readonly #plan: IncarnationPlan;
  readonly #options: SandboxOptions;
  readonly #trace: Trace;
  readonly #restarts: Restarts;
  readonly #ended = Promise.withResolvers<SandboxExit>();
  readonly #ownership: Disposable;
  #state: SandboxState = "running";
  #life: Incarnation | undefined;
  #next: PromiseWithResolvers<RemoteReference | undefined> | undefined;
  #timer: Disposable | undefined;
  #count = 0;
  #isStopping = false;
  #lastEnd: Promise<SandboxEnd> = Promise.resolve("stopped");
  #root: SandboxRoot | undefined;
  #reference: LocalReference<T> | undefined;
  furl: string | undefined;
  capability: Capability<Referenceable> | undefined;
  current: RemoteReference | undefined;

  constructor(tub: Tub, plan: IncarnationPlan, options: SandboxOptions, trace: Trace) {
    this.#tub = tub;
    this.#plan = plan;
    this.#options = options;
    this.#trace = trace;
    this.#restarts = new Restarts(options.restart, plan.clock);
    this.#ownership = endWith(tub, this);
  }

  get object(): Referenceable {
    return this.#root!;
  }
  get reference(): LocalReference<T> {
    return this.#reference!;
  }
  get state(): SandboxState {
    return this.#state;
  }
  get pid(): number | undefined {
    return this.#life?.pid;
  }
  get restarts(): number {
    return this.#count;
  }
  get ended(): Promise<SandboxExit> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    try {
      const { life, reference } = await this.#begin();
      this.#root = new SandboxRoot(this, reference.getInterfaceName() || undefined);
      this.#reference = localReference(this.#root) as unknown as LocalReference<T>;
      this.#publish(this.#root);
      this.#live(life, reference);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  #publish(root: SandboxRoot): void {
    const { publish = true, grant } = this.#options;
    const isPublic = publish !== false && this.#tub.locationHints.length > 0;
    const named = typeof publish === "string" ? { name: publish } : {};
    if (grant !== undefined) {
      this.capability = this.#tub.registry.grant<Referenceable>(root, { ...grant, ...named });
      if (isPublic) this.furl = this.capability.furl;
    } else if (isPublic) this.furl = this.#tub.registerReference(root, named);
  }

  next(): Promise<RemoteReference | undefined> | undefined {
    return this.#options.whileRestarting === "fail" ? undefined : this.#next?.promise;
  }

  lastEnd(): Promise<SandboxEnd> {
    return this.#lastEnd;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.[Symbol.dispose]();
    this.capability?.revoke();
    if (this.#root !== undefined) this.#tub.unregisterReference(this.#root);
    const life = this.#life;
    await life?.stop();
    if (life === undefined || this.#root === undefined) {
      this.#end({ reason: "stopped", code: 0, signal: null, lastLines: [] });
    }
    await this.#ended.promise;
    await this.#plan.inherited;
    await this.#plan.tub.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** A new process, and its object when it is ready. */
  async #begin(): Promise<{ life: Incarnation; reference: RemoteReference }> {
    const life = this.#life = new Incarnation(this.#plan);
    this.#lastEnd = life.ended.then(({ reason }) => reason);
    const reference = await life.ready();
    if (this.#isStopping) {
      await life.stop();
      throw new SandboxError("Cannot start a sandbox: it has been stopped", "stopped");
    }
    return { life, reference };
  }

  #live(life: Incarnation, reference: RemoteReference): void {
    this.#state = "running";
    this.current = reference;
    // What it sends of itself is the object that others hold already, and that is there after a restart.
    forwardBy(reference, this.#root!);
    this.#next?.resolve(reference);
    this.#next = undefined;
    reference.notifyOnDisconnect(() => this.#lost(reference));
    void life.ended.then((end) => this.#over(reference, end));
  }

  /** Calls that come now find nobody, and wait for what becomes of it. */
  #lost(reference: RemoteReference): void {
    if (this.current !== reference) return;
    this.current = undefined;
    if (this.#state === "ended") return;
    this.#state = "restarting";
    this.#next ??= Promise.withResolvers();
  }

  #over(reference: RemoteReference | undefined, end: IncarnationEnd): void {
    if (reference !== undefined) this.#lost(reference);
    this.#life = undefined;
    const delay = this.#isStopping ? undefined : this.#restarts.next(end);
    if (delay === undefined) return this.#end(end);
    this.#tell({ ...end, willRestart: true });
    this.#timer = this.#plan.clock.setTimer(delay, () => void this.#again(), true);
  }

  async #again(): Promise<void> {
    this.#count++;
    try {
      const { life, reference } = await this.#begin();
      this.#live(life, reference);
    } catch (thrown) {
      this.#trace({ type: "callback-failed", where: "restart of a sandbox", error: toError(thrown) });
      const end = await this.#life?.ended;
      this.#over(undefined, end ?? { reason: "start", code: 0, signal: null, lastLines: [] });
    }
  }

  #end(end: IncarnationEnd): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.current = undefined;
    this.#life = undefined;
    this.#ownership[Symbol.dispose]();
    this.#next?.resolve(undefined);
    const exit = { ...end, willRestart: false };
    this.#tell(exit);
    this.#ended.resolve(exit);
    void this.#plan.tub.stop();
  }

  #tell(exit: SandboxExit): void {
    guarded(this.#trace, "onExit", () => this.#options.onExit?.(exit));
  }
}
