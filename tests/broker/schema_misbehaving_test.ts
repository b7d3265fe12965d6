/**
 * A program that misbehaves, against the rules of an interface: one call is lost, and not the connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Broker } from "../../lib/broker/broker.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { Referenceable, RemoteInterface, schema, Violation } from "../../mod.ts";
import { num, RIOther, RIRich, seq, word, type Write } from "./schema_attacker.ts";
import { RawPeer, turns } from "./support.ts";

const { ListOf, DictOf, ChoiceOf, lazy } = schema;

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
