/**
 * Objects that call each other: pb1, pb2, pb3, pb4, pbsimple, pbquote, finger and pbinterop.
 *
 * @module
 */

import { Dict, pb } from "../../../mod.ts";
import type { Example, Say } from "./stage.ts";

const script = "references.py";
const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);

class Three extends pb.Referenceable {
  constructor(readonly say: Say) {
    super();
  }
  remote_three(arg: number): void {
    this.say("three was given", arg);
  }
}

class One extends pb.Root {
  constructor(readonly say: Say) {
    super();
  }
  remote_getTwo(): Three {
    return new Three(this.say);
  }
}

const pb1: Example = {
  name: "pb1",
  script,
  serve: (say) => [{ root: new One(say) }],
  async play(say, server) {
    await using client = await pb.connect<One>(server);
    using two = await client.getRootObject().callRemote("getTwo");
    await two.callRemote("three", 12);
    say("told it");
  },
  serverSays: [["three was given", 12]],
  clientSays: [["told it"]],
};

class Checker extends pb.Root {
  readonly two: Three;
  constructor(readonly say: Say) {
    super();
    this.two = new Three(say);
  }
  remote_getTwo(): Three {
    return this.two;
  }
  remote_checkTwo(two: unknown): void {
    this.say("the twos are the same", two === this.two);
  }
}

const pb2: Example = {
  name: "pb2",
  script,
  serve: (say) => [{ root: new Checker(say) }],
  async play(say, server) {
    await using client = await pb.connect<Checker>(server);
    const one = client.getRootObject();
    const two = await one.callRemote("getTwo");
    say("got the same", await one.callRemote("getTwo") === two);
    await one.callRemote("checkTwo", two);
  },
  serverSays: [["the twos are the same", true]],
  clientSays: [["got the same", true]],
};

class Printer extends pb.Referenceable {
  constructor(readonly say: Say) {
    super();
  }
  remote_print(arg: number): void {
    this.say("print was called with", arg);
  }
}

class Taker extends pb.Root {
  constructor(readonly say: Say) {
    super();
  }
  remote_takeTwo(two: pb.RemoteReference): void {
    this.say("received a two");
    two.callRemote("print", 12);
  }
}

const pb3: Example = {
  name: "pb3",
  script,
  serve: (say) => [{ root: new Taker(say) }],
  async play(say, server) {
    await using client = await pb.connect(server);
    // The server's call comes before its answer.
    await client.getRootObject().callRemote("takeTwo", new Printer(say));
  },
  serverSays: [["received a two"]],
  clientSays: [["print was called with", 12]],
};

class Foo extends pb.Root {
  constructor(readonly say: Say, readonly name: string) {
    super();
  }
  remote_foo(arg: string): void {
    this.say(this.name, "foo", arg);
  }
}

class Named extends Foo {
  override rootObject(broker: pb.Broker): Foo {
    broker.setNameForLocal("two", new Foo(this.say, "two"));
    broker.setNameForLocal("three", new Foo(this.say, "three"));
    return this;
  }
}

const pb4: Example = {
  name: "pb4",
  script,
  serve: (say) => [{ root: new Named(say, "root") }],
  async play(say, server) {
    await using client = await pb.connect(server);
    await client.getRootObject().callRemote("foo", "A");
    await client.broker.remoteForName("two").callRemote("foo", "B");
    await client.broker.remoteForName("three").callRemote("foo", "C");
    const error = await client.broker.remoteForName("four").callRemote("foo", "D").catch((error: unknown) =>
      error
    );
    if (!(error instanceof pb.RemoteError)) throw error;
    say(error.remoteType, error.message);
  },
  serverSays: [["root", "foo", "A"], ["two", "foo", "B"], ["three", "foo", "C"]],
  clientSays: [["twisted.spread.pb.Error", "Invalid Object ID"]],
};

class Echoer extends pb.Root {
  constructor(readonly say: Say) {
    super();
  }
  remote_echo(text: string): string {
    this.say("echoing", text);
    return text;
  }
}

const pbsimple: Example = {
  name: "pbsimple",
  script,
  serve: (say) => [{ root: new Echoer(say) }],
  async play(say, server) {
    await using client = await pb.connect<Echoer>(server);
    say("server echoed", await client.getRootObject().callRemote("echo", "hello network"));
  },
  serverSays: [["echoing", "hello network"]],
  clientSays: [["server echoed", "hello network"]],
};

class QuoteReader extends pb.Root {
  remote_nextQuote(): string {
    return "An apple a day keeps the doctor away";
  }
}

