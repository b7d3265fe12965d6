/**
 * Calls the calculator whose FURL is given:
 *
 *     deno run --allow-net=127.0.0.1 examples/calculator/client.ts pb://...
 *
 * @module
 */

import { RemoteException, Tub } from "../../mod.ts";
import type { Calculator } from "./server.ts";

/** Adds, divides, and looks at a failure. */
export async function calculate(furl: string): Promise<void> {
  await using tub = await Tub.create();
  // The type gives the names, arguments and results of the methods; the check is done over there.
  const calculator = await tub.getReference<Calculator>(furl);
  console.log("1 + 2 =", await calculator.callRemote("add", 1, 2));
  console.log("7 / 2 =", await calculator.remote.divide(7, 2));
  try {
    await calculator.callRemote("divide", 1, 0);
  } catch (error) {
    if (!(error instanceof RemoteException)) throw error;
    console.log(`1 / 0 fails over there: ${error.remoteType}: ${error.message}`);
  }
}

if (import.meta.main) await calculate(Deno.args[0] ?? "");
