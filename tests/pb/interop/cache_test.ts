import assert from "node:assert/strict";
import { type Kwargs, pb } from "../../../mod.ts";
import { interopTest, startPython } from "../../support/python.ts";

const SCRIPT = "../pb/interop/cache_peer.py";

class RemotePond extends pb.RemoteCache {
  declare ducks: string[];
  isOver = false;
  observe_add(duck: string, named: Kwargs): number {
    assert.equal(named.values.at, this.ducks.length + 1);
    return this.ducks.push(duck);
  }
  observe_bye(): void {
    this.isOver = true;
  }
}
const registry = new pb.CopyRegistry();
registry.setUnjellyableForClass("__main__.Pond", RemotePond);

interopTest("two clients of ours keep what a Twisted server caches in step, and give it up", async () => {
  await using python = await startPython(SCRIPT);
  const target = `tcp:127.0.0.1:${python.ready.port}`;
  await using first = await pb.connect(target, { registry });
  await using second = await pb.connect(target, { registry });
  const root = first.getRootObject();
  const [pond, same] = await root.callRemote("ponds") as [RemotePond, RemotePond];
  assert.ok(pond instanceof RemotePond);
  assert.equal(pond, same);
  assert.equal(await root.callRemote("pond"), pond);
  assert.equal(await root.callRemote("mine", pond), true);
  assert.deepEqual(await root.callRemote("add", "two"), [2]);
  assert.deepEqual(pond.ducks, ["one", "two"]);
  const other = await second.getRootObject().callRemote("pond") as RemotePond;
  assert.deepEqual(other.ducks, ["one", "two"]);
  assert.deepEqual(await root.callRemote("add", "three"), [3, 3]);
  assert.deepEqual(other.ducks, pond.ducks);
  // Twisted sends another observer of the same to stoppedObserving, and a farewell from there.
  pond[Symbol.dispose]();
  assert.deepEqual(await root.callRemote("state"), [1, 1, ["one", "two", "three"]]);
  await python.event("stopped");
  assert.equal(pond.isOver, true);
  assert.equal(first.broker.tables.caches, 0);
  await root.callRemote("add", "four");
  assert.deepEqual(pond.ducks, ["one", "two", "three"]);
  const again = await root.callRemote("pond") as RemotePond;
  assert.notEqual(again, pond);
  assert.deepEqual(again.ducks, ["one", "two", "three", "four"]);
  await second.close();
  await python.event("stopped");
  assert.deepEqual((await root.callRemote("state") as unknown[]).slice(0, 2), [1, 2]);
  assert.equal(pb.brokerOf(again), first.broker);
});

class Pond extends pb.Cacheable {
  static override copytype = "deno.Pond";
  readonly observers = new Set<pb.RemoteCacheObserver>();
  ducks = ["one"];
  stopped = 0;
  add(duck: string): Promise<unknown[]> {
    this.ducks.push(duck);
    return Promise.all(Array.from(this.observers, (observer) => observer.callRemote("add", duck)));
  }
  override getStateToCacheAndObserveFor(_: unknown, observer: pb.RemoteCacheObserver): unknown {
    this.observers.add(observer);
    return { ducks: this.ducks };
  }
  override stoppedObserving(_: unknown, observer: pb.RemoteCacheObserver): void {
    assert.ok(this.observers.delete(observer));
    observer.callRemoteOnly("bye");
    this.stopped++;
  }
}

class Pub extends pb.Publishable {
  static override copytype = "deno.Pub";
  override getStateToPublish(): unknown {
    return { data: [3, 4] };
  }
}

