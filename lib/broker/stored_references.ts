/**
 * References as they are stored: every one of them as `their-reference`, by its FURL alone. Whoever reads it connects.
 *
 * Source: Foolscap `broker.py`, `StorageBroker`; `referenceable.py`, `ReferenceableSlicer`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import type { Slicer, Slicing } from "../graph/slicing.ts";
import type { UnslicerType } from "../graph/unslicer.ts";
import { Callable, type Publishable } from "./callable.ts";
import { type ReferenceHost, TheirReferenceUnslicer } from "./references.ts";
import { Referenceable } from "./referenceable.ts";
import { RemoteHandle } from "./remote_handle.ts";
import { RemoteFunction, RemoteReference } from "./remote_reference.ts";

/** Nobody waits for an acknowledgement of what was stored. */
const NO_GIFT = 0;

/** The slicers of references in storage. `furlOf` gives the FURL of an object of the Tub. */
export function storedReferenceSlicers(
  furlOf: (object: Publishable) => string | undefined,
): readonly (readonly [object, Slicer])[] {
  const mine = (object: Publishable, out: Slicing) => sliceStored(furlOf(object), out);
  const theirs = (handle: RemoteHandle, out: Slicing) =>
    sliceStored(RemoteHandle.trackerOf(handle).furl, out);
  return [
    [Referenceable.prototype, mine],
    [Callable.prototype, mine],
    [RemoteReference.prototype, theirs],
    [RemoteFunction.prototype, theirs],
  ];
}

function sliceStored(furl: string | undefined, out: Slicing): void {
  if (furl === undefined) {
    throw new Violation("Cannot store a reference: it has no FURL, for its Tub has no location");
  }
  if (out.copyableDepth > 0) {
    throw new Violation("Cannot store a reference inside a Copyable: Python Foolscap cannot read that");
  }
  const { encoder } = out;
  const number = encoder.open("their-reference");
  // Python writes numbers of gifts for the objects of others, and then cannot read them.
  encoder.integer(NO_GIFT);
  encoder.word(furl);
  encoder.close(number);
}

/** The unslicers of references in storage. */
export function storedReferenceUnslicers(
  host: Pick<ReferenceHost, "fetchGift">,
): readonly (readonly [string, UnslicerType])[] {
  return [["their-reference", { make: (receiver) => new TheirReferenceUnslicer(receiver, host) }]];
}
