import { DIALLINGS } from "../suites/dialling_suite.ts";
import { type Cast, startDeno } from "../support/parties.ts";
import { interopTest } from "../support/python.ts";
import { pythonIn, startProgram } from "./python_party.ts";
import { step } from "./rig.ts";

for (const role of ["slave", "master"] as const) {
  interopTest(`several ways to a Tub end with one connection, Python being the ${role}`, async (t) => {
    await using program = await startProgram();
    const python = pythonIn(program);
    const cast: Cast = role === "slave"
      ? { slave: python, master: startDeno }
      : { slave: startDeno, master: python };
    for (const { name, run } of DIALLINGS) await step(t, name, () => run(cast));
  });
}
