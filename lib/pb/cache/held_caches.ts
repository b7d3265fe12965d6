/**
 * Copies of the peer's Cacheables: one object each for all who use it in this process, which the peer keeps in step.
 *
 * A copy lives longer than anybody's use of it. It is given back to the peer, as often as it came, when nobody here uses it
 * any more; but until the peer answers that it will not refer to it again, the same object may be sent once more, without its
 * state. So the program must be able to drop what it holds while the properties stay. Therefore each copy is two objects:
 *
 * - the core, an ordinary object with the properties, which is kept until the peer says `uncache`;
 * - the handle, which the program has: a Proxy of the core without traps. When it is collected, the copy is given back; if the
 *   object comes again, the core gets another handle.
 *
 * The constructor of RemoteCache returns the handle, so the constructors of derived classes put their private fields on that.
 * Twisted has the same with two instances that share one `__dict__`.
 *
 * Source: Twisted `spread/pb.py`, `Broker.cacheLocally`, `cachedLocallyAs`; `spread/flavors.py`, `RemoteCache`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../../errors.ts";
import type { Broker, PbCall } from "../flavors/call.ts";

/** The cores, by their handles. */
const cores = new WeakMap<object, object>();
/** The core that the next handle is made for, and its class. */
let adopting: { readonly core: object; readonly construct: unknown } | undefined;

/**
 * Makes the handle of an object that is being constructed, to be returned by the constructor.
 *
 * @param fresh The object: its core, unless a handle for another core was asked for.
 * @param construct The class that is being constructed: `new.target`.
 */
export function makeHandle<T extends object>(fresh: T, construct: unknown): T {
  let core = fresh;
  if (adopting !== undefined && adopting.construct === construct) {
    core = adopting.core as T;
    adopting = undefined;
  }
  const handle = new Proxy(core, {});
  cores.set(handle, core);
  return handle;
}

/** What keeps the properties of a handle. */
export function coreOf(handle: object): object {
  return cores.get(handle) ?? handle;
}

/**
 * A new handle for a core. The class's constructor is run; what it does to properties is undone, and private fields begin as it
 * leaves them.
 *
 * What the constructor throws goes to the caller.
 */
function newHandle(core: object): object {
  const construct = Object.getPrototypeOf(core).constructor as new () => object;
  const properties = Object.getOwnPropertyDescriptors(core);
  adopting = { core, construct };
  try {
    return new construct();
  } finally {
    adopting = undefined;
    for (const key of Reflect.ownKeys(core)) {
      if (!Object.hasOwn(properties, key)) Reflect.deleteProperty(core, key);
    }
    Object.defineProperties(core, properties);
  }
}

/** What {@linkcode HeldCaches} need of their connection. */
export interface HeldHost {
  readonly broker: Broker;
  readonly maxRemoteReferences: number;
  /** Sends a message of a word and a number. */
  send(word: string, id: number): void;
  /** Something failed that nobody may look at. Must not throw. */
  failed(where: string, error: Error): void;
  /** The peer goes too far. */
  end(error: Error): void;
}

/** What the program gets. */
interface CacheHandle {
  remoteMessageReceived(message: string, call: PbCall): unknown;
}

/** A copy of an object of the peer, from when it came whole until the peer says `uncache`. */
class Holding {
  /** Keeps the properties; undefined if they could not be read. */
  core: object | undefined;
  /** What the program has, or had. */
  handle: WeakRef<CacheHandle> | undefined;
  use: Use | undefined;
  /** How many times the object came and was not given back. */
  received = 0;
  isForgotten = false;

  constructor(readonly id: number) {}
}

/** The use of a copy by one handle, from when the program gets it until it is collected or disposed of. */
class Use {
  isOver = false;

  constructor(readonly caches: HeldCaches, readonly holding: Holding) {}
}

const uses = new WeakMap<object, Use>();

/** The copies of one connection. */
export class HeldCaches {
  // By "#" and the number, as in `RemoteTable`: a peer could choose numbers that collide.
  readonly #holdings = new Map<string, Holding>();
  readonly #collected = new FinalizationRegistry<Use>((use) => this.#release(use));
  readonly host: HeldHost;

  /** None yet. */
  constructor(host: HeldHost) {
    this.host = host;
  }

  /** How many there are. */
  get size(): number {
    return this.#holdings.size;
  }

