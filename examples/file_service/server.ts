/**
 * Serves the files of one folder, to be listed and read. Prints two FURLs, as one line of JSON; ends with its input.
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=FOLDER examples/file_service/server.ts FOLDER
 *
 * @module
 */

import { denoRunCommand, formatTree, PermissionDenied, Referenceable, Tub } from "../../mod.ts";

/** The files of a folder. It can do more than anybody here is given. */
export class Files extends Referenceable {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }
  async remote_list(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.#folder));
    return entries.filter(({ isFile }) => isFile).map(({ name }) => name).sort();
  }
  async remote_read(name: string): Promise<string> {
    return await Deno.readTextFile(this.#pathOf(name));
  }
  async remote_write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(this.#pathOf(name), text);
  }

  /** Callers name a file of the folder, and no other one. */
  #pathOf(name: string): string {
    if (typeof name !== "string" || !/^[\w-]+(\.[\w-]+)*$/.test(name)) {
      throw new RangeError("that is no name of a file");
    }
    return `${this.#folder}/${name}`;
  }
}

/** What the owner looks at. */
export class Desk extends Referenceable {
  readonly #tub: Tub;

  constructor(tub: Tub) {
    super();
    this.#tub = tub;
  }
  remote_tree(): string {
    return formatTree(this.#tub.registry.tree()).trimEnd();
  }
  remote_command(): string {
    return denoRunCommand(this.#tub, { main: "examples/file_service/server.ts" });
  }
  remote_refused(): string {
    return refused;
  }
}

let refused = "";

if (import.meta.main) {
  const folder = Deno.args[0]!;
  const tub = await Tub.create();
  tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
  const files = new Files(folder);
  const path = folder;
  try {
    tub.registry.grant(files, { requires: [{ name: "read", path }, { name: "write", path }] });
  } catch (error) {
    // This process may not write: so it cannot promise that somebody can.
    if (!(error instanceof PermissionDenied)) throw error;
    refused = error.message;
  }
  const readOnly = tub.registry.grant(files, {
    methods: ["list", "read"],
    requires: [{ name: "read", path }],
    label: "shelf, read-only",
  });
  const desk = tub.registry.grant(new Desk(tub), { label: "desk" });
  console.log(JSON.stringify({ files: readOnly.furl, desk: desk.furl }));
  for await (const _ of Deno.stdin.readable);
  await tub.stop();
}
