/**
 * Who may do what, and what they do: capabilities of one object, their tree, and the events as they happen.
 *
 *     deno run --allow-net=127.0.0.1 examples/capabilities.ts
 *
 * Bob, Carol and Dave have Tubs of their own; here they run in the same process.
 *
 * @module
 */

import { type CapabilityEvent, formatTree, PermissionDenied, Referenceable, Tub } from "../mod.ts";

class Notes extends Referenceable {
  #text = "";

  remote_read(): string {
    return this.#text;
  }
  remote_write(text: string): void {
    this.#text = text;
  }
}

await using tub = await Tub.create();
tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
await using bob = await Tub.create();
await using carol = await Tub.create();
await using dave = await Tub.create();
const names = new Map([[bob.tubId, "Bob"], [carol.tubId, "Carol"]]);

// From here on, whatever happens is told. No event holds a FURL, an argument or a result.
const events = tub.registry.events();
const printing = (async () => {
  for await (const event of events) console.log("  event:", describe(event));
})();

const notes = tub.registry.grant(new Notes(), { label: "notes" });
const forBob = notes.attenuate({ holders: [bob.tubId], maxCalls: 3, label: "notes, for Bob" });
const forCarol = notes.attenuate({ methods: ["read"], expires: "PT1H", label: "notes, for Carol" });

const bobsNotes = await bob.getReference<Notes>(forBob.furl);
const carolsFurl = forCarol.furl;
const carolsNotes = await carol.getReference<Notes>(carolsFurl);
await bobsNotes.callRemote("write", "buy milk");
console.log("Carol reads:", await carolsNotes.callRemote("read"));

/** Calls what is to be refused. */
async function tryTo(what: string, call: () => PromiseLike<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof PermissionDenied)) throw error;
    console.log(`${what}: ${error.message} (limit: ${error.limit})`);
    return;
  }
  throw new Error(`${what}: it was not refused`);
}

await tryTo("Carol writes", () => carolsNotes.callRemote("write", "sell milk"));
// A FURL that leaks is of no use to those whom it is not for.
const leaked = await carol.getReference<Notes>(forBob.furl);
await tryTo("Carol uses Bob's FURL", () => leaked.callRemote("read"));

console.log(formatTree(tub.registry.tree()));
notes.revoke(); // and with it all that comes of it
await tryTo("Bob reads", () => bobsNotes.callRemote("read"));
await tryTo("Dave, who got Carol's FURL too late", () => dave.getReference(carolsFurl));

await tub.stop(); // which ends the events, when those that there are have been read
await printing;

function describe(event: CapabilityEvent): string {
  const words = [`${event.label}:`, event.type];
  if ("method" in event) words.push(event.method, "by", names.get(event.caller ?? "") ?? "somebody");
  if ("limit" in event) words.push(`(${event.limit})`);
  if ("to" in event) words.push("to", names.get(event.to ?? "") ?? "somebody");
  return words.join(" ");
}
