/**
 * How values and errors cross a membrane.
 *
 * A value is serialized and unserialized at once, as a connection would do it, so that the two sides share nothing that can
 * change. What travels by reference is kept aside meanwhile: in its place goes a `held` sequence with its number, and where that
 * is read, what stands for it on the other side.
 *
 * @module
 */

import { Callable } from "../../broker/callable.ts";
import { OnlyReferenceable, Referenceable } from "../../broker/referenceable.ts";
import { rememberRemote } from "../../broker/remote_errors.ts";
import { RemoteFunction, RemotePromise, RemoteReference } from "../../broker/remote_reference.ts";
import { richTables } from "../../broker/rich_values.ts";
import { NegotiationError, Violation } from "../../errors.ts";
import { type CopyType, findCopyType, findCopyUnslicer } from "../../graph/copy_types.ts";
import { Copyable, CopyableUnslicer } from "../../graph/copyable.ts";
import type { Slicer, Slicing } from "../../graph/slicing.ts";
import { serializeBy, unserializeAtOnce } from "../../graph/storage.ts";
import { type Receiving, Unslicer } from "../../graph/unslicer.ts";
import { MAX_ERROR_CAUSES } from "../../limits.ts";
import { SturdyRef } from "../../names/sturdy_ref.ts";
import { Float } from "../../values/float.ts";

/**
 * An error on the other side. What cannot cross of what hangs on it is left out. Never throws.
 *
 * @param cross Lets a value cross, or throws.
 */
export function errorAcross(error: Error, cross: (value: unknown) => unknown, depth: number = 0): Error {
  try {
    if (error instanceof DOMException) return new DOMException(error.message, error.name);
    const copy = new Error(undefined);
    Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
      if (!("value" in descriptor)) continue;
      const passed = passedOn(descriptor.value, cross, depth);
      if (passed !== undefined) Object.defineProperty(copy, key, { ...descriptor, value: passed.value });
    }
    // It tells of hints and of peers. The class has an accessor for it, which would fail on a copy.
    if (error instanceof NegotiationError) {
      Object.defineProperty(copy, "connectionInfo", { value: undefined });
    }
    rememberRemote(copy, error);
    return copy;
  } catch {
    return new Error("The method failed, with an error that cannot be told");
  }
}

function passedOn(
  value: unknown,
  cross: (value: unknown) => unknown,
  depth: number,
): { readonly value: unknown } | undefined {
  if (value instanceof Error) {
    return depth >= MAX_ERROR_CAUSES ? undefined : { value: errorAcross(value, cross, depth + 1) };
  }
  try {
    return { value: cross(value) };
  } catch {
    return undefined;
  }
}

/** Gives what stands on the other side for what cannot be copied. */
export interface Customs {
  /** Of an object, a function, a reference or a promise. */
  reference(object: object): unknown;
  /** Of a FURL that travels as a value. */
  sturdyRef(ref: SturdyRef): SturdyRef;
}

/** The opentype in the place of what was kept aside. */
const HELD = "held";
const STURDY_REF = "foolscap.SturdyRef";

interface Walk {
  readonly customs: Customs;
  readonly held: unknown[];
}

/** The crossing that is going on. Code of the program that runs in it (`getStateToCopy`) may begin another one inside. */
let walk: Walk | undefined;

function hold(value: unknown, out: Slicing): void {
  const number = out.encoder.open(HELD);
  out.encoder.integer(walk!.held.push(value) - 1);
  out.encoder.close(number);
}

class HeldUnslicer extends Unslicer {
  #value: unknown;

  override receive(index: unknown): void {
    this.#value = walk!.held[index as number];
  }
  override close(): unknown {
    return this.#value;
  }
}

/** Stands for a Copyable of a type for which this process has no class: it can be sent on under its own type. */
class CarriedCopy extends Copyable {
  readonly #copytype: string;
  readonly #state: Record<string, unknown>;

  constructor(copytype: string, state: Record<string, unknown>) {
    super();
    this.#copytype = copytype;
    this.#state = state;
  }
  override getTypeToCopy(): string {
    return this.#copytype;
  }
  override getStateToCopy(): Record<string, unknown> {
    return this.#state;
  }
}

const SturdyRefType: CopyType = {
  kind: "factory",
  // So that a second occurrence in the same value can refer to the first.
  cyclic: true,
  make: ({ url }) => {
    const ref = new SturdyRef(typeof url === "string" ? url : undefined);
    return ref.url === undefined ? ref : walk!.customs.sturdyRef(ref);
  },
};

function copyUnslicer(receiver: Receiving, copytype: string): Unslicer {
  if (copytype === STURDY_REF) return new CopyableUnslicer(receiver, copytype, SturdyRefType);
  const carried: CopyType = {
    kind: "factory",
    cyclic: true,
    make: (state) => new CarriedCopy(copytype, state),
  };
  return findCopyUnslicer(copytype)?.(receiver) ??
    new CopyableUnslicer(receiver, copytype, findCopyType(copytype) ?? carried);
}

// Nothing leaves the process here: what peers are not to know of errors, the connection keeps back.
const rich = richTables({ exposesTracebacks: true, exposesRemoteTypes: true }, () => {});

const takeAside: Slicer = (object: object, out) => hold(walk!.customs.reference(object), out);
const slicers = rich.slicers.extend([
  ...[Referenceable, Callable, RemoteReference, RemoteFunction, RemotePromise].map(
    ({ prototype }): [object, Slicer] => [prototype, takeAside],
  ),
  [OnlyReferenceable.prototype, () => {
    throw new Violation("Cannot pass an OnlyReferenceable: it has an identity and no methods");
  }],
  // Without that, a Float of a whole number would come back as a number.
  [Float.prototype, hold as Slicer],
]);
const unslicers = rich.unslicers.extend([
  [HELD, { isLeaf: false, make: (receiver) => new HeldUnslicer(receiver) }],
  ["copyable", { hasDetail: true, make: copyUnslicer }],
]);

/**
 * A value on the other side.
 *
 * @throws {Violation} If some part of it cannot cross; `where` names it.
 */
export function copyAcross(value: unknown, customs: Customs): unknown {
  const before = walk;
  walk = { customs, held: [] };
  try {
    return unserializeAtOnce(unslicers, serializeBy(slicers, value)).value;
  } finally {
    walk = before;
  }
}
