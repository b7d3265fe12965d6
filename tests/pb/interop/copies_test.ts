import assert from "node:assert/strict";
import { pb, tuple } from "../../../mod.ts";
import { interopTest, type PythonPeer, startPython } from "../../support/python.ts";

class Pond extends pb.RemoteCopy implements pb.Jellyable {
  frogs = 0;
  ducks: string[] = [];
  /** It is a copy that can be copied on, as Twisted's class that derives from both. */
  jellyFor(jellier: pb.Jellying): void {
    pb.Copyable.prototype.jellyFor.call(this as unknown as pb.Copyable, jellier);
  }
  getTypeToCopyFor(): string {
    return "tests.Pond";
  }
  getStateToCopyFor(): unknown {
    return { frogs: this.frogs, ducks: this.ducks };
  }
}

class SenderPond extends pb.Copyable {
  static override copytype = "tests.SenderPond";
  secret = "under the third stone";
  override getStateToCopy(): unknown {
    return { count: 7, label: "seven" };
  }
}

class ReceiverPond extends pb.RemoteCopy {
  total = 0;
  override setCopyableState(state: unknown): void {
    this.total = (state as { count: number }).count;
  }
}

class Made extends pb.Copyable {
  static override copytype = "tests.Made";
  override getStateToCopy(): unknown {
    return tuple("any", 5, null);
  }
}

class Broken extends pb.Copyable {
  static override copytype = "tests.Broken";
  override getStateToCopy(): never {
    throw new RangeError("no state today");
  }
}

class Dog extends pb.RemoteCopy {}
class Duck extends pb.RemoteCopy {}
class SentDog extends pb.Copyable {
  static override copytype = "tests.tree.Dog";
}
class SentDuck extends pb.Copyable {
  static override copytype = "tests.tree.Duck";
}

/** An error that travels by itself. */
class JellyError extends pb.Error implements pb.Jellyable, pb.Unjellyable {
  shelf = 0;
  jellyFor(jellier: pb.Jellying): void {
    jellier.prepare(this);
    jellier.list(2);
    jellier.word("tests.JellyError");
    jellier.jelly({ shelf: this.shelf });
  }
  unjellyFor(unjellier: pb.Unjellying, expression: readonly pb.Expression[]): this {
    unjellier.bind(this);
    this.shelf = (unjellier.unjelly(expression[1]!) as { shelf: number }).shelf;
    return this;
  }
}

/** An error that the security options let travel. */
class Allowed extends pb.Error {
  shelf = 0;
  getStateToCopy(): unknown {
    return { shelf: this.shelf };
  }
  setCopyableState(state: unknown): void {
    this.shelf = (state as { shelf: number }).shelf;
  }
}

class CatchAll extends pb.Referenceable {
  override remoteMessageReceived(message: string, call: pb.PbCall): unknown {
    return `${message}(${call.args().map(String).join()})`;
  }
}

class OutOfStock extends pb.Error {}
pb.nameError(OutOfStock, "tests.OutOfStock");

function registry(): pb.CopyRegistry {
  const own = new pb.CopyRegistry(pb.copyTags);
  own.setUnjellyableForClass("tests.Pond", Pond);
  own.setUnjellyableForClass("tests.SenderPond", ReceiverPond);
  own.setUnjellyableFactoryForClass("tests.wide", (state) => ({ wide: state }));
  own.setUnjellyableForClass("tests.JellyError", JellyError);
  own.setUnjellyableForClassTree({ Dog, Duck, other: 1 }, pb.RemoteCopy, "tests.tree");
  return own;
}

const security = () => new pb.SecurityOptions().allowInstancesOf({ "tests.Allowed": Allowed });

