import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { agreedClient, agreedServer } from "./raw.ts";

class Avatar extends pb.Avatar {
  constructor(readonly name: string) {
    super();
  }
  perspective_whoami(): string {
    return this.name;
  }
  perspective_document(): Document {
    return shared;
  }
}

class Document extends pb.Viewable {
  view_read(reader: Avatar | undefined, ...args: unknown[]): unknown {
    return [reader?.name ?? null, ...args];
  }
}
const shared = new Document();

class Root extends pb.Root {
  readonly released: string[] = [];
  broker: pb.Broker | undefined;
  override rootObject(broker: pb.Broker): pb.MessageReceiver {
    this.broker = broker;
    return this;
  }
  remote_avatar(name: string): pb.AsReferenceable {
    const given = new pb.AsReferenceable(new Avatar(name));
    queueMicrotask(() => this.broker!.whenReleased(given, () => void this.released.push(name)));
    return given;
  }
  remote_bare(): Avatar {
    return new Avatar("bare");
  }
}

Deno.test("whenReleased() calls back once, at the last decref or the end of the connection", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  const { raw } = made;
  for (const [id, name] of [[1, "alice"], [2, "bob"]] as const) {
    raw.say(["message", id, "root", "avatar", 1, ["tuple", ["unicode", name]], ["dictionary"]]);
    await raw.hear(["answer", id, ["remote", id]]);
  }
  raw.say(["decref", 1], ["message", 3, 2, "whoami", 1, ["tuple"], ["dictionary"]]);
  await raw.hear(["answer", 3, ["unicode", "bob"]]);
  assert.deepEqual(root.released, ["alice"]);
  await made.server.close();
  assert.deepEqual(root.released, ["alice", "bob"]);
});

Deno.test("a viewable is told through which avatar it was reached, and has one number for each", async () => {
  await using made = await agreedClient(new Root());
  const { raw } = made;
  raw.say(["message", 1, "root", "avatar", 1, ["tuple", ["unicode", "alice"]], ["dictionary"]]);
  await raw.hear(["answer", 1, ["remote", 1]]);
  for (const id of [2, 3]) {
    raw.say(["message", id, 1, "document", 1, ["tuple"], ["dictionary"]]);
    await raw.hear(["answer", id, ["remote", 2]]);
  }
  raw.say(["message", 4, 2, "read", 1, ["tuple", 5], ["dictionary"]]);
  await raw.hear(["answer", 4, ["list", ["unicode", "alice"], 5]]);
  raw.say(["message", 5, "root", "avatar", 1, ["tuple", ["unicode", "bob"]], ["dictionary"]]);
  await raw.hear(["answer", 5, ["remote", 3]]);
  raw.say(["message", 6, 3, "document", 1, ["tuple"], ["dictionary"]]);
  await raw.hear(["answer", 6, ["remote", 4]]);
});

Deno.test("a reference is sent home and to nobody else", async () => {
  await using one = await agreedServer();
  await using other = await agreedServer();
  const root = one.root;
  await assert.rejects(other.root.callRemote("x", root), /Cannot send a reference to an object of one peer/);
  const calling = root.remote.x!(root);
  await one.raw.hear(["message", 1, "root", "x", 1, ["tuple", ["local", "root"]], ["dictionary"]]);
  one.raw.say(["answer", 1, ["local", 99]]);
  assert.equal(await calling, null);
});

Deno.test("notifyOnDisconnect() calls back in order, at once after the loss, and not when it was disposed", async () => {
  const traced: string[] = [];
  await using made = await agreedServer({ trace: ({ type }) => traced.push(type) });
  const { client, root } = made;
  const seen: string[] = [];
  client.notifyOnDisconnect(() => seen.push("first"));
  client.notifyOnDisconnect(() => {
    throw new TypeError("of the program");
  });
  root.notifyOnDisconnect((reference) => seen.push(reference === root ? "second" : "other"));
  client.notifyOnDisconnect(() => seen.push("never"))[Symbol.dispose]();
  const pending = root.callRemote("x").catch((error: unknown) => {
    assert.ok(error instanceof pb.PBConnectionLost);
  });
  await client.close();
  await pending;
  client.notifyOnDisconnect(() => seen.push("after"));
  assert.deepEqual(seen, ["first", "second", "after"]);
  assert.ok(traced.includes("callback-failed"));
  assert.throws(() => client.getRootObject(), { name: "DeadReferenceError" });
});

