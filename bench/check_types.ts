/**
 * How long `deno check` takes for a large interface: a RemoteInterface of 300 methods, a class that has them, and three calls
 * of each. What the module itself takes is measured beside it and subtracted. It ends with 1 if more than 3 s are left.
 *
 *     deno run --allow-read --allow-write --allow-run bench/check_types.ts [methods] [rounds]
 *
 * Processor time is what counts: on a machine with other work on it the clock says little.
 *
 * @module
 */

const methods = Number(Deno.args[0] ?? 300);
const rounds = Number(Deno.args[1] ?? 3);
const MAX_MS = 3_000;

/** Arguments as declared, as the method takes them and as they are passed; the result in the same way, and one. */
const KINDS: readonly (readonly [string, string, string, string, string, string])[] = [
  [`["a", int], ["b", Number]`, "_a: number | bigint, _b: number", "1, 2", "Number", "number", "1"],
  [
    `["a", String], ["b", ListOf(String)]`,
    "_a: string, _b: string[]",
    `"x", ["y"]`,
    "ListOf(String)",
    "string[]",
    "[]",
  ],
  [
    `["a", Uint8Array], ["b", Optional(String)]`,
    "_a: Uint8Array, _b?: string",
    "bytes",
    "null",
    "null",
    "null",
  ],
  [`["a", DictOf(String, Number)]`, "_a: unknown", "{ x: 1 }", "Boolean", "boolean", "true"],
  [
    `["a", ChoiceOf(String, Number)], ["b", Boolean], ["c", int]`,
    "_a: string | number, _b: boolean, _c: number | bigint",
    "1, true, 2",
    "ChoiceOf(String, null)",
    "string | null",
    "null",
  ],
  [`["a", RIOther]`, "_a: RemoteReference<RIOther>", "other", "RIOther", "RIOther", "new Other()"],
];

/** A program with an interface of so many methods. */
function program(mod: string, count: number): string {
  const numbers = Array.from({ length: count }, (_, i) => [i, KINDS[i % KINDS.length]!] as const);
  const lines = (line: (i: number, kind: (typeof KINDS)[number]) => string) =>
    numbers.map(([i, kind]) => line(i, kind)).join("\n");
  return `
import { Referenceable, RemoteInterface, type RemoteReference, schema } from ${JSON.stringify(mod)};
const { ListOf, DictOf, Optional, ChoiceOf } = schema, int = schema.IntegerConstraint(), bytes = new Uint8Array(1);
const RIOther = RemoteInterface("RIOther.check.example.com", { get: schema.method([], Number) });
type RIOther = schema.InterfaceOf<typeof RIOther>;
class Other extends Referenceable implements RIOther {
  remote_get(): number { return 1; }
}
const RILarge = RemoteInterface("RILarge.check.example.com", {
${lines((i, [declared, , , result]) => `  m${i}: schema.method([${declared}], ${result}),`)}
});
type RILarge = schema.InterfaceOf<typeof RILarge>;
export class Large extends Referenceable implements RILarge {
  static override remoteInterface = RILarge;
${lines((i, [, taken, , , type, value]) => `  remote_m${i}(${taken}): ${type} { return ${value}; }`)}
}
export async function callAll(declared: RemoteReference<RILarge>, typed: RemoteReference<Large>, other: Other) {
${
    lines((i, [, , passed]) =>
      `  await declared.remote.m${i}(${passed}); await declared.callRemote("m${i}", ${passed}); await typed.remote.m${i}(${passed});`
    )
  }
  return other;
}
`;
}

/** Processor time and time of `deno check` of a program that was never checked before, in milliseconds. */
async function check(folder: string, name: string, text: string): Promise<{ cpu: number; wall: number }> {
  const file = `${folder}/${name}.ts`;
  // Something new each time: Deno keeps what it has found of a text.
  await Deno.writeTextFile(file, `${text}\nvoid ${JSON.stringify(crypto.randomUUID())};\n`);
  const began = performance.now();
  const { success, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", '"$0" check --no-config "$1" >&2; code=$?; times; exit $code', Deno.execPath(), file],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new TypeError(new TextDecoder().decode(stderr));
  return { cpu: cpuOf(new TextDecoder().decode(stdout)), wall: performance.now() - began };
}

/** What the shell says of its children: `0m1.250s 0m0.110s` in its second line. */
function cpuOf(text: string): number {
  const found = [...(text.trim().split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  return found.reduce(
    (sum, [, minutes, seconds]) => sum + 60_000 * Number(minutes) + 1_000 * Number(seconds),
    0,
  );
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

const folder = await Deno.makeTempDir();
try {
  const mod = new URL("../mod.ts", import.meta.url).href;
  const alone = `import * as all from ${JSON.stringify(mod)};\nvoid all;`;
  const large = program(mod, methods);
  await check(folder, "warm", alone);
  const found = {
    alone: [] as { cpu: number; wall: number }[],
    large: [] as { cpu: number; wall: number }[],
  };
  for (let i = 0; i < rounds; i++) {
    found.alone.push(await check(folder, "alone", alone));
    found.large.push(await check(folder, "large", large));
  }
  const ms = (of: keyof typeof found, what: "cpu" | "wall") => median(found[of].map((one) => one[what]));
  for (const what of ["cpu", "wall"] as const) {
    const more = ms("large", what) - ms("alone", what);
    console.log(
      `${what.padEnd(4)}  module alone ${ms("alone", what).toFixed(0)} ms, with ${methods} methods ` +
        `${ms("large", what).toFixed(0)} ms: ${more.toFixed(0)} ms more`,
    );
    if (what === "cpu" && more > MAX_MS) Deno.exitCode = 1;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
