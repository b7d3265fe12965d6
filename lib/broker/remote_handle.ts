/**
 * What references to objects and to functions of a peer have in common.
 *
 * Source: Foolscap `referenceable.py`, `RemoteReference`.
 *
 * @module
 */

import type { ConnectionInfo } from "../connection_info.ts";
import type { DeadReferenceError } from "../errors.ts";
import { redact } from "../util/redact.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";
import type { CheckedOptions } from "./call.ts";
import type { PeerInfo } from "./call_context.ts";
import type { Publishable } from "./callable.ts";
import { deadReference } from "./dead_reference.ts";
import type { HandleToken, Tracker } from "./import_table.ts";

/** What a handle needs of the connection that it lives on. */
export interface HandleOwner {
  readonly peer: PeerInfo;
  /** What ended the connection, once it has ended. */
  readonly ended: Error | undefined;
  /** What the Tub knows of the connection. */
  readonly connectionInfo: ConnectionInfo | undefined;
  /** When something last came from the peer, in milliseconds since 1970. */
  readonly receivedAt: number | undefined;
  /** Makes the calls. */
  readonly outgoing: {
    call(
      tracker: Tracker<RemoteHandle>,
      method: string,
      args: readonly unknown[],
      options: CheckedOptions,
    ): Promise<unknown>;
    /** The promise of a call that is not made, as the reference is dead. */
    refused(
      error: Error,
      tracker: Tracker<RemoteHandle>,
      method: string,
      args: readonly unknown[],
      options: CheckedOptions,
    ): Promise<unknown>;
    callOnly(
      tracker: Tracker<RemoteHandle>,
      method: string,
      args: readonly unknown[],
      options: CheckedOptions,
    ): void;
  };
  watch(tracker: Tracker<RemoteHandle>, handle: RemoteHandle): HandleToken;
  release(tracker: Tracker<RemoteHandle>, token: HandleToken): void;
  /** Keeps an object from being given back until this is disposed, whatever becomes of its handles. */
  hold(tracker: Tracker<RemoteHandle>): Disposable;
  /** Calls back, one turn later, when the connection has ended. */
  whenEnded(callback: () => void): Disposable;
  /**
   * What travels in the place of the handles, as an object of this Tub's: given where there is no connection behind them, but
   * something in this process that forwards their calls.
   */
  standIn?(handle: RemoteHandle): Publishable;
}

/** What references to objects and to functions have in common. */
export abstract class RemoteHandle {
  readonly #owner: HandleOwner;
  readonly #tracker: Tracker<RemoteHandle>;
  readonly #token: HandleToken;

  /** Made by the broker when an object arrives. */
  constructor(owner: HandleOwner, tracker: Tracker<RemoteHandle>) {
    this.#owner = owner;
    this.#tracker = tracker;
    this.#token = owner.watch(tracker, this);
  }

  /** The connection that a handle lives on. */
  static ownerOf(handle: RemoteHandle): HandleOwner {
    return handle.#owner;
  }

  /** What the connection knows about a handle's object. */
  static trackerOf(handle: RemoteHandle): Tracker<RemoteHandle> {
    return handle.#tracker;
  }

  /** Whether a handle was disposed. */
  static isReleased(handle: RemoteHandle): boolean {
    return handle.#token.isReleased;
  }

  /** Keeps a handle's object from being given back until this is disposed. */
  static hold(handle: RemoteHandle): Disposable {
    return handle.#owner.hold(handle.#tracker);
  }

  /** Sends a call by a handle, of an object or of a function. */
  static send(
    handle: RemoteHandle,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): Promise<unknown> {
    return handle.send(method, args, options);
  }

