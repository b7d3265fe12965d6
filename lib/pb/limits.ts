/**
 * What a peer that speaks Perspective Broker can make this process spend, with units and reasons.
 *
 * @module
 */

import { resolveNumbers } from "./resolve_numbers.ts";

const MiB = 1024 * 1024;

/** Limits of one Perspective Broker connection, or of one stored value. */
export interface PbLimits {
  /** Longest byte string, in bytes. Twisted's number: its peers refuse a longer one, so both ends must agree. */
  readonly maxStringBytes: number;
  /** Elements of one list of an s-expression. Twisted's number too. */
  readonly maxListElements: number;
  /**
   * Memory that one s-expression may take, in bytes, by an estimate: 96 for each string beside its length, 48 for each
   * list, and 16 for each element that a list announces. Twisted has no such limit.
   */
  readonly maxExpressionBytes: number;
  /** Lists inside each other in what arrives. Twisted's Python gives up at some 320 of its own. */
  readonly maxDepth: number;
  /**
   * Lists inside each other in what is sent, each shared one counted twice. A Python peer that gets an answer deeper than it
   * can follow (some 320 levels) ends the connection.
   */
  readonly maxSentDepth: number;
}

/** The limits that hold where nothing else is said: Twisted's own where it has any. */
export const DEFAULT_PB_LIMITS: PbLimits = Object.freeze({
  maxStringBytes: 655_360,
  maxListElements: 655_360,
  maxExpressionBytes: 128 * MiB,
  maxDepth: 1_000,
  maxSentDepth: 300,
});

/**
 * What holds until a dialect is agreed on, for everybody: an offer of dialects, or the name of one, is all that may come, and
 * whoever sends it need not be known.
 */
export const NEGOTIATION_LIMITS: PbLimits = Object.freeze({
  maxStringBytes: 1_000,
  maxListElements: 1_000,
  maxExpressionBytes: 64 * 1024,
  maxDepth: 2,
  maxSentDepth: 2,
});

/**
 * The defaults, with some numbers replaced.
 *
 * @throws {TypeError} If a name is unknown.
 * @throws {RangeError} If a number is not a whole one of 1 or more, or `maxDepth` or `maxSentDepth` is above 1,000.
 */
export function resolvePbLimits(limits: Partial<PbLimits> = {}): PbLimits {
  return checkDepths(resolveNumbers(DEFAULT_PB_LIMITS, limits));
}

/** @throws {RangeError} If a depth is more than the stack bears. */
export function checkDepths<T extends PbLimits>(limits: T): T {
  for (const name of ["maxDepth", "maxSentDepth"] as const) {
    if (limits[name] > MAX_STACKED) {
      throw new RangeError(
        `Cannot set the limit ${name}: ${limits[name]} is above ${MAX_STACKED}, which the stack bears`,
      );
    }
  }
  return limits;
}

/** Digits of a token's prefix, and so 7 bits each of a number. Twisted's number; not adjustable, as in Foolscap. */
export const MAX_PREFIX_DIGITS = 64;
/** Values are read and written by functions that call themselves: this deep is safe. */
const MAX_STACKED = 1_000;