class Root extends pb.Root {
  remote_pond(): unknown {
    return Object.assign(new Pond(), { frogs: 12, ducks: ["one", "two"] });
  }
  remote_home(pond: Pond): unknown {
    pond.frogs++;
    return pond;
  }
  remote_twice(): unknown {
    const pond = new Pond();
    return [pond, pond];
  }
  remote_frogs(pond: Pond): unknown {
    return [pond.constructor.name, pond.frogs, pond.ducks];
  }
  remote_senderPond(): unknown {
    return new SenderPond();
  }
  remote_made(): unknown {
    return new Made();
  }
  remote_tree(): unknown {
    return [new SentDog(), new SentDuck()];
  }
  remote_broken(): unknown {
    return new Broken();
  }
  remote_jellyError(): never {
    throw Object.assign(new JellyError("lost on the way"), { shelf: 5 });
  }
  remote_later(): Promise<never> {
    return Promise.reject(Object.assign(new JellyError(), { shelf: 6 }));
  }
  remote_allowed(): never {
    throw Object.assign(new Allowed(), { shelf: 7 });
  }
  remote_fail(): never {
    throw new OutOfStock("none left");
  }
  remote_catchAll(): unknown {
    return new CatchAll();
  }
  remote_relay(other: pb.RemoteReference, method: "fail"): Promise<unknown> {
    return other.callRemote(method);
  }
}

class Failing extends pb.Referenceable {
  remote_fail(): never {
    throw new OutOfStock("none left");
  }
}

/** A client of ours for a Twisted server. */
async function calling(options: pb.PbConnectOptions = {}) {
  const python = await startPython("../pb/interop/copies.py");
  const client = await pb.connect(`tcp:127.0.0.1:${python.ready.port}`, { registry: registry(), ...options });
  return {
    root: client.getRootObject(),
    async [Symbol.asyncDispose]() {
      await client.close();
      await python[Symbol.asyncDispose]();
    },
  };
}

/** A server of ours for a Twisted client. */
async function serving(options: pb.PbServeOptions = {}) {
  const python: PythonPeer = await startPython("../pb/interop/copies.py");
  const server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1", {
    registry: registry(),
    ...options,
  });
  return {
    run: async (what: string, ...args: string[]) =>
      (await python.command("run", { port: server.port, what, args })).result,
    async [Symbol.asyncDispose]() {
      await server.close();
      await python[Symbol.asyncDispose]();
    },
  };
}

interopTest("copies go from a Twisted server to us and home again", async () => {
  await using peer = await calling();
  const { root } = peer;
  const pond = await root.callRemote("pond");
  assert.ok(pond instanceof Pond);
  assert.deepEqual([pond.frogs, pond.ducks], [12, ["one", "two"]]);
  assert.deepEqual(await root.callRemote("frogs", pond), ["Pond", 12, ["one", "two"]]);
  const home = await root.callRemote("home", pond) as Pond;
  assert.deepEqual([home instanceof Pond, home.frogs, pond.frogs], [true, 13, 12]);
  const [one, two] = await root.callRemote("twice") as Pond[];
  assert.equal(one, two);
  const seven = await root.callRemote("senderPond");
  assert.ok(seven instanceof ReceiverPond && seven.total === 7);
  assert.deepEqual(await root.callRemote("total", new SenderPond()), ["ReceiverPond", 7]);
});

interopTest("a factory and a tree of classes make copies at both ends of a Twisted connection", async () => {
  await using peer = await calling();
  const { root } = peer;
  assert.deepEqual(await root.callRemote("wide"), { wide: tuple("any", 5, null) });
  assert.deepEqual(await root.callRemote("made", new Made()), ["Made", tuple("any", 5, null)]);
  assert.deepEqual(await root.callRemote("tree", new SentDog(), new SentDuck()), ["Dog", "Duck"]);
});

interopTest("copies go from a server of ours to a Twisted client and home again", async () => {
  await using peer = await serving();
  assert.deepEqual(await peer.run("copies"), [
    ["Pond", 12, ["one", "two"]],
    13,
    true,
    ["ReceiverPond", 7],
    ["Made", ["any", 5, null]],
    ["Dog", "Duck"],
  ]);
});

