import { judge, OFFERS } from "../suites/offers_suite.ts";
import { makeIdentity } from "../support/identity.ts";
import { interopTest } from "../support/python.ts";
import { identityBeside } from "../tub/attacker.ts";
import { startIn, startProgram } from "./python_party.ts";
import { step } from "./rig.ts";

interopTest("Python judges offers for a connection that is there as this library does", async (t) => {
  await using program = await startProgram();
  for (const made of OFFERS) {
    await step(t, `rule ${made.rule}: ${made.name}`, async () => {
      const master = await makeIdentity();
      await using python = await startIn(program, master);
      const slave = await identityBeside(master.tubId, "slave");
      await judge({ tubId: master.tubId, listeners: [python] }, slave, made);
    });
  }
});
