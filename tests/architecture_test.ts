import assert from "node:assert/strict";
import { publicNames } from "./support/public_names.ts";
import { resolveImport, ROOT, sourceFiles, withoutComments } from "./support/source_files.ts";

/** What each folder of `lib/` may import, besides itself and the files directly in `lib/`. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  util: [],
  wire: ["util"],
  values: ["util"],
  graph: ["util", "values", "wire"],
  names: ["util"],
  broker: ["util", "values", "wire", "graph", "names"],
  registry: ["util", "values", "graph", "names", "broker"],
  transport: ["util", "names"],
  negotiate: ["util", "wire", "names", "transport"],
  tub: ["util", "values", "wire", "graph", "names", "broker", "registry", "transport", "negotiate"],
  sandbox: [
    "util",
    "values",
    "wire",
    "graph",
    "names",
    "broker",
    "registry",
    "transport",
    "negotiate",
    "tub",
  ],
  pb: ["util", "values", "wire", "transport"],
  bridge: ["util", "values", "graph", "names", "broker", "registry", "tub", "pb"],
  log: ["util", "values", "graph", "names", "broker", "tub"],
  app: ["util", "values", "graph", "names", "broker", "registry", "tub", "log"],
  cli: ["util", "values", "graph", "names", "broker", "registry", "tub", "pb", "log", "app"],
};
/** The folders that work on bytes and objects alone. */
const PURE = ["wire", "values", "graph", "broker", "registry"];
/** Longest file, and the length that half of the files stay below, in lines. */
const MAX_LINES = 500, MEDIAN_LINES = 150;

const files = await sourceFiles();
const inLib = files.filter(({ path }) => path.startsWith("lib/"));

/** The folder of `lib/` that a file is in, or "" for the files directly in it. */
function layerOf(path: string): string {
  const [, folder, rest] = path.split("/");
  return rest === undefined ? "" : folder!;
}

/** The places in `files` where `pattern` occurs in code, as `path:line: text`. */
function places(pattern: RegExp, among = inLib): string[] {
  return among.flatMap(({ path, code }) =>
    code.split("\n").flatMap((line, i) => pattern.test(line) ? `${path}:${i + 1}: ${line.trim()}` : [])
  );
}

/** The first import cycle found, as a list of files, or an empty list. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): string[] {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(file);
    return [];
  }
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

Deno.test("findCycle() finds a circle of two files and nothing in a diamond", () => {
  assert.deepEqual(findCycle(new Map([["a", ["b"]], ["b", ["a"]]])), ["a", "b", "a"]);
  assert.deepEqual(findCycle(new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]]])), []);
});

Deno.test("withoutComments() keeps strings that look like comments", () => {
  assert.equal(withoutComments('f("pb://x"); // any\n/* TODO */g(`//`)'), 'f("pb://x"); \ng(`//`)');
});

Deno.test("the files of the library do not import each other in a circle", () => {
  const graph = new Map(files.map(({ path, imports }) => [
    path,
    imports.filter((specifier) => specifier.startsWith(".")).map((specifier) =>
      resolveImport(path, specifier)
    ),
  ]));
  assert.ok(graph.size > 10);
  assert.deepEqual(findCycle(graph), []);
});

Deno.test("every import of lib/ leads to a file that exists, in lib/", () => {
  const known = new Set(files.map(({ path }) => path));
  const lost = inLib.flatMap(({ path, imports }) =>
    imports.filter((specifier) => specifier.startsWith(".") && !known.has(resolveImport(path, specifier)))
      .map((specifier) => `${path} imports ${specifier}`)
  );
  assert.deepEqual(lost, []);
});

for (const [layer, allowed] of Object.entries(MAY_IMPORT)) {
  Deno.test(`lib/${layer} imports only ${["lib/*.ts", ...allowed].join(", ")}`, () => {
    const wrong = inLib.filter(({ path }) => layerOf(path) === layer).flatMap(({ path, imports }) =>
      imports.filter((specifier) => specifier.startsWith("."))
        .filter((specifier) => !["", layer, ...allowed].includes(layerOf(resolveImport(path, specifier))))
        .map((specifier) => `${path} imports ${specifier}`)
    );
    assert.deepEqual(wrong, []);
  });
}

