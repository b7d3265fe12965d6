import assert from "node:assert/strict";
import { Tracker } from "../../lib/broker/import_table.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { Kwargs } from "../../lib/values/kwargs.ts";
import { messagesIn } from "./renumber.ts";
import { failureOf, RawPeer, turns, until } from "./support.ts";

interface Row {
  readonly name: string;
  readonly dialect: string;
  readonly hex: string;
  readonly survives: boolean;
  readonly written?: readonly Record<string, unknown>[];
}

const { vectors } = JSON.parse(
  await Deno.readTextFile(new URL("../vectors/tokens.json", import.meta.url)),
) as { vectors: Row[] };

/** The objects that the vectors speak of. */
class Echo extends Referenceable {
  remote_echo(...args: unknown[]) {
    const named = args.at(-1) instanceof Kwargs ? (args.pop() as Kwargs).values : {};
    return [...args, named];
  }
}
class Strict extends Referenceable {
  remote_echo(value: unknown) {
    return value;
  }
}

/**
 * Where Python gives the connection up and we only the call: what is wrong with one value is the matter of that value.
 * (The interface of the second object is not known to a broker.)
 */
const MILDER = new Set([
  "ill-formed UTF-8",
  "lone surrogate in UTF-8",
  "decimal that does not parse",
  "dict with a duplicate key",
  "dict with keys 1 and True",
  "dict with keys 1 and 1.0",
  "dict with a list as key",
  "set with a list as member",
  "reference to an unknown number",
  "reference to a unicode",
  "your-reference to an unknown clid",
  "your-reference as NEG",
  "method name in ill-formed UTF-8",
]);
/** Where Python answers and we refuse the call, or the reverse: no Python sends it. */
const OTHER_ANSWER = new Set([
  "echo of an empty boolean",
  "echo of an empty unicode",
  "echo of a dict with a key left over",
  "ABORT of a list only",
  "argument that breaks the interface",
]);

for (const { name, dialect, hex, survives, written = [] } of vectors) {
  if (dialect !== "connection") continue;
  Deno.test(`a Broker takes ${name} as Python does`, async () => {
    await using peer = new RawPeer();
    // The vectors' objects are 1 and 2 from the start.
    peer.broker.outgoing.call(new Tracker(0), "take", [new Echo(), new Strict()], {}).catch(() => {});
    await turns(3);
    assert.equal(peer.broker.tables().exported, 2);
    peer.take();
    await peer.send(hex);
    await turns(4);
    const lives = peer.broker.ended === undefined;
    assert.equal(lives, survives || MILDER.has(name), `${peer.broker.ended}`);
    if (!survives || OTHER_ANSWER.has(name)) return;
    const kinds = messagesIn(peer.take()).map(kindOf);
    assert.deepEqual(kinds, written.map((message) => Object.keys(message)[0]));
  });
}

function kindOf(hex: string): string {
  if (hex.endsWith("8f")) return "pong";
  return { "00880b87": "call", "00880d87": "answer", "00880e87": "error" }[hex.slice(0, 8)] ?? hex;
}

const GET = (open: string, request: string, name = "78") =>
  `${open}880b87${request}81008112826765745265666572656e636542794e616d65${next(open)}880c8701810182${name}` +
  `${next(open)}89${open}89`;
const next = (open: string) => (parseInt(open, 16) + 1).toString(16).padStart(2, "0");
const HANG = (request: string) => `00880b87${request}81018104826563686f01880c87008101890089`;

Deno.test("a request whose number is that of one that has not been answered ends the connection", async () => {
  class Hanging extends Referenceable {
    remote_echo() {
      return new Promise(() => {});
    }
  }
  await using peer = new RawPeer();
  peer.host.names.set("x", new Hanging());
  await peer.send(GET("00", "01"));
  await turns(3);
  await peer.send(HANG("05"));
  await peer.send(HANG("06"));
  await peer.send(HANG("00"));
  await peer.send(HANG("00"));
  await turns();
  assert.equal(peer.broker.tables().activeCalls, 4);
  await peer.send(HANG("06"));
  await peer.closed();
  assert.match(peer.broker.ended!.message, /Request ID 6/);
});

