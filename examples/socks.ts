/**
 * A Tub that goes out by a SOCKS5 proxy only, as it would by Tor; Debian's `microsocks` is the proxy.
 *
 *     deno run --allow-net=127.0.0.1,localhost --allow-run --allow-env=CI examples/socks.ts
 *
 * @module
 */

import { Referenceable, socks, Tub } from "../mod.ts";
import { startMicrosocks } from "./support/microsocks.ts";

class Greeter extends Referenceable {
  remote_greet(name: string): string {
    return `Hello ${name}`;
  }
}

await using proxy = await startMicrosocks();
if (proxy !== undefined) {
  await using server = await Tub.create();
  const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
  // The proxy resolves the name: with Tor it could be "tor:....onion:4501".
  server.setLocation(`socks:localhost:${listener.port}`);
  const furl = server.registerReference(new Greeter());

  await using client = await Tub.create();
  client.removeAllConnectionHintHandlers(); // not even tcp: nothing goes round the proxy
  client.addConnectionHintHandler("socks", socks({ proxy: proxy.place }));
  const greeter = await client.getReference<Greeter>(furl);
  console.log(await greeter.callRemote("greet", "from behind a proxy"));

  const info = client.getConnectionInfoForFURL(furl);
  console.log(`connected by the hint ${info?.winningHint?.replace(/\d+$/, "PORT")}`);
}
