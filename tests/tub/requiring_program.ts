/**
 * A program whose objects need permissions, and which gives them up when it is asked to. Prints, as one line of JSON, the
 * command line that would do for it, and its FURLs; ends with its input.
 *
 *     deno run ... requiring_program.ts FOLDER
 *
 * @module
 */

import { denoRunCommand, Referenceable, Tub } from "../../mod.ts";

const folder = Deno.args[0]!;
const VARIABLE = { name: "env", variable: "FOOLSCAP_TEST_VARIABLE" } as const;

/** Its class says what it needs. */
class Reader extends Referenceable {
  static override requires = [{ name: "read" as const, path: `${folder}/data` }];

  remote_read(): string {
    return Deno.readTextFileSync(`${folder}/data/a.txt`);
  }
}

/** It needs nothing, but gives out what does. */
class Root extends Referenceable {
  readonly #given = new Reader();

  remote_reader(): Reader {
    return this.#given;
  }
  remote_lose(): void {
    Deno.permissions.revokeSync(VARIABLE);
    Deno.permissions.revokeSync({ name: "read", path: `${folder}/data` });
  }
}

/** Its grant says what it needs. */
class Variable extends Referenceable {
  remote_read(): string {
    return Deno.env.get(VARIABLE.variable) ?? "none";
  }
}

await using tub = await Tub.create({ certFile: `${folder}/tub.pem` });
tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
const furls = {
  registered: tub.registerReference(new Reader(), { furlFile: `${folder}/reader.furl` }),
  granted: tub.registry.grant(new Variable(), { requires: [VARIABLE] }).furl,
  root: tub.registerReference(new Root()),
};
const command = denoRunCommand(tub, {
  main: new URL(import.meta.url),
  // The port is another one each time.
  permissions: [{ name: "net", host: "127.0.0.1" }],
});
console.log(JSON.stringify({ command, furls }));
while (await Deno.stdin.read(new Uint8Array(1)) !== null);
