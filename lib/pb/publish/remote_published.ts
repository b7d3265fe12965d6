/**
 * Copies of published objects, which are kept between runs.
 *
 * Source: Twisted `spread/publish.py`, `RemotePublished`, `whenReady`.
 *
 * @module
 */

import { toError, Violation } from "../../errors.ts";
import { assignState } from "../../values/assign_state.ts";
import { Float } from "../../values/float.ts";
import type { Expression } from "../banana/expression.ts";
import { coreOf, holdingOf } from "../cache/held_caches.ts";
import { RemoteCache } from "../cache/remote_cache.ts";
import { RemoteReference } from "../flavors/remote_reference.ts";
import type { Unjellying } from "../jelly/invoker.ts";
import { stateOf } from "../jelly/jellyable.ts";
import { decode, encode, jelly, unjelly } from "../jelly/storage.ts";
import { runCallback } from "../../util/run_callback.ts";
import { decodeText } from "../../util/text.ts";
import type { PublishedStorage } from "./publishable.ts";

/** What is known of one copy: it belongs to the peer's object, as its properties do. */
class Activation {
  tag: Expression | undefined;
  isDone = false;
  wasClean = false;
  error: Error | undefined;
  readonly listeners: { done(): void; failed(error: Error): void }[] = [];
}

const activations = new WeakMap<object, Activation>();

/**
 * What is made of a peer's {@linkcode Publishable}. When it comes it knows its `publishedID` and `timestamp`; the rest is
 * there when it is activated: at once from the storage, if that has it with the same timestamp, and otherwise when
 * the peer has answered.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Bulletin extends pb.Publishable {
 *   static override copytype = "docs.Bulletin";
 *   override getStateToPublish() {
 *     return { headline: "frogs jump in" };
 *   }
 * }
 * class RemoteBulletin extends pb.RemotePublished {
 *   declare headline: string;
 * }
 * pb.setUnjellyableForClass("docs.Bulletin", RemoteBulletin);
 *
 * class Root extends pb.Root {
 *   readonly bulletin = new Bulletin("today");
 *   remote_bulletin(): Bulletin {
 *     return this.bulletin;
 *   }
 * }
 * await using server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * const bulletin = await pb.whenReady(
 *   client.getRootObject().callRemote("bulletin") as Promise<RemoteBulletin>,
 * );
 * assert.equal(bulletin.headline, "frogs jump in");
 * ```
 */
export class RemotePublished extends RemoteCache {
  /**
   * Where copies are kept. Twisted writes files into the working directory.
   * @default undefined, which keeps none
   */
  static storage: PublishedStorage | undefined;

  /** The peer's object. */
  declare remote: RemoteReference;
  /** What tells it from others of the same server. */
  declare publishedID: string;
  /** For whom the copy is; `None` for nobody. */
  declare perspective: string;
  /** Of what service; `None` for none. */
  declare service: string;
  /** Since when it is as it is, in seconds since 1970-01-01T00:00Z. */
  declare timestamp: number;

  /** Whether the state is there. */
  get isActivated(): boolean {
    return activations.get(coreOf(this))?.isDone === true;
  }

  /** Whether the state came from the storage rather than from the peer. Twisted: `_wasCleanWhenLoaded`. */
  get wasCleanWhenLoaded(): boolean {
    return activations.get(coreOf(this))?.wasClean === true;
  }

  /** The name under which the storage has it. */
  getFileName(extension = "pub"): string {
    return `${this.service}-${this.perspective}-${this.publishedID}.${extension}`;
  }

  /** The hook for classes that need to know when the state is there. By default does nothing; what it throws goes to the trace. */
  activated(): unknown {
    return undefined;
  }

  /** Calls back when the state is there; at once, if it is. What the callback throws goes to the trace. */
  callWhenActivated(callback: (published: this) => unknown): void {
    this.#listen({ done: () => this.#run("callWhenActivated", () => callback(this)), failed() {} });
  }

