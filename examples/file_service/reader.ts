/**
 * Somebody who was given a FURL, and tries what it is good for.
 *
 *     deno run --allow-net=127.0.0.1 examples/file_service/reader.ts FURL
 *
 * @module
 */

import { PermissionDenied, Tub } from "../../mod.ts";
import type { Files } from "./server.ts";

await using tub = await Tub.create();

async function attempt(what: string, run: () => PromiseLike<unknown>): Promise<void> {
  try {
    console.log(`  ${what}:`, await run());
  } catch (error) {
    if (!(error instanceof PermissionDenied)) throw error;
    console.log(`  ${what} is refused: ${error.message}`);
  }
}

await attempt("the files", async () => {
  const files = await tub.getReference<Files>(Deno.args[0]!);
  await attempt("to list", () => files.callRemote("list"));
  await attempt("to write", () => files.callRemote("write", "letter.txt", "Dear Mallory, ..."));
  await attempt("to read", () => files.callRemote("read", "letter.txt"));
  await attempt("to read again", () => files.callRemote("read", "list.txt"));
  return "tried";
});
