// Peers that mean harm, at every stage of a connection: each costs the one call or the one connection, and leaves nothing.
import assert from "node:assert/strict";
import { Kwargs, pb } from "../../mod.ts";
import { fc } from "../deps.ts";
import { FakeClock } from "../support/fake_clock.ts";
import {
  agreedClient,
  agreedServer,
  bytes,
  CHOICE,
  hex,
  OFFER,
  rawClient,
  type RawPeer,
  rawServer,
  type Sexp,
  sexp,
  u,
  VERSION,
} from "./broker/raw.ts";

class Thing extends pb.RemoteCopy {
  method(): void {}
}
class Kept extends pb.RemoteCache {}
const registry = new pb.CopyRegistry(pb.copyTags);
registry.setUnjellyableForClass("hostile.Thing", Thing);
registry.setUnjellyableForClass("hostile.Kept", Kept);

class Reader extends pb.Viewable {
  view_read(): string {
    return "read";
  }
}

class Pond extends pb.Cacheable {
  static override copytype = "hostile.Pond";
}

class Root extends pb.Root {
  readonly brokers: pb.Broker[] = [];
  readonly reader = new Reader();
  readonly pond = new Pond();
  held: unknown;

  override rootObject(broker: pb.Broker): this {
    this.brokers.push(broker);
    return this;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  /** So that it is not collected, and given back, in the middle of what a test hears. */
  remote_hold(value: unknown): unknown {
    return this.held = value;
  }
  remote_same(values: unknown[]): boolean | number {
    return values.every((value) => Array.isArray(value) && value === values[0]) ? 1 : 0;
  }
  remote_item(): pb.Referenceable {
    return new pb.Referenceable();
  }
  remote_reader(): Reader {
    return this.reader;
  }
  remote_pond(): Pond {
    return this.pond;
  }
  remote_keywords(...args: unknown[]): string[] {
    const last = args.at(-1);
    return last instanceof Kwargs ? Object.keys(last.values) : [];
  }
  remote_attributes(thing: unknown): string[] {
    return thing instanceof Thing ? Object.keys(thing) : [];
  }
}

const message = (id: number, target: Sexp, method: string, args: Sexp[] = [], kw: Sexp[] = []): Sexp => [
  "message",
  id,
  target,
  method,
  1,
  ["tuple", ...args],
  ["dictionary", ...kw],
];

/** The connection is there, and answers. */
async function goesOn(raw: RawPeer, id = 99): Promise<void> {
  raw.say(message(id, "root", "echo", [7]));
  await raw.hear(["answer", id, 7]);
}

/** Nothing of a connection is left. */
function assertEmpty(broker: pb.Broker): void {
  const { local, named, remote, cached, caches, waitingCalls, pendingCalls } = broker.tables;
  assert.deepEqual([local, named, remote, cached, caches, waitingCalls, pendingCalls], [0, 0, 0, 0, 0, 0, 0]);
}

// --- bytes ---

/** What a client says that uses everything there is. */
const SESSION = [
  CHOICE,
  VERSION,
  ...[
    message(1, "root", "echo", [["list", u("text"), ["remote", 1], ["dictionary", [u("k"), 5]]]]),
    message(2, "root", "item"),
    message(3, "root", "reader", [], [[u("k"), ["tuple", 1, ["None"]]]]),
    message(4, 2, "read"),
    message(5, "root", "attributes", [["hostile.Thing", ["dictionary", [u("x"), 1]]]]),
    message(6, "root", "echo", [["hostile.Kept", 3, ["dictionary", [u("x"), 1]]], ["cached", 3]]),
    ["cachemessage", 7, 3, "set", 1, ["tuple", 1], ["dictionary"]],
    message(8, "root", "pond"),
    message(9, "root", "echo", [["reference", 1, ["list", ["dereference", 1], ["local", 1], ["lcache", 3]]]]),
    ["uncache", 3],
    ["decref", 1],
    ["decache", 3],
    ["answer", 1, 5],
    ["error", 2, ["twisted.spread.pb.CopyableFailure", ["dictionary", [u("type"), "a.B"]]]],
    ["didNotUnderstand", "x"],
  ].map((each) => sexp(each as Sexp)),
].join(" ");

/** What a server says in the same way, to a client that has called. */
const SERVED = [
  OFFER,
  VERSION,
  ...[
    message(1, 1, "echo", [["remote", 1]]),
    ["answer", 1, ["list", ["remote", 1], ["hostile.Kept", 2, ["dictionary"]], ["cached", 2]]],
    ["cachemessage", 2, 2, "set", 0, ["tuple"], ["dictionary"]],
    ["error", 2, ["twisted.spread.pb.CopyableFailure", ["dictionary", [u("type"), "a.B"], [
      u("value"),
      u("v"),
    ]]]],
    ["uncache", 2],
    ["decref", 1],
  ].map((each) => sexp(each as Sexp)),
].join(" ");

/** Bytes with some of them changed, taken out or put in. */
function changed(text: string) {
  const whole = bytes(text);
  const change = fc.record({
    at: fc.nat(whole.length - 1),
    cut: fc.nat(3),
    put: fc.uint8Array({ maxLength: 4 }),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const edited = [...whole];
    for (const { at, cut, put } of changes) edited.splice(at, cut, ...put);
    return hex(Uint8Array.from(edited));
  });
}

const STAGES: readonly (readonly [string, fc.Arbitrary<string>])[] = [
  ["random bytes before anything is agreed on", fc.uint8Array({ maxLength: 200 }).map(hex)],
  [
    "random bytes after a dialect was chosen",
    fc.uint8Array({ maxLength: 200 }).map((some) => `${CHOICE} ${hex(some)}`),
  ],
  [
    "random bytes in the middle of a message",
    fc.uint8Array({ maxLength: 200 }).map((some) => `${CHOICE} ${VERSION} 07 80 1a 87 01 81 ${hex(some)}`),
  ],
  ["a session with some bytes changed", changed(SESSION)],
];
for (const [name, sent] of STAGES) {
  Deno.test(`${name} cost a server the one connection, and leave nothing`, async () => {
    await fc.assert(
      fc.asyncProperty(sent, fc.integer({ min: 1, max: 50 }), async (text, pieceBytes) => {
        const root = new Root();
        await using made = rawClient(root, { registry, pieceBytes });
        made.raw.send(text);
        made.raw.end();
        await made.raw.drain();
        assert.equal(made.server.brokers.length, 0);
        for (const broker of root.brokers) assertEmpty(broker);
      }),
      { numRuns: 100 },
    );
  });
}

Deno.test("a server with some bytes changed costs a client its calls, and leaves nothing", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(changed(SERVED), async (text) => {
      const { raw, connecting } = rawServer({ registry });
      raw.send(text);
      raw.end();
      const client = await connecting.catch(() => undefined);
      if (client !== undefined) {
        count++;
        const calls = [1, 2, 3].map((n) => {
          try {
            return client.getRootObject().callRemote("echo", new pb.Referenceable(), n);
          } catch (error) {
            return Promise.reject(error);
          }
        });
        await Promise.allSettled(calls);
        await client.close();
        assertEmpty(client.broker);
      }
      await raw[Symbol.asyncDispose]();
    }),
    { numRuns: 100 },
  );
  assert.ok(count > 30, `${count} clients connected`);
});

