/**
 * A Python client of a Deno Tub.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/python_client.ts
 *
 * @module
 */

import { Referenceable, type RemoteReference, Tub } from "../mod.ts";
import { findPython } from "./support/child.ts";

class Greeter extends Referenceable {
  remote_greet(name: string): string {
    return `Hello ${name}, this is Deno ${Deno.version.deno}`;
  }
  /** Python's object is called from here. */
  async remote_introduce(visitor: RemoteReference): Promise<string> {
    return `Nice to meet you, ${await visitor.callRemote("name")}`;
  }
  remote_fail(): never {
    throw new TypeError("This is a JavaScript error");
  }
}

const python = await findPython();
if (python !== undefined) {
  await using tub = await Tub.create();
  const listener = await tub.listenOn("tcp:0:interface=127.0.0.1");
  tub.setLocation(`tcp:127.0.0.1:${listener.port}`);
  const furl = tub.registerReference(new Greeter());

  const program = new URL("python/client.py", import.meta.url).pathname;
  const client = new Deno.Command(python, { args: ["-u", program, furl] });
  const { success, stdout, stderr } = await client.output();
  console.log(new TextDecoder().decode(stdout).trimEnd());
  if (!success) throw new Error(`The Python client failed: ${new TextDecoder().decode(stderr)}`);
}
