import { DIALLINGS } from "../suites/dialling_suite.ts";
import { startDeno } from "../support/parties.ts";

for (const { name, run } of DIALLINGS) {
  Deno.test(name, () => run({ slave: startDeno, master: startDeno }));
}
