/**
 * Calls of objects of this process, as if they were elsewhere.
 *
 * @module
 */

import { CallContext, type CallTime, type PeerInfo, runInCall } from "./call_context.ts";
import type { Referenceable } from "./referenceable.ts";

/** Who calls: nobody from outside. */
const HERE: PeerInfo = { tubId: undefined, address: "local" };

/** The context of a call that comes from this process. */
export function localContext(method: string, isCancellable: boolean, time?: CallTime): CallContext {
  return new CallContext(HERE, method, isCancellable, time);
}

/** Makes a call. Arguments and result are not copied. */
export function callLocally(
  object: Referenceable,
  name: string,
  args: readonly unknown[],
  context: CallContext,
): Promise<unknown> {
  return runInCall(context, (args) => run(object, name, args, context), [...args]);
}

async function run(
  object: Referenceable,
  name: string,
  args: unknown[],
  context: CallContext,
): Promise<unknown> {
  try {
    return await object.doRemoteCall(name, args, context);
  } finally {
    context.end();
  }
}
