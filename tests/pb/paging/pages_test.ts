import assert from "node:assert/strict";
import { pb, Violation } from "../../../mod.ts";
import { memoryPair } from "../../../lib/transport/memory.ts";
import { agreedClient, agreedServer, type Sexp, u } from "../broker/raw.ts";

/** A server and a client of ours. */
async function connected(root: pb.Root) {
  const server = await pb.serve(root, "tcp:0:interface=127.0.0.1");
  const client = await pb.connect(server.address);
  return {
    root: client.getRootObject(),
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
    },
  };
}

class Root extends pb.Root {
  readonly pagers: pb.Pager[] = [];
  cancelled = 0;
  remote_pages(collector: pb.RemoteReference, data: string | Uint8Array, chunkSize: number): void {
    this.pagers.push(new pb.StringPager(collector, data, { chunkSize }));
  }
  remote_file(collector: pb.RemoteReference, sizes: number[], chunkSize: number): Promise<void> {
    return new pb.FilePager(collector, ReadableStream.from(sizes.map((size) => new Uint8Array(size))), {
      chunkSize,
    })
      .done;
  }
  remote_broken(collector: pb.RemoteReference): Promise<void> {
    return new Broken(collector).done;
  }
  remote_quietlyBroken(collector: pb.RemoteReference): void {
    this.pagers.push(new Broken(collector));
  }
  remote_unsendable(collector: pb.RemoteReference): Promise<void> {
    return new pb.StringPager(collector, "x".repeat(700_000), { chunkSize: 700_000 }).done;
  }
  remote_stuck(collector: pb.RemoteReference): void {
    const stream = new ReadableStream<Uint8Array>({ cancel: () => void this.cancelled++ });
    this.pagers.push(new pb.FilePager(collector, { readable: stream }));
  }
  remote_hold(collector: pb.RemoteReference): void {
    this.held = collector;
  }
  held: pb.RemoteReference | undefined;
}

