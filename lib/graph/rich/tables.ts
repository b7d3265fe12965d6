/**
 * The slicers and unslicers of the values that only JavaScript has, for connections with a Tub of this library, and for
 * storage that Python need not read. `docs/wire.md` shows the bytes.
 *
 * @module
 */

import { sliceMap, sliceSet } from "../dict_and_set.ts";
import type { Slicer, SlicerTable } from "../slicing.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "../tables.ts";
import type { UnslicerTable, UnslicerType } from "../unslicer.ts";
import { Dict } from "../../values/dict.ts";
import { ValueSet } from "../../values/value_set.ts";
import {
  BigintUnslicer,
  DateUnslicer,
  RegExpUnslicer,
  sliceDate,
  sliceRegExp,
  sliceTypedBigint,
  sliceUndefined,
  sliceUrl,
  TEMPORAL_SLICERS,
  TemporalUnslicer,
  UndefinedUnslicer,
  UrlUnslicer,
} from "./leaves.ts";
import { type ErrorRules, errorSlicer, ErrorValueUnslicer, STORED_ERRORS } from "./errors.ts";
import { JsMapUnslicer, JsSetUnslicer, sliceJsMap, sliceJsSet } from "./collections.ts";
import { MEMORY_SLICERS, TypedArrayUnslicer } from "./typed_array.ts";

/** The table with slicers for the values that only JavaScript has. */
export function withRichSlicers(table: SlicerTable, errors: ErrorRules): SlicerTable {
  return table.extend(
    [
      [Map.prototype, sliceJsMap as Slicer],
      [Set.prototype, sliceJsSet as Slicer],
      // What compares as Python does stays what it is.
      [Dict.prototype, sliceMap as Slicer],
      [ValueSet.prototype, sliceSet as Slicer],
      [Date.prototype, sliceDate as Slicer],
      [Error.prototype, errorSlicer(errors)],
      [URL.prototype, sliceUrl as Slicer],
      [RegExp.prototype, sliceRegExp as Slicer],
      ...MEMORY_SLICERS,
      ...TEMPORAL_SLICERS,
    ],
    [["undefined", sliceUndefined as Slicer], ["bigint", sliceTypedBigint as Slicer]],
  );
}

/** The table with unslicers for the values that only JavaScript has. */
export function withRichUnslicers(table: UnslicerTable, errors: ErrorRules): UnslicerTable {
  const types: [string, UnslicerType][] = [
    ["undefined", { isLeaf: true, plain: "none", make: (receiver) => new UndefinedUnslicer(receiver) }],
    ["bigint", { isLeaf: true, make: (receiver) => new BigintUnslicer(receiver) }],
    ["js-map", { plain: "dict", make: (receiver) => new JsMapUnslicer(receiver) }],
    ["js-set", { plain: "set", make: (receiver) => new JsSetUnslicer(receiver) }],
    ["date", { isLeaf: true, make: (receiver) => new DateUnslicer(receiver) }],
    ["js-error", { make: (receiver) => new ErrorValueUnslicer(receiver, errors) }],
    ["url", { isLeaf: true, make: (receiver) => new UrlUnslicer(receiver) }],
    ["regexp", { isLeaf: true, make: (receiver) => new RegExpUnslicer(receiver) }],
    ["typed-array", { isLeaf: true, make: (receiver) => new TypedArrayUnslicer(receiver) }],
    ["temporal", { isLeaf: true, make: (receiver) => new TemporalUnslicer(receiver) }],
  ];
  return table.extend(types);
}

/** Slicers for storage that Python need not read. */
export const RICH_SLICERS: SlicerTable = withRichSlicers(BASE_SLICERS, STORED_ERRORS);
/** Unslicers for it. */
export const RICH_UNSLICERS: UnslicerTable = withRichUnslicers(BASE_UNSLICERS, STORED_ERRORS);
