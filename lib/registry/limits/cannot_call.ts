/**
 * How the refusal of a call begins.
 *
 * @module
 */

import { quoteForeign } from "../../util/text.ts";

/** `Cannot call "write"`, or what stands for a function, which has no methods. The name is the caller's own. */
export function cannotCall(method: string): string {
  return method === "" ? "Cannot call the function" : `Cannot call ${quoteForeign(method, 100)}`;
}
