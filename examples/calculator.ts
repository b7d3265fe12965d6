/**
 * A Tub in one process, a client in another, real calls between them:
 *
 *     deno run --allow-net=127.0.0.1 --allow-run examples/calculator.ts
 *
 * @module
 */

import { calculate } from "./calculator/client.ts";
import { startDeno } from "./support/child.ts";

await using server = await startDeno(
  new URL("calculator/server.ts", import.meta.url),
  ["--allow-net=127.0.0.1"],
);
console.log("The server is another process. Its FURL, of which the last part is secret:");
console.log(server.firstLine.replace(/\/[^/]*$/, "/…"));
await calculate(server.firstLine);
