/**
 * Regular expressions. Nothing here ever runs one: a peer's can take forever, and whoever uses it has to know whose it
 * is. As with `structuredClone`, `lastIndex` begins at 0.
 *
 * `OPEN regexp STRING(source) STRING(flags) CLOSE`
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { MAX_REGEXP_BYTES } from "../../limits.ts";
import { encodeText } from "../../util/text.ts";
import { REGEXP_COST } from "../costs.ts";
import type { Slicing } from "../slicing.ts";
import { TextLeaf } from "./leaf.ts";
import { regexpCost } from "./regexp_costs.ts";

/** More letters than there are flags. */
const MAX_FLAGS = 16;

/** A RegExp. */
export function sliceRegExp(value: RegExp, out: Slicing): void {
  const number = out.beginShared(value, "regexp");
  if (number < 0) return;
  const { source, flags } = value;
  if (!source.isWellFormed()) throw new Violation("Cannot serialize a RegExp with a lone surrogate");
  if (source.length > MAX_REGEXP_BYTES || encodeText(source).length > MAX_REGEXP_BYTES) {
    throw new Violation(`Cannot serialize a RegExp of more than ${MAX_REGEXP_BYTES} bytes: send its source`);
  }
  out.encoder.word(source);
  out.encoder.word(flags);
  out.end(number);
}

/** Takes two STRINGs and gives a RegExp. */
export class RegExpUnslicer extends TextLeaf {
  protected override readonly word = "regexp";
  protected override readonly cost = REGEXP_COST;
  protected override readonly limits = [MAX_REGEXP_BYTES, MAX_FLAGS];

  protected override make([source, flags]: readonly string[]): RegExp {
    this.receiver.spend(regexpCost(source!, flags!));
    try {
      return new RegExp(source!, flags);
    } catch {
      // The engine's message has the whole source in it.
      throw new Violation("The source of a regexp, or its flags, cannot be compiled");
    }
  }
}
