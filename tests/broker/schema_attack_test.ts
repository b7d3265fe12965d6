/**
 * A hostile peer, and a program that misbehaves, against the rules of an interface: one call is lost, and not the
 * connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Broker } from "../../lib/broker/broker.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { INT, LONGINT, STRING } from "../../lib/wire/tokens.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import {
  Copyable,
  Referenceable,
  registerRemoteCopy,
  RemoteInterface,
  schema,
  Violation,
} from "../../mod.ts";
import { EMPTY, failureOf, RawPeer, turns, until } from "./support.ts";

const { ListOf, DictOf, SetOf, ChoiceOf, Optional, lazy } = schema;
const MiB = 1024 * 1024;
const int = schema.IntegerConstraint();

class Sample extends Copyable {
  static override copytype = "attack.example.com/Sample";
  static override stateSchema = schema.AttributeDictConstraint(["x", int], ["next", Optional(schema.Any())]);
}
registerRemoteCopy(Sample);

const RIOther = RemoteInterface("RIOther.attack.example.com", { get: schema.method([], int) });
const deep: schema.Constraint = ListOf(lazy(() => deep));
const RIRich = RemoteInterface("RIRich.attack.example.com", {
  bytes: schema.method([["x", schema.ByteStringConstraint({ maxLength: 3 })]], null),
  number: schema.method([["x", schema.IntegerConstraint({ maxBytes: 8 })]], null),
  two: schema.method([["a", ListOf(int)], ["b", ListOf(String)]], null),
  lists: schema.method([["x", ListOf(ListOf(int))]], null),
  pair: schema.method([["x", ListOf([int, String])]], null),
  dict: schema.method([["x", DictOf(String, int, { maxKeys: 2 })]], null),
  set: schema.method([["x", SetOf(int, { maxLength: 2 })]], null),
  copy: schema.method([["x", Sample]], null),
  other: schema.method([["x", RIOther]], null),
  choice: schema.method([["x", ChoiceOf(ListOf(int, { maxLength: 1 }), ListOf(Boolean))]], null),
  deep: schema.method([["x", deep]], null),
  named: schema.method([["__proto__", int], ["constructor", Optional(int)]], null),
  open: schema.method([["a", int]], int, { acceptUnknown: true }),
  ping: schema.method([], int),
});

class Rich extends Referenceable {
  static override remoteInterface = RIRich;
  readonly calls: unknown[][] = [];
  override doRemoteCall(name: string, args: unknown[]): unknown {
    this.calls.push([name, ...args]);
    return name === "ping" || name === "open" ? 7 : null;
  }
}
class Other extends Referenceable {
  static override remoteInterface = RIOther;
}

/** A peer that writes what it likes to a broker that serves a Rich as object 1 and an Other as object 2. */
class Attacker extends RawPeer {
  readonly rich: Rich = new Rich();
  readonly encoder: TokenEncoder = new TokenEncoder(vocabularyWords(1));
  #requests = 0;

  static async make(object?: Referenceable): Promise<Attacker> {
    const attacker = new Attacker();
    attacker.host.names.set("a", object ?? attacker.rich);
    attacker.host.names.set("b", new Other());
    for (const name of ["a", "b"]) {
      attacker.call(0, "getReferenceByName", () => {
        attacker.encoder.integer(1);
        attacker.encoder.word(name);
      });
    }
    await attacker.flush();
    await until(() => attacker.broker.tables().exported === 2, "two objects");
    await turns(2);
    attacker.take();
    return attacker;
  }

