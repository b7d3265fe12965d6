/**
 * What becomes of types when values cross: objects that travel by reference are references to the other side wherever they
 * stand, and all other types stay what they are. What must not compile is marked.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type Callable,
  callable,
  Copyable,
  type Received,
  Referenceable,
  type RemoteFunction,
  type RemoteReference,
} from "../mod.ts";

class Seat extends Referenceable {
  remote_leave(): void {}
}
class Observer extends Referenceable {
  remote_saw(_count: number): void {}
}
class Secretive {
  readonly #half = 1;
  double(): number {
    return this.#half * 2;
  }
}
class Point extends Copyable {
  static override copytype = "tests.types.Point";
  readonly #scale = 1;
  x = 0;
  scaled(): number {
    return this.x * this.#scale;
  }
}
interface Tree {
  readonly name: string;
  readonly kids: Tree[];
  readonly parent?: Tree;
}
interface SeatTree {
  readonly seat: Seat;
  readonly kids: SeatTree[];
  readonly byName: Record<string, SeatTree>;
}
interface Values {
  readonly at: Date;
  readonly where?: URL;
  readonly why: Error;
  readonly counts: Map<string, number>;
  readonly bytes: Uint8Array;
}
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Outcome = { readonly kind: "seated"; readonly seat: Seat } | {
  readonly kind: "full";
  readonly why: string;
};

class Room extends Referenceable {
  remote_join(_name: string): { seat: Seat; members: string[]; deep: { a: [Seat, number] } } {
    const seat = new Seat();
    return { seat, members: [], deep: { a: [seat, 1] } };
  }
  remote_watch(
    _options: {
      observer: RemoteReference<Observer>;
      on?: RemoteFunction<(n: number) => void>;
      names: string[];
    },
  ): void {}
  remote_seats(): SeatTree {
    return { seat: new Seat(), kids: [], byName: {} };
  }
  remote_outcome(): Outcome {
    return { kind: "full", why: "it is late" };
  }
  remote_bell(): { ring: Callable<(times: number) => string> } {
    return { ring: callable((times: number) => "ding".repeat(times)) };
  }
  remote_tree(tree: Tree): Tree {
    return tree;
  }
  remote_json(value: Json): Json {
    return value;
  }
  remote_secretive(value: Secretive): Secretive {
    return value;
  }
  remote_point(value: Point): Point {
    return value;
  }
  remote_values(values: Values): Date {
    return values.at;
  }
  remote_record(value: Record<string, unknown>): Record<string, Seat> {
    return Object.fromEntries(Object.keys(value).map((name) => [name, new Seat()]));
  }
  remote_then(): void {}
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_yes: Same<A, B>): void {}

/** Never called: it is only checked. */
export async function typesOfWhatArrives(room: RemoteReference<Room>): Promise<void> {
  const joined = await room.remote.join("Ada");
  await joined.seat.remote.leave();
  await joined.deep.a[0].remote.leave();
  same<typeof joined.deep.a[1], number>(true);
  same<typeof joined.members, string[]>(true);
  // @ts-expect-error A reference has no such method; the object is over there.
  joined.seat.remote_leave();
  await room.remote.join("Ada").get("deep").get("a").get(0).remote.leave();
  const seats = await room.remote.seats();
  await seats.kids[0]!.kids[0]!.kids[0]!.kids[0]!.kids[0]!.kids[0]!.seat.remote.leave();
  await seats.byName["Ada"]!.seat.remote.leave();
  const outcome = await room.remote.outcome();
  if (outcome.kind === "seated") await outcome.seat.remote.leave();
  else same<typeof outcome.why, string>(true);
  const { ring } = await room.remote.bell();
  same<typeof ring, RemoteFunction<(times: number) => string>>(true);
  const seatOf = await room.remote.record({ Ada: 1 });
  await seatOf["Ada"]!.remote.leave();

  same<Received<Tree>, Tree>(true);
  same<Received<Secretive>, Secretive>(true);
  same<Received<Point>, Point>(true);
  same<Received<Values>, Values>(true);
  same<Received<{ readonly a: unknown }>, { readonly a: unknown }>(true);
  same<Received<Json>, Json>(true);
}

/** Never called. */
export async function typesOfWhatIsSent(room: RemoteReference<Room>, theirs: RemoteReference<Observer>) {
  await room.remote.watch({ observer: new Observer(), names: [] });
  await room.remote.watch({
    observer: theirs,
    on: callable((count) => void count.toFixed()),
    names: room.remote.join("Ada").get("members"),
  });
  // @ts-expect-error A function of other arguments.
  await room.remote.watch({ observer: theirs, on: callable((n: string) => void n), names: [] });
  // @ts-expect-error A bare function is not sent by accident.
  await room.remote.watch({ observer: theirs, on: (count: number) => void count, names: [] });
  // @ts-expect-error A part is missing.
  await room.remote.watch({ observer: theirs });
  // @ts-expect-error There is no such part.
  await room.remote.watch({ observer: theirs, names: [], name: "Ada" });
  // @ts-expect-error The promise of something else.
  await room.remote.watch({ observer: theirs, names: room.remote.join("Ada") });

  const tree: Tree = { name: "a", kids: [{ name: "b", kids: [] }] };
  await room.remote.tree(tree);
  const value: Json = await room.remote.json({ a: [1, null, { b: [true] }] });
  await room.remote.json(value);
  await room.remote.secretive(new Secretive());
  await room.remote.point(new Point());
  // @ts-expect-error An object with the same properties is no Point.
  await room.remote.point({ x: 1 });
  const at = room.remote.values({
    at: new Date(),
    why: new Error(),
    counts: new Map(),
    bytes: new Uint8Array(),
  });
  await room.remote.values({ at, why: new Error(), counts: new Map(), bytes: new Uint8Array() });

  // @ts-expect-error The proxy has no `then`, which `await` would call.
  void room.remote.then;
  await room.callRemote("then");
}

Deno.test("objects in what a method gives are those that its type says are references", () => {
  // The types themselves are checked where this file is compiled.
  const { seat, deep } = new Room().remote_join("Ada");
  assert.ok(seat instanceof Referenceable && deep.a[0] === seat);
});
