/**
 * Objects that travel by value in both protocols, under one name.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { findAdapter } from "../graph/adapters.ts";
import { Copyable } from "../graph/copyable.ts";
import { registerCopier, registerRemoteCopy } from "../graph/copy_types.ts";
import type { Expression } from "../pb/banana/expression.ts";
import { Copyable as PbCopyable } from "../pb/jelly/copyable.ts";
import type { Jellying, Unjellying } from "../pb/jelly/invoker.ts";
import { isJellyable, stateOf } from "../pb/jelly/jellyable.ts";
import { setUnjellyableForClass } from "../pb/jelly/security.ts";
import { assignState } from "../values/assign_state.ts";
import type { Crossing } from "./crossing.ts";

/** By prototype: the name of a class that both protocols know. */
const names = new Map<object, string>();

/**
 * Lets objects of a class travel by value in both protocols, under one name: they can be sent by each, what arrives by each
 * becomes such an object, and is passed on to the other. It does what {@linkcode registerRemoteCopy} and
 * {@linkcode pb.setUnjellyableForClass} do, and teaches the class the way out that it lacks.
 *
 * What the program itself passes on needs no registration here: a `Copyable` or `pb.Copyable` goes to the other protocol
 * under its own copytype.
 *
 * @param name The name on both wires: `copytype` in Foolscap, in Perspective Broker the tag, by custom `module.Class`.
 * @param construct The class. It is made without arguments; then its `setCopyableState(state)` is called, if it has one, or the
 *   values become its properties. What is passed on is what its `getStateToCopy()` returns, if it has one, or its own
 *   enumerable properties.
 * @throws {TypeError} If the name is empty, or there is no class.
 * @throws {RangeError} If another class is registered for the name.
 *
 * @example
 * ```ts
 * import { bridge, pb, unserialize, serialize, Copyable } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Point extends Copyable {
 *   static override copytype = "shapes.Point";
 *   x = 1;
 * }
 * bridge.registerBridgedCopy("shapes.Point", Point);
 * assert.ok(unserialize(serialize(new Point())) instanceof Point);
 * ```
 */
export function registerBridgedCopy(name: string, construct: new () => object): void {
  const known: unknown = typeof construct === "function" ? names.get(construct.prototype) : undefined;
  if (known !== undefined && known !== name) {
    throw new RangeError(`Cannot register a class: it has the name "${String(known)}" already`);
  }
  registerRemoteCopy(name, construct);
  const { unjellyFor } = construct.prototype as { unjellyFor?: unknown };
  setUnjellyableForClass(
    name,
    typeof unjellyFor === "function"
      ? construct
      : (unjellier: Unjellying, expression: readonly Expression[]) => read(construct, unjellier, expression),
  );
  if (known === name) return;
  names.set(construct.prototype, name);
  if (!(construct.prototype instanceof Copyable)) {
    registerCopier(construct, (object) => [name, take(object)!.state as Record<string, unknown>]);
  }
  if (isJellyable(construct.prototype)) return;
  Object.defineProperty(construct.prototype, "jellyFor", {
    value: jellyFor,
    writable: true,
    configurable: true,
  });
}

/** How objects of a class write themselves that is no `pb.Copyable`. */
function jellyFor(this: object, jellier: Jellying): void {
  const { name, state } = take(this)!;
  jellier.prepare(this);
  jellier.list(2);
  jellier.word(name);
  jellier.jelly(state);
}

/** Makes an object of `(TAG state)`. */
function read(construct: new () => object, unjellier: Unjellying, expression: readonly Expression[]): object {
  if (expression.length !== 2) throw new Violation("Cannot read a copy: it has no state, or more than one");
  const made = new construct() as { setCopyableState?(state: unknown): void };
  unjellier.bind(made);
  const state = stateOf(unjellier.unjelly(expression[1]!));
  if (typeof made.setCopyableState === "function") made.setCopyableState(state);
  else assignState(made, state);
  return made;
}

/** What is known of an object that travels by value. */
interface Taken {
  readonly name: string;
  readonly state: unknown;
}

/** Takes an object apart, if one of the two protocols can; `undefined` if none can. */
function take(object: object): Taken | undefined {
  for (let p: object | null = Object.getPrototypeOf(object); p !== null; p = Object.getPrototypeOf(p)) {
    const name = names.get(p);
    if (name !== undefined) {
      const { getStateToCopy } = object as { getStateToCopy?: unknown };
      return {
        name,
        state: typeof getStateToCopy === "function" ? getStateToCopy.call(object) : { ...object },
      };
    }
    const adapter = findAdapter(p);
    if (adapter?.kind === "copy") {
      const [type, state] = adapter.take(object);
      return { name: type ?? Object.getPrototypeOf(object).constructor.name, state };
    }
  }
  if (!(object instanceof Copyable) && !(object instanceof PbCopyable)) return undefined;
  const name = object.getTypeToCopy();
  if (typeof name !== "string" || name === "") {
    throw new Violation("Cannot pass a Copyable on: its class must have a static copytype");
  }
  return { name, state: object.getStateToCopy() };
}

class PbCopy extends PbCopyable {
  readonly #name: string;
  state: unknown = undefined;

  constructor(name: string) {
    super();
    this.#name = name;
  }
  override getTypeToCopy(): string {
    return this.#name;
  }
  override getStateToCopy(): unknown {
    return this.state;
  }
}

class FoolscapCopy extends Copyable {
  readonly #name: string;
  readonly #state: Record<string, unknown>;

  constructor(name: string, state: Record<string, unknown>) {
    super();
    this.#name = name;
    this.#state = state;
  }
  override getTypeToCopy(): string {
    return this.#name;
  }
  override getStateToCopy(): Record<string, unknown> {
    return this.#state;
  }
}

/** What Perspective Broker is given for an object that travels by value; `undefined` if it does not. */
export function copyForPb(object: object, crossing: Crossing): object | undefined {
  const taken = takeSafely(object);
  if (taken === undefined) return undefined;
  const copy = crossing.bind(object, new PbCopy(taken.name));
  copy.state = crossing.part(taken.state);
  return copy;
}

/** The same for Foolscap, where the state is attributes by name. */
export function copyForFoolscap(object: object, crossing: Crossing): object | undefined {
  const taken = takeSafely(object);
  if (taken === undefined) return undefined;
  const { state } = taken;
  const prototype: unknown = typeof state === "object" && state !== null
    ? Object.getPrototypeOf(state)
    : undefined;
  if (prototype !== null && prototype !== Object.prototype) {
    throw new Violation(
      "Cannot pass a pb.Copyable on to Foolscap: its state is no dictionary of texts, as attributes are there",
    );
  }
  const attributes: Record<string, unknown> = Object.create(null);
  const copy = crossing.bind(object, new FoolscapCopy(taken.name, attributes));
  crossing.record(state as Record<string, unknown>, attributes);
  return copy;
}

/** As when it is sent: what the program's own code throws fails the call. */
function takeSafely(object: object): Taken | undefined {
  try {
    return take(object);
  } catch (cause) {
    if (cause instanceof Violation) throw cause;
    throw new Violation("Cannot pass an object on: its own code failed", { cause });
  }
}

/** A copy whose state is there already. */
export function pbCopy(name: string, state: unknown): object {
  const copy = new PbCopy(name);
  copy.state = state;
  return copy;
}