  /**
   * Resolves when the state is there.
   *
   * @throws {Error} If the peer could not be asked for it: what the call failed with.
   */
  whenActivated(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#listen({ done: () => resolve(this), failed: reject });
    });
  }

  /** Reads what came; the tag is what a stored copy begins with. */
  override unjellyFor(unjellier: Unjellying, expression: readonly Expression[]): unknown {
    const activation = new Activation();
    activation.tag = expression[0];
    activations.set(coreOf(this), activation);
    return super.unjellyFor(unjellier, expression);
  }

  /** Takes who it is, and begins to look for its state. */
  override setCopyableState(state: unknown): void {
    super.setCopyableState(state);
    if (!(this.remote instanceof RemoteReference) || typeof this.timestamp !== "number") {
      throw new Violation(
        "Cannot read a published object: it has no timestamp, or no reference to its owner",
      );
    }
    void this.#activate();
  }

  async #activate(): Promise<void> {
    const activation = this.#activation;
    try {
      const stored = await this.#load();
      // A stored state came from the peer too, so it is checked in the same way.
      const state = stored ?? stateOf(await this.remote.callRemote("getStateToPublish"));
      assignState(this, state);
      activation.wasClean = stored !== undefined;
    } catch (error) {
      activation.error = toError(error);
      for (const { failed } of activation.listeners.splice(0)) failed(activation.error);
      return this.#failed("getStateToPublish", error);
    }
    activation.isDone = true;
    for (const { done } of activation.listeners.splice(0)) done();
    this.#run("activated", () => this.activated());
    if (!activation.wasClean) await this.#save();
  }

  /** The state that is stored, if it is of the same time. */
  async #load(): Promise<Record<string, unknown> | undefined> {
    const { storage } = this.#class;
    if (storage === undefined) return undefined;
    try {
      const bytes = await storage.load(this.getFileName());
      if (bytes === undefined) return undefined;
      const expression = decode(bytes);
      if (!Array.isArray(expression) || expression.length !== 2) return undefined;
      const state = stateOf(unjelly(expression[1]!));
      if (state.timestamp !== this.timestamp) return undefined;
      // It belonged to a connection of an earlier run.
      delete state.remote;
      return state;
    } catch (error) {
      // The peer is asked for the state instead.
      this.#failed("storage.load", error);
      return undefined;
    }
  }

  async #save(): Promise<void> {
    const { storage } = this.#class;
    const tag = this.#activation.tag;
    if (storage === undefined || !(tag instanceof Uint8Array)) return;
    try {
      const { remote: _, ...state } = this;
      // As a float, because Twisted compares it with one.
      const stored = { ...state, timestamp: new Float(this.timestamp) };
      decodeText(tag, 0, tag.length);
      await storage.save(this.getFileName(), encode([tag, jelly(stored)]));
    } catch (error) {
      this.#failed("storage.save", error);
    }
  }

  #listen(listener: { done(): void; failed(error: Error): void }): void {
    const { isDone, error, listeners } = this.#activation;
    if (isDone) listener.done();
    else if (error !== undefined) listener.failed(error);
    else listeners.push(listener);
  }

  #run(where: string, callback: () => unknown): void {
    runCallback(callback, (error) => this.#failed(where, error));
  }

  #failed(where: string, error: unknown): void {
    holdingOf(this)?.caches.host.failed(where, toError(error));
  }

  get #class(): typeof RemotePublished {
    return Object.getPrototypeOf(this).constructor as typeof RemotePublished;
  }

  get #activation(): Activation {
    const core = coreOf(this);
    let activation = activations.get(core);
    if (activation === undefined) activations.set(core, activation = new Activation());
    return activation;
  }
}

/**
 * Waits for a published object until its state is there.
 *
 * @param published What a call returned, or a promise of it.
 * @throws {TypeError} If it is something else.
 * @throws {Error} If the call failed, or the one for the state.
 */
export async function whenReady<T extends RemotePublished>(published: T | PromiseLike<T>): Promise<T> {
  const object: unknown = await published;
  if (!(object instanceof RemotePublished)) {
    throw new TypeError("Cannot wait for a published object: got something else");
  }
  return await object.whenActivated() as T;
}
