/**
 * A Deno client of a Python Tub: the calculator of Foolscap's own documentation.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/python_server.ts
 *
 * @module
 */

import { float, kwargs, RemoteException, Tub, tuple } from "../mod.ts";
import { findPython, startChild } from "./support/child.ts";

const python = await findPython();
if (python !== undefined) {
  const program = new URL("python/server.py", import.meta.url).pathname;
  await using server = await startChild(python, ["-u", program]);
  await using tub = await Tub.create();
  // Nothing is known of the object's type: any method, and results are unknown.
  const calculator = await tub.getReference(server.firstLine);

  console.log("add:", await calculator.callRemote("add", 1, 2));
  console.log("add, by name:", await calculator.callRemote("add", kwargs({ a: 3, b: 4 })));
  console.log("describe an int:", await calculator.callRemote("describe", 3));
  console.log("describe a float:", await calculator.callRemote("describe", float(3)));
  console.log("describe a list:", await calculator.callRemote("describe", [1, "two"]));
  console.log("describe a tuple:", await calculator.callRemote("describe", tuple(1, "two")));
  console.log("describe bytes:", await calculator.callRemote("describe", new TextEncoder().encode("raw")));
  try {
    await calculator.callRemote("divide", 1, 0);
  } catch (error) {
    if (!(error instanceof RemoteException)) throw error;
    console.log("divide by zero:", error.remoteType, "-", error.message);
    if (error.check("builtins.ArithmeticError") === undefined) throw error;
  }
}
