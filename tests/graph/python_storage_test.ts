import assert from "node:assert/strict";
import { Violation } from "../../lib/errors.ts";
import type { Copyable } from "../../lib/graph/copyable.ts";
import { serialize, unserialize } from "../../lib/graph/storage.ts";
import { Decimal } from "../../lib/values/decimal.ts";
import { Tuple, tuple } from "../../lib/values/tuple.ts";
import { fc } from "../deps.ts";
import { anyValue } from "../support/any_value.ts";
import { canonical, copyableClass, describe, type Description } from "../support/described.ts";
import { decodeHex, encodeHex } from "../support/hex.ts";
import { interopTest, PeerFailure, type PythonPeer, startPython } from "../support/python.ts";

const SCRIPT = "../graph/storage_peer.py";
const SAMPLES = 500;

async function readInPython(peer: PythonPeer, bytes: Uint8Array): Promise<Description> {
  const { value } = await peer.command("read", { hex: encodeHex(bytes) });
  return canonical(value as Description);
}

function samples(): unknown[] {
  return fc.sample(anyValue, { numRuns: SAMPLES });
}

interopTest("serialize() writes what Python's unserialize reads", async () => {
  await using peer = await startPython(SCRIPT);
  for (const value of samples()) {
    const bytes = serialize([value]);
    let read: Description;
    try {
      read = await readInPython(peer, bytes);
    } catch (cause) {
      throw new Error(`Python could not read ${encodeHex(bytes)}`, { cause });
    }
    assert.deepEqual(read, describe([value]), encodeHex(bytes));
  }
});

// What Python's own reader makes of the bytes is what ours has to make: Python sends a shared Copyable once for each
// occurrence, and has one empty tuple, so the value that it was told to write is not the measure.
interopTest("unserialize() reads what Python's serialize writes, as Python does", async () => {
  await using peer = await startPython(SCRIPT);
  let compared = 0;
  for (const value of samples()) {
    const hex = await writeInPython(peer, describe([value]));
    if (hex === undefined) continue;
    const again = describe(unserialize(decodeHex(hex), { floats: "wrap" }));
    assert.deepEqual(again, await readInPython(peer, decodeHex(hex)), hex);
    compared++;
  }
  assert.ok(compared > SAMPLES / 2);
});

/** Bytes that Python makes, unless it cannot sort the keys of some dict, or its builder cannot make the value. */
async function writeInPython(peer: PythonPeer, value: Description): Promise<string | undefined> {
  try {
    return (await peer.command("write", { value })).hex as string;
  } catch (error) {
    if (
      error instanceof PeerFailure && /TypeError|InvalidOperation|directly inside itself/.test(error.message)
    ) return undefined;
    throw error;
  }
}

const Point = copyableClass("cp.any") as new () => Copyable & Record<string, unknown>;

function point(fill: (point: Copyable & Record<string, unknown>) => void): unknown {
  const made = new Point();
  fill(made);
  return made;
}

function selfTuple(inside: (made: Tuple) => unknown): unknown {
  const made = new Tuple();
  made.push(inside(made));
  return Object.freeze(made);
}

const shared = point((p) => p.a = 1);
const taken: { name: string; value: unknown }[] = [
  { name: "a Copyable twice", value: [shared, shared] },
  {
    name: "a Copyable twice within another",
    value: point((p) => Object.assign(p, { a: shared, b: shared })),
  },
  { name: "a Copyable in a list of its own", value: point((p) => p.a = [p]) },
  { name: "a Copyable in a list of its own, and again", value: ((p) => [p, p])(point((p) => p.a = [p, p])) },
  { name: "a Copyable in a dict of its own", value: point((p) => p.a = { me: p }) },
  { name: "a Copyable in a tuple in a list of its own", value: point((p) => p.a = [tuple(1, p)]) },
  { name: "two Copyables in lists of each other", value: point((p) => p.a = [point((q) => q.a = [p])]) },
  { name: "a tuple that contains itself in a list", value: selfTuple((t) => [t]) },
  { name: "a tuple that contains itself in a dict", value: selfTuple((t) => ({ me: t })) },
  { name: "a tuple in a tuple in a list of its own", value: selfTuple((t) => [tuple(t, 1)]) },
  {
    name: "a tuple with a Copyable that has the tuple in a list",
    value: selfTuple((t) => point((p) => p.a = [t])),
  },
  { name: "a Copyable in a set of its own", value: point((p) => p.a = new Set([p])) },
  { name: "a dict with a Copyable as key and value", value: new Map([[shared, shared]]) },
  { name: "an empty dict twice", value: ((d) => [d, d])({}) },
  {
    name: "a tuple that is a key, and the dict, again",
    value: ((t, d) => [d(t), t])(tuple(1, 2), (t: unknown) => new Map([[t, t]])),
  },
  {
    name: "attributes with the names of JavaScript",
    value: point((p) => Object.assign(p, { toString: 1, constructor: 2 })),
  },
];

interopTest("Python's unserialize takes the sharing and cycles that serialize() allows", async (t) => {
  await using peer = await startPython(SCRIPT);
  for (const { name, value } of taken) {
    await t.step(name, async () => {
      assert.deepEqual(await readInPython(peer, serialize([value])), describe([value]));
    });
  }
});

for (const { name, value } of taken) {
  Deno.test(`unserialize() takes ${name}`, () => {
    assert.deepEqual(describe(unserialize(serialize([value]))), describe([value]));
  });
}

const refused: { name: string; value: unknown }[] = [
  { name: "a Copyable that is its own attribute", value: point((p) => p.a = p) },
  { name: "a Copyable in a tuple that is its attribute", value: point((p) => p.a = tuple(1, p)) },
  { name: "a Copyable two tuples deep in its attribute", value: point((p) => p.a = tuple(tuple(p))) },
  {
    name: "two Copyables that are attributes of each other",
    value: point((p) => p.a = point((q) => q.a = p)),
  },
  { name: "a tuple with a Copyable that has the tuple", value: selfTuple((t) => point((p) => p.a = t)) },
  { name: "a Copyable as a key in its attribute", value: point((p) => p.a = new Map([[p, 1]])) },
  { name: "a tuple that is an element of itself", value: selfTuple((t) => t) },
  {
    name: "a tuple that waits for a Copyable, as an attribute of it",
    value: point((p) => {
      const waiting = tuple(p);
      Object.assign(p, { a: [waiting], b: waiting });
    }),
  },
  { name: "a dict with a tuple that contains it, twice", value: selfTuple((t) => ({ a: t, b: t })) },
  { name: "a dict with a tuple that contains it, and again", value: selfTuple((t) => [{ a: t }, t]) },
  { name: "a signaling NaN as a key", value: new Map([[new Decimal("sNaN"), 1]]) },
  { name: "a signaling NaN in a tuple in a set", value: new Set([tuple(new Decimal("-sNaN1"))]) },
];

// Python drops the connection for these, or takes None for some part.
for (const { name, value } of refused) {
  Deno.test(`serialize() refuses ${name}`, () => {
    assert.throws(() => serialize([value]), Violation);
  });
}
