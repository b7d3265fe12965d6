/**
 * What a callee can know about the call that it serves.
 *
 * @module
 */

/** The connection that a call came by, for the callee. */
export interface PeerInfo {
  /** The TubID that the peer has proved; `undefined` for a peer without a certificate. */
  readonly tubId: string | undefined;
  /** Where the peer is, for people: `tcp:127.0.0.1:4501`, or `loopback`. */
  readonly address: string;
}

/**
 * What a method can know about the call that it serves: given to `doRemoteCall`, and by
 * {@linkcode currentCall} to a `remote_` method.
 */
export class CallContext {
  /** The TubID of the caller, as its certificate proves; `undefined` for a peer without one. */
  readonly caller: string | undefined;
  /** The connection that the call came by. */
  readonly connection: PeerInfo;
  /** The name of the method, without `remote_`. */
  readonly method: string;
  /** Milliseconds since 1970 at which the caller stops waiting, where the caller said so. */
  readonly deadline: number | undefined = undefined;
  /** An identifier that ties calls together, where the caller gave one. */
  readonly traceId: string | undefined = undefined;
  #controller: AbortController | undefined;
  #reason: unknown;
  #isAborted = false;

  /** The context of a call. */
  constructor(connection: PeerInfo, method: string) {
    this.connection = connection;
    this.caller = connection.tubId;
    this.method = method;
  }

  /** Fires when nobody waits for the result any more: the connection is gone. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Ends the wait for the result. Called by the broker. */
  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

let current: CallContext | undefined;

/**
 * The call that is being served. Read it at the beginning of a `remote_` method, before its first `await`: after
 * that another call may be the current one.
 *
 * @returns `undefined` outside of a remote call.
 *
 * @example
 * ```ts
 * import { currentCall, Referenceable } from "../../mod.ts";
 *
 * class Door extends Referenceable {
 *   async remote_open() {
 *     const { caller, signal } = currentCall()!;
 *     await Promise.resolve(signal.aborted);
 *     return `opened for ${caller}`;
 *   }
 * }
 * new Door();
 * ```
 */
export function currentCall(): CallContext | undefined {
  return current;
}

/** Makes `context` the current call. Returns what is to be given to {@linkcode leaveCall}. */
export function enterCall(context: CallContext): CallContext | undefined {
  const before = current;
  current = context;
  return before;
}

/** Ends what {@linkcode enterCall} began. */
export function leaveCall(before: CallContext | undefined): void {
  current = before;
}
