/**
 * A plugin of somebody else's, in a process of its own that may do nothing: it has a logger to call, and that is all.
 *
 *     deno run --allow-read=. --allow-run examples/sandboxed_plugin.ts
 *
 * The permissions are to read the plugin, and to run Deno once more. The plugin has neither: what it does beyond computing and
 * logging is refused by Deno. When it crashes, it is started again.
 *
 * @module
 */

import { grantSandbox, localReference, Referenceable, Tub } from "../mod.ts";
import type Plugin from "./sandboxed_plugin/plugin.ts";

class Logger extends Referenceable {
  remote_log(line: string): void {
    console.log("the plugin logs:", line);
  }
}

await using tub = await Tub.create();
const sandbox = await grantSandbox<Plugin>(tub, new URL("./sandboxed_plugin/plugin.ts", import.meta.url), {
  permissions: "none",
  caps: { logger: new Logger() },
  memoryMb: 64,
  restart: "on-failure",
  // What others than this program may do with it.
  grant: { methods: ["sum"], maxCalls: 1, label: "the plugin, once" },
  onExit: ({ reason, code }) => console.log(`the plugin has ${reason} with code ${code}`),
});
const plugin = sandbox.reference;

console.log("1 + 2 + 3 =", await plugin.callRemote("sum", [1, 2, 3]));
console.log("it tries to read a file:", await plugin.callRemote("steal", "/etc/passwd"));
await plugin.callRemote("crash").catch((error: Error) => console.log(`${error.name}: ${error.message}`));
const others = localReference(sandbox.capability!.object as Plugin);
console.log("others sum, once:", await others.callRemote("sum", [6, 7]));
await others.callRemote("sum", [6, 7]).catch((error: Error) =>
  console.log(`${error.name}: ${error.message}`)
);
console.log("4 + 5 =", await plugin.callRemote("sum", [4, 5]), "after", sandbox.restarts, "restart");
if (sandbox.restarts !== 1) throw new Error("The plugin was not started again");