  call(clid: number, method: string, write: (encoder: TokenEncoder) => void): void {
    const { encoder } = this;
    const call = encoder.open("call");
    encoder.integer(++this.#requests);
    encoder.integer(clid);
    encoder.word(method);
    const args = encoder.open("arguments");
    write(encoder);
    encoder.close(args);
    encoder.close(call);
  }

  async flush(): Promise<void> {
    for (const part of this.encoder.take()) await this.send(part);
  }

  /** What the broker answers to what was written. */
  async answer(): Promise<string> {
    this.take();
    await this.flush();
    await until(() => this.receivedBytes > 0 || this.broker.ended !== undefined, "an answer");
    await turns(2);
    assert.equal(this.broker.ended, undefined);
    return new TextDecoder("latin1").decode(Uint8Array.fromHex(this.take()));
  }
}

type Write = (e: TokenEncoder) => void;
/** A sequence. */
const seq = (word: string, ...inside: Write[]): Write => (e) => {
  const number = e.open(word);
  for (const write of inside) write(e);
  e.close(number);
};
const num = (value: number): Write => (e) => e.integer(value);
const word = (text: string): Write => (e) => e.word(text);
const text = (value: string): Write => (e) => void e.text(value);
/** The object that began so many sequences after the one for the arguments. */
const earlier = (back: number): Write => (e) => {
  const number = e.open("reference");
  e.integer(number - back);
  e.close(number);
};
const long = (bytes: number): Write => (e) => e.sized(LONGINT, new Uint8Array(bytes).fill(1));

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
  (globalThis as { gc?: () => void }).gc?.();
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
    (globalThis as { gc?: () => void }).gc?.();
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

// ---- programs that misbehave

const garbage = (value: unknown) =>
  new class extends Referenceable {
    override getInterface() {
      return value as undefined;
    }
  }();
const failing = new class extends Referenceable {
  override getInterface(): undefined {
    throw new TypeError("no");
  }
}();
let answers = 0;
const fickle = new class extends Referenceable {
  override getInterface() {
    return answers++ % 2 === 0 ? RIRich : RIOther;
  }
}();
/** As validators of other libraries are. */
const validator = (validate: (value: unknown) => unknown): schema.StandardSchema =>
  ({ "~standard": { version: 1, vendor: "test", validate } }) as unknown as schema.StandardSchema;
const given = (rule: schema.Shortcut, name: string) => {
  const rules = RemoteInterface(`RI.${name}.attack.example.com`, { go: schema.method([["x", rule]], null) });
  return new class extends Referenceable {
    static override remoteInterface = rules;
    remote_go(): void {}
  }();
};
const throws = () => {
  throw new TypeError("no");
};
const loop: schema.Constraint = ChoiceOf(schema.Shared(lazy(() => loop)));
const MISBEHAVING: readonly (readonly [string, () => Referenceable, RegExp])[] = [
  ["a getInterface() that throws", () => failing, /value whose own code failed/],
  ["an interface that is a number", () => garbage(5), /cannot say which RemoteInterface/],
  ["an interface that is null", () => garbage(null), /cannot say which RemoteInterface/],
  ["an interface of no methods", () => garbage({ name: "x" }), /cannot say which RemoteInterface/],
  [
    "rules that are none",
    () => garbage({ name: "x", method: () => ({}) }),
    /cannot say which RemoteInterface/,
  ],
  ["rules that throw", () => garbage({ name: "x", method: throws }), /cannot say which RemoteInterface/],
  ["an interface that changes", () => fickle, /not defined in|no method/],
  ["a lazy constraint that throws", () => given(lazy(throws), "lazy"), /constraint failed/],
  ["a choice of nothing but itself", () => given(loop, "loop"), /rejected|typebyte/],
  ["a validator that throws", () => given(validator(throws), "throwing"), /a schema of test failed/],
  ["a promise", () => given(validator(() => Promise.reject(new Error("x"))), "promise"), /asynchronous/],
  [
    "a validator without result",
    () => given(validator(() => undefined), "nothing"),
    /a schema of test failed/,
  ],
  ["strange issues", () => given(validator(() => ({ issues: 5 })), "issues"), /a schema of test failed/],
  [
    "strange paths",
    () => given(validator(() => ({ issues: [{ path: [null] }] })), "paths"),
    /schema of test/,
  ],
  ["recursion", () =>
    given(
      validator(function f(): unknown {
        return f();
      }),
      "deep",
    ), /a schema of test failed/],
];
for (const [what, make, answer] of MISBEHAVING) {
  Deno.test(`${what} of the program's costs the call and not the connection`, async () => {
    const object = make();
    await using peer = new RawPeer({ prepare: (left) => left.names.set("a", object) });
    const broker: Broker = peer.broker;
    const e = new TokenEncoder(vocabularyWords(1));
    const call = (id: number, clid: number, method: string, ...args: Write[]) =>
      seq("call", num(id), num(clid), word(method), seq("arguments", ...args))(e);
    // Sending it may be refused too: then it is object 1 all the same, or nothing is.
    call(1, 0, "getReferenceByName", num(1), word("a"));
    for (const part of e.take()) await peer.send(part);
    await turns(10);
    let answered = new TextDecoder("latin1").decode(Uint8Array.fromHex(peer.take()));
    call(2, 1, "go", num(1), seq("list", num(1)));
    for (const part of e.take()) await peer.send(part);
    await turns(10);
    answered += new TextDecoder("latin1").decode(Uint8Array.fromHex(peer.take()));
    assert.match(answered, answer);
    assert.equal(broker.ended, undefined);
  });
}

Deno.test("a validator sees no value with more paths than there is time for, nor one that contains itself", () => {
  let calls = 0;
  const counting = schema.makeConstraint(validator((value) => {
    calls++;
    return { value };
  }));
  let value: unknown = [1];
  for (let i = 0; i < 60; i++) value = [value, value];
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assert.throws(() => schema.checkValue(counting, value, "inbound"), /more than 1000000 parts/);
  assert.throws(() => schema.checkValue(counting, cycle, "inbound"), /contains itself/);
  assert.equal(calls, 0);
  const list = [1, [2], new Map([["a", new Set([3])]])];
  schema.checkValue(ListOf(counting), Array.from({ length: 1_000 }, () => list), "inbound");
  assert.equal(calls, 1);
});

Deno.test("a dict that a million references name is looked at once", () => {
  let keys = 0;
  const large = new Proxy(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i])), {
    ownKeys(target) {
      keys++;
      return Reflect.ownKeys(target);
    },
  });
  const rule = ListOf(DictOf(String, Number));
  schema.checkValue(rule, Array.from({ length: 1_000 }, () => large), "inbound");
  assert.equal(keys, 1);
});

