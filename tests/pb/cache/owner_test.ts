import assert from "node:assert/strict";
import { kwargs, pb } from "../../../mod.ts";
import { agreedClient, type Sexp, u } from "../broker/raw.ts";

class Pond extends pb.Cacheable {
  static override copytype = "__main__.Pond";
  readonly observers = new Set<pb.RemoteCacheObserver>();
  readonly said: unknown[] = [];
  readonly stopped: pb.RemoteCacheObserver[] = [];
  farewell: (observer: pb.RemoteCacheObserver) => unknown = () => {};
  state: (observer: pb.RemoteCacheObserver) => unknown = () => ({ ducks: ["one"] });

  override getStateToCacheAndObserveFor(_: unknown, observer: pb.RemoteCacheObserver): unknown {
    this.observers.add(observer);
    return this.state(observer);
  }
  override stoppedObserving(_: unknown, observer: pb.RemoteCacheObserver): unknown {
    assert.ok(this.observers.delete(observer), "it is the observer that was given");
    this.stopped.push(observer);
    return this.farewell(observer);
  }
}

class Root extends pb.Root {
  pond = new Pond();
  kept: pb.RemoteReference | undefined;
  remote_ponds(): unknown {
    return [this.pond, this.pond];
  }
  remote_pond(): unknown {
    return this.pond;
  }
  remote_broken(): unknown {
    return [this.pond, Symbol("no value")];
  }
  remote_mine(pond: unknown): boolean {
    return pond === this.pond;
  }
  remote_keep(reference: pb.RemoteReference): void {
    this.kept = reference;
  }
}

const call = (id: number, method: string, ...args: Sexp[]): Sexp => [
  "message",
  id,
  "root",
  method,
  1,
  ["tuple", ...args],
  ["dictionary"],
];
const pondState: Sexp = ["dictionary", [u("ducks"), ["list", u("one")]]];

for (const pieceBytes of [undefined, 1]) {
  const how = pieceBytes === undefined ? "" : ", a byte at a time";

  Deno.test(`an object that is cached lives as with Twisted, byte by byte${how}`, async () => {
    const root = new Root();
    await using made = await agreedClient(root, pieceBytes === undefined ? {} : { pieceBytes });
    const { raw, server } = made;
    const { pond } = root;
    pond.farewell = (observer) => observer.callRemoteOnly("bye");
    raw.say(call(4, "ponds"));
    await raw.expect(
      "03 80 1b 87 04 81 03 80 08 87 03 80 04 87 01 81",
      "03 80 0d 82 5f 5f 6d 61 69 6e 5f 5f 2e 50 6f 6e 64 01 81",
      "02 80 05 87 02 80 02 80 07 82 75 6e 69 63 6f 64 65 05 82 64 75 63 6b 73",
      "02 80 08 87 02 80 07 82 75 6e 69 63 6f 64 65 03 82 6f 6e 65",
      "02 80 03 87 01 81",
    );
    const [observer] = pond.observers;
    const added = observer!.callRemote("addDuck", "two");
    await raw.expect(
      "07 80 19 87 01 81 01 81 07 82 61 64 64 44 75 63 6b 01 81",
      "02 80 0b 87 02 80 07 82 75 6e 69 63 6f 64 65 03 82 74 77 6f 01 80 05 87",
    );
    raw.say(["answer", 1, 2]);
    assert.equal(await added, 2);
    raw.say(call(5, "pond"));
    await raw.expect("03 80 1b 87 05 81 02 80 0f 87 01 81");
    raw.say(call(6, "mine", ["lcache", 1]));
    await raw.hear(["answer", 6, ["boolean", "true"]]);
    assert.equal(server.brokers[0]!.tables.cached, 1);
    raw.send("02 80 1e 87 01 81", "02 80 1e 87 01 81");
    await raw.hear(["cachemessage", 2, 1, "bye", 0, ["tuple"], ["dictionary"]]);
    await raw.expect("02 80 1f 87 01 81");
    assert.deepEqual(pond.stopped, [observer]);
    assert.equal(observer!.isLive, false);
    assert.equal(server.brokers[0]!.tables.cached, 0);
    await assert.rejects(observer!.callRemote("addDuck", "three"), { name: "DeadReferenceError" });
    raw.say(call(7, "pond"));
    await raw.hear(["answer", 7, ["__main__.Pond", 2, pondState]]);
  });
}

Deno.test("arguments by place and by name are two runs: the second refers to the cache", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  const { raw } = made;
  raw.say(call(1, "keep", ["remote", 9]));
  await raw.hear(["answer", 1, ["None"]]);
  root.kept!.callRemoteOnly("look", root.pond, root.pond, kwargs({ again: root.pond }));
  root.kept!.callRemoteOnly("look", root.pond, root.pond);
  await raw.hear(
    [
      "message",
      1,
      9,
      "look",
      0,
      ["tuple", ["reference", 1, ["__main__.Pond", 1, pondState]], ["dereference", 1]],
      ["dictionary", [u("again"), ["cached", 1]]],
    ],
    ["message", 2, 9, "look", 0, ["tuple", ["cached", 1], ["cached", 1]], ["dictionary"]],
  );
  for (let i = 0; i < 3; i++) raw.say(["decache", 1]);
  raw.say(call(2, "mine", ["lcache", 1]));
  await raw.hear(["answer", 2, ["boolean", "true"]]);
  raw.say(["decache", 1]);
  await raw.hear(["uncache", 1]);
});

