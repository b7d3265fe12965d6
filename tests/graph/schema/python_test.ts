/**
 * Constraints over a table of values, as Python's own see them: what we accept and refuse otherwise is listed here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { checkValue } from "../../../lib/graph/schema/constraint.ts";
import { Violation } from "../../../mod.ts";
import { refusalOf } from "../../support/constrained_walk.ts";
import { encodeValues, TestReceiver } from "../../support/graph_receiver.ts";
import { encodeHex } from "../../support/hex.ts";
import { interopTest } from "../../support/python.ts";
import { CONSTRAINTS, VALUES } from "./table.ts";

const rows = CONSTRAINTS.filter(({ python }) => python !== undefined);

interface Answer {
  readonly outbound: readonly (readonly boolean[])[];
  readonly inbound: readonly (readonly string[])[];
}

async function askPython(): Promise<Answer> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: ["-B", decodeURIComponent(new URL("constraints_peer.py", import.meta.url).pathname)],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const request = {
    constraints: rows.map(({ python }) => python),
    values: VALUES.map(({ python, value }) => ({ python, hex: encodeHex(encodeValues([value], 0)) })),
  };
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(request)));
  await writer.close();
  const { stdout, stderr, success } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function keeps(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof Violation) return false;
    throw error;
  }
}

/** Where we accept (`+`) or refuse (`-`) what Python does not: "constraint: value". */
const OUTBOUND_DIFFERENCES: readonly string[] = [
  // Python's booleans are integers, and its peer then refuses them.
  ...["int32", "int 4 bytes", "int 64 bytes", "int any", "int", "number 8 bytes", "number"].flatMap((
    name,
  ) => [
    `- ${name}: True`,
    `- ${name}: False`,
  ]),
  // A list is sent as a tuple where one is declared.
  "+ tuple: [1, b'a']",
  "+ empty tuple: []",
  "- bytes or int: True",
  "- bytes or int: False",
  // Python's Optional lets everything pass.
  "- attributes: {'a': 1, 'b': 2}",
];

const INBOUND_DIFFERENCES: readonly string[] = [
  // The Tub's own limit holds, and no other.
  "+ Any: 2**8191 (violation)",
  // Foolscap's defects (section 6.7 of the specification): text and containers in a choice, and frozen sets, end the
  // connection there.
  "+ any string: '' (drop)",
  "+ any string: 'abc' (drop)",
  "+ any string: 'xyz' (drop)",
  "+ any string: '\\u00e9\\U0001f600\\u4e2d' (drop)",
  // Where a number is declared, a number arrives: this one is no number in JavaScript.
  "- number: 2**8191 (ok)",
  "+ set: frozenset([1]) (drop)",
  "+ set: frozenset([1, 2, 3]) (drop)",
  "+ set <= 2: frozenset([1]) (drop)",
  "+ frozen set: frozenset([1]) (drop)",
  "+ frozen set: frozenset([1, 2, 3]) (drop)",
  "+ None or list: [] (drop)",
  "+ None or list: [1] (drop)",
  "+ None or list: [1, 2, 3] (drop)",
  "+ lists of either: [] (drop)",
  "+ lists of either: [1] (drop)",
  "+ lists of either: [1, 2, 3] (drop)",
  "+ lists of either: ['a'] (drop)",
  // Foolscap's takes only a sequence that nobody sends; ours takes dicts.
  "+ attributes: {'a': 1} (violation)",
  "+ attributes: {'a': 1, 'b': 'x'} (violation)",
  "+ attributes, ignoring: {'a': 1} (violation)",
  "+ attributes, ignoring: {'a': 1, 'b': 2} (violation)",
  "+ attributes, ignoring: {'a': 1, 'b': 'x'} (violation)",
  "+ attributes, ignoring: {'a': 1, 'zz': 1} (violation)",
];

interopTest(
  "the constraints agree with Python's about every value of the table, but where listed",
  async () => {
    const answer = await askPython();
    const outbound: string[] = [];
    const inbound: string[] = [];
    rows.forEach(({ name, constraint }, c) =>
      VALUES.forEach((row, v) => {
        const ours = keeps(() => checkValue(constraint, row.value, "outbound"));
        const theirs = answer.outbound[c]![v]!;
        if (ours !== theirs) outbound.push(`${ours ? "+" : "-"} ${name}: ${row.name}`);

        const bytes = encodeValues([row.value], 0);
        const [arrived] = new TestReceiver({ wrapFloats: false }).push(bytes).values;
        const isTaken = refusalOf(bytes, constraint) === undefined &&
          keeps(() => checkValue(constraint, arrived, "inbound"));
        const said = answer.inbound[c]![v]!;
        if (isTaken !== (said === "ok")) {
          inbound.push(`${isTaken ? "+" : "-"} ${name}: ${row.name} (${said})`);
        }
      })
    );
    assert.deepEqual(outbound, OUTBOUND_DIFFERENCES);
    assert.deepEqual(inbound, INBOUND_DIFFERENCES);
  },
);
