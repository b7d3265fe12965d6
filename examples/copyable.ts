/**
 * An object that travels by value, to another Tub and back, and to bytes and back.
 *
 *     deno run --allow-net=127.0.0.1 examples/copyable.ts
 *
 * @module
 */

import { Copyable, Referenceable, registerRemoteCopy, serialize, Tub, unserialize } from "../mod.ts";

class Point extends Copyable {
  // The same name on both sides, whatever their language.
  static override copytype = "examples.Point";
  constructor(public x = 0, public y = 0) {
    super();
  }
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}
registerRemoteCopy(Point);

class Geometry extends Referenceable {
  remote_double(point: Point): Point {
    console.log("over there it is a Point of length", point.length);
    return new Point(point.x * 2, point.y * 2);
  }
}

await using server = await Tub.create();
const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
server.setLocation(`tcp:127.0.0.1:${listener.port}`);
const furl = server.registerReference(new Geometry());

await using client = await Tub.create();
const geometry = await client.getReference<Geometry>(furl);
const doubled = await geometry.callRemote("double", new Point(3, 4));
console.log("what came back:", doubled);
if (!(doubled instanceof Point) || doubled.length !== 10) throw new Error("Not the Point that was expected");

const stored = serialize([doubled, doubled]);
const [first, second] = unserialize(stored) as [Point, Point];
console.log(`stored in ${stored.length} bytes; still one object:`, first === second);