class Root extends pb.Root {
  readonly pond = new Pond();
  readonly pub = new Pub("OURS");
  remote_pond(): Pond {
    return this.pond;
  }
  remote_mine(pond: unknown): boolean {
    return pond === this.pond;
  }
  remote_ping(): void {}
  remote_pub(): Pub {
    return this.pub;
  }
  remote_text(collector: pb.RemoteReference): void {
    new pb.StringPager(collector, "old silent pond", { chunkSize: 4 });
  }
  remote_nothing(collector: pb.RemoteReference): void {
    new pb.StringPager(collector, new Uint8Array());
  }
  async remote_file(collector: pb.RemoteReference): Promise<void> {
    await new pb.FilePager(collector, await Deno.open(new URL(import.meta.url))).done;
  }
  /** More pages than go out without an answer. */
  remote_long(collector: pb.RemoteReference): Promise<void> {
    return new pb.StringPager(collector, "old silent pond".repeat(100), { chunkSize: 15 }).done;
  }
  async remote_emptyFile(collector: pb.RemoteReference): Promise<void> {
    await new pb.FilePager(collector, new Blob([]).stream()).done;
  }
}

interopTest("two Twisted clients keep what a server of ours caches in step, and give it up", async () => {
  const root = new Root();
  await using server = await pb.serve(root, "tcp:0:interface=127.0.0.1");
  await using first = await startPython(SCRIPT);
  await using second = await startPython(SCRIPT);
  for (const python of [first, second]) {
    await python.command("connect", { port: server.port });
    assert.deepEqual((await python.command("getPond")).ducks, root.pond.ducks);
    assert.deepEqual(
      await root.pond.add(`from ${root.pond.observers.size}`),
      Array(root.pond.observers.size).fill(root.pond.ducks.length),
    );
  }
  for (const python of [first, second]) {
    assert.deepEqual((await python.command("ducks")).ducks, ["one", "from 1", "from 2"]);
    const { same, home } = await python.command("getPond");
    assert.equal(same, true);
    assert.equal(home, true);
  }
  await first.command("drop");
  assert.deepEqual((await first.event("bye")).ducks, ["one", "from 1", "from 2"]);
  assert.equal((await first.command("tables")).held, 0);
  assert.deepEqual([root.pond.observers.size, root.pond.stopped], [1, 1]);
  assert.deepEqual(await root.pond.add("four"), [4]);
  assert.deepEqual((await first.command("getPond")).ducks, ["one", "from 1", "from 2", "four"]);
  const lost = Promise.withResolvers<void>();
  server.brokers[1]!.notifyOnDisconnect(lost.resolve);
  second.signal("SIGKILL");
  await lost.promise;
  assert.deepEqual([root.pond.observers.size, root.pond.stopped], [1, 2]);
});

interopTest("pages of a Twisted server arrive, whatever they are", async () => {
  await using python = await startPython(SCRIPT);
  await using client = await pb.connect(`tcp:127.0.0.1:${python.ready.port}`);
  const root = client.getRootObject();
  const bytes = new Uint8Array(100_000).map((_, i) => i);
  assert.deepEqual(await pb.getAllPages(root, "pages", "abcdefg", 3), ["abc", "def", "g"]);
  assert.deepEqual(await pb.getAllPages(root, "pages", "", 3), [""]);
  assert.deepEqual(await pb.getAllPages(root, "pages", new Uint8Array(), 3), [new Uint8Array()]);
  assert.deepEqual(await pb.getAllPages(root, "file", new Uint8Array()), []);
  const pages: Uint8Array[] = [];
  for await (const page of pb.getPages(root, "file", [bytes])) pages.push(page as Uint8Array);
  assert.ok(pages.length > 1);
  assert.deepEqual(new Uint8Array(await new Blob(pages as Uint8Array<ArrayBuffer>[]).arrayBuffer()), bytes);
  await assert.rejects(pb.getAllPages(root, "failing"), { message: "no pages today" });
  await assert.rejects(pb.getAllPages(root, "nothing"), pb.RemoteError);
  await assert.rejects(pb.getPages(root, "endless", [], { maxBytes: 100_000 }).toArray(), /100000/);
  // The rest of those is thrown away.
  assert.deepEqual(await pb.getAllPages(root, "pages", "abc", 3), ["abc"]);
  const lost = pb.getAllPages(root, "endless");
  for await (const page of pb.getPages(root, "endless")) {
    assert.equal((page as Uint8Array).length, 10_000);
    break;
  }
  python.signal("SIGKILL");
  await assert.rejects(lost, pb.PBConnectionLost);
});

