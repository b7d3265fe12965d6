import assert from "node:assert/strict";
import { type Kwargs, pb, Violation } from "../../../mod.ts";
import { agreedServer, type RawPeer, type Sexp, u } from "../broker/raw.ts";
import { collectGarbage } from "../../support/gc.ts";

let made = 0;

class RemotePond extends pb.RemoteCache {
  declare ducks: string[];
  declare next: unknown;
  /** Own to the object, as private fields are. */
  #seen = 0;
  listener = () => made;

  constructor() {
    super();
    made++;
  }
  observe_add(duck: string): number {
    this.#seen++;
    return this.ducks.push(duck);
  }
  observe_later(duck: string): Promise<number> {
    return Promise.resolve().then(() => this.observe_add(duck));
  }
  observe_named(named: Kwargs): string {
    return String(named.values.duck);
  }
  observe_fail(): never {
    throw new pb.Error("no room");
  }
  observe_self(): this {
    return this;
  }
  get seen(): number {
    return this.#seen;
  }
}

const registry = new pb.CopyRegistry();
registry.setUnjellyableForClass("docs.Pond", RemotePond);
const options = { registry };

const state = (...ducks: string[]): Sexp => ["dictionary", [u("ducks"), ["list", ...ducks.map(u)]]];
const full = (id: Sexp, ...ducks: string[]): Sexp => ["docs.Pond", id, state(...ducks)];
const update = (request: number, id: Sexp, method: string, ...args: Sexp[]): Sexp => [
  "cachemessage",
  request,
  id,
  method,
  1,
  ["tuple", ...args],
  ["dictionary"],
];

/** Asks the raw server for something, which answers so. */
async function asked(
  peer: { raw: RawPeer; root: pb.RemoteReference },
  id: number,
  answer: Sexp,
): Promise<unknown> {
  const result = peer.root.callRemote("pond");
  await peer.raw.hear(["message", id, "root", "pond", 1, ["tuple"], ["dictionary"]]);
  peer.raw.say(["answer", id, answer]);
  return await result;
}

/** Lets collected objects be noticed. */
async function collect(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const pieceBytes of [undefined, 1]) {
  const how = pieceBytes === undefined ? "" : ", a byte at a time";

  Deno.test(`a cache is one object, is updated, goes home and is given up as Twisted has it${how}`, async () => {
    await using peer = await agreedServer(pieceBytes === undefined ? options : { ...options, pieceBytes });
    const { raw, root, client } = peer;
    const list = await asked(peer, 1, ["list", ["reference", 1, full(1, "one")], [
      "dereference",
      1,
    ]]) as RemotePond[];
    const pond = list[0]!;
    assert.ok(pond instanceof RemotePond);
    assert.equal(list[1], pond);
    assert.equal(pb.brokerOf(pond), client.broker);
    raw.send(
      "07 80 19 87 01 81 01 81 07 82 61 64 64 44 75 63 6b 01 81",
      "02 80 0b 87 02 80 07 82 75 6e 69 63 6f 64 65 03 82 74 77 6f 01 80 05 87",
    );
    // There is no addDuck here.
    await raw.failed(1);
    raw.say(update(2, 1, "add", u("two")));
    await raw.hear(["answer", 2, 2]);
    assert.deepEqual(pond.ducks, ["one", "two"]);
    assert.equal(await asked(peer, 2, ["cached", 1]), pond);
    const home = root.callRemote("mine", pond);
    await raw.expect(
      "07 80 1a 87 03 81 04 82 72 6f 6f 74 04 82 6d 69 6e 65 01 81 02 80 0b 87 02 80 12 87 01 81 01 80 05 87",
    );
    raw.say(["answer", 3, ["boolean", "true"]]);
    assert.equal(await home, true);
    assert.equal(client.broker.tables.caches, 1);
    pond[Symbol.dispose]();
    pond[Symbol.dispose]();
    await raw.expect("02 80 1e 87 01 81", "02 80 1e 87 01 81");
    assert.equal(pb.brokerOf(pond), undefined);
    // Until the owner says so, it is there.
    raw.say(update(4, 1, "add", u("bye")));
    await raw.hear(["answer", 4, 3]);
    assert.deepEqual(pond.ducks, ["one", "two", "bye"]);
    assert.equal(client.broker.tables.caches, 1);
    raw.send("02 80 1f 87 01 81");
    raw.say(update(5, 1, "add", u("too late")));
    await raw.failed(5);
    assert.equal(client.broker.tables.caches, 0);
    const again = await asked(peer, 4, full(2, "new"));
    assert.notEqual(again, pond);
    assert.deepEqual(pond.ducks, ["one", "two", "bye"]);
  });
}