Deno.test("a request's number can be used again when it has been answered", async () => {
  await using peer = new RawPeer();
  peer.host.names.set("x", new Echo());
  for (let i = 0; i < 3; i++) {
    await peer.send(GET("00", "01"));
    await turns(3);
  }
  assert.equal(messagesIn(peer.take()).length, 3);
});

Deno.test("a request's number above 2^31 is answered as an INT", async () => {
  await using peer = new RawPeer();
  await peer.send(GET("00", "0000000000000008"));
  assert.ok((await peer.receive(10)).startsWith("00880e870000000000000008" + "81"));
});

Deno.test("a call is made when it is complete, not before", async () => {
  const log: string[] = [];
  class Log extends Referenceable {
    remote_echo() {
      log.push("called");
    }
  }
  await using peer = new RawPeer();
  peer.host.names.set("x", new Log());
  await peer.send(GET("00", "01"));
  await turns(3);
  await peer.send("02880b870281018104826563686f03880c8700810389");
  await turns();
  assert.deepEqual(log, []);
  await peer.send("028a0289");
  await turns();
  assert.deepEqual(log, [], "it was aborted");
  assert.equal(peer.broker.ended, undefined);
  assert.equal(peer.broker.tables().activeCalls, 0);
});

Deno.test("an answer counts when it is complete; one that is cut by ABORT fails the call", async () => {
  await using peer = new RawPeer();
  const first = failureOf(peer.broker.getReferenceByName("x"));
  const second = failureOf(peer.broker.getReferenceByName("x"));
  await peer.receive(10);
  await peer.send("00880d8701810581008a0089");
  assert.match((await first).message, /ABORT received/);
  await peer.send("01880d870281018802880487");
  await peer.send("028a0289018a0189");
  await turns();
  assert.equal(peer.broker.ended instanceof Error, true);
  await second;
});

const WRONG_FAILURES: readonly [name: string, hex: string, message: RegExp][] = [
  ["a number", "00880e8701810581 0089", /a failure is a copyable/],
  ["a list", "00880e870181 01880487 0189 0089", /a failure is expected/],
  ["another copyable", "00880e870181 0188128702826e6f 0189 0089", /a failure is expected/],
];
for (const [name, hex, message] of WRONG_FAILURES) {
  Deno.test(`an error with ${name} in place of its failure fails the call here`, async () => {
    await using peer = new RawPeer();
    const call = failureOf(peer.broker.getReferenceByName("x"));
    await peer.receive(10);
    await peer.send(hex);
    assert.match((await call).message, message);
    assert.equal(peer.broker.ended, undefined);
    assert.equal(peer.broker.tables().pendingCalls, 0);
  });
}

Deno.test("answers and errors to calls that do not wait are dropped", async () => {
  await using peer = new RawPeer();
  await peer.send("00880e87098101880487018900 89".replace(" ", ""));
  await peer.send("01880d87098101810189");
  await turns();
  assert.equal(peer.broker.ended, undefined);
  assert.ok(peer.end.events.some(({ type }) => type === "dropped"));
});

Deno.test("a last word of the peer ends the connection, and is not answered", async () => {
  await using peer = new RawPeer();
  const call = failureOf(peer.broker.getReferenceByName("x"));
  await peer.receive(10);
  await peer.send(`0a8d${new TextEncoder().encode("out\u202eof /o").toHex().slice(0, 20)}`);
  const error = await call;
  assert.match(error.message, /The peer ended the connection: "out\\u202eof/);
  await peer.closed();
  assert.equal(peer.take(), "");
});

Deno.test("a breach of the protocol is told to the peer, without paths or names", async () => {
  await using peer = new RawPeer();
  await peer.send("0181");
  await peer.closed();
  const word = new TextDecoder().decode(Uint8Array.fromHex(peer.take()));
  assert.match(word, /BananaError: Top-level must be OPEN/);
  await until(() => peer.broker.ended !== undefined, "ended");
});

Deno.test("PINGs are answered with their number, many of one number once a turn", async () => {
  await using peer = new RawPeer();
  await peer.send("8e058e");
  assert.equal(await peer.receive(3), "8f058f");
  await peer.send(new Uint8Array(100_000).fill(0x8e));
  await turns(4);
  assert.ok(peer.receivedBytes >= 1 && peer.receivedBytes <= 10, `${peer.receivedBytes}`);
});
