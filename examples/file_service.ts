/**
 * A file service in which everybody has the least that does: a process that serves one folder, its owner, and somebody to whom
 * the owner gives a part, in three processes.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run examples/file_service.ts
 *
 * - The server may read one folder (`--allow-read=...`), so it can grant no more than that: `requires`.
 * - It grants listing and reading.
 * - The owner makes weaker FURLs of that one, without asking the server.
 * - The reader has one of these: what it is not for is refused, whatever the reader tries.
 *
 * @module
 */

import { attenuateFurl, describeFurl, Tub } from "../mod.ts";
import type { Desk, Files } from "./file_service/server.ts";
import { startDeno } from "./support/child.ts";

const shelf = new URL("file_service/shelf", import.meta.url).pathname;
await using server = await startDeno(
  new URL("file_service/server.ts", import.meta.url),
  ["--allow-net=127.0.0.1", `--allow-read=${shelf}`],
  [shelf],
);
const furls: { files: string; desk: string } = JSON.parse(server.firstLine);

await using owner = await Tub.create();
const files = await owner.getReference<Files>(furls.files);
const desk = await owner.getReference<Desk>(furls.desk);
console.log("The owner lists:", await files.callRemote("list"));
console.log("To let somebody write, too, the server would need more:", await desk.callRemote("refused"));

// Nobody is asked for this: what is taken away is in the FURL itself.
const once = attenuateFurl(furls.files, { methods: ["read"], uses: 1, label: "to read once" });
console.log("The reader is given", describeFurl(once).methods, "for", describeFurl(once).uses, "use:");
await runReader(once);
console.log(await desk.callRemote("tree"));

const late = attenuateFurl(furls.files, { until: Date.now() - 1_000 });
console.log("One whose time is over:");
await runReader(late);

console.log("The least that the server runs with:");
console.log(await desk.callRemote("command"));

/** In a process of its own, which may reach this machine's ports, and no file. */
async function runReader(furl: string): Promise<void> {
  const program = new URL("file_service/reader.ts", import.meta.url).pathname;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net=127.0.0.1", program, furl],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("The reader failed");
}
