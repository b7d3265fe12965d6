import assert from "node:assert/strict";
import { DeadReferenceError, NegotiationError, ProtocolError } from "../../mod.ts";
import { makeIdentity, makeMasterAndSlave } from "../support/identity.ts";
import { type Party, startDeno } from "../support/parties.ts";
import { interopTest, PeerFailure } from "../support/python.ts";
import { type PythonOptions, startIn, startProgram } from "./python_party.ts";
import { rejection, rejectionOf, step, type Way, WAYS, wayText } from "./rig.ts";

type Program = Awaited<ReturnType<typeof startProgram>>;

/** Runs a statement for a Deno Tub and an odd Python Tub, in every way in which they can be connected. */
async function eachWay(
  t: Deno.TestContext,
  program: Program,
  options: PythonOptions,
  use: (from: Party, to: Party, way: Way) => Promise<void>,
): Promise<void> {
  for (const way of WAYS) {
    await step(t, wayText(way), async () => {
      const [master, slave] = await makeMasterAndSlave();
      const isMaster = way.master === "Deno";
      await using deno = await startDeno(isMaster ? master : slave);
      await using python = await startIn(program, isMaster ? slave : master, options);
      await (way.dialer === "Deno" ? use(deno, python, way) : use(python, deno, way));
    });
  }
}

async function assertConnects(from: Party, to: Party): Promise<void> {
  assert.equal(await (await from.dial(to)).add(1, 2), 3);
}

/** The dialling side's own error, or what Python had; by its type and text. */
async function failure(from: Party, to: Party): Promise<[type: string, text: string]> {
  const error = await rejection(from.dial(to));
  if (error instanceof PeerFailure) return [error.failure.type.split(".").at(-1)!, error.failure.value];
  assert(error instanceof Error);
  return [error.name, error.message];
}

const AGREEING: readonly [name: string, options: PythonOptions][] = [
  ["a version to come beside today's", { versions: [3, 4] }],
  ["many versions to come", { versions: [3, 9] }],
  ["no vocabulary", { vocabularies: [0, 0] }],
  ["only vocabulary table 1", { vocabularies: [1, 1] }],
];
for (const [name, options] of AGREEING) {
  interopTest(`a Tub connects with a Python that offers ${name}`, async (t) => {
    await using program = await startProgram();
    await eachWay(t, program, options, assertConnects);
  });
}

interopTest("a Tub does not connect with a Python that speaks only versions to come", async (t) => {
  await using program = await startProgram();
  await eachWay(t, program, { versions: [4, 5] }, async (from, to) => {
    const [type, text] = await failure(from, to);
    assert.match(type, /^(Remote)?NegotiationError$/);
    // Each refuses the other's hello, and which refusal is read first is open.
    assert.match(text, /(You|I) can't handle banana version 3/);
  });
});

interopTest("a Tub and a Python whose words of a vocabulary differ say so", async (t) => {
  await using program = await startProgram();
  await program.command("vocab_hash", { hash: "0000" });
  await eachWay(t, program, {}, async (from, to, { dialer, master }) => {
    const [ours, theirs] = ["bb33", "0000"];
    const text = master === "Deno"
      ? `Our hash for vocab-table-index 1 (${theirs}) does not match your hash (${ours})`
      : `Our hash for vocab-table-index 1 (${ours}) does not match your hash (${theirs})`;
    if (dialer === "Python") {
      // As slave it finds out itself; as master it has a connection by then, which ends.
      const type = master === "Deno" ? "NegotiationError" : "DeadReferenceError";
      assert.equal((await failure(from, to))[0], type);
      return;
    }
    const error = await rejectionOf(Error, from.dial(to));
    const classes = master === "Deno" ? [DeadReferenceError, ProtocolError] : [NegotiationError];
    assert(classes.some((type) => error instanceof type), Deno.inspect(error));
    assert(`${error.message} ${error.cause}`.includes(text), Deno.inspect(error));
  });
});

interopTest("a Tub that is not behind a hint is not reached, and the one that is says so", async (t) => {
  await using program = await startProgram();
  await eachWay(t, program, {}, async (from, to) => {
    const stranger = await makeIdentity();
    const [type, text] = await failure(from, { ...to, identity: stranger, port: to.port });
    assert.match(type, /^(NegotiationError|BananaError)$/);
    assert(text.includes(`unknown TubID ${stranger.tubId}`), text);
    await assertConnects(from, to);
  });
});
