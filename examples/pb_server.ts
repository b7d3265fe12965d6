/**
 * A Perspective Broker service in Deno, and a Twisted client of it.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/pb_server.ts
 *
 * @module
 */

import { type Kwargs, pb } from "../mod.ts";
import { findPython } from "./support/child.ts";

class OutOfOrder extends pb.Error {}
pb.nameError(OutOfOrder, "service.OutOfOrder");

class Service extends pb.Root {
  remote_add(a: number, named: Kwargs<{ b: number }>): number {
    return a + named.values.b;
  }
  /** Python's object is called from here. */
  async remote_tell(listener: pb.RemoteReference, text: string): Promise<void> {
    await listener.callRemote("heard", text);
  }
  remote_fail(): never {
    throw new OutOfOrder("come back tomorrow");
  }
}

const python = await findPython();
if (python !== undefined) {
  await using server = await pb.serve(new Service(), "tcp:0:interface=127.0.0.1");
  const program = new URL("python/pb_caller.py", import.meta.url).pathname;
  const client = new Deno.Command(python, { args: ["-u", program, String(server.port)] });
  const { success, stdout, stderr } = await client.output();
  console.log(new TextDecoder().decode(stdout).trimEnd());
  if (!success) throw new Error(`The Twisted client failed: ${new TextDecoder().decode(stderr)}`);
}
