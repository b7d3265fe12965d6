/**
 * The collector of JavaScript, for tests that look for what is kept.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects what nobody holds. What was held in this turn may be held until the next one. */
export const collectGarbage: () => void = runInNewContext("gc");
