/**
 * What the compiler says of a wrong call: how many arguments there are, and not that a number is no keyword arguments.
 *
 * @module
 */

import assert from "node:assert/strict";

const PROGRAM = `
import { localReference, pb, Referenceable, type RemoteReference } from ${
  JSON.stringify(new URL("../mod.ts", import.meta.url).href)
};
class Adder extends Referenceable {
  remote_add(a: number, b: number): number { return a + b; }
}
class PbAdder extends pb.Root {
  remote_add(a: number, b: number): number { return a + b; }
}
export function calls(
  adder: RemoteReference<Adder>,
  far: pb.RemoteReference<PbAdder>,
) {
  void adder.callRemote("add", 1);
  void adder.remote.add(1, 2, 3);
  void localReference(new Adder()).callRemote("add", 1);
  void far.callRemote("add", 1);
  void adder.callRemote("add", 1, "2");
}
`;
// The name of the method counts.
const MESSAGES: readonly string[] = [
  "Expected 3 arguments, but got 2.",
  "Expected 2 arguments, but got 3.",
  "Expected 3 arguments, but got 2.",
  "Expected 3 arguments, but got 2.",
  "Argument of type 'string' is not assignable to parameter of type 'Sendable<number, Levels>'.",
];

Deno.test("a call with a wrong number of arguments does not compile, and the compiler says how many there are", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/program.ts`;
    await Deno.writeTextFile(file, PROGRAM);
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-config", file],
      env: { NO_COLOR: "1" },
    }).output();
    const found = [...new TextDecoder().decode(stderr).matchAll(/^TS\d+ \[ERROR\]: (.*)$/gm)].map((
      [, text],
    ) => text);
    assert.deepEqual(found, MESSAGES);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