  /** Sends one that wants no answer. */
  static sendOnly(
    handle: RemoteHandle,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void {
    handle.sendOnly(method, args, options);
  }

  /** What travels in the place of a handle; `undefined` if it is what a connection brought. */
  static standInOf(handle: RemoteHandle): Publishable | undefined {
    return handle.#owner.standIn?.(handle);
  }

  /** Whether calls can be made: the connection is there and the handle was not disposed. */
  isConnected(): boolean {
    return this.#dead() === undefined;
  }

  /** The TubID of the peer, as its certificate proves. */
  getRemoteTubID(): string | undefined {
    return this.#owner.peer.tubId;
  }

  /** Where the peer is, for people: `tcp:127.0.0.1:4501`, or `loopback`. Known after the loss as well. */
  getPeer(): string {
    return this.#owner.peer.address;
  }

  /** How the connection came about, and what became of it; `undefined` where no Tub made it. */
  getConnectionInfo(): ConnectionInfo | undefined {
    return this.#owner.connectionInfo;
  }

  /**
   * When something last came from the peer, in milliseconds since 1970: also while a long message is on its way. It is
   * known whether or not there are keepalives; `undefined` before the first byte.
   */
  getDataLastReceivedAt(): number | undefined {
    return this.#owner.receivedAt;
  }

  /** The FURL of the object or function as a value; it points nowhere if the peer has no location. */
  getSturdyRef(): SturdyRef {
    return new SturdyRef(this.#tracker.furl ?? "");
  }

  /** The connection hints of that FURL. */
  getLocationHints(): readonly string[] {
    return this.getSturdyRef().locationHints;
  }

  /** What `Deno.inspect` and `console.log` print: the FURL without its secret. */
  [Symbol.for("Deno.customInspect")](): string {
    const { furl, clid } = this.#tracker;
    const where = furl === undefined ? `to ${this.getRemoteTubID() ?? "an anonymous peer"}` : redact(furl);
    return `${clid < 0 ? "RemoteFunction" : "RemoteReference"}(${where}${
      this.isConnected() ? "" : ", dead"
    })`;
  }

  /**
   * Calls back, in a later turn, when the connection is lost: once, and never more. After the loss: in the next turn.
   * What the callback throws goes to the Tub's trace.
   *
   * @returns Disposing it takes the callback back.
   */
  notifyOnDisconnect(callback: () => void): Disposable {
    return this.#owner.whenEnded(callback);
  }

  /** Takes a callback back. One that is not registered is fine. */
  dontNotifyOnDisconnect(watch: Disposable): void {
    watch[Symbol.dispose]();
  }

  /**
   * Gives the object up for everybody in the process: later calls on this reference fail with a DeadReferenceError, the
   * peer is told when the calls in flight have been answered, and the object's next arrival makes a new reference.
   */
  [Symbol.dispose](): void {
    if (this.#token.isReleased) return;
    if (this.#tracker.shared?.deref() === this) this.#tracker.shared = undefined;
    this.#owner.release(this.#tracker, this.#token);
  }

  /**
   * Sends a call.
   *
   * @ignore
   */
  protected send(method: string, args: readonly unknown[], options: CheckedOptions): Promise<unknown> {
    const dead = this.#dead();
    const { outgoing } = this.#owner;
    if (dead !== undefined) return outgoing.refused(dead, this.#tracker, method, args, options);
    return outgoing.call(this.#tracker, method, args, options);
  }

  /**
   * Sends a call that wants no answer.
   *
   * @ignore
   */
  protected sendOnly(method: string, args: readonly unknown[], options: CheckedOptions): void {
    if (this.#dead() === undefined) this.#owner.outgoing.callOnly(this.#tracker, method, args, options);
  }

  /**
   * Calls the object of a handle that a promise has become. Such calls keep their order with those of the same promise,
   * `line`, and not with those of the object: one of these may be waiting for just this one.
   */
  static callInLine(
    handle: RemoteHandle,
    line: object,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): Promise<unknown> {
    return handle.send(method, args, { ...options, line });
  }

  /** The same for a call that wants no answer. */
  static callOnlyInLine(
    handle: RemoteHandle,
    line: object,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void {
    handle.sendOnly(method, args, { ...options, line });
  }

  /** Makes another handle of a handle's object; throws a DeadReferenceError if that is dead. */
  static duplicate<H extends RemoteHandle>(
    handle: RemoteHandle,
    make: (owner: HandleOwner, tracker: Tracker<RemoteHandle>) => H,
  ): H {
    const dead = handle.#dead();
    if (dead !== undefined) throw dead;
    return make(handle.#owner, handle.#tracker);
  }

  #dead(): DeadReferenceError | undefined {
    if (this.#token.isReleased) return deadReference(undefined);
    const { ended } = this.#owner;
    return ended === undefined ? undefined : deadReference(ended);
  }
}
