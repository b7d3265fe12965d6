/**
 * How the owner of something cached reaches the copy that one peer holds.
 *
 * Source: Twisted `spread/flavors.py`, `RemoteCacheObserver`, `RemoteCacheMethod`.
 *
 * @module
 */

import { DeadReferenceError, toError } from "../../errors.ts";
import type { OutgoingCall } from "../broker/outgoing.ts";
import type { Broker } from "../flavors/call.ts";

/** What an observer needs of its connection. */
export interface ObserverHost {
  readonly broker: Broker;
  sendCall(call: OutgoingCall): Promise<unknown> | undefined;
  /** Something failed that nobody may look at. Must not throw. */
  failed(where: string, error: Error): void;
}

/** What an observer stands for. */
export interface Observed {
  /** The number under which the peer has its copy. */
  readonly id: number;
  /** On whose behalf it was sent. */
  readonly perspective: object | undefined;
  /** Whether the peer has given it up, or the connection is gone. */
  readonly isOver: boolean;
}

/**
 * The copy that one peer holds of a {@linkcode Cacheable}, for its owner to keep in step.
 *
 * There is one for each connection while the peer holds the object: what `stoppedObserving` is given is what
 * `getStateToCacheAndObserveFor` was given, so that observers can be kept in a `Set`. (Twisted makes a second one, and
 * comparing those of two clients fails.)
 */
export class RemoteCacheObserver {
  readonly #host: ObserverHost;
  readonly #observed: Observed;

  /** @ignore */
  constructor(host: ObserverHost, observed: Observed) {
    this.#host = host;
    this.#observed = observed;
  }

  /** The connection to the peer. */
  get broker(): Broker {
    return this.#host.broker;
  }

  /** On whose behalf the object was sent, if that is known: Viewables in the arguments of calls are seen through that. */
  get perspective(): object | undefined {
    return this.#observed.perspective;
  }

  /** Whether the peer still holds the object. */
  get isLive(): boolean {
    return !this.#observed.isOver && this.#host.broker.isConnected;
  }

  /**
   * Calls `observe_<name>` of the peer's copy, after everything that was sent before.
   *
   * The promise may be left alone: its failure ends nothing. That `observe_<name>` failed goes to the trace too; that the peer has
   * gone is what `stoppedObserving` says.
   *
   * @param args Its arguments; `kwargs({...})` as the last one has those that are passed by name.
   * @returns What `observe_<name>` returned.
   * @throws {RemoteError} If it failed.
   * @throws {Violation} If an argument cannot be sent, or the result cannot be read.
   * @throws {DeadReferenceError} If the peer has given up the object, or is gone.
   */
  callRemote(name: string, ...args: unknown[]): Promise<unknown> {
    let result: Promise<unknown>;
    try {
      this.#check();
      result = this.#host.sendCall(this.#call(name, args, true)) as Promise<unknown>;
    } catch (error) {
      result = Promise.reject(error);
    }
    result.catch((error: unknown) => {
      if (error instanceof DeadReferenceError) return;
      this.#host.failed(`observe_${name} of a peer's copy`, toError(error));
    });
    return result;
  }

  /**
   * Calls `observe_<name>` of the peer's copy and wants no answer. A peer that has given up the object hears nothing.
   *
   * @throws {Violation} If an argument cannot be sent.
   */
  callRemoteOnly(name: string, ...args: unknown[]): void {
    if (this.isLive) this.#host.sendCall(this.#call(name, args, false));
  }

  /** A method as a function. Twisted: `RemoteCacheMethod`. */
  remoteMethod(name: string): (...args: unknown[]) => Promise<unknown> {
    return (...args) => this.callRemote(name, ...args);
  }

  #call(method: string, args: readonly unknown[], isAnswerWanted: boolean): OutgoingCall {
    const { id, perspective } = this.#observed;
    const check = () => this.#check();
    return { word: "cachemessage", target: id, method, args, perspective, isAnswerWanted, check };
  }

  /** A call from within the writing of a message is looked at again when its turn comes. */
  #check(): void {
    if (!this.#host.broker.isConnected) throw new DeadReferenceError("Cannot call: Calling Stale Broker");
    if (this.#observed.isOver) {
      throw new DeadReferenceError("Cannot call: the peer does not hold the object any more");
    }
  }

  /** How `Deno.inspect` and `console.log` show it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `RemoteCacheObserver { #${this.#observed.id} at ${this.#host.broker.peerAddress} }`;
  }
}
