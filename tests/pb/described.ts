/**
 * Values as the descriptions of `tests/vectors/pb_values.py`, and back.
 *
 * @module
 */

import { Decimal, Dict, float, FrozenSet, pb, Tuple, tuple, ValueSet } from "../../mod.ts";
import { freezeSet } from "../../lib/values/value_set.ts";

/** A description; see `pb_values.py`. */
export type Described = readonly [kind: string, ...parts: unknown[]];

const TIMES: Readonly<Record<string, new (...numbers: number[]) => object>> = {
  datetime: pb.DateTime as new (...numbers: number[]) => object,
  date: pb.CalendarDate as new (...numbers: number[]) => object,
  time: pb.TimeOfDay,
  timedelta: pb.TimeDelta,
};

/** The value of a description. */
export function build(description: Described, known = new Map<number, unknown>()): unknown {
  const [kind, first, second] = description;
  if (kind === "none") return null;
  if (kind === "bool" || kind === "str") return first;
  if (kind === "int") {
    const value = BigInt(first as string);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (kind === "float") return float(new DataView(Uint8Array.fromHex(first as string).buffer).getFloat64(0));
  if (kind === "bytes") return Uint8Array.fromHex(first as string);
  if (kind === "decimal") return new Decimal(first as string);
  if (kind in TIMES) return new TIMES[kind]!(...(first as number[]));
  if (kind === "ref") return known.get(first as number);
  const id = first as number;
  const parts = second as readonly Described[];
  if (kind === "list") {
    const list: unknown[] = [];
    known.set(id, list);
    for (const part of parts) list.push(build(part, known));
    return list;
  }
  if (kind === "dict") {
    const pairs = second as readonly (readonly [Described, Described])[];
    const dict: Record<string, unknown> | Dict = pairs.every(([key]) => key[0] === "str")
      ? Object.create(null)
      : new Dict();
    known.set(id, dict);
    for (const [key, value] of pairs) {
      const made = build(key, known);
      if (dict instanceof Dict) dict.set(made, build(value, known));
      else dict[made as string] = build(value, known);
    }
    return dict;
  }
  const members = parts.map((part) => build(part, known));
  const made = kind === "tuple"
    ? tuple(...members)
    : kind === "set"
    ? new ValueSet(members)
    : freezeSet(new FrozenSet(members));
  known.set(id, made);
  return made;
}

/** The description of a value; doubles must have been read with `floats: "wrap"`. */
export function describe(value: unknown, known = new Map<unknown, number>()): Described {
  if (value === null) return ["none"];
  if (typeof value === "boolean") return ["bool", value];
  if (typeof value === "string") return ["str", value];
  if (typeof value === "bigint" || (Number.isSafeInteger(value) && !Object.is(value, -0))) {
    return ["int", String(value)];
  }
  if (typeof value === "number" || value instanceof Object && value.constructor === float(0).constructor) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, Number(value));
    return ["float", bytes.toHex()];
  }
  if (value instanceof Uint8Array) return ["bytes", value.toHex()];
  if (value instanceof Decimal) return ["decimal", value.toString()];
  for (const [kind, type] of Object.entries(TIMES)) {
    if (value instanceof type) return [kind, Object.values(value)];
  }
  const seen = known.get(value);
  if (seen !== undefined) return ["ref", seen];
  const isEmptyTuple = value instanceof Tuple && value.length === 0;
  const id = isEmptyTuple ? 0 : known.size + 1;
  if (!isEmptyTuple) known.set(value, id);
  if (value instanceof FrozenSet) {
    return [
      "frozenset",
      id,
      Array.from(value, (part) => describe(part, known)),
    ];
  }
  if (value instanceof ValueSet) return ["set", id, Array.from(value, (part) => describe(part, known))];
  if (Array.isArray(value)) {
    return [
      value instanceof Tuple ? "tuple" : "list",
      id,
      Array.from(value, (part) => describe(part, known)),
    ];
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value as object);
  return ["dict", id, entries.map(([key, part]) => [describe(key, known), describe(part, known)])];
}
