/**
 * A hostile peer against the rules of an interface: one call is lost, and not the connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TokenEncoder } from "../../lib/wire/encoder.ts";
import { STRING } from "../../lib/wire/tokens.ts";
import { Violation } from "../../mod.ts";
import { Attacker, earlier, long, num, Other, seq, text, word, type Write } from "./schema_attacker.ts";
import { EMPTY, turns, until } from "./support.ts";
import { collectGarbage } from "../support/gc.ts";

const MiB = 1024 * 1024;

const REFUSED: readonly (readonly [what: string, method: string, args: readonly Write[], answer: RegExp])[] =
  [
    [
      "a word of the vocabulary that is too long",
      "bytes",
      [num(1), word("immutable-set")],
      /string too long/,
    ],
    ["a string that is too long", "bytes", [num(1), word("abcd")], /STRING token too large: 4>3/],
    ["text for bytes", "bytes", [num(1), text("a")], /OPEN token rejected by ByteString/],
    ["an integer of nine bytes", "number", [num(1), long(9)], /LONGINT token too large: 9>8/],
    ["bytes for a number", "number", [num(1), word("abc")], /STRING token rejected by Integer/],
    [
      "a reference to a list of other elements",
      "two",
      [num(2), seq("list", num(5)), earlier(1)],
      /is not a unicode object/,
    ],
    ["a list that is an element of itself", "lists", [num(1), seq("list", earlier(1))], /not a number|list/],
    [
      "a tuple that is not complete",
      "pair",
      [num(1), seq("list", seq("tuple", num(1), earlier(1)))],
      /not a unicode object/,
    ],
    ["a list for a tuple", "pair", [num(1), seq("list", seq("list"))], /Unacceptable OPEN type "list"/],
    ["a tuple that is too short", "pair", [num(1), seq("list", seq("tuple", num(1)))], /wrong size tuple/],
    [
      "a dict with too many keys",
      "dict",
      [num(1), seq("dict", text("a"), num(1), text("b"), num(1), text("c"))],
      /More than 4 children/,
    ],
    ["a dict with a number for a key", "dict", [num(1), seq("dict", num(1), num(1))], /INT token rejected/],
    ["a set that is too large", "set", [num(1), seq("set", num(1), num(2), num(3))], /More than 2 children/],
    [
      "a copyable with another attribute",
      "copy",
      [num(1), seq("copyable", word("attack.example.com/Sample"), word("y"), num(1))],
      /unknown attribute 'y'/,
    ],
    [
      "a copyable without an attribute",
      "copy",
      [num(1), seq("copyable", word("attack.example.com/Sample"))],
      /missing required keys: x/,
    ],
    [
      "a copyable in a copyable that breaks its rule",
      "copy",
      [
        num(1),
        seq(
          "copyable",
          ...[word("attack.example.com/Sample"), word("x"), num(1), word("next")],
          seq("copyable", word("attack.example.com/Sample"), word("x"), word("no")),
        ),
      ],
      /STRING token rejected/,
    ],
    ["a copyable of another type", "copy", [num(1), seq("copyable", word("other"))], /OPEN type "other"/],
    [
      "an object of ours of another interface",
      "other",
      [num(1), seq("your-reference", num(1))],
      /not provide/,
    ],
    ["an object of ours that is none", "other", [num(1), seq("your-reference", num(99))], /unknown object/],
    [
      "an object of the peer without an interface",
      "other",
      [num(1), seq("my-reference", num(9))],
      /not provide/,
    ],
    [
      "an object of the peer with a name of 64 KiB",
      "other",
      [num(1), seq("my-reference", num(9), word("n".repeat(65_536)))],
      /STRING token too large/,
    ],
    [
      "a gift in the place of a number",
      "number",
      [num(1), seq("their-reference", num(3), word("pb://x@tcp:h:1/y"))],
      /OPEN token rejected/,
    ],
    [
      "a gift that does not come",
      "other",
      [num(1), seq("their-reference", num(3), word("pb://x@tcp:h:1/y"))],
      /no gifts|error/,
    ],
    ["neither of two lists", "choice", [num(1), seq("list", num(1), num(2))], /typebyte|INT token|children/],
    ["a mixed list", "choice", [num(1), seq("list", num(1), seq("boolean", num(1)))], /does not satisfy any/],
    ["too many arguments", "number", [num(2), num(1), num(2)], /too many positional arguments: 1 >= 1/],
    ["an argument by position and by name", "number", [num(1), num(1), word("x"), num(2)], /multiple values/],
    [
      "an argument twice by name",
      "number",
      [num(0), word("x"), num(1), word("x"), num(2)],
      /multiple values/,
    ],
    [
      "an unknown argument",
      "number",
      [num(1), num(1), word("toString"), num(2)],
      /unknown argument 'toString'/,
    ],
    ["no argument", "number", [num(0)], /missing required argument 'x'/],
    ["constructor without __proto__", "named", [num(0), word("constructor"), num(1)], /argument '__proto__'/],
    [
      "a name that is no text",
      "number",
      [num(0), (e) => e.sized(STRING, new Uint8Array([0xff]))],
      /not UTF-8/,
    ],
    ["an empty name", "number", [num(0), word("")], /name is empty/],
    ["a method of every object", "toString", [num(0)], /not defined in RIRich/],
    ["__proto__ as a method", "__proto__", [num(0)], /not defined in RIRich/],
  ];
for (const [what, method, args, answer] of REFUSED) {
  Deno.test(`${what} costs its call and not the connection`, async () => {
    await using peer = await Attacker.make();
    peer.call(1, method, (e) => args.forEach((write) => write(e)));
    assert.match(await peer.answer(), answer);
    assert.deepEqual(peer.rich.calls, []);
    peer.call(1, "ping", num(0));
    await peer.answer();
    assert.deepEqual(peer.rich.calls, [["ping"]]);
    await peer.broker.shutdown(new Violation("over"));
    assert.deepEqual(peer.broker.tables(), EMPTY);
  });
}

Deno.test("what keeps the rules by strange ways is taken", async () => {
  await using peer = await Attacker.make();
  peer.call(1, "two", (e) => [num(1), seq("list"), word("b"), earlier(1)].forEach((write) => write(e)));
  peer.call(1, "named", (e) => [num(0), word("__proto__"), num(3)].forEach((write) => write(e)));
  peer.call(1, "other", (e) => [num(1), seq("your-reference", num(2))].forEach((write) => write(e)));
  peer.call(1, "deep", (e) => [num(1), seq("list", earlier(1))].forEach((write) => write(e)));
  peer.call(1, "open", (e) => {
    e.integer(1);
    e.integer(1);
    for (let i = 0; i < 10_000; i++) {
      e.word(`k${i}`);
      e.integer(i);
    }
  });
  await peer.answer();
  await until(() => peer.rich.calls.length === 5, "five calls");
  const [two, named, other, , open] = peer.rich.calls;
  assert.equal(two![1], two![2]);
  assert.deepEqual(named, ["named", 3]);
  assert.ok(other![1] instanceof Other);
  assert.equal(Object.keys((open![2] as { values: object }).values).length, 10_000);
});

Deno.test("large arguments that are refused are not kept", async () => {
  await using peer = await Attacker.make();
  peer.forgetReceived();
  collectGarbage();
  const before = Deno.memoryUsage();
  const body = new Uint8Array(16 * MiB);
  for (let i = 0; i < 12; i++) {
    // Of a string, of a list that is full and of a value that is refused at its beginning.
    peer.call(1, "bytes", (e) => [num(1), (e: TokenEncoder) => e.bytes(body)].forEach((write) => write(e)));
    peer.call(1, "set", (e) => {
      e.integer(1);
      const set = e.open("set");
      for (let n = 0; n < 100_000; n++) e.integer(n);
      e.close(set);
    });
    await peer.flush();
    await turns(2);
    assert.equal(peer.broker.ended, undefined);
  }
  peer.call(1, "ping", num(0));
  await peer.flush();
  await until(() => peer.rich.calls.length === 1, "all of it was read");
  // What was given back is counted when it has been swept up.
  let grown = Infinity;
  for (let i = 0; i < 20 && grown > 24 * MiB; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 1));
    const after = Deno.memoryUsage();
    grown = after.heapUsed + after.external - before.heapUsed - before.external;
  }
  assert.ok(grown <= 24 * MiB, `${grown} bytes`); // the string itself, 12 times sent, is 16 of it
  assert.deepEqual(peer.rich.calls, [["ping"]]);
});

Deno.test("a deep value costs its call where the constraint has no end", async () => {
  await using peer = await Attacker.make();
  peer.call(1, "deep", (e) => {
    e.integer(1);
    const numbers = Array.from({ length: 20_000 }, () => e.open("list"));
    for (const number of numbers.reverse()) e.close(number);
  });
  assert.match(await peer.answer(), /nested deeper/);
});
