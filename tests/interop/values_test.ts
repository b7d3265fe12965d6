import assert from "node:assert/strict";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { Decimal, Dict, frozenSet, kwargs, type RemoteReference, tuple } from "../../mod.ts";
import { arrived, build, canonical, describe, type Description } from "../support/described.ts";
import { interopTest, type PythonPeer, startPython } from "../support/python.ts";
import { Point } from "./root.ts";
import { type Rig, stepEachWay } from "./rig.ts";

interface Row {
  readonly name: string;
  readonly value: Description;
  /** What arrives from Python, where the wire does not carry an identity. */
  readonly decoded?: Description;
}

/** The values whose bytes are known are those that cross here. */
async function readRows(): Promise<Row[]> {
  const text = await Deno.readTextFile(new URL("../vectors/graph.json", import.meta.url));
  const { vectors } = JSON.parse(text) as { vectors: (Row & { readonly dialect: string })[] };
  return vectors.filter(({ dialect }) => dialect === "pb");
}

function hexOf(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

const MORE_ROWS: readonly Row[] = [
  { name: "bytes of each vocabulary word", value: { list: words((word) => ({ bytes: hexOf(word) })) } },
  { name: "text of each vocabulary word", value: { list: words((str) => ({ str })) } },
  { name: "text of every plane", value: { str: "\0a\u00e9\u20ac\ud7ff\ue000\uffff\u{10000}\u{10ffff}" } },
  { name: "text with combining marks, unchanged", value: { str: "e\u0301 \u00e9 \ufeff" } },
  { name: "list 200 deep", value: nest(200) },
  {
    name: "everything inside a tuple key's value",
    value: {
      dict: [[{ tuple: [{ str: "k" }, { int: "1" }] }, {
        tuple: [{ set: [{ int: "1" }] }, { frozenset: [{ str: "f" }] }, { decimal: "1.10" }, { none: true }],
      }]],
    },
  },
];

function words(describeWord: (word: string) => Description): Description[] {
  return vocabularyWords(1).map(describeWord);
}

function nest(depth: number): Description {
  let inner: Description = { list: [] };
  for (let i = 1; i < depth; i++) inner = { list: [inner] };
  return inner;
}

/** What Python got when it was sent this. */
async function pythonGot({ python }: Rig, value: unknown): Promise<Description> {
  return canonical(JSON.parse(await python.callRemote("describe", value) as string));
}

/** Python sends a frozenset or a copyable as often as it occurs; Deno sends a copyable once. */
function sentByDeno({ value, decoded = value }: Row): Description {
  return JSON.stringify(value).includes('"frozenset"') ? decoded : value;
}

/** Each row by itself, all of them under way at the same time; the rows that fail, with why. */
async function failuresOf(rows: readonly Row[], check: (row: Row) => Promise<void>): Promise<string[]> {
  const done = await Promise.allSettled(rows.map((row) => check(row)));
  return done.flatMap((result, i) =>
    result.status === "rejected" ? [`${rows[i]!.name}: ${result.reason}`] : []
  );
}

async function registerWithPython(peer: PythonPeer, rows: readonly Row[]): Promise<void> {
  // A class that neither side has named yet is made when a description names it.
  for (const { value } of rows) {
    if (!JSON.stringify(value).includes('"copyable"')) continue;
    build(value);
    await peer.call("self", "build", { str: JSON.stringify(value) });
  }
}

interopTest("every value of the table crosses in both directions", async (t) => {
  await using peer = await startPython();
  const rows = [...await readRows(), ...MORE_ROWS];
  await peer.get(peer.furl, "self");
  await registerWithPython(peer, rows);

  await stepEachWay(t, peer, "Python gets what Deno sends", async (rig) => {
    const failures = await failuresOf(rows, async (row) => {
      assert.deepEqual(await pythonGot(rig, build(row.value)), canonical(sentByDeno(row)));
    });
    assert.deepEqual(failures, []);
  });

  await stepEachWay(t, peer, "Deno gets what Python answers", async ({ python }) => {
    const failures = await failuresOf(rows, async ({ value, decoded = value }) => {
      const got = await python.callRemote("build", JSON.stringify(value));
      assert.deepEqual(describe(got), arrived(decoded));
    });
    assert.deepEqual(failures, []);
  });

  await stepEachWay(t, peer, "Deno gets what Python passes as an argument", async ({ ours }) => {
    const failures = await failuresOf(rows, async ({ value, decoded = value }) => {
      const got = await peer.call(ours, "describe", value) as { readonly str: string };
      assert.deepEqual(canonical(JSON.parse(got.str)), arrived(decoded));
    });
    assert.deepEqual(failures, []);
  });

  await stepEachWay(t, peer, "Python gets what Deno answers", async ({ ours }) => {
    const failures = await failuresOf(rows, async (row) => {
      const got = await peer.call(ours, "build", { str: JSON.stringify(row.value) });
      assert.deepEqual(canonical(got), canonical(sentByDeno(row)));
    });
    assert.deepEqual(failures, []);
  });

  await stepEachWay(t, peer, "a value that crosses twice comes back as it was", async ({ python }) => {
    const failures = await failuresOf(rows, async ({ value, decoded = value }) => {
      const echoed = await python.callRemote("echo", await python.callRemote("build", JSON.stringify(value)));
      assert.deepEqual(describe(echoed), arrived(decoded));
    });
    assert.deepEqual(failures, []);
  });
});

interopTest("values have the classes of the value table in Deno", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "kinds of their own", async ({ python }) => {
    const echo = (value: unknown) => python.callRemote("echo", value);
    assert.equal(await echo(undefined), null);
    assert.equal(await echo(2n ** 53n), 2n ** 53n);
    assert.equal(await echo(7n), 7);
    assert.equal(await echo(-0), -0);
    assert.deepEqual(await echo(new Uint8Array([1, 2, 255]).subarray(1)), new Uint8Array([2, 255]));
    assert.deepEqual(await echo(new Uint16Array([1])), new Uint8Array([1, 0]));
    const pair = await echo(tuple(1, "a")) as unknown[];
    assert.ok(Object.isFrozen(pair) && Array.isArray(pair));
    const dict = await echo(new Map<unknown, unknown>([[tuple(1, 2), "t"], [tuple(0), 1]]));
    assert.ok(dict instanceof Dict);
    assert.equal(dict.get(tuple(1, 2)), "t");
    const bytesDict = await echo(new Map([[new Uint8Array([7]), 1]]));
    assert.ok(bytesDict instanceof Dict);
    assert.equal(bytesDict.get(new Uint8Array([7])), 1);
    const plain = await echo(JSON.parse('{"__proto__": 1, "b": 2}')) as object;
    assert.equal(Object.getPrototypeOf(plain), null);
    assert.deepEqual(Object.entries(plain), [["__proto__", 1], ["b", 2]]);
    const frozen = await echo(frozenSet(1, "x")) as Set<unknown>;
    assert.throws(() => frozen.add(2), TypeError);
    const open = await echo(new Set([tuple(1)])) as Set<unknown>;
    assert.ok(open.has(tuple(1)) && open.add(2));
    const decimal = await echo(new Decimal("1.10"));
    assert.ok(decimal instanceof Decimal);
    assert.equal(decimal.toString(), "1.10");
  });

  await stepEachWay(t, peer, "copyables of a class of the program's own", async ({ python, ours }) => {
    const flipped = await python.callRemote("flip", new Point(1, ["two"]));
    assert.ok(flipped instanceof Point);
    assert.deepEqual([flipped.x, flipped.y], [["two"], 1]);
    const made = await python.callRemote("point", "x", new Point(1, 2)) as Point;
    assert.ok(made instanceof Point && made.y instanceof Point);
    const point: Description = { copyable: ["tests.Point", [["x", { int: "1" }], ["y", { str: "2" }]]] };
    const back = { copyable: ["tests.Point", [["x", { str: "2" }], ["y", { int: "1" }]]] };
    assert.deepEqual(await peer.call(ours, "flip", point), back);
  });

  await stepEachWay(t, peer, "a reference inside a copyable", async ({ python, root }) => {
    const flipped = await python.callRemote("flip", new Point(root, python)) as Point;
    assert.equal(flipped.x, python);
    assert.equal(flipped.y, root);
  });

  await stepEachWay(t, peer, "keyword arguments", async ({ python, ours }) => {
    assert.deepEqual(
      describe(await python.callRemote("keywords", 1, kwargs({ z: "last", second: null, a: 0 }))),
      describe({ first: 1, second: null, others: { a: 0, z: "last" } }),
    );
    assert.deepEqual(
      describe(await python.callRemote("arguments", kwargs({ "caf\u00e9": 1 }))),
      describe(tuple(tuple(), { "caf\u00e9": 1 })),
    );
    const got = await peer.callWith(ours, "arguments", {
      args: [{ int: "1" }],
      kwargs: { b: { str: "two" }, __proto__a: { none: true } },
    });
    assert.deepEqual(
      canonical(got),
      describe([[1], { b: "two", __proto__a: null }]),
    );
  });

  await stepEachWay(t, peer, "typed methods of a RemoteInterface in Python", async ({ python }) => {
    const strict = await python.callRemote("give_strict") as RemoteReference;
    assert.equal(strict.getInterfaceName(), "RIStrict.tests");
    assert.equal(await strict.callRemote("add", 1, kwargs({ b: 2 })), 3);
    assert.equal(await strict.callRemote("length", new Uint8Array(3)), 3);
    assert.equal(await strict.callRemote("join", ["a", "b"], { c: 1 }), "a b c=1");
    assert.deepEqual(await strict.callRemote("anything", kwargs({ value: [1] })), [1]);
  });
});
