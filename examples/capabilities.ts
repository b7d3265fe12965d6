/**
 * A file service with a store: who was given what, a call that is refused, what the audit file says, and a second start
 * that finds its grants again:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read --allow-write examples/capabilities.ts
 *
 * @module
 */

import { auditKeyOf, formatTree, PermissionDenied, Referenceable, Tub, verifyAuditFile } from "../mod.ts";

class Files extends Referenceable {
  readonly #folder: string;
  constructor(folder: string) {
    super();
    this.#folder = folder;
  }
  async remote_list(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.#folder))).map(({ name }) => name).sort();
  }
  async remote_remove(name: string): Promise<void> {
    if (!/^\w+\.txt$/.test(name)) throw new RangeError("there are only notes here");
    await Deno.remove(`${this.#folder}/${name}`);
  }
}

const folder = await Deno.makeTempDir();
await Deno.mkdir(`${folder}/notes`);
await Deno.writeTextFile(`${folder}/notes/todo.txt`, "rest\n");

const certFile = `${folder}/cert.pem`, auditFile = `${folder}/audit.jsonl`;
let port = 0;
/** The same Tub each time: it has the same certificate, store and port. */
async function start(): Promise<Tub> {
  const tub = await Tub.create({
    certFile,
    auditFile,
    store: `${folder}/caps.db`,
    factories: { files: (args) => new Files((args as { folder: string }).folder) },
  });
  port = (await tub.listenOn(`tcp:${port}:interface=127.0.0.1`)).port;
  tub.setLocation(`tcp:127.0.0.1:${port}`);
  return tub;
}

/** Somebody with a FURL. */
async function use(furl: string): Promise<void> {
  await using client = await Tub.create();
  try {
    const files = await client.getReference<Files>(furl);
    console.log("list:", await files.callRemote("list"));
    await files.callRemote("remove", "todo.txt");
  } catch (error) {
    if (!(error instanceof PermissionDenied)) throw error;
    console.log(`refused (${error.limit}): ${error.message}`);
  }
}

const first = await start();
const args = { folder: `${folder}/notes` };
const all = first.registry.grant(new Files(args.folder), {
  label: "all",
  durable: { factory: "files", args },
});
const reader = all.attenuate({ label: "for Bob", methods: ["list"], maxCalls: 2, expires: "P30D" });
const furl = reader.furl; // Bob gets it, and keeps it
all.attenuate({ label: "for Carol" }).revoke();
await use(furl);
await first.stop();

console.log("\nThe second start has what was granted, and what was used:");
const second = await start();
console.log(formatTree(second.registry.tree()).trimEnd().replace(/until \S+;/, "until ...;"));
await use(furl);
await use(furl);
const key = auditKeyOf(second.getCertData());
await second.stop();

console.log("\nWhat the audit file says:");
for (const line of (await Deno.readTextFile(auditFile)).trimEnd().split("\n")) {
  const { line: number, type, label, method, limit } = JSON.parse(line);
  console.log(
    [`${number}`.padStart(2), type, label, method, limit].filter((part) => part !== undefined).join("  "),
  );
}
const { isIntact, lives } = await verifyAuditFile(auditFile, { key });
console.log(isIntact ? `Nobody has changed it, in ${lives} lives.` : "Somebody has changed it!");
await Deno.remove(folder, { recursive: true });
