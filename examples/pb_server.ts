/**
 * Perspective Broker services in Deno, and Twisted clients of them: one that anybody can use, and one to which users log in.
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

/** Somebody who is logged in: their own object on the server. */
class Member extends pb.Avatar {
  constructor(readonly name: string, readonly mind: pb.RemoteReference | null, readonly club: Club) {
    super();
  }
  perspective_present(): string[] {
    return [...this.club.members].map(({ name }) => name);
  }
  async perspective_say(text: string): Promise<void> {
    for (const { mind } of this.club.members) {
      await mind?.callRemote("heard", this.name, text);
    }
  }
}

/** Somebody without a name: an object like any other. */
class Guest extends pb.Referenceable {
  constructor(readonly club: Club) {
    super();
  }
  remote_count(): number {
    return this.club.members.size;
  }
}

class Club implements pb.Realm {
  readonly members = new Set<Member>();

  requestAvatar(id: pb.AvatarId, mind: pb.RemoteReference | null): pb.Login {
    if (id === pb.ANONYMOUS) return { avatar: new Guest(this) };
    const member = new Member(id, mind, this);
    this.members.add(member);
    return {
      avatar: member,
      logout: () => {
        this.members.delete(member);
        console.log("Deno says good-bye to", member.name);
      },
    };
  }
}

const portal = new pb.Portal(new Club(), [
  // A file of Twisted's, such as `alice:wonderland`, is read by `new pb.FilePasswordDB("passwords.txt")`.
  new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland", bob: "builder" }),
  new pb.AllowAnonymousAccess(),
]);

const python = await findPython();
if (python !== undefined) {
  await runClient(python, "pb_caller.py", new Service());
  await runClient(python, "pb_client.py", portal);
}

async function runClient(python: string, program: string, root: pb.RootProvider): Promise<void> {
  // Beyond this machine it would be `tls:`, for the protocol encrypts nothing.
  await using server = await pb.serve(root, "tcp:0:interface=127.0.0.1");
  const path = new URL(`python/${program}`, import.meta.url).pathname;
  const client = new Deno.Command(python, { args: ["-u", path, String(server.port)] });
  const { success, stdout, stderr } = await client.output();
  console.log(new TextDecoder().decode(stdout).trimEnd());
  if (!success) throw new Error(`The Twisted client failed: ${new TextDecoder().decode(stderr)}`);
}
