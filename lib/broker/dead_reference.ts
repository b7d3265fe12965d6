/**
 * The error of calls that nothing can carry any more.
 *
 * @module
 */

import { DeadReferenceError, PermissionDenied, ProtocolError } from "../errors.ts";
import { lostBy, whyLost } from "../util/lost.ts";

const RELEASED = "Reference is dead: released, since the program has disposed it: " +
  "get the object again, and keep a handle of your own with ref.dup() where others dispose theirs";

/**
 * Why a reference is dead.
 *
 * @param ended What ended its connection; `undefined` if it was disposed.
 */
export function deadReference(ended: Error | undefined): DeadReferenceError {
  if (ended === undefined) return new DeadReferenceError(RELEASED);
  if (ended instanceof DeadReferenceError && ended.message.startsWith("Reference is dead: ")) return ended;
  if (ended instanceof PermissionDenied) {
    return new DeadReferenceError(
      "Reference is dead: it came by a capability that allows nothing any more, see the cause",
      {
        cause: ended,
      },
    );
  }
  if (ended instanceof ProtocolError) lostBy("protocol", ended);
  return new DeadReferenceError(`Reference is dead: the connection was lost, ${whyLost(ended)}`, {
    cause: ended,
  });
}
