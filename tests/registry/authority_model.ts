/**
 * What may happen in the random worlds of authority_test.ts, told only from what each reference leads through.
 *
 * @module
 */

import type { Capability, Referenceable } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** What the objects of a world can do. */
export const METHODS = ["act", "peek", "put", "take", "poke", "hang"] as const;
export type Method = typeof METHODS[number];
/** The clock of the Tub that grants. */
export const clock = new FakeClock();

/** A grant, or an attenuated FURL, as the model has it. */
export interface Granted {
  readonly id: number;
  /** `undefined`: it is a FURL. */
  readonly capability: Capability<Referenceable> | undefined;
  /** What it was attenuated from, if that is one of the same kind. */
  readonly parent: Granted | undefined;
  /** What it leads to. */
  readonly target: Value;
  revoke(): void;
  readonly methods: readonly Method[] | undefined;
  readonly isDeep: boolean;
  /** Who may use it. */
  readonly holders: readonly number[] | undefined;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
  callsLeft: number;
  isRevoked: boolean;
}

/** Something between a caller and an object, the outermost first. */
export interface Layer {
  readonly granted: Granted;
  /** Whether calls go into what was granted; else they come out of it. */
  readonly isInward: boolean;
  /** Whether it is what was granted itself. */
  readonly isRoot: boolean;
}

/** A reference, as the model has it: to a node by its number, or to a keeper. */
export interface Value {
  readonly base: number | `keeper ${number}`;
  readonly layers: readonly Layer[];
}

/** What it is granted with. */
export interface Options {
  readonly methods: readonly Method[] | undefined;
  readonly maxCalls: number | undefined;
  readonly holders: readonly number[] | undefined;
  readonly expiresAt: number | undefined;
}

export function keyOf({ base, layers }: Value): string {
  const path = layers.map(({ granted, isInward }) => `${isInward ? "in" : "out"} ${granted.id}`);
  return [...path, base].join("/");
}

/** It, and all that it comes of. */
function origins(granted: Granted | undefined): Granted[] {
  if (granted === undefined) return [];
  return [granted, ...origins(granted.parent), ...origins(granted.target.layers[0]?.granted)];
}

export function isRevoked(granted: Granted): boolean {
  return origins(granted).some(({ isRevoked }) => isRevoked);
}

export function isOver(granted: Granted): boolean {
  return origins(granted).some(({ isRevoked, expiresAt }) => isRevoked || clock.now() >= expiresAt);
}

export function chainOf(granted: Granted): Granted[] {
  return granted.parent === undefined ? [granted] : [...chainOf(granted.parent), granted];
}

/** A call, and who makes it: one of the others, or the granting process itself. */
interface Call {
  readonly method: Method;
  readonly holder: number | undefined;
}

export function isFor(granted: Granted, holder: number | undefined): boolean {
  return chainOf(granted).every(({ holders }) =>
    holders === undefined || (holder !== undefined && holders.includes(holder))
  );
}

/** Whether a call passes a layer, as far as that knows. A FURL asks what it was derived from, so that it counts no more. */
function mayPass({ granted, isInward, isRoot }: Layer, call: Call): boolean {
  const { method, holder } = call;
  if (isOver(granted)) return false;
  if (!isInward) return true;
  const chain = chainOf(granted);
  if (isRoot && chain.some(({ methods }) => methods !== undefined && !methods.includes(method))) return false;
  if (!isFor(granted, holder) || chain.some(({ callsLeft }) => callsLeft === 0)) return false;
  const [next] = granted.target.layers;
  // What is reached through a FURL has other methods, and so it has for what the FURL was derived from.
  return next === undefined || !next.isInward || mayPass({ ...next, isRoot: isRoot && next.isRoot }, call);
}

/** Whether a call passes all layers; counts it where it does. */
export function passes(layers: readonly Layer[], call: Call): boolean {
  return layers.every((layer) => {
    if (!mayPass(layer, call)) return false;
    if (layer.isInward) { for (const counting of chainOf(layer.granted)) counting.callsLeft--; }
    return true;
  });
}

/** A value on the other side of a layer. */
function across(value: Value, { granted, isInward }: Layer, isArgument: boolean): Value {
  const isTarget = keyOf(value) === keyOf(granted.target);
  if (!granted.isDeep) {
    return !isArgument && isTarget
      ? { ...value, layers: [{ granted, isInward: true, isRoot: true }, ...value.layers] }
      : value;
  }
  const goesIn = isInward === isArgument;
  const [first, ...rest] = value.layers;
  // What stands for the other side goes home.
  if (first?.granted === granted && first.isInward === goesIn) return { ...value, layers: rest };
  if (first?.granted === granted) return value;
  const isRoot = !goesIn && isTarget;
  return { ...value, layers: [{ granted, isInward: !goesIn, isRoot }, ...value.layers] };
}

export function argument(value: Value, layers: readonly Layer[]): Value {
  return layers.reduce((value, layer) => across(value, layer, true), value);
}

export function result(value: Value, layers: readonly Layer[]): Value {
  return layers.toReversed().reduce((value, layer) => across(value, layer, false), value);
}
