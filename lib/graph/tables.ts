/**
 * The slicers and unslicers that every connection and the storage have in common: the value table of the
 * design, without references.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { refuseAdapters } from "./adapters.ts";
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
  WHOLE_BOOLEAN,
  WHOLE_TEXT,
} from "./atoms.ts";
import { findCopyUnslicer } from "./copy_types.ts";
import { Copyable, CopyableUnslicer, sliceCopyable, sliceState } from "./copyable.ts";
import {
  DictUnslicer,
  SetUnslicer,
  sliceFrozenSet,
  sliceMap,
  sliceObject,
  sliceSet,
} from "./dict_and_set.ts";
import { ListUnslicer, sliceList, sliceTuple, TupleUnslicer } from "./list.ts";
import { ReferenceUnslicer } from "./shared.ts";
import { type Slicer, SlicerTable } from "./slicing.ts";
import { UnslicerTable } from "./unslicer.ts";
import { Decimal } from "../values/decimal.ts";
import { Dict } from "../values/dict.ts";
import { Float } from "../values/float.ts";
import { Tuple } from "../values/tuple.ts";
import { FrozenSet, ValueSet } from "../values/value_set.ts";

const views = [
  Object.getPrototypeOf(Uint8Array.prototype) as object, // all typed arrays
  DataView.prototype,
];

const BASE_PROTOTYPES: readonly (readonly [object | null, Slicer])[] = [
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
];
refuseAdapters(BASE_PROTOTYPES.map(([prototype]) => prototype));
// What arrives is of these; other typed arrays can have an adapter, for to be sent as bytes is not all that one may want.
refuseAdapters([Uint8Array.prototype, Dict.prototype, ValueSet.prototype]);

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
  BASE_PROTOTYPES,
  (copier) => (value, out) => {
    const object = value as object;
    if (out.isKnown(object)) return sliceState(object, "", () => ({}), out);
    const [copytype, state] = copier(object);
    sliceState(object, copytype ?? classNameOf(object), () => state, out);
  },
);

/** Unslicers for every value that is not a reference to an object of a Tub. */
export const BASE_UNSLICERS: UnslicerTable = new UnslicerTable([
  ["none", { isLeaf: true, make: (receiver) => new NoneUnslicer(receiver) }],
  ["boolean", { isLeaf: true, whole: WHOLE_BOOLEAN, make: (receiver) => new BooleanUnslicer(receiver) }],
  ["unicode", { isLeaf: true, whole: WHOLE_TEXT, make: (receiver) => new TextUnslicer(receiver) }],
  ["decimal", { isLeaf: true, make: (receiver) => new DecimalUnslicer(receiver) }],
  ["list", { takesAny: true, make: (receiver) => new ListUnslicer(receiver) }],
  ["tuple", { takesAny: true, make: (receiver) => new TupleUnslicer(receiver) }],
  ["dict", { takesAny: true, make: (receiver) => new DictUnslicer(receiver) }],
  ["set", { takesAny: true, make: (receiver) => new SetUnslicer(receiver, false) }],
  ["immutable-set", { takesAny: true, make: (receiver) => new SetUnslicer(receiver, true) }],
  ["reference", { isLeaf: true, make: (receiver) => new ReferenceUnslicer(receiver) }],
  ["copyable", {
    hasDetail: true,
    make: (receiver, detail) =>
      findCopyUnslicer(detail)?.(receiver) ?? new CopyableUnslicer(receiver, detail),
  }],
]);

/** The name of an object's class, as Foolscap takes it for the type where a copier gives none. */
function classNameOf(object: object): string {
  const { constructor } = Object.getPrototypeOf(object) as { constructor?: { readonly name?: unknown } };
  if (typeof constructor?.name === "string" && constructor.name !== "") return constructor.name;
  throw new Violation(
    "Cannot serialize an object by its copier: it gives no type, and the class has no name",
  );
}