Deno.test("ChoiceOf() asks in the order of the declaration, choices inside it in their place", () => {
  const first = validator((value) => ({ value: `first ${value}` }));
  const last = validator((value) => ({ value: `last ${value}` }));
  assert.equal(schema.checkValue(ChoiceOf(ChoiceOf(first), last), 1, "inbound"), "first 1");
});

Deno.test("a choice makes no errors for the alternatives that it tries, and says once what is wrong", () => {
  let said = 0;
  class Odd extends schema.Constraint {
    override readonly name = "Odd";
    protected override readonly taster = new Map();
    override check(value: unknown, checking: schema.Checking): unknown {
      return value === 1 ? value : checking.refuse(() => `${++said} is not odd`);
    }
  }
  const rule = ListOf(ChoiceOf(ListOf(new Odd()), ListOf(String), ListOf(new Odd())));
  const value: unknown[] = Array.from({ length: 1_000 }, () => ["x"]);
  schema.checkValue(rule, value, "inbound");
  assert.equal(said, 0);
  value.push([2.5]);
  assert.throws(() => schema.checkValue(rule, value, "inbound"), (error) => {
    assert.ok(error instanceof Violation && error.cause instanceof Violation);
    assert.match(error.message, /does not satisfy any of .* \(at \[1000\]\)/);
    assert.match(error.cause.message, /1 is not odd \(at \[0\]\)/);
    return true;
  });
  assert.equal(said, 1);
});

// ---- answers

const ANSWERS: readonly (readonly [string, Write, RegExp])[] = [
  ["a string", word("x"), /STRING token rejected/],
  ["a float", (e) => e.double(1.5), /FLOAT token rejected/],
  ["a list", seq("list", num(1)), /OPEN token rejected/],
  ["a number that is too large", (e) => e.bare(INT, 2 ** 40), /number too large/],
  ["an integer of a kilobyte", long(1_000), /LONGINT token rejected/],
  ["an object", seq("my-reference", num(5)), /OPEN token rejected/],
];
for (const [what, write, message] of ANSWERS) {
  Deno.test(`${what} as the answer where a small integer is declared fails that call alone`, async () => {
    await using peer = new RawPeer();
    const e = new TokenEncoder(vocabularyWords(1));
    const send = async (...writes: Write[]) => {
      for (const each of writes) each(e);
      for (const part of e.take()) await peer.send(part);
    };
    // The name is one that this process knows; what is behind it lies.
    const arriving = peer.broker.getReferenceByName("x") as unknown as Promise<RemoteReference>;
    await turns(3);
    await send(
      seq("answer", num(1), seq("my-reference", num(1), word("RIOther.attack.example.com"))),
    );
    const liar = await arriving;
    const failed = failureOf(liar.callRemote("get"));
    await turns(3);
    await send(seq("answer", num(2), write));
    const failure = await failed;
    assert.ok(failure instanceof Violation, String(failure));
    assert.match(failure.message, message);
    const next = liar.callRemote("get");
    await turns(3);
    await send(seq("answer", num(3), num(4)));
    assert.equal(await next, 4);
    const unknown = await failureOf(liar.callRemote("nothing"));
    assert.match(unknown.message, /"RIOther.attack.example.com" does not offer "nothing"/);
  });
}
