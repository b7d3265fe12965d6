/**
 * The other direction of a connection: a client hands an object to a server, and the server calls it.
 *
 *     deno run --allow-net=127.0.0.1 examples/callback.ts
 *
 * @module
 */

import { callable, Referenceable, type RemoteFunction, type RemoteReference, Tub } from "../mod.ts";

class Observer extends Referenceable {
  readonly seen: number[] = [];
  remote_temperature(degrees: number): void {
    this.seen.push(degrees);
  }
}

class Thermometer extends Referenceable {
  /** Tells the observer, which lives in the client, three readings. */
  async remote_watch(observer: RemoteReference<Observer>): Promise<string> {
    for (const degrees of [20.5, 21, 21.5]) await observer.callRemote("temperature", degrees);
    return "done";
  }
  /** Calls a function that lives in the client. */
  async remote_convert(degrees: number, to: RemoteFunction<(degrees: number) => number>): Promise<number> {
    return await to.callRemote(degrees);
  }
}

await using server = await Tub.create();
const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
server.setLocation(`tcp:127.0.0.1:${listener.port}`);
const furl = server.registerReference(new Thermometer());

// The client listens nowhere: what the server calls comes back over the client's own connection.
await using client = await Tub.create();
const thermometer = await client.getReference<Thermometer>(furl);

const observer = new Observer();
console.log("watch:", await thermometer.callRemote("watch", observer));
console.log("the observer saw:", observer.seen);
if (observer.seen.length !== 3) throw new Error("The observer was not told three readings");

const fahrenheit = callable((celsius: number) => celsius * 9 / 5 + 32);
console.log("20 °C is", await thermometer.callRemote("convert", 20, fahrenheit), "°F");
