import assert from "node:assert/strict";
import { pb, Violation } from "../../../mod.ts";
import { fileNameOf } from "../../../lib/pb/publish/publishable.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { agreedClient, agreedServer, type Sexp, u } from "../broker/raw.ts";

class Pub extends pb.Publishable {
  static override copytype = "mod.Pub";
  override getStateToPublish(): unknown {
    return { data: [1, 2] };
  }
}

class RemotePub extends pb.RemotePublished {
  declare data: unknown;
  /** What is no property is not stored. */
  #calls = 0;
  get timesActivated(): number {
    return this.#calls;
  }
  override activated(): void {
    this.#calls++;
  }
}

const call = (id: number, target: Sexp, method: string): Sexp => [
  "message",
  id,
  target,
  method,
  1,
  ["tuple"],
  ["dictionary"],
];
function metadata(luid: number, remote: number, timestamp: number, id = "ID7"): Sexp {
  return ["mod.Pub", luid, [
    "dictionary",
    [u("remote"), ["remote", remote]],
    [u("publishedID"), u(id)],
    [u("perspective"), u("None")],
    [u("service"), u("None")],
    [u("timestamp"), timestamp],
  ]];
}

Deno.test("a published object is sent as Twisted's is, and its state when it is asked for", async () => {
  const clock = new FakeClock(1_795_335_735_690);
  class Root extends pb.Root {
    readonly pub = new Pub("ID7", { clock });
    remote_pub(): Pub {
      return this.pub;
    }
  }
  const root = new Root();
  await using made = await agreedClient(root);
  const { raw } = made;
  raw.say(call(1, "root", "pub"));
  await raw.hear(["answer", 1, metadata(1, 2, 1795335735.69)]);
  raw.say(call(2, 2, "getStateToPublish"));
  await raw.hear(["answer", 2, ["dictionary", [u("data"), ["list", 1, 2]]]]);
  assert.equal(root.pub.timestamp, 1795335735.69);
  root.pub.republish();
  const again = root.pub.timestamp;
  assert.ok(again > 1795335735.69);
  clock.advance(60_000);
  root.pub.republish();
  assert.equal(root.pub.timestamp, 1795335795.69);
});

Deno.test("a published object names the perspective and service of an avatar of old", () => {
  const pub = new Pub("ID");
  const old = { perspectiveName: "alice", getService: () => ({ serviceName: "news" }) };
  assert.deepEqual(pub.getNamesFor(old), { perspective: "alice", service: "news" });
  assert.deepEqual(pub.getNamesFor(new pb.Avatar()), { perspective: "None", service: "None" });
});

/** Storage in memory. */
function memory() {
  const files = new Map<string, Uint8Array>();
  const saved: string[] = [];
  return {
    files,
    saved,
    load: (name: string) => files.get(name),
    save: (name: string, bytes: Uint8Array) => {
      files.set(name, bytes);
      saved.push(name);
    },
  };
}

function registered(storage: pb.PublishedStorage | undefined) {
  class Kept extends RemotePub {
    static override storage = storage;
  }
  const registry = new pb.CopyRegistry();
  registry.setUnjellyableForClass("mod.Pub", Kept);
  return registry;
}

Deno.test("a published copy asks for its state once for each timestamp, and stores it in dialect none", async () => {
  const storage = memory();
  const registry = registered(storage);
  for (const [timestamp, isKnown] of [[1.5, false], [1.5, true], [2.5, false], [2.5, true]] as const) {
    await using peer = await agreedServer({ registry });
    const { raw, root } = peer;
    const answer = root.callRemote("pub") as Promise<RemotePub>;
    await raw.hear(call(1, "root", "pub"));
    raw.say(["answer", 1, metadata(1, 2, timestamp)]);
    const pub = await answer;
    const ready = pb.whenReady(pub);
    let told = 0;
    pub.callWhenActivated((same) => told += same === pub ? 1 : 100);
    if (!isKnown) {
      await raw.hear(call(2, 2, "getStateToPublish"));
      assert.equal(pub.isActivated, false);
      raw.say(["answer", 2, ["dictionary", [u("data"), ["list", 1, timestamp]]]]);
    }
    assert.equal(await ready, pub);
    assert.equal(pub.isActivated, true);
    assert.equal(pub.wasCleanWhenLoaded, isKnown);
    assert.deepEqual(pub.data, [1, timestamp]);
    assert.equal(pub.timestamp, timestamp);
    assert.deepEqual([pub.timesActivated, told], [1, 1]);
    pub.callWhenActivated(() => told++);
    assert.equal(told, 2);
    assert.ok(pub.remote instanceof pb.RemoteReference);
  }
  assert.deepEqual(storage.saved, ["None-None-ID7.pub", "None-None-ID7.pub"]);
  const stored = pb.decode(storage.files.get("None-None-ID7.pub")!) as readonly pb.Expression[];
  assert.equal(new TextDecoder().decode(stored[0] as Uint8Array), "mod.Pub");
  assert.deepEqual({ ...pb.unjelly(stored[1]!) as object }, {
    publishedID: "ID7",
    perspective: "None",
    service: "None",
    timestamp: 2.5,
    data: [1, 2.5],
  });
});

