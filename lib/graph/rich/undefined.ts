/**
 * `undefined`, which is not `null` between two Tubs of this library.
 *
 * `OPEN undefined CLOSE`
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { sliceNone } from "../atoms.ts";
import type { Slicing } from "../slicing.ts";
import { Unslicer } from "../unslicer.ts";

/** `null`, and `undefined`. */
export function sliceUndefined(value: null | undefined, out: Slicing): void {
  if (value === null) return sliceNone(value, out);
  out.encoder.close(out.encoder.open("undefined"));
}

/** Takes nothing, gives `undefined`. */
export class UndefinedUnslicer extends Unslicer {
  override checkToken(): void {
    throw new Violation("An undefined takes no tokens");
  }
  override receive(): void {}
  override close(): undefined {}
}