Deno.test("an observe_ method gets keywords, may take its time, and fails as any call", async () => {
  await using peer = await agreedServer(options);
  const { raw } = peer;
  const pond = await asked(peer, 1, full(7));
  raw.say(
    ["cachemessage", 1, 7, "named", 1, ["tuple"], ["dictionary", [u("duck"), u("three")]]],
    update(2, 7, "fail"),
    update(3, 7, "later", u("one")),
    update(4, 7, "self"),
    ["cachemessage", 5, 7, "add", 0, ["tuple", u("two")], ["dictionary"]],
    ["cachemessage", 6, 7, "add", 0, ["tuple", u("three"), ["no.Such", 1]], ["dictionary"]],
    update(7, 7, "toString"),
    update(8, 8, "add", u("x")),
    update(9, ["x"], "add", u("x")),
    update(10, "7", "add", u("x")),
  );
  await raw.hear(["answer", 1, u("three")]);
  await raw.failed(2);
  await raw.hear(["answer", 4, ["lcache", 7]]);
  for (const id of [7, 8, 9, 10]) await raw.failed(id);
  await raw.hear(["answer", 3, 2]);
  assert.deepEqual((pond as RemotePond).ducks, ["two", "one"]);
});

Deno.test("a cache that nobody holds is given back once for each time it came", async () => {
  await using peer = await agreedServer(options);
  const { raw, client } = peer;
  const held = [await asked(peer, 1, full(1, "one"))];
  held.push(await asked(peer, 2, ["list", ["cached", 1], ["cached", 1]]));
  held.length = 0;
  await collect();
  await raw.hear(["decache", 1], ["decache", 1], ["decache", 1]);
  assert.equal(client.broker.tables.caches, 1);
  raw.say(["uncache", 1]);
  await asked(peer, 3, 0);
  assert.equal(client.broker.tables.caches, 0);
});

Deno.test("a cache that comes again after it was given up and before it is forgotten has its state", async () => {
  await using peer = await agreedServer(options);
  const { raw } = peer;
  const held = [await asked(peer, 1, full(1, "one"))];
  held.length = 0;
  await collect();
  await raw.hear(["decache", 1]);
  // The owner had sent this before it read that.
  raw.say(update(1, 1, "add", u("two")));
  await raw.hear(["answer", 1, 2]);
  const before = made;
  const pond = await asked(peer, 2, ["cached", 1]) as RemotePond;
  assert.ok(made - before <= 1);
  assert.deepEqual(pond.ducks, ["one", "two"]);
  assert.deepEqual(Object.keys(pond).sort(), ["ducks", "listener"]);
  raw.say(update(2, 1, "add", u("three")));
  await raw.hear(["answer", 2, 3]);
  assert.ok(pond.seen >= 1);
  assert.equal(await asked(peer, 3, ["cached", 1]), pond);
  pond[Symbol.dispose]();
  await raw.hear(["decache", 1], ["decache", 1]);
});

Deno.test("a cache that was disposed comes again as another object with the same state", async () => {
  await using peer = await agreedServer(options);
  const { raw, root } = peer;
  const first = await asked(peer, 1, full(1, "one")) as RemotePond;
  first[Symbol.dispose]();
  await raw.hear(["decache", 1]);
  await assert.rejects(root.callRemote("mine", first), Violation);
  const second = await asked(peer, 3, ["cached", 1]) as RemotePond;
  assert.notEqual(second, first);
  assert.deepEqual(second.ducks, ["one"]);
  first[Symbol.dispose]();
  assert.equal(pb.brokerOf(second), peer.client.broker);
  second[Symbol.dispose]();
  await raw.hear(["decache", 1]);
});

Deno.test("a cache that contains itself is itself", async () => {
  await using peer = await agreedServer(options);
  const pond = await asked(peer, 1, [
    "reference",
    1,
    ["docs.Pond", 1, ["dictionary", [u("ducks"), ["list"]], [u("next"), ["dereference", 1]]]],
  ]) as RemotePond;
  assert.equal(pond.next, pond);
  pond[Symbol.dispose]();
  await peer.raw.hear(["decache", 1]);
});

Deno.test("a cache stays as it is when the connection is lost, and cannot be sent", async () => {
  await using peer = await agreedServer(options);
  const pond = await asked(peer, 1, full(1, "one")) as RemotePond;
  await peer.client.close();
  assert.equal(pb.brokerOf(pond), undefined);
  assert.deepEqual(pond.ducks, ["one"]);
  pond[Symbol.dispose]();
  await using other = await agreedServer(options);
  const elsewhere = await asked(other, 1, full(1, "one")) as RemotePond;
  await using third = await agreedServer(options);
  await assert.rejects(third.root.callRemote("mine", elsewhere), { name: "Violation" });
  await assert.rejects(third.root.callRemote("mine", new RemotePond()), { name: "Violation" });
});

