/**
 * The Perspective Broker client of the peer benchmark.
 *
 * @module
 */

import { pb } from "../../mod.ts";

const { run } = await import(`${Deno.env.get("BENCH_LIB")}client.mjs`);

const certs = `${Deno.env.get("BENCH_LIB")?.replace(/^file:\/\//, "")}../certs/`;

await run({
  async connect(endpoint: { port: number }) {
    const limits = { maxStringBytes: 64 << 20, maxListElements: 64 << 20, maxExpressionBytes: 2 ** 30 };
    const isTls = Deno.env.get("PB_TLS") === "1";
    const client = isTls
      ? await pb.connect(`tls:127.0.0.1:${endpoint.port}`, {
        limits,
        caCerts: [Deno.readTextFileSync(`${certs}ca.pem`)],
        serverName: "localhost",
      })
      : await pb.connect(`tcp:127.0.0.1:${endpoint.port}`, { limits });
    const root = client.getRootObject();
    let node: pb.RemoteReference | undefined;
    return {
      add: (a: number, b: number) => root.callRemote("add", a, b),
      echo: (value: unknown) => root.callRemote("echo", value),
      put: (bytes: Uint8Array) => root.callRemote("put", bytes),
      async chain(depth: number) {
        node ??= await root.callRemote("node", depth) as pb.RemoteReference;
        let next: unknown = node;
        for (let i = 0; i < depth; i++) next = await (next as pb.RemoteReference).callRemote("get");
        return next;
      },
      refs: (n: number) => root.callRemote("refs", n),
      callRef: (ref: pb.RemoteReference) => ref.callRemote("value"),
      drop(refs: pb.RemoteReference[]) {
        for (const ref of refs) ref[Symbol.dispose]();
        refs.length = 0;
      },
      live: () => root.callRemote("live"),
      close: () => client.close(),
    };
  },
});
