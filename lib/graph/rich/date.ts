/**
 * Dates, invalid ones too.
 *
 * `OPEN date FLOAT(milliseconds since 1970, or NaN) CLOSE`
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { FLOAT } from "../../wire/tokens.ts";
import { OBJECT_COST } from "../costs.ts";
import type { Slicing } from "../slicing.ts";
import { Float } from "../../values/float.ts";
import { ObjectLeaf } from "./leaf.ts";

/** The first and last moment that a Date can be, in milliseconds from 1970. */
const MAX_TIME = 8.64e15;

/** A Date. */
export function sliceDate(value: Date, out: Slicing): void {
  const number = out.beginShared(value, "date");
  if (number < 0) return;
  // Not value.getTime(): a subclass may have another idea of it.
  out.encoder.double(Date.prototype.getTime.call(value));
  out.end(number);
}

/** Takes one FLOAT and gives a Date. */
export class DateUnslicer extends ObjectLeaf {
  protected override readonly cost = OBJECT_COST;
  #time: number | undefined;

  override start(objectNumber: number): void {
    this.#time = undefined;
    super.start(objectNumber);
  }
  override checkToken(type: number): void {
    if (type !== FLOAT || this.count > 0) throw new Violation("A date takes one FLOAT and nothing else");
  }
  override receive(value: unknown): void {
    this.#time = value instanceof Float ? value.value : value as number;
  }
  override close(): Date {
    const time = this.#time;
    if (time === undefined) throw new Violation("A date without its time");
    if (!Number.isNaN(time) && !(Number.isInteger(time) && Math.abs(time) <= MAX_TIME)) {
      throw new Violation("The time of a date is out of range, or no whole number of milliseconds");
    }
    return this.made(new Date(time));
  }
}