interopTest("a state that cannot be had fails its call and no other, whichever end sends it", async () => {
  await using client = await calling();
  await assert.rejects(client.root.callRemote("frogs", new Broken()), { name: "Violation" });
  await assert.rejects(client.root.callRemote("broken"), (error) => {
    assert.ok(error instanceof pb.RemoteError);
    assert.deepEqual([error.remoteType, error.message], ["builtins.ValueError", "no state today"]);
    return true;
  });
  assert.deepEqual(await client.root.callRemote("frogs", new Pond()), ["Pond", 0, []]);
  await using server = await serving();
  assert.deepEqual(await server.run("badState"), ["no state today", "javascript.Violation", ["Pond", 3, []]]);
});

interopTest(
  "errors that travel by themselves arrive as what was registered for them, from Twisted and to it",
  async () => {
    await using client = await calling();
    for (const [method, shelf] of [["jellyError", 5], ["later", 6]] as const) {
      await assert.rejects(client.root.callRemote(method), (error) => {
        assert.ok(error instanceof JellyError, String(error));
        assert.equal(error.shelf, shelf);
        return true;
      });
    }
    await using server = await serving();
    assert.deepEqual(await server.run("trap", "jellyError"), ["JellyError", 5]);
    assert.deepEqual(await server.run("trap", "later"), ["JellyError", 6]);
  },
);

interopTest(
  "errors of a class that the security options allow travel as objects, from Twisted and to it",
  async () => {
    await using client = await calling({ security: security() });
    await assert.rejects(client.root.callRemote("allowed"), (error) => {
      assert.ok(error instanceof Allowed, String(error));
      assert.equal(error.shelf, 7);
      return true;
    });
    await using server = await serving({ security: security() });
    assert.deepEqual(await server.run("trapAllowed"), ["Allowed", 7]);
  },
);

interopTest("an object that takes any message is reached by Twisted, and Twisted's by us", async () => {
  await using client = await calling();
  const ref = await client.root.callRemote("catchAll") as pb.RemoteReference;
  assert.equal(await ref.callRemote("anything", 1, 2), "anything(1, 2)");
  await using server = await serving();
  assert.deepEqual(await server.run("catchAll"), ["anything(1,120)", "at all()"]);
});

interopTest("a Twisted coroutine gets a RemoteError with the type and no traceback", async () => {
  await using server = await serving();
  assert.deepEqual(await server.run("coroutine"), [
    "tests.OutOfStock",
    "none left",
    "Traceback unavailable\n",
  ]);
});

interopTest("an error keeps its types through two hops, by a Twisted server and by ours", async () => {
  await using client = await calling();
  await assert.rejects(client.root.callRemote("relay", new Failing(), "fail"), (error) => {
    assert.ok(error instanceof pb.RemoteError, String(error));
    assert.equal(error.check("tests.OutOfStock"), "tests.OutOfStock");
    assert.equal(error.check("twisted.spread.pb.Error"), "twisted.spread.pb.Error");
    assert.equal(error.message, "none left");
    return true;
  });
  await using server = await serving();
  assert.deepEqual(await server.run("relayed"), ["tests.OutOfStock", true, "none left"]);
});

interopTest("a connection with security options of its own reads what they allow, and failures", async () => {
  await using client = await calling({ security: new pb.SecurityOptions(), registry: new pb.CopyRegistry() });
  await assert.rejects(client.root.callRemote("frogs"), (error) => {
    assert.ok(error instanceof pb.RemoteError, String(error));
    assert.equal(error.remoteType, "builtins.TypeError");
    return true;
  });
  await assert.rejects(client.root.callRemote("twice"), { message: /not allowed/ });
  const ref = await client.root.callRemote("catchAll") as pb.RemoteReference;
  assert.ok(ref instanceof pb.RemoteReference);
});
