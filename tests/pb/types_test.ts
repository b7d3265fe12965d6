/** What the types let a program write. */
import { pb } from "../../mod.ts";

class Listener extends pb.Referenceable {
  remote_heard(text: string): number {
    return text.length;
  }
}
/** Only a type. */
export class User extends pb.Avatar {
  perspective_hello(name: string): string {
    return name;
  }
}
class House extends pb.Root {
  remote_anything(listener: pb.RemoteReference, texts: string[]): string[] {
    void listener;
    return texts;
  }
  remote_tell(listener: pb.RemoteReference<Listener>): pb.Referenceable {
    void listener;
    return this;
  }
  remote_find(
    name: string,
  ): { best: Listener; all: Listener[]; deep: { at: [Listener, number] }; name: string } {
    const best = new Listener();
    return { best, all: [best], deep: { at: [best, 1] }, name };
  }
  remote_watch(options: { listener: pb.RemoteReference<Listener>; names: string[] }): Tree {
    return { name: options.names.join(), kids: [] };
  }
  remote_note(note: Note): Note {
    return note;
  }
  remote_rooms(): Map<string, Listener> {
    return new Map();
  }
}

interface Tree {
  readonly name: string;
  readonly kids: Tree[];
}
/** Travels by copy, and with what is private to it. */
class Note extends pb.Copyable {
  static override copytype = "tests.types.Note";
  readonly #half = 1;
  listener: pb.RemoteReference<Listener> | undefined;
  double(): number {
    return this.#half * 2;
  }
}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_yes: Same<A, B>): void {}

/** Never run: objects are references to the other side wherever they stand. */
async function crossing(house: pb.RemoteReference<House>) {
  const found = await house.callRemote("find", "x");
  same<typeof found.best, pb.RemoteReference<Listener>>(true);
  same<typeof found.all, pb.RemoteReference<Listener>[]>(true);
  same<typeof found.deep.at, [pb.RemoteReference<Listener>, number]>(true);
  same<typeof found.name, string>(true);
  // @ts-expect-error A reference has no such method; the object is over there.
  found.best.remote_heard("x");
  const tree = await house.callRemote("watch", { listener: new Listener(), names: [] });
  same<typeof tree, Tree>(true);
  await house.callRemote("watch", { listener: found.best, names: [] });
  // @ts-expect-error It is no listener.
  await house.callRemote("watch", { listener: new House(), names: [] });
  const note = await house.callRemote("note", new Note());
  same<typeof note, Note>(true);
  return note.double();
}

/** Never run: it is enough that it is checked. */
async function program(house: pb.RemoteReference<House>, user: pb.AvatarReference<User>, value: unknown) {
  // What came without a type can be called once it is known to be a reference.
  if (value instanceof pb.RemoteReference) {
    const answer: unknown = await value.callRemote("add", 1, 2);
    value.callRemoteOnly("add", 1);
    await value.remoteMethod("add")(1, 2);
    const plain: pb.RemoteReference = value;
    new pb.StringPager(value, "text");
    return [answer, plain];
  }
  // References of a type go where any reference goes.
  await pb.getAllPages(user, "fetch");
  pb.getPages(house, "fetch");
  new pb.StringPager(house, "text");
  // So do objects, where the callee says nothing of them; and one of another type does not go where it says something.
  await house.callRemote("anything", new Listener(), ["a"]);
  await house.callRemote("anything", house, []);
  await house.callRemote("anything", user, []);
  await house.callRemote("tell", new Listener());
  // @ts-expect-error It is no listener.
  await house.callRemote("tell", new House());
  // @ts-expect-error It travels by value.
  await house.callRemote("anything", "text", []);
  // @ts-expect-error There is no such method.
  await house.callRemote("nothing");
  const rooms = await house.callRemote("rooms");
  const room = rooms instanceof Map ? rooms.get("a") : rooms["a"];
  return [await room?.callRemote("heard", "x"), await user.callRemote("hello", "x")];
}

Deno.test("the types let a program call what it may, and nothing else", () => void [program, crossing]);
