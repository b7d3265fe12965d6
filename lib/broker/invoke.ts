/**
 * The call of a method or function of ours, on behalf of a peer.
 *
 * @module
 */

import type { InboundCall } from "./call.ts";

/** Makes a call. Gives and throws what the callee does. */
export function invoke({ target, method, args, context }: InboundCall): unknown {
  return typeof target === "function" ? target(...args) : target!.doRemoteCall(method, args, context);
}
