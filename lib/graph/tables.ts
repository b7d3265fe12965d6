/**
 * The slicers and unslicers that every connection and the storage have in common: the value table of the
 * design, without references.
 *
 * @module
 */

import {
  BooleanUnslicer,
  DecimalUnslicer,
  NoneUnslicer,
  sliceBigint,
  sliceBoolean,
  sliceBytes,
  sliceDecimal,
  sliceFloat,
  sliceFunction,
  sliceNone,
  sliceNumber,
  sliceText,
  TextUnslicer,
} from "./atoms.ts";
import { Copyable, CopyableUnslicer, sliceCopyable, sliceState } from "./copyable.ts";
import { DictUnslicer, sliceMap, sliceObject } from "./dict.ts";
import { ListUnslicer, sliceList, sliceTuple, TupleUnslicer } from "./list.ts";
import { SetUnslicer, sliceFrozenSet, sliceSet } from "./set.ts";
import { ReferenceUnslicer } from "./shared.ts";
import { SlicerTable } from "./slicing.ts";
import { UnslicerTable } from "./unslicer.ts";
import { Decimal } from "./values/decimal.ts";
import { Float } from "./values/float.ts";
import { Tuple } from "./values/tuple.ts";
import { FrozenSet } from "./values/frozen_set.ts";

const views = [
  Object.getPrototypeOf(Uint8Array.prototype) as object, // all typed arrays
  DataView.prototype,
];

/** Slicers for every value that is not a reference. */
export const BASE_SLICERS: SlicerTable = new SlicerTable(
  [
    ["string", sliceText],
    ["number", sliceNumber],
    ["bigint", sliceBigint],
    ["boolean", sliceBoolean],
    ["undefined", sliceNone],
    ["function", sliceFunction],
  ],
  [
    [Array.prototype, sliceList],
    [Tuple.prototype, sliceTuple],
    [Object.prototype, sliceObject],
    [null, sliceObject],
    [Map.prototype, sliceMap],
    [Set.prototype, sliceSet],
    [FrozenSet.prototype, sliceFrozenSet],
    [Decimal.prototype, sliceDecimal],
    [Float.prototype, sliceFloat],
    [Copyable.prototype, sliceCopyable],
    ...views.map((view) => [view, sliceBytes] as const),
  ],
  (copier) => (value, out) => {
    let parts: readonly [string, Record<string, unknown>];
    const known = out.isKnown(value as object);
    if (!known) parts = copier(value as object);
    sliceState(value as object, known ? "" : parts![0], () => parts[1], out);
  },
);

/** Unslicers for every value that is not a reference to an object of a Tub. */
export const BASE_UNSLICERS: UnslicerTable = new UnslicerTable([
  ["none", { isLeaf: true, make: (receiver) => new NoneUnslicer(receiver) }],
  ["boolean", { isLeaf: true, make: (receiver) => new BooleanUnslicer(receiver) }],
  ["unicode", { isLeaf: true, make: (receiver) => new TextUnslicer(receiver) }],
  ["decimal", { isLeaf: true, make: (receiver) => new DecimalUnslicer(receiver) }],
  ["list", { make: (receiver) => new ListUnslicer(receiver) }],
  ["tuple", { make: (receiver) => new TupleUnslicer(receiver) }],
  ["dict", { make: (receiver) => new DictUnslicer(receiver) }],
  ["set", { make: (receiver) => new SetUnslicer(receiver, false) }],
  ["immutable-set", { make: (receiver) => new SetUnslicer(receiver, true) }],
  ["reference", { isLeaf: true, make: (receiver) => new ReferenceUnslicer(receiver) }],
  ["copyable", { hasDetail: true, make: (receiver, detail) => new CopyableUnslicer(receiver, detail) }],
]);
