/**
 * References to objects of peers, as the other side of a membrane has them: they are called and watched as those are, and
 * where they are passed on to a peer, an object of this Tub's goes in their place.
 *
 * @module
 */

import type { Publishable } from "../../broker/callable.ts";
import type { CallContext, PeerInfo } from "../../broker/call_context.ts";
import { parentCall } from "../../broker/call_context.ts";
import { type CheckedOptions, localContext } from "../../broker/call.ts";
import { type HandleToken, Tracker } from "../../broker/import_table.ts";
import { deadReference } from "../../broker/dead_reference.ts";
import { type HandleOwner, RemoteHandle } from "../../broker/remote_handle.ts";
import { standFor } from "../../broker/remotely_callable.ts";
import { rejected, RemoteFunction, RemotePromise, RemoteReference } from "../../broker/remote_reference.ts";
import { PermissionDenied } from "../../errors.ts";
import type { Behind } from "./calls.ts";

/** How a call is sent on. */
export interface SendingOptions {
  readonly options: CheckedOptions;
  readonly wantsAnswer: boolean;
  /** As whose call it is asked for, if not as that of its context. */
  readonly as?: CallContext;
}

/** What stands behind such references. */
export interface BehindHandles extends Behind {
  pass(
    key: object,
    method: string,
    args: readonly unknown[],
    context: CallContext,
    sending?: SendingOptions,
  ): unknown;
  /** What calls fail with since the membrane was cut. */
  cut(method: string): PermissionDenied | undefined;
  /** Calls back when the membrane is cut. */
  whenCut(callback: () => void): Disposable;
  /** The object of this Tub's that stands for the target of a key. */
  standInFor(key: object): Publishable;
}

/**
 * Stands in the place of a connection: one for each reference that has crossed. A call of such a reference is this process's
 * own, whomever it serves: no caller is vouched for.
 */
export class CrossedHandle implements HandleOwner {
  readonly peer: PeerInfo;
  readonly connectionInfo = undefined;
  readonly #behind: BehindHandles;
  #standIn: Publishable | undefined;

  constructor(behind: BehindHandles, target: RemoteHandle) {
    this.#behind = behind;
    this.peer = RemoteHandle.ownerOf(target).peer;
  }

  /** What is behind a reference; `undefined` if it comes of a connection. */
  static of(handle: RemoteHandle): CrossedHandle | undefined {
    const owner = RemoteHandle.ownerOf(handle);
    return owner instanceof CrossedHandle ? owner : undefined;
  }

  get #target(): RemoteHandle | undefined {
    return this.#behind.target(this) as RemoteHandle | undefined;
  }

  get ended(): Error | undefined {
    const target = this.#target;
    if (target === undefined) return this.#behind.cut("");
    if (RemoteHandle.isReleased(target)) return deadReference(undefined);
    return RemoteHandle.ownerOf(target).ended;
  }

  get receivedAt(): number | undefined {
    return this.#target?.getDataLastReceivedAt();
  }

  get outgoing(): this {
    return this;
  }

  call(
    _tracker: Tracker<RemoteHandle>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): Promise<unknown> {
    const context = contextFor(method, options);
    const as = localContext(method, false);
    return new RemotePromise((resolve, reject) => {
      try {
        resolve(this.#behind.pass(this, method, args, context, { options, wantsAnswer: true, as }));
      } catch (error) {
        reject(error);
      }
    });
  }

  /** Passes a call on that something in front of it has let pass. */
  forward(method: string, args: readonly unknown[], context: CallContext, sending: SendingOptions): unknown {
    return this.#behind.pass(this, method, args, context, sending);
  }

  /** Where a membrane was cut, that is asked all the same: it takes down what it refuses. */
  refused(
    error: Error,
    tracker: Tracker<RemoteHandle>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): Promise<unknown> {
    if (!(error.cause instanceof PermissionDenied)) return rejected(error);
    return this.call(tracker, method, args, options);
  }

  callOnly(
    _tracker: Tracker<RemoteHandle>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void {
    try {
      const as = localContext(method, false);
      this.#behind.pass(this, method, args, contextFor(method, options), { options, wantsAnswer: false, as });
    } catch {
      // The caller wants no answer, so there is nobody to tell.
    }
  }

  watch(): HandleToken {
    return { isReleased: false };
  }

  /** The reference behind is the other side's to give up. */
  release(_tracker: Tracker<RemoteHandle>, token: HandleToken): void {
    token.isReleased = true;
  }

  hold(): Disposable {
    const target = this.#target;
    return target === undefined ? { [Symbol.dispose]() {} } : RemoteHandle.hold(target);
  }

  whenEnded(callback: () => void): Disposable {
    const stack = new DisposableStack();
    const once = () => {
      if (stack.disposed) return;
      stack.dispose();
      return callback();
    };
    const watch = this.#target?.notifyOnDisconnect(once);
    if (watch !== undefined) stack.use(watch);
    stack.use(this.#behind.whenCut(once));
    return { [Symbol.dispose]: () => stack.dispose() };
  }

  standIn(handle: RemoteHandle): Publishable {
    if (this.#standIn === undefined) {
      this.#standIn = this.#behind.standInFor(this);
      standFor(this.#standIn, handle);
    }
    return this.#standIn;
  }
}

/** The reference that the other side of a membrane gets for one, and what is behind it. */
export function crossedHandle(
  target: RemoteHandle,
  behind: BehindHandles,
): { readonly handle: RemoteHandle; readonly key: CrossedHandle } {
  const { clid, interfaceName } = RemoteHandle.trackerOf(target);
  const tracker = new Tracker<RemoteHandle>(clid);
  tracker.interfaceName = interfaceName;
  const key = new CrossedHandle(behind, target);
  const handle = target instanceof RemoteFunction
    ? new RemoteFunction(key, tracker)
    : new RemoteReference(key, tracker);
  return { handle, key };
}

function contextFor(method: string, { detached }: CheckedOptions): CallContext {
  return (detached === true ? undefined : parentCall()) ?? localContext(method, false);
}
