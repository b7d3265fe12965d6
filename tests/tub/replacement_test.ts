import { REPLACEMENTS, Stage } from "../suites/replacement_suite.ts";
import { startDeno } from "../support/parties.ts";

for (const { name, master, run } of REPLACEMENTS) {
  Deno.test(name, async () => {
    await using stage = await Stage.set({ slave: startDeno, master: startDeno }, master);
    await run(stage);
  });
}
