/**
 * The place of one sequence on a receiver's stack.
 *
 * Frames are kept by depth and used again and again. They hold what the receiver looks at for every
 * token, so that this is one kind of object for V8, whichever of the many kinds of unslicers is on top.
 *
 * @module
 */

import type { Unslicer } from "./unslicer.ts";

/** What a receiver knows of a sequence that is open. */
export class Frame {
  /** Who builds the value. */
  unslicer: Unslicer | undefined;
  /** Children received so far. */
  count = 0;
  /** How many children there may be. */
  maxChildren = 0;
  /** The number in the OPEN token, which CLOSE repeats. */
  openNumber = 0;
  /** Whether the unslicer wants to be asked about each token. */
  checksTokens = true;
  /** Whether the unslicer has a say in which sequences may be inside. */
  choosesTypes = true;
}
