/**
 * How much memory a value takes that a peer has sent, roughly.
 *
 * @module
 */

/**
 * An estimate in bytes: what texts and byte strings have, and 64 for each value.
 *
 * @param enough Where to stop counting.
 */
export function weightOf(value: unknown, enough: number): number {
  let weight = 0;
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && weight <= enough) {
    const next = waiting.pop();
    weight += 64;
    if (typeof next === "string") weight += 2 * next.length;
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    if (ArrayBuffer.isView(next)) {
      weight += next.byteLength;
      continue;
    }
    seen.add(next);
    const parts: Iterable<unknown> = next instanceof Map
      ? [...next].flat()
      : Array.isArray(next) || next instanceof Set
      ? next
      : Object.entries(next).flat();
    for (const part of parts) waiting.push(part);
  }
  return weight;
}
