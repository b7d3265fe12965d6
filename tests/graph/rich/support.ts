/**
 * Values to bytes and back, with the values that only JavaScript has.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RICH_SLICERS, RICH_UNSLICERS } from "../../../lib/graph/rich/tables.ts";
import type { Limits } from "../../../lib/limits.ts";
import { encodeValues, TestReceiver } from "../../support/graph_receiver.ts";

/** The bytes of a value. */
export function encodeRich(value: unknown): Uint8Array<ArrayBuffer> {
  return encodeValues([value], 1, RICH_SLICERS);
}

/** A receiver that knows these values. */
export function richReceiver(limits: Partial<Limits> = {}): TestReceiver {
  return new TestReceiver({ unslicers: RICH_UNSLICERS, limits });
}

/** What arrives of a value that is sent. */
export function sent<T>(value: T): T {
  const { values, violations } = richReceiver().push(encodeRich(value), 7, 1);
  assert.deepEqual(violations, []);
  assert.equal(values.length, 1);
  return values[0] as T;
}
