/**
 * How large a value is for code that follows every reference in it and remembers nothing.
 *
 * A peer can write a list that contains one list twice, and that one another one twice, and so on: a few bytes, and more
 * paths than there is time. Constraints remember what they have seen; a validator of another library does not.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";

/**
 * Refuses a value in which there are more parts, along all paths, than a container may have elements.
 *
 * @throws {Violation} If there are more, or it is nested too deep, or contains itself.
 */
export function checkTreeSize(value: object): void {
  sizeOf(value, new Map(), 0);
}

/** @param sizes What is known; 0 for an object that is being looked at. */
function sizeOf(value: object, sizes: Map<object, number>, depth: number): number {
  const known = sizes.get(value);
  if (known === 0) throw new Violation("A value that contains itself cannot be given to a validator");
  if (known !== undefined) return known;
  if (depth >= DEFAULT_LIMITS.maxDepth) {
    throw new Violation(`Value is nested deeper than ${DEFAULT_LIMITS.maxDepth}`);
  }
  sizes.set(value, 0);
  let size = 1;
  for (const part of partsOf(value)) {
    size += typeof part === "object" && part !== null ? sizeOf(part, sizes, depth + 1) : 1;
    if (size > DEFAULT_LIMITS.maxElements) {
      throw new Violation(
        `Value has more than ${DEFAULT_LIMITS.maxElements} parts, counted as often as they occur`,
      );
    }
  }
  sizes.set(value, size);
  return size;
}

function* partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) yield* value;
  else if (value instanceof Map) {
    for (const [key, part] of value) {
      yield key;
      yield part;
    }
  } else if (value instanceof Set) yield* value;
  else if (!ArrayBuffer.isView(value)) yield* Object.values(value);
}