interopTest("pages of a server of ours arrive at a Twisted client, whatever they are", async () => {
  await using server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
  await using python = await startPython(SCRIPT);
  await python.command("connect", { port: server.port });
  const pages = async (method: string) => {
    const { pages, kinds } = await python.command("pages", { method });
    return { pages, kinds };
  };
  assert.deepEqual(await pages("text"), { pages: ["old ", "sile", "nt p", "ond"], kinds: ["str"] });
  assert.deepEqual(await pages("nothing"), { pages: [""], kinds: ["bytes"] });
  assert.deepEqual(await pages("emptyFile"), { pages: [], kinds: [] });
  assert.deepEqual(await pages("long"), { pages: Array(100).fill("old silent pond"), kinds: ["str"] });
  const file = await pages("file");
  assert.deepEqual(file.kinds, ["bytes"]);
  assert.equal((file.pages as string[]).join(""), await Deno.readTextFile(new URL(import.meta.url)));
});

class RemotePub extends pb.RemotePublished {
  declare data: unknown;
  declare text: string;
}

interopTest("what a Twisted server publishes is fetched once, and kept", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using python = await startPython(SCRIPT);
    const files = new pb.FolderStorage(folder);
    const saved = Promise.withResolvers<void>();
    class Kept extends RemotePub {
      static override storage = {
        load: (name: string) => files.load(name),
        save: (name: string, bytes: Uint8Array) => files.save(name, bytes).then(saved.resolve),
      };
    }
    const kept = new pb.CopyRegistry();
    kept.setUnjellyableForClass("__main__.Pub", Kept);
    const get = async () => {
      await using client = await pb.connect(`tcp:127.0.0.1:${python.ready.port}`, { registry: kept });
      const pub = await pb.whenReady(client.getRootObject().callRemote("pub") as Promise<Kept>);
      assert.deepEqual(pub.data, [1, 2]);
      assert.equal(pub.text, "from python");
      assert.equal(pub.getFileName(), "None-None-ID7.pub");
      const { wasCleanWhenLoaded } = pub;
      await saved.promise;
      return wasCleanWhenLoaded;
    };
    assert.equal(await get(), false);
    assert.equal(await get(), true);
    await using client = await pb.connect(`tcp:127.0.0.1:${python.ready.port}`);
    await client.getRootObject().callRemote("republish");
    assert.equal(await get(), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

interopTest("what a server of ours publishes is fetched once by Twisted, and kept", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const root = new Root();
    await using server = await pb.serve(root, "tcp:0:interface=127.0.0.1");
    const get = async () => {
      await using python = await startPython(SCRIPT, [folder]);
      await python.command("connect", { port: server.port });
      const { data, clean, file } = await python.command("pub");
      // Twisted says that it is ready first, and then writes the file: not before that is it to be ended.
      await python.command("tables");
      assert.deepEqual(data, [3, 4]);
      assert.equal(file, "None-None-OURS.pub");
      return clean;
    };
    assert.equal(await get(), 0);
    assert.equal(await get(), 1);
    // Its file and ours are the same to both.
    class Kept extends RemotePub {
      static override storage = new pb.FolderStorage(folder);
    }
    const kept = new pb.CopyRegistry();
    kept.setUnjellyableForClass("deno.Pub", Kept);
    await using client = await pb.connect(server.address, { registry: kept });
    const clean = await pb.whenReady(client.getRootObject().callRemote("pub") as Promise<Kept>);
    assert.equal(clean.wasCleanWhenLoaded, true);
    root.pub.republish();
    const saved = Promise.withResolvers<void>();
    class Saving extends RemotePub {
      static override storage = {
        load: () => undefined,
        save: (name: string, bytes: Uint8Array) =>
          new pb.FolderStorage(folder).save(name, bytes).then(saved.resolve),
      };
    }
    const saving = new pb.CopyRegistry();
    saving.setUnjellyableForClass("deno.Pub", Saving);
    await using next = await pb.connect(server.address, { registry: saving });
    await pb.whenReady(next.getRootObject().callRemote("pub") as Promise<Saving>);
    await saved.promise;
    assert.equal(await get(), 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
