/**
 * The object of a FURL, got again whenever its connection was lost.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { CallContext } from "../broker/call_context.ts";
import { Forwarder } from "../broker/forwarder.ts";
import { NoSuchMethodError, type Referenceable } from "../broker/referenceable.ts";
import { RemoteHandle } from "../broker/remote_handle.ts";
import { RemoteFunction, type RemoteReference, type Untyped } from "../broker/remote_reference.ts";
import { DeadReferenceError, toError } from "../errors.ts";
import { MAX_BRIDGE_WAITING } from "../limits.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";
import type { Tub } from "../tub/tub.ts";
import { quoteForeign } from "../util/text.ts";

/** The name of the method by which clients of Perspective Broker, which has no functions, call one. */
export const CALL = "call";

/**
 * An object of this Tub that hands its calls on to one of a peer's, so that it can be granted here: attenuated, limited and
 * revoked, whatever the peer's Tub is, and served to clients of Perspective Broker by {@linkcode servePb}.
 *
 * A function of the peer's becomes an object with the method `call`. Sent to the peer, it comes home as the object itself.
 *
 * @param target A reference, with which the object dies; or a FURL or SturdyRef, which is followed at the first call, and
 *   again when the connection was lost.
 * @throws {TypeError} If it is none.
 *
 * @example
 * ```ts
 * import { bridge, Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Calculator extends Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * const located = async () => {
 *   const tub = await Tub.create();
 *   tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
 *   return tub;
 * };
 * await using server = await located();
 * const furl = server.registerReference(new Calculator());
 *
 * await using between = await located();
 * const capability = between.registry.grant(bridge.forwarder(between, furl), { maxCalls: 1 });
 *
 * await using client = await Tub.create();
 * const calculator = await client.getReference(capability.furl);
 * assert.equal(await calculator.callRemote("add", 1, 2), 3);
 * await assert.rejects(calculator.callRemote("add", 3, 4));
 * ```
 */
export function forwarder(tub: Tub, target: string | SturdyRef | RemoteHandle): Referenceable {
  if (target instanceof RemoteHandle) return new FurlTarget(() => Promise.resolve(target), () => {});
  if (typeof target !== "string" && !(target instanceof SturdyRef)) {
    throw new TypeError("Cannot forward calls: give a FURL, a SturdyRef or a reference");
  }
  return new FurlTarget(() => tub.getReference(target), () => {});
}

/** Something that Foolscap reaches: an object or function of this process, or of a peer. */
export type FoolscapObject = Publishable | RemoteHandle;

/** A call that waits for the object: is given it, or why there is none. */
type Waiting = (found: RemoteHandle | Error) => void;

/** Stands for the object of a FURL. Calls are made in the order in which they came, also those that wait for it. */
export class FurlTarget extends Forwarder {
  readonly #get: () => Promise<RemoteHandle>;
  readonly #onLost: () => void;
  #handle: RemoteHandle | undefined;
  #line: Waiting[] = [];
  #attempt: Promise<void> | undefined;

  /** @param onLost Is called, in a later turn, when the connection with the object was lost. Must not throw. */
  constructor(get: () => Promise<RemoteHandle>, onLost: () => void) {
    super();
    this.#get = get;
    this.#onLost = onLost;
  }

  override get target(): RemoteHandle | undefined {
    return this.#handle?.isConnected() === true ? this.#handle : undefined;
  }

  /** Gets the object. @throws What `get` does. */
  async reach(): Promise<void> {
    if (this.target !== undefined) return;
    await (this.#attempt ??= this.#try().finally(() => this.#attempt = undefined));
  }

  override doRemoteCall(name: string, args: unknown[], context: CallContext): unknown {
    const { target } = this;
    if (target !== undefined && this.#line.length === 0) return call(target, name, args, context);
    if (this.#line.length >= MAX_BRIDGE_WAITING) {
      throw new DeadReferenceError(
        `Cannot call ${quoteForeign(name, 100)}: ${MAX_BRIDGE_WAITING} calls wait for the object already`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const leave = context.whenAborted(reject);
    this.#line.push((found) => {
      leave();
      // The caller has given up while it waited, so the call is not made.
      if (context.abortReason !== undefined) return;
      if (found instanceof Error) return reject(found);
      try {
        resolve(call(found, name, args, context));
      } catch (error) {
        reject(error);
      }
    });
    // What goes wrong is told to the waiting calls, by `#tell`.
    this.reach().catch(() => {});
    return promise;
  }

  async #try(): Promise<void> {
    let found: RemoteHandle | Error;
    try {
      found = this.#handle = await this.#get();
      found.notifyOnDisconnect(this.#onLost);
    } catch (thrown) {
      const cause = toError(thrown);
      found = new DeadReferenceError("Cannot call: the object cannot be reached", { cause });
      this.#tell(found);
      throw cause;
    }
    this.#tell(found);
  }

  #tell(found: RemoteHandle | Error): void {
    const line = this.#line;
    this.#line = [];
    for (const waiting of line) waiting(found);
  }
}

function call(handle: RemoteHandle, name: string, args: unknown[], context: CallContext): unknown {
  const { signal } = context;
  if (!(handle instanceof RemoteFunction)) {
    return (handle as RemoteReference<Untyped>).with({ signal }).callRemote(name, ...args);
  }
  if (name !== CALL) {
    throw new NoSuchMethodError(`a function has no method ${quoteForeign(name, 100)}, only "${CALL}"`);
  }
  return handle.with({ signal }).callRemote(...args);
}
