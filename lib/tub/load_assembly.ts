/**
 * What a Tub is made of, loaded when the first one is made.
 *
 * Each module that `mod.ts` leads to costs a program 0.15 ms before its first line runs, and the built-ins of Node for
 * sockets and TLS cost 20 ms. So what works only behind a promise is not imported at the top of a file, but where it is
 * used, with the name of the file in clear: `await import("../transport/socks.ts")`. Such a file is still found by
 * `deno cache`, `deno compile` and the type checker, and takes no permission to load. Nothing that a program calls and gets an
 * answer from at once may become a promise for it. `tests/start_test.ts` counts what is loaded when.
 *
 * @module
 */

// What these two say of classes and copytypes holds for serialize() and registerCopier() too, before there is a Tub.
import "../broker/failure_unslicer.ts";
import "../broker/references.ts";
import { readyTls } from "../transport/ready_tls.ts";
import type { Assemble } from "./assembly.ts";

/** Loads the parts of Tubs, while another thread gets TLS ready for the first handshake. */
export async function loadAssembly(): Promise<Assemble> {
  void readyTls();
  const { assemble } = await import("./assembly.ts");
  return assemble;
}
