import assert from "node:assert/strict";
import { pb, Violation } from "../../../mod.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { agreedClient, agreedServer, OFFER, rawClient, rawServer, type Sexp, sexp, u } from "./raw.ts";

class Item extends pb.Referenceable {}

class Base extends pb.Root {
  remote_inherited(): number {
    return 1;
  }
}

class Root extends Base {
  remote_field = () => "secret";
  get remote_accessor(): () => string {
    return () => "secret";
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_items(count: number): Item[] {
    return Array.from({ length: count }, () => new Item());
  }
  remote_never(): Promise<never> {
    return new Promise(() => {});
  }
  remote_thenable(): object {
    return Object.defineProperty({}, "then", {
      get() {
        throw new TypeError("trap");
      },
    });
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

const CLOSING: readonly (readonly [string, string])[] = [
  ["a version of 5", sexp(["version", 5])],
  ["a version without a number", sexp(["version"])],
  ["what is no list", sexp("version")],
  ["an empty list", sexp([])],
  ["a list that begins with a number", sexp([1, 2])],
  ["a list that begins with a list", sexp([["version"], 2])],
  ["a type byte of Foolscap", "88"],
  ["an unknown word by number", "01 80 7f 87"],
  ["65 digits", "01 ".repeat(65)],
  ["a string above the limit", "01 00 28 82"],
  ["a list above the limit", "01 00 28 80"],
  ["a call with too few fields", sexp(["message", 1, "root", "echo", 1, ["tuple"]])],
  ["a call with too many fields", sexp(["message", 1, "root", "echo", 1, ["tuple"], ["dictionary"], 1])],
  ["a method whose name is text", sexp(["message", 1, "root", u("echo"), 1, ["tuple"], ["dictionary"]])],
  ["lists inside each other without end", "01 80 ".repeat(1_001)],
];
for (const [name, text] of CLOSING) {
  Deno.test(`${name} ends the connection quietly`, async () => {
    const traced: string[] = [];
    await using made = await agreedClient(new Root(), { trace: ({ type }) => traced.push(type) });
    made.raw.send(text);
    await made.raw.closed();
    assert.deepEqual(traced, ["connected", "protocol-error", "disconnected"]);
  });
}

const HARMLESS: readonly (readonly [string, Sexp])[] = [
  ["an answer to no call", ["answer", 7, 1]],
  ["an error for no call", ["error", 7, ["None"]]],
  ["an answer whose number is a list", ["answer", [1], 1]],
  ["a decref of no object", ["decref", 99]],
  ["a decref of the root", ["decref", "root"]],
  ["the word that something was not understood", ["didNotUnderstand", "x"]],
  ["the version once more", ["version", 6]],
];
for (const [name, message] of HARMLESS) {
  Deno.test(`${name} changes nothing`, async () => {
    await using made = await agreedClient(new Root());
    made.raw.say(message, call(1, "echo", 1));
    await made.raw.hear(["answer", 1, 1]);
  });
}

Deno.test("a message that nobody knows is said to be so, and changes nothing", async () => {
  await using made = await agreedClient(new Root());
  made.raw.say(["teleport", 1, 2], call(1, "echo", 1));
  await made.raw.hear(["didNotUnderstand", "teleport"], ["answer", 1, 1]);
});

/** What a caller learns of a call that fails. */
async function failureOf(message: Sexp): Promise<{ type: string; value: string }> {
  const { raw, connecting } = rawServer();
  await using _raw = raw;
  raw.send(OFFER);
  await using client = await connecting;
  // The same bytes go to a server of ours, and what it answers to a client of ours.
  await using made = await agreedClient(new Root());
  made.raw.say(message);
  const failing = client.getRootObject().callRemote("x");
  void failing.catch(() => {});
  const answer = await made.raw.next();
  raw.send(answer);
  const error = await failing.catch((error: unknown) => error);
  assert.ok(error instanceof pb.RemoteError, String(error));
  made.raw.say(call(2, "echo", 1));
  await made.raw.hear(["answer", 2, 1]);
  return { type: error.remoteType, value: error.message };
}

const message = (target: Sexp, method: string, args: Sexp, kw: Sexp = ["dictionary"]): Sexp => [
  "message",
  1,
  target,
  method,
  1,
  args,
  kw,
];
const FAILING: readonly (readonly [string, Sexp, string, RegExp])[] = [
  ["of an unknown object", message(99, "echo", ["tuple"]), "twisted.spread.pb.Error", /^Invalid Object ID$/],
  [
    "of an unknown name",
    message("bogus", "echo", ["tuple"]),
    "twisted.spread.pb.Error",
    /^Invalid Object ID$/,
  ],
  ["of __proto__", message("__proto__", "echo", ["tuple"]), "twisted.spread.pb.Error", /^Invalid Object ID$/],
  ["of a list", message([1], "echo", ["tuple"]), "builtins.TypeError", /number or a name/],
  ["of an unknown form", message("root", "echo", ["foobar"]), "twisted.spread.jelly.InsecureJelly", /foobar/],
  [
    "with an unknown class",
    message("root", "echo", ["tuple", ["os.system", ["dictionary"]]]),
    "twisted.spread.jelly.InsecureJelly",
    /os/,
  ],
  ["with a number for arguments", message("root", "echo", 5), "builtins.TypeError", /tuple/],
  [
    "with a keyword that is a number",
    message("root", "echo", ["tuple"], ["dictionary", [1, 2]]),
    "builtins.TypeError",
    /keywords/,
  ],
  [
    "of a method that is not there",
    message("root", "nope", ["tuple"]),
    "twisted.spread.flavors.NoSuchMethod",
    /^No such method: remote_nope$/,
  ],
  ["of a field", message("root", "field", ["tuple"]), "twisted.spread.flavors.NoSuchMethod", /No such/],
  [
    "of an accessor",
    message("root", "accessor", ["tuple"]),
    "twisted.spread.flavors.NoSuchMethod",
    /No such/,
  ],
  [
    "of a method with an empty name",
    message("root", "", ["tuple"]),
    "twisted.spread.flavors.NoSuchMethod",
    /No such/,
  ],
  [
    "with something cached",
    message("root", "echo", ["tuple", ["cached", 1]]),
    "javascript.Violation",
    /cached/,
  ],
  ["whose result is a trap", message("root", "thenable", ["tuple"]), "javascript.TypeError", /trap/],
];
for (const [name, sent, type, text] of FAILING) {
  Deno.test(`a call ${name} fails, and the connection goes on`, async () => {
    const failure = await failureOf(sent);
    assert.equal(failure.type, type);
    assert.match(failure.value, text);
  });
}

Deno.test("an inherited method is reached", async () => {
  await using made = await agreedClient(new Root());
  made.raw.say(call(1, "inherited"));
  await made.raw.hear(["answer", 1, 1]);
});

Deno.test("the fourth object above the limit of references ends the connection, behind its answer", async () => {
  await using made = await agreedClient(new Root(), { limits: { maxReferences: 5 } });
  const { raw, server } = made;
  raw.say(call(1, "items", 5));
  await raw.hear(["answer", 1, ["list", ...[1, 2, 3, 4, 5].map((id) => ["remote", id])]]);
  const { tables } = server.brokers[0]!;
  assert.deepEqual([tables.local, tables.named], [5, 1]);
  for (const id of [2, 3, 4]) {
    raw.say(call(id, "items", 1));
    assert.match(
      new TextDecoder().decode(Uint8Array.fromHex((await raw.next()).replaceAll(" ", ""))),
      /count exceeded\./,
    );
  }
  raw.say(call(5, "items", 1));
  assert.match(
    new TextDecoder().decode(Uint8Array.fromHex((await raw.next()).replaceAll(" ", ""))),
    /Maximum PB reference count exceeded\. {2}Goodbye\./,
  );
  await raw.closed();
});

Deno.test("a call that cannot be sent gives back the references that it had counted", async () => {
  await using made = await agreedServer();
  const item = new Item();
  await assert.rejects(made.root.callRemote("x", item, Symbol("no")), Violation);
  assert.equal(made.client.broker.tables.local, 0);
  assert.equal(made.client.broker.tables.waitingCalls, 0);
  assert.throws(() => made.root.callRemoteOnly("x", item, () => 1), Violation);
  assert.equal(made.client.broker.tables.local, 0);
});

Deno.test("more references than a connection may hold end it", async () => {
  await using made = await agreedServer({ limits: { maxRemoteReferences: 3 } });
  const calling = made.root.callRemote("x");
  made.raw.say(["answer", 1, ["list", ...[1, 2, 3, 4].map((id): Sexp => ["remote", id])]]);
  await assert.rejects(calling);
  assert.equal(made.client.isConnected, false);
});

Deno.test("more calls at once than a connection may have end it", async () => {
  await using made = await agreedClient(new Root(), { limits: { maxPendingCalls: 3 } });
  made.raw.say(...[1, 2, 3, 4].map((id) => call(id, "never")));
  await made.raw.closed();
});

Deno.test("answers and errors that make no sense fail their call alone", async () => {
  await using made = await agreedServer();
  const { raw, root } = made;
  const payloads: Sexp[] = [["no.such.Class", ["dictionary"]], ["list", ["dereference", 9]], [
    "unicode",
    new Uint8Array([255]),
  ]];
  for (const [i, payload] of payloads.entries()) {
    const calling = root.callRemote("x");
    raw.say(["answer", i + 1, payload]);
    await assert.rejects(calling, Violation);
  }
  const errors: Sexp[] = [["None"], u("plain"), ["twisted.spread.pb.CopyableFailure", ["None"]], [
    "twisted.spread.pb.CopyableFailure",
    ["dictionary", [u("type"), 5], [u("parents"), 7]],
  ]];
  for (const [i, payload] of errors.entries()) {
    const calling = root.callRemote("x");
    raw.say(["error", payloads.length + i + 1, payload]);
    await assert.rejects(calling, pb.RemoteError);
  }
  assert.equal(made.client.isConnected, true);
});

for (const role of ["client", "server"] as const) {
  Deno.test(`a ${role} gives up a peer that says nothing`, async () => {
    const clock = new FakeClock();
    if (role === "client") {
      const { raw, connecting } = rawServer({ clock });
      await using _raw = raw;
      // What connects is loaded first.
      while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      clock.advance(60_000);
      await assert.rejects(connecting, { name: "NegotiationError" });
      return await raw.closed();
    }
    await using made = rawClient(new Root(), { clock });
    await made.raw.expect(OFFER);
    clock.advance(60_000);
    await made.raw.closed();
    assert.equal(clock.pending, 0);
  });
}

Deno.test("random bytes cost the one connection and nothing else", async () => {
  let seed = 42;
  const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 16;
  for (let round = 0; round < 60; round++) {
    await using made = await agreedClient(new Root());
    const good = sexp(call(1, "echo", ["list", u("text"), ["remote", 1], ["dictionary", [u("k"), 5]]])).split(
      " ",
    );
    for (let i = 0; i < 3; i++) {
      good[random() % good.length] = (random() & 0xff).toString(16).padStart(2, "0");
    }
    made.raw.send(good.join(" "));
    made.raw.end();
    await made.raw.drain();
  }
});

Deno.test("a connection that is lost at once is lost quietly, in both roles", async () => {
  const made = rawClient(new Root());
  await made.raw[Symbol.asyncDispose]();
  await made[Symbol.asyncDispose]();
  const { raw, connecting } = rawServer();
  await raw[Symbol.asyncDispose]();
  await assert.rejects(connecting, { name: "NegotiationError" });
});