const pbquote: Example = {
  name: "pbquote",
  script,
  serve: () => [{ root: new QuoteReader() }],
  async play(say, server) {
    await using client = await pb.connect<QuoteReader>(server);
    say(await client.getRootObject().callRemote("nextQuote"));
  },
  serverSays: [],
  clientSays: [["An apple a day keeps the doctor away"]],
};

class Finger extends pb.Root {
  readonly #users = new Map([["moshez", "Happy and well"]]);
  async remote_getUser(user: string | Uint8Array): Promise<Uint8Array> {
    const name = typeof user === "string" ? user : textOf(user);
    return await Promise.resolve(utf8(this.#users.get(name) ?? "No such user"));
  }
  remote_getUsers(): Uint8Array[] {
    return [...this.#users.keys()].map(utf8);
  }
}

const finger: Example = {
  name: "finger",
  script,
  serve: () => [{ root: new Finger() }],
  async play(say, server) {
    await using client = await pb.connect<Finger>(server);
    const root = client.getRootObject();
    say("server sent", textOf(await root.callRemote("getUser", "moshez")));
    say("server sent", textOf(await root.callRemote("getUser", utf8("nobody"))));
    say("server sent", (await root.callRemote("getUsers")).map(textOf));
  },
  serverSays: [],
  clientSays: [["server sent", "Happy and well"], ["server sent", "No such user"], ["server sent", [
    "moshez",
  ]]],
};

class AnyCopy extends pb.Copyable {
  static override copytype = "twisted.spread.flavors.Copyable";
  constructor(public x: unknown) {
    super();
  }
}

class CopyOfAny extends pb.RemoteCopy {
  declare x: unknown;
}

class Interop extends pb.Root {
  readonly o = new pb.Referenceable();
  remote_int(): number {
    return 1;
  }
  remote_string(): string {
    return "string";
  }
  remote_unicode(): string {
    return "string";
  }
  remote_float(): number {
    return 1.5;
  }
  remote_list(): number[] {
    return [1, 2, 3];
  }
  remote_recursive(): unknown[] {
    const everything: unknown[] = [];
    everything.push(everything);
    return everything;
  }
  remote_dict(): Dict {
    return new Dict([[1, 2]]);
  }
  remote_reference(): pb.Referenceable {
    return this.o;
  }
  async remote_local(object: pb.RemoteReference): Promise<void> {
    const result = await object.callRemote("hello");
    if (result !== "hello, world") throw new RangeError(String(result));
  }
  remote_receive(received: unknown[]): void {
    const [one, more, hi, again, numbers] = received;
    const isRight = one === 1 && more === 1.5 && hi === "hi" && again === "hi" && numbers instanceof Dict &&
      numbers.get(1) === 2 && received.length === 5;
    if (!isRight) throw new RangeError(Deno.inspect(received));
  }
  remote_self(object: unknown): void {
    if (object !== this) throw new RangeError(Deno.inspect(object));
  }
  remote_copy(x: unknown): AnyCopy {
    return new AnyCopy(x);
  }
}

class Hello extends pb.Referenceable {
  remote_hello(): string {
    return "hello, world";
  }
}

const pbinterop: Example = {
  name: "pbinterop",
  script,
  serve: () => [{ root: new Interop() }],
  async play(say, server) {
    const registry = new pb.CopyRegistry(pb.copyTags);
    registry.setUnjellyableForClass(AnyCopy.copytype, CopyOfAny);
    await using client = await pb.connect(server, { registry });
    const root = client.getRootObject();
    for (const name of ["int", "string", "unicode", "float", "list"]) say(name, await root.callRemote(name));
    const recursive = await root.callRemote("recursive") as unknown[];
    say("recursive", recursive.length, recursive[0] === recursive);
    say("dict", [...(await root.callRemote("dict") as Dict).entries()]);
    say("reference", await root.callRemote("reference") === await root.callRemote("reference"));
    await root.callRemote("local", new Hello());
    await root.callRemote("receive", [1, 1.5, "hi", "hi", new Dict([[1, 2]])]);
    await root.callRemote("self", root);
    say("copy", (await root.callRemote("copy", ["x", 1]) as CopyOfAny).x);
  },
  serverSays: [],
  clientSays: [
    ["int", 1],
    ["string", "string"],
    ["unicode", "string"],
    ["float", 1.5],
    ["list", [1, 2, 3]],
    ["recursive", 1, true],
    ["dict", [[1, 2]]],
    ["reference", true],
    ["copy", ["x", 1]],
  ],
};

/** The examples, in the order of the documentation. */
export const REFERENCES: readonly Example[] = [pb1, pb2, pb3, pb4, pbsimple, pbquote, finger, pbinterop];
