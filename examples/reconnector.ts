/**
 * A server process that is killed, and started again under the same FURL; the client finds it again by itself.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-read --allow-write examples/reconnector.ts
 *
 * @module
 */

import { type RemoteReference, Tub } from "../mod.ts";
import type { Counter } from "./reconnector/server.ts";
import { startDeno } from "./support/child.ts";

const folder = await Deno.makeTempDir();
const PERMISSIONS = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
const startServer = (port: number) =>
  startDeno(new URL("reconnector/server.ts", import.meta.url), PERMISSIONS, [folder, String(port)]);

try {
  let server = await startServer(0);
  const [furl, port] = server.firstLine.split(" ") as [string, string];

  await using client = await Tub.create({
    // A server that does not even say that it is gone is noticed after a minute.
    keepaliveTimeoutMs: 20_000,
    disconnectTimeoutMs: 60_000,
  });
  let connected = Promise.withResolvers<RemoteReference<Counter>>();
  using reconnector = client.connectTo<Counter>(furl, (counter) => {
    console.log("connected by", counter.getConnectionInfo()?.winningHint);
    counter.notifyOnDisconnect(() => console.log("lost:", reconnector.getReconnectionInfo().state));
    connected.resolve(counter);
  }, { initialDelayMs: 100 });

  for (let life = 1; life <= 3; life++) {
    const counter = await connected.promise;
    console.log(`life ${life} of the server counts`, await counter.callRemote("next"));
    if (life === 3) break;
    connected = Promise.withResolvers();
    await server.kill();
    server = await startServer(Number(port));
    if (server.firstLine !== `${furl} ${port}`) throw new Error("The server has another FURL");
  }
  await server[Symbol.asyncDispose]();
} finally {
  await Deno.remove(folder, { recursive: true });
}