// --- before anything is agreed on ---

const LARGE: readonly (readonly [string, string])[] = [
  ["a list of dialects without end", "7f 7f 27 80 " + "02 82 78 78 ".repeat(1_000)],
  ["a list of 1,001 dialects", "69 07 80"],
  ["a dialect of 1,001 bytes", "69 07 82"],
  ["a list of lists", "01 80 01 80 01 80"],
  ["dialects of 64 kB in all", "64 80 " + ("64 07 82 " + "78 ".repeat(996)).repeat(60)],
];
for (const [name, text] of LARGE) {
  Deno.test(`${name} is refused before it is kept, by servers and clients`, async () => {
    await using made = rawClient(new Root());
    await made.raw.expect(OFFER);
    made.raw.send(text);
    await made.raw.closed();
    const { raw, connecting } = rawServer();
    raw.send(text);
    await assert.rejects(connecting, { name: "NegotiationError" });
    await raw.closed();
    await raw[Symbol.asyncDispose]();
  });
}

Deno.test("a peer that says its choice too slowly is given up", async () => {
  const clock = new FakeClock();
  await using made = rawClient(new Root(), { clock });
  await made.raw.expect(OFFER);
  for (const byte of ["02", "82", "70"]) {
    made.raw.send(byte);
    clock.advance(19_000);
  }
  clock.advance(3_000);
  await made.raw.closed();
  assert.equal(clock.pending, 0);
});

