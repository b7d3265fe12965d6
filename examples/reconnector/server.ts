/**
 * A Tub that has the same identity, port and FURL each time that it is started. Ends with its input.
 *
 *     deno run --allow-net=127.0.0.1 --allow-read --allow-write examples/reconnector/server.ts FOLDER PORT
 *
 * @module
 */

import { Referenceable, Tub } from "../../mod.ts";

/** Counts up, in this process. */
export class Counter extends Referenceable {
  #last = 0;
  remote_next(): number {
    return ++this.#last;
  }
}

if (import.meta.main) {
  const [folder, port] = Deno.args;
  await using tub = await Tub.create({ certFile: `${folder}/server.pem` });
  const listener = await tub.listenOn(`tcp:${port}:interface=127.0.0.1`);
  tub.setLocation(listener.hint);
  const furl = tub.registerReference(new Counter(), { furlFile: `${folder}/counter.furl` });
  console.log(`${furl} ${listener.port}`);
  for await (const _ of Deno.stdin.readable);
}
