import assert from "node:assert/strict";
import { Referenceable, RemoteFunction, Violation } from "../../mod.ts";
import { SAMPLES } from "../graph/rich/samples.ts";
import { canonical, describe, type Description } from "../support/described.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { rejectionOf, stepEachWay } from "./rig.ts";

/** What JavaScript alone has, as Python gets it by the value table. */
const BY_TABLE: readonly (readonly [name: string, value: unknown, arrives: Description])[] = [
  ["undefined", undefined, { none: true }],
  ["undefined inside", { a: undefined, b: [undefined] }, {
    dict: [[{ str: "a" }, { none: true }], [{ str: "b" }, { list: [{ none: true }] }]],
  }],
  ["a hole in an array", new Array(2), { list: [{ none: true }, { none: true }] }],
  ["a small bigint", 5n, { int: "5" }],
  ["a Map", new Map([["a", 1]]), { dict: [[{ str: "a" }, { int: "1" }]] }],
  ["a Map with keys that are no text", new Map([[1, 2]]), { dict: [[{ int: "1" }, { int: "2" }]] }],
  ["a Set", new Set([1]), { set: [{ int: "1" }] }],
  ["a typed array", new Uint16Array([1, 2]), { bytes: "01000200" }],
  ["a Float64Array", new Float64Array([0.5]), { bytes: "000000000000e03f" }],
  ["a DataView", new DataView(Uint8Array.of(1, 2).buffer, 1), { bytes: "02" }],
];

/** What Python has nothing like. */
const REFUSED: readonly (readonly [name: string, value: unknown, message: RegExp])[] = [
  ["a Date", new Date(0), /Cannot serialize a Date: send its getTime\(\) or toISOString\(\)/],
  ["an Error", new TypeError("no"), /Cannot serialize an Error: send its message, or throw it/],
  ["a DOMException", new DOMException("no", "AbortError"), /Cannot serialize an Error: send its message/],
  ["a URL", new URL("https://a.b/"), /Cannot serialize a URL: send its href/],
  ["a RegExp", /a/, /Cannot serialize a RegExp: send its source/],
  ["an ArrayBuffer", new ArrayBuffer(1), /Cannot serialize an ArrayBuffer: send new Uint8Array\(buffer\)/],
  ["a SharedArrayBuffer", new SharedArrayBuffer(1), /Cannot serialize a SharedArrayBuffer: send a copy/],
  ["an object of Temporal", Temporal.Now.instant(), /Cannot serialize an object of Temporal: send its toStr/],
  ["a Map with an object as a key", new Map([[{}, 1]]), /Cannot take a list, dict or set as a key of a dict/],
  ["1 and true as keys", new Map<unknown, unknown>([[1, 1], [true, 2]]), /two keys that Python takes as one/],
  ["a Set of lists", new Set([[1]]), /Cannot take a list, dict or set as a member of a set/],
  ["a symbol", Symbol("s"), /Cannot serialize a symbol/],
  ["a number in a box", new Number(1), /a primitive in a box: send its valueOf\(\)/],
];

class Giver extends Referenceable {
  #values: readonly unknown[];
  constructor(values: readonly unknown[]) {
    super();
    this.#values = values;
  }
  remote_give(index: number): unknown {
    return this.#values[index];
  }
}

interopTest(
  "values that only JavaScript has go to Python by the value table, or are refused here",
  async (t) => {
    await using peer = await startPython();

    await stepEachWay(t, peer, "Deno passes them to Python", async ({ python }) => {
      for (const [name, value, arrives] of BY_TABLE) {
        const got = canonical(JSON.parse(await python.callRemote("describe", value) as string));
        assert.deepEqual(got, canonical(arrives), name);
      }
      for (const [name, value, message] of REFUSED) {
        const error = await rejectionOf(Violation, python.callRemote("echo", [value]));
        assert.match(error.message, message, name);
        assert.match(error.where, /^arguments\[0\]\[0\]/, name);
      }
      assert.equal(await python.callRemote("add", 1, 2), 3);
    });

    await stepEachWay(t, peer, "Deno answers Python with them", async ({ tub }) => {
      const values = [...BY_TABLE.map(([, value]) => value), ...REFUSED.map(([, value]) => value)];
      const name = `giver of ${tub.tubId}`;
      await peer.get(tub.registerReference(new Giver(values)), name);
      for (const [i, [, , arrives]] of BY_TABLE.entries()) {
        assert.deepEqual(canonical(await peer.call(name, "give", { int: String(i) })), canonical(arrives));
      }
      for (const [i, [, , message]] of REFUSED.entries()) {
        const index = { int: String(BY_TABLE.length + i) } as const;
        const { failure } = await rejectionOf(PeerFailure, peer.call(name, "give", index));
        assert.equal(failure.type, "foolscap.tokens.Violation");
        assert.match(failure.value, message);
      }
    });

    await stepEachWay(t, peer, "what goes to Python and comes back is Python's", async ({ python }) => {
      assert.equal(await python.callRemote("nothing"), null);
      assert.equal(await python.callRemote("echo", undefined), null);
      assert.deepEqual(describe(await python.callRemote("echo", new Map([["a", 5n]]))), describe({ a: 5 }));
    });

    await stepEachWay(t, peer, "a function of Python's does not go home", async ({ python }) => {
      const add = await python.callRemote("function");
      assert.ok(add instanceof RemoteFunction);
      const error = await rejectionOf(Violation, python.callRemote("echo", [add]));
      assert.match(error.message, /Cannot send a function back home: Python Foolscap drops the connection/);
      assert.equal(await add.callRemote(1, 2), 3);
    });

    await stepEachWay(t, peer, "every sample is taken by Python or refused here", async ({ python }) => {
      for (const [name, make] of SAMPLES) {
        try {
          await python.callRemote("echo", make());
        } catch (error) {
          assert.ok(error instanceof Violation, `${name}: ${error}`);
        }
      }
      assert.equal(await python.callRemote("add", 1, 2), 3);
    });
  },
);
