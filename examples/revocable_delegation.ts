/**
 * Delegation that can be taken back, through a program that knows nothing of it: the owner of an archive lends it to a Python
 * program, which passes it on to Carol. When the owner revokes it, both have nothing any more, nor have they what they got
 * out of it.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/revocable_delegation.ts
 *
 * @module
 */

import { type CapabilityEvent, formatTree, Referenceable, type RemoteReference, Tub } from "../mod.ts";
import { findPython, startChild } from "./support/child.ts";

class Document extends Referenceable {
  readonly #text: string;
  constructor(text: string) {
    super();
    this.#text = text;
  }
  remote_text(): string {
    return this.#text;
  }
}

class Archive extends Referenceable {
  readonly #documents = new Map([["minutes", new Document("We agreed to meet again.")]]);
  remote_open(title: string): Document {
    const document = this.#documents.get(title);
    if (document === undefined) throw new RangeError("There is no such document");
    return document;
  }
  remote_burn(): void {
    this.#documents.clear();
  }
}

/** Carol, in a Tub of her own. */
class Carol extends Referenceable {
  archive: RemoteReference<Archive> | undefined;
  remote_receive(archive: RemoteReference<Archive>): void {
    this.archive = archive;
  }
}

/** The Python program, as its methods are for us. */
interface Agent {
  remote_give(archive: Archive): void;
  remote_read(title: string): string;
  remote_delegate(somebody: RemoteReference<Carol>): void;
}

async function newTub(): Promise<Tub> {
  const tub = await Tub.create();
  tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
  return tub;
}

/** Says how a call ends that is to be refused. */
async function refusal(who: string, call: PromiseLike<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    return console.log(`${who}: ${(error as Error).message}`);
  }
  throw new Error(`${who} was not refused`);
}

const python = await findPython();
if (python !== undefined) {
  const program = new URL("python/delegate.py", import.meta.url).pathname;
  await using child = await startChild(python, ["-u", program]);
  await using owner = await newTub();
  await using carols = await newTub();
  const carol = new Carol();
  const names = new Map([[carols.tubId, "Carol"], [child.firstLine.slice(5, 37), "Python"]]);

  const lent = owner.registry.grant(new Archive(), { methods: ["open"], deep: true, label: "the archive" });
  const events = owner.registry.events({ capability: lent });

  const agent = await owner.getReference<Agent>(child.firstLine);
  await agent.callRemote("give", lent.object);
  console.log("Python reads:", await agent.callRemote("read", "minutes"));

  // Carol gets it as a gift: her Tub talks to the owner's, and the membrane is between them.
  const carolRef = await owner.getReference<Carol>(carols.registerReference(carol));
  await agent.callRemote("delegate", carolRef);
  const minutes = await carol.archive!.callRemote("open", "minutes");
  console.log("Carol reads: ", await minutes.callRemote("text"));
  await refusal("Carol burns it", carol.archive!.callRemote("burn"));
  console.log(`What the owner sees:\n${formatTree(owner.registry.tree()).trimEnd()}`);

  lent.revoke();
  await refusal("Python", agent.callRemote("read", "minutes"));
  await refusal("Carol", carol.archive!.callRemote("open", "minutes"));
  // A document that she had got out of it before.
  await refusal("Carol", minutes.callRemote("text"));

  console.log("What happened to the archive:");
  while (events.size > 0) console.log(`  ${told((await events.next()).value!, names)}`);
}

function told(event: CapabilityEvent, names: ReadonlyMap<string, string>): string {
  const who = (tubId: string | undefined) => names.get(tubId ?? "") ?? "somebody";
  switch (event.type) {
    case "introduced":
      return `given to ${who(event.to)}`;
    case "used":
      return `${who(event.caller)} called ${event.method}`;
    case "denied":
      return `${who(event.caller)} was refused ${event.method}: ${event.limit}`;
    default:
      return event.type;
  }
}
