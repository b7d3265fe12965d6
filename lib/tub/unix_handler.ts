/**
 * The handler of `unix:` hints, which no Tub has unless its program adds it.
 *
 * @module
 */

import { parseUnixHint } from "../names/hints.ts";
import { type ConnectionHintHandler, handOver } from "./hint_handler.ts";
import { checkUnixPermissions } from "./proxy_place.ts";

/** Options of {@linkcode unix}. */
export interface UnixOptions {
  /**
   * Whether hints that came from a peer, with a reference to an object of a third Tub, are followed as well: the peer then
   * chooses which sockets of this machine are connected to.
   *
   * @default false
   */
  readonly allowPeers?: boolean | undefined;
}

/**
 * Makes a handler of hints that name a unix socket of this machine: `unix:%2Frun%2Fcalc.sock`, which is
 * {@linkcode Listener.hint} of a Tub that listens there. Foolscap has none; it passes over such hints.
 *
 * It takes `--allow-net=unix:PATH`, `--allow-read=PATH` and `--allow-write=PATH`.
 *
 * @example
 * ```ts
 * import { Referenceable, Tub, unix } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Greeter extends Referenceable {
 *   remote_greet(): string {
 *     return "hello";
 *   }
 * }
 * const folder = await Deno.makeTempDir();
 * {
 *   await using server = await Tub.create();
 *   const listener = await server.listenOn(`unix:${folder}/greeter.sock:mode=600`);
 *   server.setLocation(listener.hint);
 *   const furl = server.registerReference(new Greeter());
 *
 *   await using client = await Tub.create();
 *   client.addConnectionHintHandler("unix", unix());
 *   const greeter = await client.getReference<Greeter>(furl);
 *   assert.equal(await greeter.callRemote("greet"), "hello");
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function unix(options: UnixOptions = {}): ConnectionHintHandler {
  return {
    async connect(hint, { signal, clock, updateStatus }) {
      const path = parseUnixHint(hint);
      checkUnixPermissions(path, "connect to");
      updateStatus("connecting");
      const { dialUnix } = await import("../transport/unix.ts");
      return handOver(await dialUnix({ path, signal, clock }), "localhost");
    },
    describe: () => "unix",
    followsPeers: options.allowPeers === true,
  };
}
