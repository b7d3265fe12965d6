/**
 * Values and s-expressions without a connection.
 *
 * Source: Twisted `jelly.py`, `jelly`, `unjelly`; `banana.py`, `encode`, `decode`.
 *
 * @module
 */

import { BananaDecoder } from "../banana/decoder.ts";
import { BananaEncoder } from "../banana/encoder.ts";
import type { Expression } from "../banana/expression.ts";
import { BananaError } from "../errors.ts";
import { DEFAULT_PB_LIMITS, type PbLimits, resolvePbLimits } from "../limits.ts";
import { Jellier, type JellierOptions } from "./jellier.ts";
import { Unjellier, type UnjellierOptions } from "./unjellier.ts";

/** A stored value is as deep as one that can be read. */
const STORED: PbLimits = resolvePbLimits({ maxSentDepth: DEFAULT_PB_LIMITS.maxDepth });

/**
 * The s-expression of a value, for storage: `pb.encode(pb.jelly(value))` is bytes.
 *
 * @param value Any value of the value table, and objects of classes that write themselves or are allowed by `security`.
 * @throws {Violation} If some part cannot be jellied; `where` names it.
 *
 * @example
 * ```ts
 * import { pb, tuple } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const bytes = pb.encode(pb.jelly([1, "two", tuple(3, null)]));
 * assert.deepEqual(pb.unjelly(pb.decode(bytes)), [1, "two", tuple(3, null)]);
 * ```
 */
export function jelly(value: unknown, options: JellierOptions = {}): Expression {
  const encoder = new BananaEncoder(false, STORED);
  const jellier = new Jellier(encoder, { limits: STORED, ...options });
  try {
    jellier.jelly(value);
    jellier.commit();
  } finally {
    jellier.undo();
  }
  return decode(encoder.take());
}

/**
 * The value of an s-expression.
 *
 * @throws {InsecureJelly} If it names a form or class that is not declared.
 * @throws {Violation} If it makes no sense.
 */
export function unjelly(expression: Expression, options: UnjellierOptions = {}): unknown {
  return new Unjellier(options).unjellyFull(expression);
}

/**
 * The bytes of an s-expression, in Banana's dialect `none`.
 *
 * @throws {Violation} If something in it is no number, byte string or list, or exceeds a limit of Banana.
 */
export function encode(expression: Expression): Uint8Array<ArrayBuffer> {
  const encoder = new BananaEncoder(false, STORED);
  encoder.expression(expression);
  return encoder.take();
}

/**
 * The s-expression of bytes, in Banana's dialect `none`.
 *
 * @throws {BananaError} If they are not exactly one expression, or exceed a limit.
 */
export function decode(bytes: Uint8Array, limits: Partial<PbLimits> = {}): Expression {
  const expressions: Expression[] = [];
  const decoder = new BananaDecoder(
    (expression) => {
      expressions.push(expression);
      if (expressions.length > 1) throw new BananaError("Cannot decode: there is more than one expression");
    },
    false,
    resolvePbLimits(limits),
  );
  decoder.push(bytes);
  if (expressions.length === 0 || !decoder.betweenExpressions) {
    throw new BananaError("Cannot decode: the bytes end within an expression");
  }
  return expressions[0]!;
}
