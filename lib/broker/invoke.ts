/**
 * The call of a method or function of ours, on behalf of a peer.
 *
 * @module
 */

import type { InboundCall } from "./call.ts";
import { enterCall, leaveCall } from "./call_context.ts";

/** Makes a call: it is the current one for as long as it runs synchronously. Gives and throws what the callee does. */
export function invoke({ target, method, args, context }: InboundCall): unknown {
  const before = enterCall(context);
  try {
    return typeof target === "function" ? target(...args) : target!.doRemoteCall(method, args, context);
  } finally {
    leaveCall(before);
  }
}