const broken: [what: string, stored: Uint8Array | Error | Promise<never>][] = [
  ["is no Banana", Uint8Array.of(0xff, 0xff)],
  ["is empty", new Uint8Array()],
  ["is of another form", pb.encode([1, 2, 3])],
  ["is of a class that nobody registered", pb.encode([1, [new TextEncoder().encode("no.Such"), []]])],
  ["cannot be read", new Error("no permission")],
];
for (const [what, stored] of broken) {
  Deno.test(`a stored copy that ${what} is asked for again`, async () => {
    const traced: string[] = [];
    const registry = registered({
      load() {
        if (stored instanceof Error) throw stored;
        return stored;
      },
      save() {
        throw new Error("the disk is full");
      },
    });
    await using peer = await agreedServer({
      registry,
      trace: (event) => void (event.type === "callback-failed" && traced.push(event.where)),
    });
    const answer = peer.root.callRemote("pub") as Promise<RemotePub>;
    await peer.raw.message();
    peer.raw.say(["answer", 1, metadata(1, 2, 1.5)]);
    const ready = pb.whenReady(answer);
    await peer.raw.hear(call(2, 2, "getStateToPublish"));
    peer.raw.say(["answer", 2, ["dictionary", [u("data"), 5]]]);
    assert.equal((await ready).data, 5);
    await Promise.resolve();
    assert.ok(traced.includes("storage.save"));
  });
}

Deno.test("whenReady() fails when the state cannot be had, and for what is not published", async () => {
  await using peer = await agreedServer({ registry: registered(undefined) });
  const { raw, root } = peer;
  const get = async (answer: Sexp) => {
    const pub = root.callRemote("pub") as Promise<RemotePub>;
    await raw.message();
    raw.say(answer);
    return await pub;
  };
  const pub = await get(["answer", 1, metadata(1, 2, 1.5)]);
  await raw.message();
  raw.say(["answer", 2, ["dictionary", [u("activated"), 1]]]);
  await assert.rejects(pb.whenReady(pub), Violation);
  await assert.rejects(pb.whenReady(pub), Violation);
  assert.equal(pub.isActivated, false);
  await assert.rejects(get(["answer", 3, ["mod.Pub", 9, ["dictionary", [u("timestamp"), 1]]]]), Violation);
  await raw.hear(["decache", 9]);
  const number = await get(["answer", 4, 5]);
  await assert.rejects(pb.whenReady(number), TypeError);
});

const names: [name: string, file: string][] = [
  ["None-None-ID7.pub", "None-None-ID7.pub"],
  ["news-alice@home-a b+c.pub", "news-alice@home-a b+c.pub"],
  ["../../etc-x-passwd.pub", "%2E.%2F..%2Fetc-x-passwd.pub"],
  ["/etc-x-y.pub", "%2Fetc-x-y.pub"],
  ["a\\b-\0-c:d*.pub", "a%5Cb-%00-c%3Ad%2A.pub"],
  ["\ud800-x-y.pub", "%EF%BF%BD-x-y.pub"],
];
for (const [name, file] of names) {
  Deno.test(`the file for ${JSON.stringify(name)} is inside the folder`, () =>
    assert.equal(fileNameOf(name), file));
}

Deno.test("files of long names are as long as they may be, and differ", () => {
  const one = fileNameOf("x".repeat(10_000) + "1"), other = fileNameOf("x".repeat(10_000) + "2");
  assert.notEqual(one, other);
  assert.ok(one.length <= 200 && one.endsWith(".pub"));
});

Deno.test("FolderStorage keeps files whole, and says when it cannot", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const storage = new pb.FolderStorage(folder);
    assert.equal(await storage.load("a"), undefined);
    await storage.save("../a", Uint8Array.of(1));
    await storage.save("../a", Uint8Array.of(2));
    assert.deepEqual(await storage.load("../a"), Uint8Array.of(2));
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), ["%2E.%2Fa"]);
    await Deno.mkdir(`${folder}/b`);
    await assert.rejects(storage.save("b", Uint8Array.of(1)));
    assert.equal((await Array.fromAsync(Deno.readDir(folder))).length, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