class Broken extends pb.Pager {
  #page = 0;
  nextPage(): number {
    if (this.#page === 2) throw new pb.Error("the disk is on fire");
    return this.#page++;
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

Deno.test("a StringPager sends what Twisted's sends, its first page before the answer", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  const { raw } = made;
  const page = (
    id: number,
    value: Sexp,
  ): Sexp => ["message", id, 1, "gotPage", 0, ["tuple", value], ["dictionary"]];
  const ended = (id: number): Sexp => ["message", id, 1, "endedPaging", 0, ["tuple"], ["dictionary"]];
  raw.say(call(1, "pages", ["remote", 1], "abcdefghijabcdefghijabcdefghij", 10));
  await raw.hear(
    page(1, "abcdefghij"),
    ["answer", 1, ["None"]],
    page(2, "abcdefghij"),
    page(3, "abcdefghij"),
    ended(4),
  );
  // One page is over before the answer.
  raw.say(call(2, "pages", ["remote", 1], "abc", 10));
  await raw.hear(page(5, "abc"), ended(6), ["answer", 2, ["None"]]);
  await Promise.all(root.pagers.map(({ done }) => done));
});

const data: [what: string, data: string | Uint8Array, chunkSize: number, pages: unknown[]][] = [
  ["nothing, as text", "", 5, [""]],
  ["nothing, as bytes", new Uint8Array(), 5, [new Uint8Array()]],
  ["text of whole pages", "abcdef", 3, ["abc", "def"]],
  ["text with a rest", "abcd", 3, ["abc", "d"]],
  ["text whose characters are not cut", "ab\u{1f600}cd", 3, ["ab\u{1f600}", "cd"]],
  ["text that ends with such a character", "ab\u{1f600}", 3, ["ab\u{1f600}"]],
  ["bytes", Uint8Array.of(1, 2, 3), 2, [Uint8Array.of(1, 2), Uint8Array.of(3)]],
];
for (const [what, value, chunkSize, pages] of data) {
  Deno.test(`StringPager sends ${what}`, async () => {
    await using made = await connected(new Root());
    assert.deepEqual(await pb.getAllPages(made.root, "pages", value, chunkSize), pages);
    assert.deepEqual(await Array.fromAsync(pb.getPages(made.root, "pages", [value, chunkSize])), pages);
  });
}

Deno.test("FilePager sends the pieces of a stream, none empty and none too large", async () => {
  await using made = await connected(new Root());
  const sizes = async (...pieces: number[]) =>
    (await pb.getAllPages(made.root, "file", pieces, 10) as Uint8Array[]).map(({ length }) => length);
  assert.deepEqual(await sizes(), []);
  assert.deepEqual(await sizes(0, 0), []);
  assert.deepEqual(await sizes(3, 0, 25, 10), [3, 10, 10, 5, 10]);
});

Deno.test("pagers refuse chunk sizes that are none, and streams that somebody reads", async () => {
  await using peer = await agreedServer();
  for (const chunkSize of [0, -1, 1.5, NaN]) {
    assert.throws(() => new pb.StringPager(peer.root, "x", { chunkSize }), RangeError);
    assert.throws(() => new pb.FilePager(peer.root, ReadableStream.from([]), { chunkSize }), RangeError);
  }
  const stream = new ReadableStream<Uint8Array>();
  stream.getReader();
  assert.throws(() => new pb.FilePager(peer.root, stream), TypeError);
  assert.throws(() => new pb.CallbackPageCollector(() => {}, { maxBytes: 0 }), RangeError);
  // Nothing was begun.
  const root = peer.root.callRemote("x");
  await peer.raw.hear(call(1, "x"));
  peer.raw.say(["answer", 1, 1]);
  await root;
});

Deno.test("getAllPages() fails when the method fails, the pager fails, or a page cannot be sent", async () => {
  const root = new Root();
  await using made = await connected(root);
  await assert.rejects(pb.getAllPages(made.root, "nothing"), pb.RemoteError);
  await assert.rejects(pb.getAllPages(made.root, "broken"), { message: "the disk is on fire" });
  await assert.rejects(pb.getAllPages(made.root, "quietlyBroken"), pb.PBConnectionLost);
  await assert.rejects(root.pagers[0]!.done, { message: "the disk is on fire" });
  await assert.rejects(pb.getAllPages(made.root, "unsendable"), pb.RemoteError);
  await assert.rejects(pb.getAllPages(made.root, "pages", Symbol("x"), 1), Violation);
  // Pages that came before it are there for those who take them one by one.
  const seen: unknown[] = [];
  await assert.rejects(async () => {
    for await (const page of pb.getPages(made.root, "broken")) seen.push(page);
  }, { message: "the disk is on fire" });
  assert.deepEqual(seen, [0, 1]);
});

Deno.test("getAllPages() fails, and a pager ends, when the connection is lost", async () => {
  const root = new Root();
  const made = await connected(root);
  const pages = pb.getAllPages(made.root, "stuck");
  const iterated = pb.getPages(made.root, "stuck").next();
  const lost = Promise.all([
    assert.rejects(pages, pb.PBConnectionLost),
    assert.rejects(iterated, pb.PBConnectionLost),
  ]);
  while (root.pagers.length < 2) await new Promise((resolve) => setTimeout(resolve, 0));
  await made[Symbol.asyncDispose]();
  await lost;
  for (const { done } of root.pagers) await assert.rejects(done, pb.PBConnectionLost);
  assert.equal(root.cancelled, 2);
  await assert.rejects(pb.getAllPages(made.root, "pages", "x", 1), { name: "DeadReferenceError" });
});

Deno.test("getAllPages() fails when the peer lets go of the collector", async () => {
  const root = new Root();
  await using made = await connected(root);
  const pages = pb.getAllPages(made.root, "hold");
  const failed = assert.rejects(pages, pb.PBConnectionLost);
  while (root.held === undefined) await new Promise((resolve) => setTimeout(resolve, 0));
  root.held.callRemoteOnly("gotPage", 1);
  root.held[Symbol.dispose]();
  await failed;
});

Deno.test("a pager waits for the connection, page by page", async () => {
  const [near, far] = memoryPair({});
  const connecting = pb.connect(near);
  const writer = far.writable.getWriter();
  await writer.write(Uint8Array.of(0x02, 0x80, 0x02, 0x82, 0x70, 0x62, 0x04, 0x82, 0x6e, 0x6f, 0x6e, 0x65));
  const client = await connecting;
  let made = 0;
  class Endless extends pb.Pager {
    nextPage(): Uint8Array {
      made++;
      return new Uint8Array(100_000);
    }
  }
  const pager = new Endless(client.getRootObject());
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  // Nobody reads: no more is made than the memory of the connection takes.
  const before = made;
  assert.ok(before < 20, String(before));
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(made, before);
  const reader = far.readable.getReader();
  for (let i = 0; i < 20; i++) await reader.read();
  assert.ok(made > before);
  await client.close();
  await assert.rejects(pager.done, pb.PBConnectionLost);
  reader.releaseLock();
  writer.releaseLock();
  await far.close();
});

const floods: [what: string, page: Sexp, count: number][] = [
  ["bytes", "x".repeat(10_000), 20],
  ["empty pages", "", 1_600],
  ["lists", ["list", ...Array(1_000).fill(["list"])], 3],
  ["dictionaries", ["dictionary", ...Array.from({ length: 500 }, (_, i): Sexp => [i, u("some text")])], 3],
  ["pages that contain themselves", ["reference", 1, ["list", ["dereference", 1], "x".repeat(5_000)]], 25],
];
for (const [what, page, count] of floods) {
  Deno.test(`a pager without end that sends ${what} costs its call and no more`, async () => {
    await using peer = await agreedServer();
    const { raw, root } = peer;
    const pages = pb.getPages(root, "flood", [], { maxBytes: 100_000 });
    const refused = assert.rejects(pages.toArray(), /more than 100000 bytes/);
    await raw.hear(call(1, "flood", ["remote", 1]));
    let sent = 0;
    const more = () => raw.say(["message", ++sent, 1, "gotPage", 0, ["tuple", page], ["dictionary"]]);
    for (let i = 0; i < count; i++) more();
    await refused;
    more();
    raw.say(["message", ++sent, 1, "endedPaging", 0, ["tuple"], ["dictionary"]], ["answer", 1, ["None"]]);
    const echo = root.callRemote("echo");
    await raw.hear(call(2, "echo"));
    raw.say(["answer", 2, 5]);
    assert.equal(await echo, 5);
  });
}

Deno.test("pages are kept within the limit while they are taken one by one", async () => {
  await using peer = await agreedServer();
  const { raw, root } = peer;
  const pages = pb.getPages(root, "flood", [], { maxBytes: 10_000 });
  await raw.hear(call(1, "flood", ["remote", 1]));
  for (let i = 1; i <= 20; i++) {
    raw.say(["message", i, 1, "gotPage", 0, ["tuple", "x".repeat(5_000)], ["dictionary"]]);
    assert.equal((await pages.next()).done, false);
  }
  raw.say(["message", 21, 1, "endedPaging", 0, ["tuple"], ["dictionary"]]);
  assert.deepEqual(await pages.next(), { done: true, value: undefined });
  raw.say(["answer", 1, ["None"]], ["decref", 1]);
  // Who stops in between is left alone.
  await using second = pb.getPages(root, "flood");
  await raw.hear(call(2, "flood", ["remote", 2]));
  raw.say(["message", 22, 2, "gotPage", 0, ["tuple", 1], ["dictionary"]], ["answer", 2, ["None"]]);
  for await (const page of second) {
    assert.equal(page, 1);
    break;
  }
  assert.deepEqual(await second.next(), { done: true, value: undefined });
});

Deno.test("CallbackPageCollector calls back once with all pages, and never if they are too much", async () => {
  await using peer = await agreedServer();
  const { raw, root } = peer;
  const got: unknown[][] = [];
  void root.callRemoteOnly("a", new pb.CallbackPageCollector((pages) => got.push(pages)));
  void root.callRemoteOnly("a", new pb.CallbackPageCollector((pages) => got.push(pages), { maxBytes: 100 }));
  await raw.message();
  await raw.message();
  for (const id of [1, 2]) {
    raw.say(
      ["message", 1, id, "gotPage", 1, ["tuple", "x"], ["dictionary"]],
      ["message", 2, id, "gotPage", 1, ["tuple", "y"], ["dictionary"]],
      ["message", 3, id, "endedPaging", 1, ["tuple"], ["dictionary"]],
    );
    await raw.hear(["answer", 1, ["None"]]);
    if (id === 1) await raw.hear(["answer", 2, ["None"]]);
    else await raw.failed(2);
    await raw.hear(["answer", 3, ["None"]]);
  }
  assert.deepEqual(got, [[Uint8Array.of(0x78), Uint8Array.of(0x79)]]);
});

Deno.test("CallbackPageCollector fails endedPaging with what its callback throws, or rejects with", async () => {
  const failed: string[] = [];
  await using peer = await agreedServer({
    trace: (event) => event.type === "call-failed" && failed.push(`${event.method}: ${event.error.message}`),
  });
  const { raw, root } = peer;
  const fail = (): never => {
    throw new TypeError("of the program");
  };
  // deno-lint-ignore require-await -- what it throws is the promise's
  void root.callRemoteOnly("a", new pb.CallbackPageCollector(async () => fail()));
  void root.callRemoteOnly("a", new pb.CallbackPageCollector(fail));
  await raw.message();
  await raw.message();
  for (const id of [1, 2]) {
    raw.say(["message", id, id, "endedPaging", 1, ["tuple"], ["dictionary"]]);
    await raw.failed(id);
  }
  assert.deepEqual(failed, ["endedPaging: of the program", "endedPaging: of the program"]);
});

/** Pages of some bytes, as many as anybody takes. */
class Endless extends pb.Pager {
  made = 0;
  readonly #size: number;
  constructor(collector: pb.AnyRemoteReference, size: number) {
    super(collector);
    this.#size = size;
  }
  nextPage(): Uint8Array {
    this.made++;
    return new Uint8Array(this.#size);
  }
}

class EndlessRoot extends pb.Root {
  readonly pagers: Endless[] = [];
  remote_pages(collector: pb.RemoteReference, size = 10_000): void {
    this.pagers.push(new Endless(collector, size));
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
}

Deno.test("a pager waits for a reader who is slow, and other calls do not", async () => {
  const root = new EndlessRoot();
  await using made = await connected(root);
  await using pages = pb.getPages(made.root, "pages", [], { maxBytes: 1_000_000 });
  let before = 0;
  // What goes round as often as a page would: all that can come has come.
  const settle = async () => {
    for (let i = 0; i < 100; i++) await made.root.callRemote("echo", i);
    before = root.pagers[0]!.made;
    for (let i = 0; i < 100; i++) await made.root.callRemote("echo", i);
  };
  await settle();
  assert.equal(root.pagers[0]!.made, before);
  assert.ok(before < 100, String(before));
  // Far more than is ever kept.
  for (let i = 0; i < 500; i++) assert.equal((await pages.next()).done, false);
  await settle();
  assert.equal(root.pagers[0]!.made, before);
  assert.ok(before >= 500 && before < 600, String(before));
});

Deno.test("a pager ends when the reader stops, whether it waits for the reader or not", async () => {
  const root = new EndlessRoot();
  await using made = await connected(root);
  for await (const page of pb.getPages(made.root, "pages")) {
    assert.ok(page instanceof Uint8Array);
    break;
  }
  await assert.rejects(root.pagers[0]!.done, pb.Error);
  const pages = pb.getPages(made.root, "pages", [], { maxBytes: 500_000 });
  for (let i = 0; i < 100; i++) await made.root.callRemote("echo", i);
  await pages.return();
  await assert.rejects(root.pagers[1]!.done, /nobody wants more pages/);
  const tooMuch = pb.getPages(made.root, "pages", [], { maxBytes: 200_000 });
  await assert.rejects(tooMuch.toArray(), /more than 200000 bytes/);
  await assert.rejects(root.pagers[2]!.done, pb.Error);
  await made.root.callRemote("echo", 1);
  assert.equal(made.client.broker.tables.local, 0);
});

Deno.test("a pager asks with each sixteenth page whether to go on, and is not kept by who never answers", async () => {
  const root = new EndlessRoot();
  await using made = await agreedClient(root);
  const { raw } = made;
  const bytes = new Uint8Array(2);
  raw.say(call(1, "pages", ["remote", 1], 2));
  await raw.hear(["answer", 1, ["None"]]);
  for (let id = 1; id < 32; id++) {
    const isAsked = id % 16 === 0 ? 1 : 0;
    await raw.hear(["message", id, 1, "gotPage", isAsked, ["tuple", bytes], ["dictionary"]]);
  }
  assert.equal(root.pagers[0]!.made, 32);
  raw.say(["answer", 16, ["None"]]);
  await raw.hear(["message", 32, 1, "gotPage", 1, ["tuple", bytes], ["dictionary"]]);
  raw.say(["error", 32, ["unicode", "full"]]);
  await assert.rejects(root.pagers[0]!.done, pb.Error);
});

for (const [what, collector] of [["a number", 5], ["nothing", null], ["a list", []]] as const) {
  Deno.test(`a pager whose collector is ${what} costs the call, and closes what it was to read`, async () => {
    const root = new Root();
    await using made = await connected(root);
    const error = { name: "RemoteError", message: /the collector is no reference/ };
    await assert.rejects(made.root.callRemote("file", collector, [10], 10), error);
    await assert.rejects(made.root.callRemote("pages", collector, "text", 10), error);
    await assert.rejects(made.root.callRemote("broken", collector), error);
    await made.root.callRemote("stuck", collector);
    await assert.rejects(root.pagers[0]!.done, TypeError);
    assert.equal(root.cancelled, 1);
  });
}

for (const given of [undefined, null, 5, "root", {}]) {
  Deno.test(`getPages() and getAllPages() from ${Deno.inspect(given)}, which a peer sent for a reference, say what is wrong`, async () => {
    const reference = given as unknown as pb.RemoteReference;
    const expected = { name: "TypeError", message: /^Cannot get pages: / };
    assert.throws(() => pb.getPages(reference, "fetch"), expected);
    await assert.rejects(pb.getAllPages(reference, "fetch"), expected);
  });
}
