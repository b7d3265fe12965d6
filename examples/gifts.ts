/**
 * An introduction between three processes: Alice, who knows Bob and Carol, gives Bob a reference to Carol.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run examples/gifts.ts
 *
 * @module
 */

import { Tub } from "../mod.ts";
import type { Bob, Carol } from "./gifts/tub.ts";
import { startDeno } from "./support/child.ts";

const program = new URL("gifts/tub.ts", import.meta.url);
await using bobs = await startDeno(program, ["--allow-net=127.0.0.1"], ["bob"]);
await using carols = await startDeno(program, ["--allow-net=127.0.0.1"], ["carol"]);

await using alice = await Tub.create();
const bob = await alice.getReference<Bob>(bobs.firstLine);
const carol = await alice.getReference<Carol>(carols.firstLine);
console.log("Carol told Alice:", await carol.callRemote("greet", "Alice"));

// Carol is no object of Alice's, and none of Bob's: it crosses as a gift, which Bob's Tub fetches from Carol's.
const answer = await bob.callRemote("meet", carol);
console.log(answer);
if (!answer.includes("hello Bob")) throw new Error("Bob did not meet Carol");
