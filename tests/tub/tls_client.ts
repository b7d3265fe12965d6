/**
 * A program that follows a FURL and says what came of it: `deno run --cert CA tls_client.ts FURL`.
 *
 * @module
 */

import { Tub } from "../../mod.ts";

await using tub = await Tub.create();
const found = await tub.getReference(Deno.args[0]!).then(() => "reached", (error: Error) => error.message);
await Deno.stdout.write(new TextEncoder().encode(found));
