/**
 * A Tub in some part of an introduction, of Deno or of Python, driven in the same way.
 *
 * @module
 */

import { RemoteException, RemoteHandle, RemoteReference, type Tub, type TubOptions } from "../../mod.ts";
import { build, describe, type Description } from "../support/described.ts";
import { PeerFailure, type PythonPeer } from "../support/python.ts";
import { startTub } from "./rig.ts";
import { Item, Root } from "./root.ts";

/** One of those who are introduced, or who introduce. */
export interface Party extends AsyncDisposable {
  readonly kind: "Deno" | "Python";
  readonly tubId: string;
  /** The FURL of its root object. */
  readonly furl: string;
  /** Gets the object of a FURL, and holds it under a name. */
  meet(furl: string, name: string): Promise<void>;
  /** Calls a method of something that it holds; holds the result as `as`. */
  call(name: string, method: string, ...args: readonly Description[]): Promise<Description>;
  callAs(as: string, name: string, method: string): Promise<void>;
  /** Lets its own root hold a value, which others can ask for by `held`. */
  hold(value: Description): Promise<void>;
  /** Lets a reference be given away under another FURL than its own. */
  mangle(name: string, change: (furl: string) => string): Promise<void>;
  /** Gifts that it gave and that were not acknowledged. */
  givenGifts(): Promise<number>;
}

/** A failure as either kind of party sees it: its type, and its text. */
export function failureText(error: unknown): string {
  if (error instanceof PeerFailure) return `${error.failure.type}: ${error.failure.value}`;
  if (error instanceof RemoteException) return `${error.remoteType}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A party in this process. */
export class DenoParty implements Party {
  readonly kind = "Deno";
  readonly root = new Root();
  readonly furl: string;
  readonly #refs = new Map<string, unknown>();

  /** Of a Tub that has a location. */
  constructor(readonly tub: Tub) {
    this.furl = tub.registerReference(this.root);
  }

  get tubId(): string {
    return this.tub.tubId;
  }
  async meet(furl: string, name: string): Promise<void> {
    this.#refs.set(name, await this.tub.getReference(furl));
  }
  async call(name: string, method: string, ...args: readonly Description[]): Promise<Description> {
    const result = await this.ref(name).callRemote(method, ...args.map((arg) => this.#build(arg)));
    return describe(result, (value) => this.#describe(value));
  }
  async callAs(as: string, name: string, method: string): Promise<void> {
    this.#refs.set(as, await this.ref(name).callRemote(method));
  }
  hold(value: Description): Promise<void> {
    this.root.held = this.#build(value);
    return Promise.resolve();
  }
  mangle(name: string, change: (furl: string) => string): Promise<void> {
    const tracker = RemoteHandle.trackerOf(this.ref(name));
    tracker.furl = change(tracker.furl!);
    return Promise.resolve();
  }
  givenGifts(): Promise<number> {
    return Promise.resolve(this.tub.debug.tables().givenGifts);
  }
  /** What it holds under a name. */
  ref(name: string): RemoteReference {
    return this.#refs.get(name) as RemoteReference;
  }

  #build(description: Description): unknown {
    return build(description, {
      foreign: (d) => "ref" in d ? this.#refs.get(d.ref) : new Item(0),
    });
  }
  #describe(value: unknown): Description | undefined {
    if (!(value instanceof RemoteReference)) return undefined;
    for (const [name, ref] of this.#refs) if (ref === value) return { ref: name };
    const name = `ref${this.#refs.size}`;
    this.#refs.set(name, value);
    return { ref: name };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tub.stop();
  }
}

/** A new party in this process. */
export async function newDenoParty(options: TubOptions = {}): Promise<DenoParty> {
  return new DenoParty(await startTub(options));
}

let parties = 0;

/** A Python peer as a party; the process is its starter's. */
export class PythonParty implements Party {
  readonly kind = "Python";
  readonly #prefix = `party${++parties}.`;

  /** A peer that listens. */
  constructor(readonly peer: PythonPeer) {}

  get tubId(): string {
    return this.peer.ready.tubid;
  }
  get furl(): string {
    return this.peer.furl;
  }
  async meet(furl: string, name: string): Promise<void> {
    await this.peer.get(furl, this.nameOf(name));
  }
  async call(name: string, method: string, ...args: readonly Description[]): Promise<Description> {
    return await this.peer.call(this.nameOf(name), method, ...args.map((arg) => this.#named(arg)));
  }
  async callAs(as: string, name: string, method: string): Promise<void> {
    await this.peer.callWith(this.nameOf(name), method, { as: this.nameOf(as) });
  }
  async hold(value: Description): Promise<void> {
    await this.peer.command("hold", { value: this.#named(value) });
  }
  async mangle(name: string, change: (furl: string) => string): Promise<void> {
    const { furl } = await this.peer.command("furl", { ref: this.nameOf(name) });
    await this.peer.command("mangle", { ref: this.nameOf(name), furl: change(furl as string) });
  }
  async givenGifts(): Promise<number> {
    const { connections } = await this.peer.command("tables");
    return (connections as { gifts: number }[]).reduce((sum, { gifts }) => sum + gifts, 0);
  }

  /** The peer's name for what it holds: names of its own, as the peer is shared; those with a number are the peer's. */
  nameOf(name: string): string {
    return /^Remote\w*\d+$/.test(name) ? name : this.#prefix + name;
  }
  #named(description: Description): Description {
    return JSON.parse(
      JSON.stringify(description),
      (key, value) => key === "ref" ? this.nameOf(value) : value,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
