import { REPLACEMENTS, Stage } from "../suites/replacement_suite.ts";
import { type Cast, startDeno } from "../support/parties.ts";
import { interopTest } from "../support/python.ts";
import { pythonIn, startProgram } from "./python_party.ts";
import { step } from "./rig.ts";

for (const role of ["slave", "master"] as const) {
  interopTest(
    `connections are replaced or kept as the master decides, Python being the ${role}`,
    async (t) => {
      await using program = await startProgram();
      const python = pythonIn(program);
      const cast: Cast = role === "slave"
        ? { slave: python, master: startDeno }
        : { slave: startDeno, master: python };
      for (const { name, master, run } of REPLACEMENTS) {
        await step(t, name, async () => {
          await using stage = await Stage.set(cast, master);
          await run(stage);
        });
      }
    },
  );
}