Deno.test("updates that are sent while the state is asked for come after it", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  root.pond.state = (observer) => {
    observer.callRemoteOnly("early", 1);
    void observer.callRemote("early", 2);
    return null;
  };
  made.raw.say(call(1, "pond"));
  await made.raw.hear(
    ["answer", 1, ["__main__.Pond", 1, ["None"]]],
    ["cachemessage", 1, 1, "early", 0, ["tuple", 1], ["dictionary"]],
    ["cachemessage", 2, 1, "early", 1, ["tuple", 2], ["dictionary"]],
  );
});

Deno.test("an object in a message that cannot be sent is not cached, and its owner is told", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  const { raw, server } = made;
  root.pond.state = (observer) => {
    // Comes after a message that is not sent: it is not sent either.
    observer.callRemoteOnly("early");
    return {};
  };
  raw.say(call(1, "broken"));
  await raw.failed(1);
  assert.equal(root.pond.stopped.length, 1);
  assert.equal(server.brokers[0]!.tables.cached, 0);
  root.pond.state = () => null;
  raw.say(call(2, "pond"), call(3, "broken"), call(4, "broken"));
  await raw.hear(["answer", 2, ["__main__.Pond", 2, ["None"]]]);
  await raw.failed(3);
  await raw.failed(4);
  // What was counted for them is not: one is enough to give it up.
  raw.say(["decache", 2]);
  await raw.hear(["uncache", 2]);
  assert.equal(root.pond.stopped.length, 2);
});

Deno.test("a state hook that fails leaves nothing behind, and the next try begins anew", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  const { raw, server } = made;
  root.pond.state = () => {
    root.pond.observers.clear();
    throw new pb.Error("not now");
  };
  raw.say(call(1, "pond"));
  await raw.failed(1);
  assert.equal(server.brokers[0]!.tables.cached, 0);
  assert.deepEqual(root.pond.stopped, []);
  root.pond.state = () => null;
  raw.say(call(2, "pond"));
  await raw.hear(["answer", 2, ["__main__.Pond", 2, ["None"]]]);
});

Deno.test("a cache that is given up while it is sent again begins a new life", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  const { raw } = made;
  raw.say(call(1, "keep", ["remote", 9]), call(2, "pond"));
  await raw.hear(["answer", 1, ["None"]], ["answer", 2, ["__main__.Pond", 1, pondState]]);
  root.pond.farewell = () => root.kept!.callRemoteOnly("look", root.pond);
  raw.say(["decache", 1], ["decache", 1]);
  await raw.hear(
    ["message", 1, 9, "look", 0, ["tuple", ["__main__.Pond", 2, pondState]], ["dictionary"]],
    ["uncache", 1],
  );
  raw.say(call(3, "pond"), call(4, "mine", ["lcache", 2]));
  await raw.hear(["answer", 3, ["cached", 2]], ["answer", 4, ["boolean", "true"]]);
});

Deno.test("every owner is told when the connection is lost, before those who watch it", async () => {
  const root = new Root();
  const made = await agreedClient(root);
  const { raw, server } = made;
  raw.say(call(1, "pond"));
  await raw.hear(["answer", 1, ["__main__.Pond", 1, pondState]]);
  const order: string[] = [];
  root.pond.farewell = (observer) => {
    order.push(`stopped ${observer.isLive}`);
    // Nobody hears it, and nothing ends by it.
    observer.callRemoteOnly("bye");
    void observer.callRemote("bye");
    throw new Error("a bug of the owner's");
  };
  server.brokers[0]!.notifyOnDisconnect(() => order.push("lost"));
  await made[Symbol.asyncDispose]();
  assert.deepEqual(order, ["stopped false", "lost"]);
});

Deno.test("there is Twisted's limit on cached objects, and it ends the connection as references do", async () => {
  class Many extends pb.Root {
    readonly ponds: Pond[] = [];
    remote_next(): Pond {
      this.ponds.push(new Pond());
      return this.ponds.at(-1)!;
    }
  }
  const root = new Many();
  await using made = await agreedClient(root, { limits: { maxReferences: 3 } });
  const { raw, server } = made;
  for (let i = 1; i <= 4; i++) {
    raw.say(call(i, "next"));
    await raw.hear(["answer", i, ["__main__.Pond", i, pondState]]);
  }
  for (let i = 5; i <= 7; i++) {
    raw.say(call(i, "next"));
    await raw.failed(i);
  }
  assert.equal(server.brokers[0]!.tables.cached, 4);
  raw.say(call(8, "next"));
  await raw.drain();
  assert.equal(server.brokers.length, 0);
  assert.deepEqual(root.ponds.map(({ observers }) => observers.size), Array(8).fill(0));
});

Deno.test("what a peer says of objects that it does not have is dropped", async () => {
  const root = new Root();
  const reasons: string[] = [];
  await using made = await agreedClient(root, {
    trace: (event) => void (event.type === "dropped" && reasons.push(event.reason)),
  });
  made.raw.say(["decache", 7], ["decache", "x"], ["uncache", 7], ["uncache", ["x"]]);
  made.raw.say(call(1, "pond"));
  await made.raw.hear(["answer", 1, ["__main__.Pond", 1, pondState]]);
  made.raw.say(["decache", 1], ["decache", 1]);
  await made.raw.hear(["uncache", 1]);
  made.raw.say(call(2, "mine", 1));
  await made.raw.hear(["answer", 2, ["boolean", "false"]]);
  assert.equal(reasons.length, 5);
});
