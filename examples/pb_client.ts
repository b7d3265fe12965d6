/**
 * A Deno client of a Twisted Perspective Broker service.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/pb_client.ts
 *
 * @module
 */

import { pb } from "../mod.ts";
import { findPython, startChild } from "./support/child.ts";

class Visitor extends pb.Referenceable {
  remote_name(): string {
    return `Deno ${Deno.version.deno}`;
  }
}

const python = await findPython();
if (python !== undefined) {
  const program = new URL("python/pb_service.py", import.meta.url).pathname;
  await using service = await startChild(python, ["-u", program]);
  await using client = await pb.connect(`tcp:127.0.0.1:${service.firstLine}`);
  const pond = client.getRootObject();

  const frog = await pond.callRemote("frog", "Kermit") as pb.RemoteReference;
  console.log(await frog.callRemote("jump", 2.5));
  console.log("the service knows its own frog:", await pond.callRemote("isYours", frog));
  console.log(await pond.callRemote("greet", new Visitor()));
  try {
    await pond.callRemote("frog", "Robin");
  } catch (error) {
    if (!(error instanceof pb.RemoteError)) throw error;
    console.log(error.remoteType, "-", error.message);
    if (error.check("twisted.spread.pb.Error") === undefined) throw error;
  }
}
