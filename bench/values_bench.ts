/** What comparing keys as Python does costs beside a native Map. */
import { Dict } from "../lib/values/dict.ts";
import { sortedKeys } from "../lib/values/sort_keys.ts";
import { Tuple, tuple } from "../lib/values/tuple.ts";

const N = 1_000;
const numbers = Array.from({ length: N }, (_, i) => i);
const kinds: Record<string, readonly unknown[]> = {
  "short text": numbers.map((i) => `key${i}`),
  "small ints": numbers,
  "large ints": numbers.map((i) => i * 1_000_003 + 40_000),
  "bytes of 20": numbers.map((i) => new TextEncoder().encode(`swissnum-${i}`.padEnd(20, "x"))),
  "tuples of 2": numbers.map((i) => tuple(i, "a")),
};

for (const [kind, keys] of Object.entries(kinds)) {
  for (const make of [() => new Map<unknown, unknown>(), () => new Dict<unknown, unknown>()]) {
    const name = make().constructor.name;
    Deno.bench(`${name}: set ${N} ${kind}`, { group: `set ${kind}`, baseline: name === "Map" }, () => {
      const map = make();
      for (const key of keys) map.set(key, key);
    });
    const filled = make();
    for (const key of keys) filled.set(key, key);
    Deno.bench(`${name}: get ${N} ${kind}`, { group: `get ${kind}`, baseline: name === "Map" }, () => {
      for (const key of keys) filled.get(key);
    });
  }
}

Deno.bench(`sortedKeys: ${N} short texts`, () => void sortedKeys(kinds["short text"]!));
Deno.bench(`sortedKeys: ${N} ints`, () => void sortedKeys(numbers));
Deno.bench(`Tuple: ${N} of 2, pushed and frozen`, () => {
  for (const i of numbers) {
    const made = new Tuple();
    made.push(i);
    made.push(i);
    Object.freeze(made);
  }
});
Deno.bench(`Array: ${N} of 2, pushed`, { baseline: true }, () => {
  for (const i of numbers) {
    const made: number[] = [];
    made.push(i);
    made.push(i);
  }
});
