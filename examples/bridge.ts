/**
 * An old Perspective Broker service for Foolscap peers, within limits, and a Foolscap object for an old client.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/bridge.ts
 *
 * Both the service and the client are Twisted's, in Python, and know nothing of Foolscap.
 *
 * @module
 */

import { bridge, type Kwargs, pb, Referenceable, type RemoteReference, Tub } from "../mod.ts";
import { findPython, startChild } from "./support/child.ts";

class Visitor extends Referenceable {
  remote_name(): string {
    return "a Foolscap visitor";
  }
}

/** It has a FURL like any other; here it is served to clients of Perspective Broker as well. */
class Service extends Referenceable {
  remote_add(a: number, named: Kwargs<{ b: number }>): number {
    return a + named.values.b;
  }
  async remote_tell(listener: RemoteReference, text: string): Promise<void> {
    await listener.callRemote("heard", text);
  }
  remote_fail(): never {
    throw new RangeError("come back tomorrow");
  }
}

const python = await findPython();
if (python !== undefined) {
  const file = (name: string) => new URL(`python/${name}`, import.meta.url).pathname;
  await using tub = await Tub.create();
  tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);

  // A PB service becomes a capability: only two of its methods, and as long as we like.
  await using service = await startChild(python, ["-u", file("pb_service.py")]);
  await using client = await pb.connect(`tcp:127.0.0.1:${service.firstLine}`);
  const capability = tub.registry.grant(bridge.bridged(client), { methods: ["frog", "greet"] });

  await using peer = await Tub.create();
  const pond = await peer.getReference(capability.furl);
  const frog = await pond.callRemote("frog", "Kermit") as RemoteReference;
  console.log(await frog.callRemote("jump", 2.5));
  console.log(await pond.callRemote("greet", new Visitor()));
  const refused = (error: Error) => console.log(`${error.name}: ${error.message}`);
  await pond.callRemote("isYours", frog).catch(refused);
  capability.revoke();
  await pond.callRemote("frog", "Robin").catch(refused);

  // An object with a FURL, for a PB client.
  const server = await bridge.servePb(tub, new Service(), "tcp:0:interface=127.0.0.1");
  const caller = new Deno.Command(python, { args: ["-u", file("pb_caller.py"), String(server.port)] });
  const { success, stdout, stderr } = await caller.output();
  console.log(new TextDecoder().decode(stdout).trimEnd());
  if (!success) throw new Error(`The Twisted client failed: ${new TextDecoder().decode(stderr)}`);
}
