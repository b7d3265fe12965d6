/**
 * Bigints that are small enough to be taken for numbers. Larger ones are told from them by their size.
 *
 * `OPEN bigint INT|NEG|LONGINT|LONGNEG CLOSE`
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { INT, LONGINT, LONGNEG, NEG } from "../../wire/tokens.ts";
import { SEQUENCE_COST } from "../costs.ts";
import type { Slicing } from "../slicing.ts";
import { Unslicer } from "../unslicer.ts";

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** A bigint that stays one. */
export function sliceTypedBigint(value: bigint, out: Slicing): void {
  const { encoder } = out;
  if (value > MAX_SAFE || value < -MAX_SAFE) return encoder.bigInteger(value);
  const number = encoder.open("bigint");
  encoder.bigInteger(value);
  encoder.close(number);
}

/** Takes one integer and gives it as a bigint. */
export class BigintUnslicer extends Unslicer {
  #value: bigint | undefined;

  override start(): void {
    this.#value = undefined;
    this.receiver.spend(SEQUENCE_COST);
  }
  override checkToken(type: number): void {
    if (this.count > 0 || (type !== INT && type !== NEG && type !== LONGINT && type !== LONGNEG)) {
      throw new Violation("A bigint takes one integer and nothing else");
    }
  }
  override receive(value: unknown): void {
    this.#value = BigInt(value as number | bigint);
  }
  override close(): bigint {
    const value = this.#value;
    if (value === undefined) throw new Violation("A bigint without its number");
    this.#value = undefined; // this unslicer is kept, and a long number shall not be
    return value;
  }
}
