import assert from "node:assert/strict";
import { atEndOfTurn } from "../../lib/util/end_of_turn.ts";
import { inLaterTurn } from "../../lib/util/eventual.ts";

/** Notes in which order the two run what they are given, beside microtasks and each other. */
async function order(begin: (note: (what: string) => () => void) => void): Promise<string[]> {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    begin((what) => () => void seen.push(what));
    // Later than everything that was begun.
    inLaterTurn(() => inLaterTurn(resolve));
  });
  return seen;
}

const STARTS: Record<string, (run: () => void) => void> = {
  "in a microtask": (run) => queueMicrotask(run),
  "in a timer": (run) => void setTimeout(run, 0),
  "in a later turn": inLaterTurn,
  "at the end of a turn": atEndOfTurn,
  "after an operation of the system": (run) => void Deno.stat(".").then(run),
};

for (const [name, start] of Object.entries(STARTS)) {
  Deno.test(`atEndOfTurn() runs after all microtasks and before the next turn, when called ${name}`, async () => {
    await new Promise<void>((resolve) => start(resolve));
    const seen = await order((note) => {
      inLaterTurn(note("turn"));
      atEndOfTurn(note("end"));
      queueMicrotask(() => {
        note("microtask")();
        Promise.resolve().then(() => Promise.resolve()).then(note("microtask of a microtask"));
      });
    });
    assert.deepEqual(seen, ["microtask", "microtask of a microtask", "end", "turn"]);
  });
}

Deno.test("atEndOfTurn() runs what it is given in the order of the calls", async () => {
  const seen = await order((note) => {
    for (const what of ["a", "b", "c"]) atEndOfTurn(note(what));
  });
  assert.deepEqual(seen, ["a", "b", "c"]);
});