  /**
   * An object came whole: its state can be read, in which it may stand itself.
   *
   * @throws {Violation} If the peer has another of this number.
   */
  begin(id: number, handle: CacheHandle): void {
    const key = `#${id}`;
    if (this.#holdings.has(key)) {
      throw new Violation(`Cannot read a cached object: there is one with the number ${id}`);
    }
    if (this.#holdings.size >= this.host.maxRemoteReferences) {
      const error = new ProtocolError(`The peer sent more than ${this.host.maxRemoteReferences} caches`);
      this.host.end(error);
      throw error;
    }
    const holding = new Holding(id);
    this.#holdings.set(key, holding);
    holding.core = coreOf(handle);
    holding.received = 1;
    this.#use(holding, handle);
  }

  /** The state of a copy could not be read: it is given back now, and again each time it comes until the peer knows. */
  spoil(handle: CacheHandle): void {
    const use = uses.get(handle);
    if (use?.caches !== this) return;
    use.holding.core = undefined;
    this.#release(use);
  }

  /**
   * An object came again.
   *
   * @throws {Violation} If it never came, or could not be read.
   */
  again(id: number): CacheHandle {
    const holding = this.#holdings.get(`#${id}`);
    if (holding === undefined) throw new Violation("Cannot read a cached object: it never came");
    if (holding.core === undefined) {
      this.host.send("decache", id);
      throw new Violation("Cannot read a cached object: its state could not be read when it came");
    }
    // Counted at once: a handle that is collected in between gives it back.
    const handle = holding.use?.isOver === false ? holding.handle?.deref() : undefined;
    if (handle !== undefined) {
      holding.received++;
      return handle;
    }
    try {
      const revived = this.#revive(holding, holding.core);
      holding.received++;
      return revived;
    } catch (error) {
      // The class's constructor has failed: nobody will give it back.
      this.host.send("decache", id);
      throw error;
    }
  }

  /** What takes the peer's updates of an object, also when nobody uses it any more. */
  receiver(id: number): CacheHandle | undefined {
    const holding = this.#holdings.get(`#${id}`);
    if (holding?.core === undefined) return undefined;
    return holding.handle?.deref() ?? this.#revive(holding, holding.core);
  }

  /**
   * The peer will not refer to an object any more. Who uses it still keeps it as it is.
   *
   * @returns Whether there was one.
   */
  forget(id: number): boolean {
    const holding = this.#holdings.get(`#${id}`);
    if (holding === undefined) return false;
    this.#holdings.delete(`#${id}`);
    this.#drop(holding);
    return true;
  }

  /** Forgets everything: the connection is gone. */
  close(): void {
    for (const holding of this.#holdings.values()) this.#drop(holding);
    this.#holdings.clear();
  }

  /** The program gives up a handle. More than once is harmless. */
  release(use: Use): void {
    this.#release(use);
  }

  #use(holding: Holding, handle: CacheHandle): void {
    const use = new Use(this, holding);
    holding.use = use;
    holding.handle = new WeakRef(handle);
    uses.set(handle, use);
    this.#collected.register(handle, use, use);
  }

  #revive(holding: Holding, core: object): CacheHandle {
    const before = holding.use;
    if (before !== undefined) {
      // Collected and not reported yet, or given up: what came goes on with the new one.
      before.isOver = true;
      this.#collected.unregister(before);
    }
    const handle = newHandle(core) as CacheHandle;
    this.#use(holding, handle);
    return handle;
  }

  #release(use: Use): void {
    if (use.isOver) return;
    use.isOver = true;
    this.#collected.unregister(use);
    const { holding } = use;
    if (holding.use !== use || holding.isForgotten) return;
    const { received } = holding;
    holding.received = 0;
    for (let i = 0; i < received; i++) this.host.send("decache", holding.id);
  }

  #drop(holding: Holding): void {
    holding.isForgotten = true;
    if (holding.use !== undefined) this.#collected.unregister(holding.use);
  }
}

/** Where a handle belongs: undefined if it was made by the program, was given up, or is kept in step no more. */
export function holdingOf(
  handle: object,
): { readonly caches: HeldCaches; readonly id: number; release(): void } | undefined {
  const use = uses.get(handle);
  if (use === undefined || use.isOver || use.holding.isForgotten) return undefined;
  const { caches, holding: { id } } = use;
  return { caches, id, release: () => caches.release(use) };
}
