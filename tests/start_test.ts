import assert from "node:assert/strict";
import { ROOT, sourceFiles } from "./support/source_files.ts";

/**
 * Most modules of our own that a program loads before its first line runs, because it imports `mod.ts`. Each costs 0.15 ms.
 * More than that: let what works behind a promise be imported where it is used (`lib/tub/load_assembly.ts` says how).
 */
const MAX_AT_START = 230;
/** The same for what is loaded when the first Tub has been made. */
const MAX_WITH_TUB = 295;
/** Built-ins that are loaded at the start. Others take 20 ms, and are needed for sockets and TLS only. */
const BUILTINS_AT_START = ["node:async_hooks", "node:timers"];
/** The same with a Tub: one that follows `tls:` hints only needs no socket and no TLS of Node's. */
const BUILTINS_WITH_TUB = ["node:async_hooks", "node:process", "node:timers"];

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

/** What each module imports at its top, types left out, as `deno info` tells it. */
async function staticImports(entry: string): Promise<Map<string, string[]>> {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry], cwd: ROOT });
  const { success, stdout, stderr } = await command.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
  return new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.filter(({ isDynamic }) => isDynamic !== true).flatMap(({ code }) => code?.specifier ?? []),
  ]));
}

function reached(graph: ReadonlyMap<string, readonly string[]>, ...entries: string[]): string[] {
  const found = new Set(entries.map((entry) => new URL(entry, ROOT).href));
  for (const specifier of found) for (const next of graph.get(specifier) ?? []) found.add(next);
  return [...found];
}

const graph = await staticImports("mod.ts");
const ours = (specifiers: string[]) => specifiers.filter((specifier) => specifier.startsWith(ROOT.href));

Deno.test(`mod.ts loads at most ${MAX_AT_START} modules at the start`, () => {
  const { length } = ours(reached(graph, "mod.ts"));
  assert.ok(length > 50 && length <= MAX_AT_START, `${length} modules`);
});

Deno.test(`a program with a Tub has loaded at most ${MAX_WITH_TUB} modules`, () => {
  const { length } = ours(reached(graph, "mod.ts", "lib/tub/assembly.ts"));
  assert.ok(length > 100 && length <= MAX_WITH_TUB, `${length} modules`);
});

const builtins = (specifiers: string[]) =>
  specifiers.filter((specifier) => specifier.startsWith("node:")).sort();

Deno.test(`mod.ts loads no built-ins at the start but ${BUILTINS_AT_START.join(" and ")}`, () => {
  assert.deepEqual(builtins(reached(graph, "mod.ts")), BUILTINS_AT_START);
});

Deno.test(`a program with a Tub has loaded no built-ins but ${BUILTINS_WITH_TUB.join(", ")}`, () => {
  assert.deepEqual(builtins(reached(graph, "mod.ts", "lib/tub/assembly.ts")), BUILTINS_WITH_TUB);
});

Deno.test("what lib/ imports on demand is named in clear, so that it is found before the program runs", async () => {
  // The child of a sandbox is there to import what its parent names.
  const files = (await sourceFiles()).filter(({ path }) => path !== "lib/sandbox/runner.ts");
  const hidden = files.flatMap(({ path, code }) =>
    Array.from(code.matchAll(/\bimport\s*\((?!\s*"[^"$]+"\s*\))/g), () => path)
  );
  assert.deepEqual(hidden, []);
});

Deno.test("a program may connect with no permission but that for the network", async () => {
  const program = `
    import { Referenceable, Tub } from ${JSON.stringify(new URL("mod.ts", ROOT).href)};
    class Calculator extends Referenceable {
      remote_add(a: number, b: number): number {
        return a + b;
      }
    }
    const server = await Tub.create();
    const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
    server.setLocation(...listener.hints);
    const client = await Tub.create();
    const calculator = await client.getReference(server.registerReference(new Calculator()));
    console.log(await calculator.callRemote("add", 1, 2));
    await client.stop();
    await server.stop();
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", "--allow-net=127.0.0.1", "--ext=ts", "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { stdout, stderr } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "3\n", new TextDecoder().decode(stderr));
});
