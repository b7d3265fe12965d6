/**
 * The client of the peer benchmark.
 *
 * @module
 */

import { type RemoteReference, Tub } from "../../mod.ts";

const { run } = await import(`${Deno.env.get("BENCH_LIB")}client.mjs`);

await run({
  async connect(endpoint: { furl: string }) {
    const certFile = Deno.env.get("BENCH_CERT");
    const tub = await Tub.create(certFile === undefined ? {} : { certFile });
    const root = await tub.getReference(endpoint.furl);
    let node: RemoteReference | undefined;
    return {
      add: (a: number, b: number) => root.callRemote("add", a, b),
      echo: (value: unknown) => root.callRemote("echo", value),
      put: (bytes: Uint8Array) => root.callRemote("put", bytes),
      async chain(depth: number) {
        node ??= await root.callRemote("node", depth) as RemoteReference;
        // Not awaited: one round trip where the server takes that, and four where it is Python.
        let next = node.callRemote("get");
        for (let i = 1; i < depth; i++) next = next.callRemote("get");
        return await next;
      },
      refs: (n: number) => root.callRemote("refs", n),
      callRef: (ref: RemoteReference) => ref.callRemote("value"),
      drop(refs: RemoteReference[]) {
        for (const ref of refs) ref[Symbol.dispose]();
        refs.length = 0;
      },
      live: () => root.callRemote("live"),
      close: () => tub.stop(),
    };
  },
});
