/**
 * A Tub that publishes a calculator, and prints where to find it:
 *
 *     deno run --allow-net=127.0.0.1 examples/calculator/server.ts
 *
 * @module
 */

import { Referenceable, Tub } from "../../mod.ts";

export class Calculator extends Referenceable {
  // Only methods whose names begin with remote_ can be reached.
  remote_add(a: number, b: number): number {
    return a + b;
  }
  remote_divide(a: number, b: number): number {
    if (b === 0) throw new RangeError("Division by zero");
    return a / b;
  }
}

if (import.meta.main) {
  const tub = await Tub.create();
  const listener = await tub.listenOn("tcp:0:interface=127.0.0.1");
  tub.setLocation(`tcp:127.0.0.1:${listener.port}`);
  const furl = tub.registerReference(new Calculator());
  // Whoever knows this FURL can call the calculator, and nobody else can.
  console.log(furl);
  // The listener keeps the program running. It ends when its input does, so that whoever started it can end it.
  for await (const _ of Deno.stdin.readable);
  await tub.stop();
}