Deno.test("a peer that begins a message and does not go on is given up", async () => {
  const clock = new FakeClock();
  await using made = await agreedClient(new Root(), { clock, limits: { messageStallMs: 1_000 } });
  made.raw.send("07 80 1a 87");
  let isOver = false;
  const closed = made.raw.closed().then(() => isOver = true);
  // When the bytes have come is not known.
  for (let i = 0; i < 1_000 && !isOver; i++) {
    clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await closed;
  assert.equal(clock.pending, 0);
});

// --- values ---

Deno.test("lists that announce much cost nothing until it comes, and are too much together", async () => {
  await using made = await agreedClient(new Root(), { limits: { maxExpressionBytes: 50 * 1024 * 1024 } });
  // 655,360 elements each.
  made.raw.send("00 00 28 80 ".repeat(5));
  await made.raw.closed();
});

const nested = (depth: number, tag: string): Sexp => {
  let value: Sexp = 1;
  for (let i = 0; i < depth; i++) value = tag === "dictionary" ? [tag, [1, value]] : [tag, value];
  return value;
};
for (const tag of ["list", "tuple", "set", "frozenset", "dictionary"]) {
  Deno.test(`a ${tag} as deep as it may be costs no more than its call`, async () => {
    await using made = await agreedClient(new Root());
    const depth = tag === "dictionary" ? 490 : 990;
    made.raw.say(message(1, "root", "echo", [nested(depth, tag)]));
    const [word, id] = await made.raw.message() as readonly Sexp[];
    // It arrives, and its echo is deeper than Python could read.
    assert.deepEqual([word, id], ["error", 1]);
    await goesOn(made.raw);
  });
}

for (const id of [1.5, -0.5, NaN, Infinity, -Infinity, 1e300, 2n ** 60n]) {
  for (const tag of ["remote", "hostile.Kept", "cached", "lcache"]) {
    Deno.test(`${tag} of the number ${id} is refused, and nothing is said of another`, async () => {
      await using made = await agreedClient(new Root(), { registry });
      const { raw, server } = made;
      const form = tag === "hostile.Kept" ? [tag, id, ["dictionary"]] : [tag, id];
      raw.say(message(1, "root", "hold", [form]));
      await raw.failed(1);
      await goesOn(raw);
      const { remote, caches } = server.brokers[0]!.tables;
      assert.deepEqual([remote, caches], [0, 0]);
    });
  }
}

const reference = (number: number, value: Sexp): Sexp => ["reference", number, value];
const dereference = (number: number): Sexp => ["dereference", number];

for (const direction of ["forwards", "backwards"] as const) {
  Deno.test(`20,000 references in a chain ${direction} are one value`, async () => {
    const links = Array.from({ length: 20_000 }, (_, i) => reference(i + 1, dereference(i + 2)));
    if (direction === "backwards") links.reverse();
    await using made = await agreedClient(new Root());
    made.raw.say(message(1, "root", "same", [["list", ...links, reference(20_001, ["list"])]]));
    await made.raw.hear(["answer", 1, 1]);
  });
}

for (const [name, value] of [["bytes", "1".repeat(50_000)], ["a text", u("1".repeat(50_000))]] as const) {
  Deno.test(`${name} to which many sets refer costs no more time than what may be sent`, async () => {
    const limits = { maxExpressionBytes: 1024 * 1024 };
    await using made = await agreedClient(new Root(), { limits });
    const sets = (count: number) => Array.from({ length: count }, (): Sexp => ["set", dereference(1)]);
    made.raw.say(message(1, "root", "keywords", [["list", reference(1, value), ...sets(20)]]));
    await made.raw.hear(["answer", 1, ["list"]]);
    made.raw.say(message(2, "root", "keywords", [["list", reference(1, value), ...sets(21)]]));
    await made.raw.failed(2);
    await goesOn(made.raw);
  });
}

const PLAIN: Sexp = ["dictionary", [u("x"), 1]];
const FORMS: readonly (readonly [string, Sexp])[] = [
  ["a class of Python", ["class", "builtins.eval"]],
  ["a class as text", ["class", u("os.system")]],
  ["a function", ["function", "os.system"]],
  ["a module", ["module", "os"]],
  ["a method", ["method", "system", ["None"], ["class", "os.path"]]],
  ["an instance of a class", ["instance", ["class", "subprocess.Popen"], PLAIN]],
  ["an instance of a list", ["instance", ["list"], PLAIN]],
  ["an object of a class nobody registered", ["subprocess.Popen", PLAIN]],
  ["a module of this program", ["../../mod.ts.Tub", PLAIN]],
  ["a class of JavaScript", ["globalThis.Function", ["tuple", "return 1"]]],
  ["a tag that is __proto__", ["__proto__", PLAIN]],
  ["a tag that ends with constructor", ["a.constructor", PLAIN]],
  ["a tag that is constructor", ["constructor", PLAIN]],
  ["a tag that is toString", ["toString", PLAIN]],
  ["a tag that is then", ["then", PLAIN]],
  ["a tag of one dot", [".", PLAIN]],
  ["a tag without text", ["", PLAIN]],
  ["a tag that is not UTF-8", [new Uint8Array([0xff, 0x2e, 0xff]), PLAIN]],
  ["a tag of 100,000 bytes", ["a.".repeat(50_000), PLAIN]],
  ["a tag that is a list", [["list"], PLAIN]],
  ["an empty list", []],
  ["a copy whose state is a number", ["hostile.Thing", 5]],
  ["a copy without state", ["hostile.Thing"]],
  ["a cache with too much", ["hostile.Kept", 1, PLAIN, PLAIN]],
  ["a cache that was never sent", ["cached", 5]],
  ["a cache that never was ours", ["lcache", 5]],
  ["a reference to nothing", ["dereference", 5]],
  ["a reference bound twice", ["list", ["reference", 1, ["list"]], ["reference", 1, ["list"]]]],
  ["an object of ours without a number", ["local"]],
  ["an object of theirs without a number", ["remote"]],
  ["an object of theirs whose number is a list", ["remote", ["list"]]],
  ["something that is kept elsewhere", ["persistent", "/etc/passwd"]],
  ["something that could not be sent", ["unpersistable", "x".repeat(10_000)]],
];
for (const [name, form] of FORMS) {
  Deno.test(`${name} costs its call, or is a note, and makes nothing`, async () => {
    const root = new Root();
    await using made = await agreedClient(root, { registry });
    const { raw, server } = made;
    raw.say(message(1, "root", "attributes", [form]));
    const answer = await raw.message() as readonly Sexp[];
    const isNote = ["persistent", "unpersistable"].includes(String((form as Sexp[])[0]));
    if (isNote) assert.deepEqual(answer, ["answer", 1, ["list"]]);
    else assert.deepEqual(answer.slice(0, 2), ["error", 1]);
    await goesOn(raw);
    // What had come before the failure is not kept.
    const { remote, pendingCalls } = server.brokers[0]!.tables;
    assert.deepEqual([remote, pendingCalls], [0, 0]);
  });
}

// --- names ---

const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "then",
  "__defineGetter__",
  "",
];
for (const name of NAMES) {
  const shown = JSON.stringify(name);

  Deno.test(`${shown} is no method of anything`, async () => {
    const root = new Root();
    await using made = await agreedClient(root, { registry });
    const { raw } = made;
    raw.say(message(1, "root", "reader"), message(2, "root", "hold", [["hostile.Kept", 1, ["dictionary"]]]));
    await raw.hear(["answer", 1, ["remote", 1]]);
    await raw.hear(["answer", 2, ["lcache", 1]]);
    raw.say(message(3, "root", name), message(4, 1, name));
    raw.say(["cachemessage", 5, 1, name, 1, ["tuple"], ["dictionary"]]);
    for (const id of [3, 4, 5]) await raw.failed(id);
    await goesOn(raw);
  });

  Deno.test(`${shown} is data as a keyword, a key and the name of an object`, async () => {
    await using made = await agreedClient(new Root());
    const { raw } = made;
    raw.say(message(1, "root", "keywords", [], [[u(name), 5]]));
    // One without a name is none.
    if (name === "") await raw.failed(1);
    else await raw.hear(["answer", 1, ["list", u(name)]]);
    const dictionary: Sexp = ["dictionary", [u(name), ["dictionary", [u("polluted"), 1]]]];
    raw.say(message(2, "root", "echo", [dictionary]));
    await raw.hear(["answer", 2, dictionary]);
    raw.say(message(3, name, "echo"));
    await raw.failed(3);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    await goesOn(raw);
  });

  Deno.test(`${shown} in the state of a copy is data, or refused`, async () => {
    await using made = await agreedClient(new Root(), { registry });
    const { raw } = made;
    const inner: Sexp = ["dictionary", [u("polluted"), 1]];
    raw.say(
      message(1, "root", "attributes", [["hostile.Thing", ["dictionary", [u(name), inner], [u("x"), 1]]]]),
    );
    const answer = await raw.message() as readonly Sexp[];
    if (answer[0] === "answer") {
      const [, ...names] = answer[2] as readonly Sexp[];
      assert.deepEqual(new Set(names.map((each) => (each as Sexp[])[1])), new Set([name, "x"]));
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    await goesOn(raw);
  });
}

Deno.test("the state of a copy replaces no method of its class", async () => {
  await using made = await agreedClient(new Root(), { registry });
  for (const name of ["method", "setCopyableState", "unjellyFor"]) {
    made.raw.say(message(1, "root", "attributes", [["hostile.Thing", ["dictionary", [u(name), 1]]]]));
    await made.raw.failed(1);
  }
});

// --- floods ---

const FLOODS: readonly (readonly [string, (i: number) => Sexp])[] = [
  ["answers", (i) => ["answer", i, 1]],
  ["errors", (i) => ["error", i, ["None"]]],
  ["decrefs", (i) => ["decref", i]],
  ["decrefs of the root", () => ["decref", "root"]],
  ["decaches", (i) => ["decache", i]],
  ["uncaches", (i) => ["uncache", i]],
  ["versions", () => ["version", 6]],
  ["complaints", () => ["didNotUnderstand", "x"]],
  [
    "calls that want no answer and fail",
    (i) => ["message", i, "root", "nothing", 0, ["tuple"], ["dictionary"]],
  ],
];
for (const [name, make] of FLOODS) {
  Deno.test(`2,000 ${name} that nobody asked for leave nothing and change nothing`, async () => {
    const root = new Root();
    await using made = await agreedClient(root);
    made.raw.say(...Array.from({ length: 2_000 }, (_, i) => make(i + 1)));
    await goesOn(made.raw);
    const { named, ...others } = made.server.brokers[0]!.tables;
    assert.equal(named, 1);
    assert.deepEqual(new Set(Object.values(others)), new Set([0]));
  });
}

Deno.test("decrefs of everything that was given leave nothing, and the numbers are not used again", async () => {
  const root = new Root();
  await using made = await agreedClient(root);
  for (let i = 1; i <= 5; i++) {
    made.raw.say(message(i, "root", "item"));
    await made.raw.hear(["answer", i, ["remote", i]]);
  }
  made.raw.say(...[1, 2, 3, 4, 5, 1, 2, 3].map((id): Sexp => ["decref", id]));
  made.raw.say(message(6, 3, "anything"));
  await made.raw.failed(6);
  assert.equal(made.server.brokers[0]!.tables.local, 0);
  made.raw.say(message(7, "root", "item"));
  await made.raw.hear(["answer", 7, ["remote", 6]]);
});

Deno.test("one object of the peer that comes 20,000 times is one reference here", async () => {
  await using made = await agreedServer();
  const calling = made.root.callRemote("x");
  made.raw.say(["answer", 1, ["list", ...Array.from({ length: 20_000 }, (): Sexp => ["remote", 1])]]);
  const references = await calling as unknown[];
  assert.equal(new Set(references).size, 1);
  assert.equal(made.client.broker.tables.remote, 1);
});

Deno.test("a server that calls a client's objects by numbers it guesses reaches none", async () => {
  await using made = await agreedServer();
  for (const [i, target] of [0, 1, -1, 2 ** 31, "root", "", "two"].entries()) {
    made.raw.say(message(i + 1, target, "echo"));
    await made.raw.failed(i + 1);
  }
});