const hostile: [what: string, value: Sexp][] = [
  ["without a number", ["docs.Pond", "x", state()]],
  ["without a state", ["docs.Pond", 1]],
  ["with too much", ["docs.Pond", 2, state(), 3]],
  ["with a number that is a list", ["docs.Pond", ["list"], state()]],
  ["with a number beyond all numbers", ["docs.Pond", 2n ** 70n, state()]],
  ["with an attribute that hides a method", ["docs.Pond", 3, ["dictionary", [u("observe_add"), 1]]]],
  ["with an attribute that hides what every cache has", ["docs.Pond", 4, ["dictionary", [u("jellyFor"), 1]]]],
  ["with a state that is no dictionary", ["docs.Pond", 5, 6]],
  ["with a state of a class that nobody registered", ["docs.Pond", 6, ["dictionary", [u("a"), [
    "no.Such",
    1,
  ]]]]],
  ["that never came", ["cached", 99]],
  ["that never came, by a name", ["cached", "x"]],
  ["that never came, without a number", ["cached"]],
  ["that was never sent", ["lcache", 1]],
  ["that was never sent, without a number", ["lcache"]],
  ["whose number is in use", ["list", full(50), full(50)]],
  ["with its own number in its state", ["docs.Pond", 51, ["dictionary", [u("a"), full(51)]]]],
];
for (const [what, value] of hostile) {
  Deno.test(`a cached object ${what} costs its call and no more`, async () => {
    await using peer = await agreedServer(options);
    await assert.rejects(asked(peer, 1, value), Violation);
    // What it had is given back, at once or when it is collected.
    const answer = peer.root.callRemote("pond");
    let next: Sexp;
    do next = await peer.raw.message(); while ((next as readonly Sexp[])[0] === "decache");
    assert.deepEqual((next as readonly Sexp[]).slice(0, 2), ["message", 2]);
    peer.raw.say(["answer", 2, 3]);
    assert.equal(await answer, 3);
  });
}

Deno.test("a cache whose state could not be read is given back, and so is what comes of it afterwards", async () => {
  await using peer = await agreedServer(options);
  const { raw } = peer;
  await assert.rejects(asked(peer, 1, ["docs.Pond", 1, 5]), Violation);
  await raw.hear(["decache", 1]);
  raw.say(update(1, 1, "add", u("x")));
  await raw.failed(1);
  const again = peer.root.callRemote("pond");
  await raw.message();
  raw.say(["answer", 2, ["cached", 1]]);
  await assert.rejects(again, Violation);
  await raw.hear(["decache", 1]);
  raw.say(["uncache", 1]);
  const pond = peer.root.callRemote("pond");
  await raw.message();
  raw.say(["answer", 3, full(1, "one")]);
  assert.deepEqual((await pond as RemotePond).ducks, ["one"]);
});

Deno.test("a peer that sends too many cached objects is cut off", async () => {
  await using peer = await agreedServer({ ...options, limits: { maxRemoteReferences: 5 } });
  const many = Array.from({ length: 6 }, (_, i): Sexp => full(i + 1));
  await assert.rejects(asked(peer, 1, ["list", ...many]));
  assert.equal(peer.client.isConnected, false);
});

Deno.test("a flood of one cached object holds one, and is given back", async () => {
  await using peer = await agreedServer(options);
  const pond = await asked(peer, 1, ["list", full(1), ...Array(1_000).fill(["cached", 1])]) as RemotePond[];
  assert.equal(peer.client.broker.tables.caches, 1);
  pond[0]![Symbol.dispose]();
  await peer.raw.hear(...Array(1_001).fill(["decache", 1]));
});

Deno.test("a cache that comes again, and whose class can be made no more, is given back", async () => {
  let isBroken = false;
  class Fragile extends pb.RemoteCache {
    constructor() {
      super();
      if (isBroken) throw new TypeError("not now");
    }
  }
  const registry = new pb.CopyRegistry();
  registry.setUnjellyableForClass("docs.Fragile", Fragile);
  await using peer = await agreedServer({ registry });
  const first = await asked(peer, 1, ["docs.Fragile", 1, ["dictionary"]]) as Fragile;
  first[Symbol.dispose]();
  await peer.raw.hear(["decache", 1]);
  isBroken = true;
  await assert.rejects(asked(peer, 2, ["cached", 1]), Violation);
  await peer.raw.hear(["decache", 1]);
  isBroken = false;
  assert.ok(await asked(peer, 3, ["cached", 1]) instanceof Fragile);
});
