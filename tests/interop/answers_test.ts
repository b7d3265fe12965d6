import assert from "node:assert/strict";
import { Tub } from "../../mod.ts";
import {
  answerInTls,
  answerToRequest,
  DECISIONS,
  HELLOS,
  REQUESTS,
  type Saying,
} from "../suites/answers_suite.ts";
import { makeIdentity, type TestIdentity } from "../support/identity.ts";
import { interopTest } from "../support/python.ts";
import { identityBeside, type Reachable } from "../tub/attacker.ts";
import { Target } from "../tub/tubs.ts";
import { startIn, startProgram } from "./python_party.ts";
import { locate, step } from "./rig.ts";

/** Runs what is asked against a Tub of ours and one of Python's that have the same identity. */
async function compare(
  t: Deno.TestContext,
  sayings: readonly Saying[],
  ask: (tub: Reachable, saying: Saying, identity: TestIdentity) => Promise<string>,
): Promise<void> {
  await using program = await startProgram();
  const identity = await makeIdentity();
  for (const saying of sayings) {
    await step(t, saying.name, async () => {
      await using ours = await locate(await Tub.create({ certData: identity.certPem + identity.keyPem }));
      ours.registerReference(new Target(), "target");
      await using theirs = await startIn(program, identity);
      const python = { tubId: identity.tubId, listeners: [theirs] };
      assert.equal(await ask(ours, saying, identity), await ask(python, saying, identity));
    });
  }
}

interopTest("a Tub answers requests with the same bytes as Python", async (t) => {
  await compare(t, REQUESTS, answerToRequest);
});

for (const role of ["master", "slave"] as const) {
  interopTest(`a Tub answers hellos of a ${role} with the same bytes as Python`, async (t) => {
    await compare(
      t,
      HELLOS,
      async (tub, saying, { tubId }) =>
        await answerInTls(tub, await identityBeside(tubId, role), saying, false),
    );
  });
}

interopTest("a Tub answers decisions with the same bytes as Python", async (t) => {
  await compare(
    t,
    DECISIONS,
    async (tub, saying, { tubId }) =>
      await answerInTls(tub, await identityBeside(tubId, "master"), saying, true),
  );
});
