/**
 * A graph of values as a tree that can be compared: types by name, and what was there before by its number.
 *
 * @module
 */

/** The picture of a value. */
export function pictureOf(value: unknown, seen: Map<object, number> = new Map()): unknown {
  if (typeof value === "bigint") return `bigint ${value}`;
  if (typeof value !== "object" || value === null) return value;
  // Bytes have no identity on the wire.
  if (value instanceof Uint8Array) return { bytes: value.toHex() };
  const before = seen.get(value);
  if (before !== undefined) return { before };
  seen.set(value, seen.size);
  const of = (inside: unknown) => pictureOf(inside, seen);
  const type = Object.getPrototypeOf(value)?.constructor.name ?? "object";
  if (value instanceof Date) return { type, time: value.getTime() };
  if (value instanceof URL || value instanceof RegExp) return { type, text: String(value) };
  if (ArrayBuffer.isView(value)) {
    return { type, bytes: new Uint8Array(value.buffer, value.byteOffset, value.byteLength).toHex() };
  }
  if (value instanceof ArrayBuffer) return { type, bytes: new Uint8Array(value).toHex() };
  if (value instanceof Error) {
    const errors = value instanceof AggregateError ? value.errors.map(of) : undefined;
    const cause = of(value.cause);
    return { type, name: value.name, message: value.message, cause, errors };
  }
  if (Array.isArray(value) || value instanceof Set) return { type, members: Array.from(value, of) };
  if (value instanceof Map) return { type, entries: Array.from(value, ([key, item]) => [of(key), of(item)]) };
  // Keys of plain objects are sent in Python's order.
  const names = Object.keys(value).sort(byCodePoint);
  return { type, entries: names.map((name) => [name, of((value as Record<string, unknown>)[name])]) };
}

function byCodePoint(a: string, b: string): number {
  const [first, second] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(first.length, second.length); i++) {
    const difference = first[i]!.codePointAt(0)! - second[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return first.length - second.length;
}
