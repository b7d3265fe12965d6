// docs/compatibility.md says what works and which test holds it. This keeps it true: numbers, words and the names of tests.
import assert from "node:assert/strict";
import { pythonAvailable } from "./support/python.ts";
import { testNames } from "./support/test_names.ts";

const ROOT = new URL("../", import.meta.url);
/** The folder of Foolscap's own tests, where Debian installs it. */
const PYTHON_TESTS = "/usr/lib/python3/dist-packages/foolscap/test";

/** Modules of Foolscap's tests that are told of as a whole: of the others each test has to be named. */
const TOLD_AS_A_WHOLE: readonly string[] = ["_versions", "appserver", "logging"];

const text = await Deno.readTextFile(new URL("docs/compatibility.md", ROOT));
const [inventory, modules] = text.split("\n## Foolscap's own tests\n") as [string, string];

interface Row {
  readonly number: number;
  readonly feature: string;
  readonly status: string;
  readonly how: string;
  readonly test: string;
}

const rowsOf = (part: string): Row[] =>
  part.split("\n").filter((line) => /^\| \d/.test(line)).map((line) => {
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    assert.equal(cells.length, 5, `five cells: ${line}`);
    const [number, feature, status, how, test] = cells as [string, string, string, string, string];
    return { number: Number(number), feature, status, how, test };
  });

const [ofFoolscap, ofPb] = inventory.split("\n## Perspective Broker\n") as [string, string];
const INVENTORIES = [
  { of: "Foolscap", rows: rowsOf(ofFoolscap), count: 188 },
  { of: "Perspective Broker", rows: rowsOf(ofPb), count: 88 },
];
const rows = INVENTORIES.flatMap((each) => each.rows);

/** `` live `tests/a_test.ts`: "name" ``; `live`: Python runs; `vectors`: Python's bytes; nothing: neither. */
const REFERENCE = /(?:\b(live|vectors) )?`(tests\/[^`]+)`((?:: |, )?"[^"]+"(?:(?:, |; | and )"[^"]+")*)?/g;

interface Reference {
  readonly kind: string | undefined;
  readonly file: string;
  readonly names: readonly string[];
}

function referencesIn(cell: string): Reference[] {
  return [...cell.matchAll(REFERENCE)].map(([, kind, file, names = ""]) => ({
    kind,
    file: file!,
    names: [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => name!),
  }));
}

/** What a file has in which Python runs, or its bytes are read. */
const MARKS: Record<string, RegExp> = {
  live: /interopTest\(|startPython\(|PythonLines|\/usr\/bin\/python3/,
  vectors: /vectors\/\w+\.json/,
};

const sources = new Map<string, Promise<string>>();
function source(file: string): Promise<string> {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const reading = Deno.readTextFile(new URL(file, ROOT));
  sources.set(file, reading);
  return reading;
}

for (const { of, rows, count } of INVENTORIES) {
  Deno.test(`docs/compatibility.md has each of the ${count} features of ${of} once, in order`, () => {
    assert.deepEqual(rows.map(({ number }) => number), Array.from({ length: count }, (_, i) => i + 1));
  });
}

Deno.test("docs/compatibility.md gives each feature a status, and a reason where it differs", () => {
  for (const { number, status, how, test } of rows) {
    assert.match(status, /^(works|differs|not)$/, `${number}: ${status}`);
    if (status === "differs" || status === "not") assert.notEqual(how, "", `${number} has no reason`);
    if (status === "works" || status === "differs") assert.notEqual(test, "", `${number} has no test`);
  }
});

Deno.test("docs/compatibility.md and README.md count the features right", async () => {
  const readme = (await Deno.readTextFile(new URL("README.md", ROOT))).replaceAll(/\s+/g, " ");
  for (const { rows } of INVENTORIES) {
    const count = (wanted: string) => rows.filter(({ status }) => status === wanted).length;
    const counts = [`${count("works")} work`, `${count("differs")} differ and ${count("not")} are not there`];
    for (const part of counts) assert.ok(text.includes(part) && readme.includes(part), part);
  }
});

Deno.test("docs/compatibility.md calls nothing working that Python has not tried", () => {
  for (const { number, status, how, test } of rows) {
    if (status !== "works") continue;
    const isTried = referencesIn(test).some(({ kind }) => kind !== undefined);
    assert.ok(isTried || /no peer takes part/i.test(how), `${number}: no live test and no bytes of Python's`);
  }
});

Deno.test("docs/compatibility.md names tests that exist", async () => {
  const all = referencesIn(text);
  assert.ok(all.length > 200, `${all.length} references`);
  const vectors = (await Promise.all(
    ["graph", "messages", "tokens", "pb"].map((name) => source(`tests/vectors/${name}.json`)),
  )).join("");
  const wrong: string[] = [];
  for (const { kind, file, names } of all) {
    const code = await source(file);
    if (kind !== "live" && /^tests\/(pb\/)?interop\//.test(file)) {
      wrong.push(`${file} is live, and has to be marked so`);
    }
    if (names.length === 0) wrong.push(`${file} is named without a test`);
    if (kind !== undefined && !MARKS[kind]!.test(code)) wrong.push(`${file} is not ${kind}`);
    const texts = kind === "vectors" ? code + vectors : code;
    const known = testNames(code);
    for (const name of names) {
      if (!known.some((each) => each.isNamed(name, texts))) wrong.push(`${file} has no test "${name}"`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("docs/compatibility.md leaves no reference to a test in another form", () => {
  const told = referencesIn(text).length;
  assert.equal(text.match(/`tests\/[^`]*\.ts`/g)?.length, told);
});

Deno.test({
  name: "docs/compatibility.md tells of each of Foolscap's own tests",
  ignore: !await pythonAvailable(),
  async fn() {
    const sections = new Map(
      modules.split("\n### ").slice(1).map((section) => {
        const end = section.indexOf("\n");
        return [section.slice(0, end).trim(), section.slice(end)] as const;
      }),
    );
    for await (const { name } of Deno.readDir(PYTHON_TESTS)) {
      const module = /^(test_(\w+))\.py$/.exec(name);
      if (module === null) continue;
      const section = sections.get(module[1]!);
      assert.ok(section !== undefined, `${module[1]} has no section`);
      if (TOLD_AS_A_WHOLE.includes(module[2]!)) continue;
      const code = await Deno.readTextFile(`${PYTHON_TESTS}/${name}`);
      for (const [, test] of code.matchAll(/^ {4}def (test\w*)\(self\):/gm)) {
        assert.match(section, new RegExp(`\\b${test}\\b`), `${name}: ${test}`);
      }
    }
  },
});