Deno.test("whenReleased() calls everybody who has asked, each once", async () => {
  const released: string[] = [];
  class Desk extends pb.Referenceable {}
  const desk = new Desk();
  class Root extends pb.Root {
    override rootObject(broker: pb.Broker): pb.MessageReceiver {
      this.broker = broker;
      return this;
    }
    broker: pb.Broker | undefined;
    remote_desk(): Desk {
      return desk;
    }
    remote_watch(): void {
      for (const name of ["one", "two"]) this.broker!.whenReleased(desk, () => void released.push(name));
    }
  }
  await using made = await agreedClient(new Root());
  const { raw } = made;
  raw.say(["message", 1, "root", "desk", 1, ["tuple"], ["dictionary"]]);
  await raw.hear(["answer", 1, ["remote", 1]]);
  raw.say(["message", 2, "root", "watch", 1, ["tuple"], ["dictionary"]], ["decref", 1]);
  raw.say(["message", 3, "root", "desk", 1, ["tuple"], ["dictionary"]]);
  await raw.hear(["answer", 2, ["None"]], ["answer", 3, ["remote", 2]]);
  assert.deepEqual(released, ["one", "two"]);
  await made.server.close();
  assert.deepEqual(released, ["one", "two"]);
});

Deno.test("names that a peer sends for objects of its own are not kept", async () => {
  await using peer = await agreedServer();
  const { raw, root } = peer;
  const got = root.callRemote("x");
  await raw.hear(["message", 1, "root", "x", 1, ["tuple"], ["dictionary"]]);
  raw.say(["answer", 1, ["list", ["remote", "root"], ["remote", "other"], ["remote", "other"]]]);
  const [home, one, two] = await got as pb.RemoteReference[];
  assert.equal(home, root);
  assert.notEqual(one, two);
  const called = two!.callRemote("y", one);
  await raw.hear(["message", 2, "other", "y", 1, ["tuple", ["local", "other"]], ["dictionary"]]);
  raw.say(["answer", 2, 5]);
  assert.equal(await called, 5);
  // One that the program asks for is the same each time.
  assert.equal(peer.client.broker.remoteForName("third"), peer.client.broker.remoteForName("third"));
});

Deno.test("whenReleased() tells the trace which callback has failed", async () => {
  const failed: string[] = [];
  class Desk extends pb.Referenceable {}
  const desk = new Desk();
  class Root extends pb.Root {
    broker: pb.Broker | undefined;
    override rootObject(broker: pb.Broker): pb.MessageReceiver {
      this.broker = broker;
      return this;
    }
    remote_desk(): Desk {
      queueMicrotask(() => {
        this.broker!.whenReleased(desk, () => {
          throw new TypeError("of the program");
        });
        this.broker!.whenReleased(desk, () => Promise.reject(new RangeError("of the program")));
      });
      return desk;
    }
  }
  await using made = await agreedClient(new Root(), {
    trace: (event) => event.type === "callback-failed" && failed.push(`${event.where}: ${event.error.name}`),
  });
  made.raw.say(["message", 1, "root", "desk", 1, ["tuple"], ["dictionary"]]);
  await made.raw.hear(["answer", 1, ["remote", 1]]);
  made.raw.say(["decref", 1], ["message", 2, "root", "x", 1, ["tuple"], ["dictionary"]]);
  await made.raw.next();
  assert.deepEqual(failed, ["whenReleased: TypeError", "whenReleased: RangeError"]);
});
