/**
 * What happens on connections of Perspective Broker, reported to one function. Nothing in the library prints.
 *
 * @module
 */

/** What is reported to the option `trace`. No event carries a value that a call carried. */
export type PbTraceEvent =
  /** A connection was agreed on. */
  | { readonly type: "connected"; readonly peer: string; readonly dialect: string }
  /** A connection ended before or after that; `error` says why. */
  | { readonly type: "disconnected"; readonly peer: string; readonly error: Error }
  /** The peer broke the protocol; `disconnected` follows. */
  | { readonly type: "protocol-error"; readonly peer: string; readonly error: Error }
  /**
   * A call of the peer failed here by something else than a {@linkcode PbError}; `error` is what the method threw, before
   * anything was hidden from the peer.
   */
  | { readonly type: "call-failed"; readonly peer: string; readonly method: string; readonly error: Error }
  /** A login of the peer failed here; the `cause` of `error` says what nobody else is told. */
  | { readonly type: "login-failed"; readonly peer: string; readonly error: Error }
  /** Something that the peer sent was dropped without harm, such as an answer to no call. */
  | { readonly type: "dropped"; readonly peer: string; readonly reason: string }
  /** A connection that is kept up has failed or was lost, and is tried again in `delayMs`. */
  | { readonly type: "reconnect-waiting"; readonly delayMs: number; readonly error: Error | undefined }
  /** A callback of the program threw; nothing else is affected. */
  | { readonly type: "callback-failed"; readonly where: string; readonly error: Error };

/** Receives what happens. What it throws is ignored. */
export type PbTrace = (event: PbTraceEvent) => void;

/** A trace that throws nothing, whatever the program's own does. */
export function safePbTrace(trace: PbTrace | undefined): PbTrace {
  if (trace === undefined) return () => {};
  return (event) => {
    try {
      trace(event);
    } catch {
      // The hook of last resort: there is nobody left to tell.
    }
  };
}