Deno.test("the files directly in lib/ import nothing of the library's folders", () => {
  const wrong = inLib.filter(({ path }) => layerOf(path) === "")
    .flatMap(({ path, imports }) =>
      imports.filter((s) => s.startsWith("./") && s.slice(2).includes("/"))
        .map((specifier) => `${path} imports ${specifier}`)
    );
  assert.deepEqual(wrong, []);
});

Deno.test("every folder of lib/ is in the table of layers", () => {
  const folders = new Set(inLib.map(({ path }) => layerOf(path)));
  folders.delete("");
  // Declarations for third-party code; nothing imports them but lib/deps.ts.
  folders.delete("types");
  assert.deepEqual([...folders].filter((folder) => !(folder in MAY_IMPORT)), []);
});

Deno.test("only lib/deps.ts imports third-party code, with exact versions", () => {
  for (const { path, imports } of files) {
    const foreign = imports.filter((specifier) => !/^(\.{1,2}\/|node:)/.test(specifier));
    if (path !== "lib/deps.ts") assert.deepEqual(foreign, [], path);
    for (const specifier of foreign) assert.match(specifier, /^npm:.+@\d+\.\d+\.\d+(\/|$)/);
  }
});

for (const layer of PURE) {
  Deno.test(`lib/${layer} touches neither the network nor Deno`, () => {
    const own = inLib.filter(({ path }) => layerOf(path) === layer);
    assert.deepEqual(
      places(/(?<!["'\w.])Deno\.|["']node:(net|tls|http|https|fs|child_process)["']/, own),
      [],
    );
  });
}

Deno.test("no file of lib/ is longer than 500 lines, and half of them have less than 150", () => {
  const lengths = inLib.map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }));
  assert.deepEqual(lengths.filter(({ lines }) => lines > MAX_LINES), []);
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
  assert.ok(sorted[Math.floor(sorted.length / 2)]! < MEDIAN_LINES);
});

Deno.test("the files of lib/ have names in snake_case", () => {
  assert.deepEqual(
    inLib.map(({ path }) => path).filter((path) => !/^(lib)(\/_?[a-z0-9_]+)+(\.d)?\.ts$/.test(path)),
    [],
  );
});

Deno.test("lib/ has no note of work left to do", () => {
  assert.deepEqual(inLib.filter(({ text }) => /\b(TODO|FIXME)\b/.test(text)).map(({ path }) => path), []);
});

const FORBIDDEN: readonly (readonly [string, RegExp])[] = [
  ["no any", /(?:[:<|&,(]|\bas)\s*any\b(?!\s*[(:.])/],
  ["no console", /(?<!["'\w.])console\./],
  ["no keyword private", /^\s*private\s/],
  ["no plain Error thrown", /\bthrow new Error\(/],
  ["no barrel", /^export \* from/],
];
for (const [name, pattern] of FORBIDDEN) {
  Deno.test(`lib/ has ${name}`, () => assert.deepEqual(places(pattern), []));
}

Deno.test("every module of lib/ begins with what it is about", () => {
  assert.deepEqual(inLib.filter(({ text }) => !text.startsWith("/**")).map(({ path }) => path), []);
});

Deno.test("mod.ts exports exactly the documented names", async () => {
  const documented = await Deno.readTextFile(new URL("tests/public_names.txt", ROOT));
  assert.deepEqual(
    await publicNames(),
    documented.trimEnd().split("\n"),
    "The public names changed: if that is meant, run `deno task public-names` and say so in CHANGELOG.md",
  );
});

/** What README and docs promise, besides types of options and the like. */
const PROMISED = [
  ..."Tub Referenceable RemoteReference RemotePromise Copyable registerRemoteCopy registerCopier".split(" "),
  ..."tuple Tuple Dict float callable kwargs Kwargs Decimal frozenSet".split(" "),
  ..."serialize unserialize SturdyRef CapabilityRegistry Reconnector Untyped".split(" "),
  ..."Violation RemoteException DeadReferenceError ProtocolError NegotiationError UnreachableError".split(
    " ",
  ),
  "pb",
  ..."RemoteNegotiationError DuplicateConnectionError FurlError NoLocationError PermissionDenied".split(" "),
];

Deno.test("mod.ts exports every promised name", async () => {
  const exported = new Set((await publicNames()).map((line) => line.split(" ")[1]));
  assert.deepEqual(PROMISED.filter((name) => !exported.has(name)), []);
});
