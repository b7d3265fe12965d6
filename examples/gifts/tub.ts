/**
 * Carol or Bob, in a process of their own: publishes one object, and prints where to find it.
 *
 *     deno run --allow-net=127.0.0.1 examples/gifts/tub.ts carol
 *
 * @module
 */

import { Referenceable, type RemoteReference, Tub } from "../../mod.ts";

export class Carol extends Referenceable {
  remote_greet(name: string): string {
    return `hello ${name}, I am Carol`;
  }
}

export class Bob extends Referenceable {
  /** Bob has never heard of Carol: what Alice passes makes his Tub connect to hers. */
  async remote_meet(carol: RemoteReference<Carol>): Promise<string> {
    return `Carol told Bob: ${await carol.callRemote("greet", "Bob")}`;
  }
}

if (import.meta.main) {
  const isCarol = Deno.args[0] === "carol";
  const tub = await Tub.create({
    // Whoever introduces somebody here may point to this machine's own ports, and to nothing else.
    giftPolicy: ({ hints }) =>
      hints.map(({ text }) => text).filter((hint) => hint.startsWith("tcp:127.0.0.1:")),
  });
  const listener = await tub.listenOn("tcp:0:interface=127.0.0.1");
  tub.setLocation(listener.hint);
  console.log(tub.registerReference(isCarol ? new Carol() : new Bob()));
  // It ends when its input does, so that whoever started it can end it.
  for await (const _ of Deno.stdin.readable);
  await tub.stop();
}
