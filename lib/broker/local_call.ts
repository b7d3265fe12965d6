/**
 * Calls of objects of this process, as if they were elsewhere.
 *
 * @module
 */

import { CallContext, enterCall, leaveCall, type PeerInfo } from "./call_context.ts";
import type { Referenceable } from "./referenceable.ts";

/** Who calls: nobody from outside. */
const HERE: PeerInfo = { tubId: undefined, address: "local" };

/** The context of a call that comes from this process. */
export function localContext(method: string): CallContext {
  return new CallContext(HERE, method);
}

/** Makes a call. Arguments and result are not copied. */
export async function callLocally(
  object: Referenceable,
  name: string,
  args: readonly unknown[],
  context: CallContext,
): Promise<unknown> {
  const before = enterCall(context);
  let result: unknown;
  try {
    result = object.doRemoteCall(name, [...args], context);
  } finally {
    leaveCall(before);
  }
  return await result;
}
