import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { Tracker } from "../../lib/broker/import_table.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { nameErrors } from "../../lib/broker/remote_errors.ts";
import type { RemoteFunction, RemoteReference } from "../../lib/broker/remote_reference.ts";
import { Violation } from "../../lib/errors.ts";
import { Decimal } from "../../lib/values/decimal.ts";
import { frozenSet } from "../../lib/values/value_set.ts";
import { Kwargs, kwargs } from "../../lib/values/kwargs.ts";
import { tuple } from "../../lib/values/tuple.ts";
import { copyableClass } from "../support/build_value.ts";
import { messagesIn } from "./renumber.ts";
import { Pair, RawPeer, type TestOptions, turns } from "./support.ts";

interface Row {
  readonly name: string;
  readonly from: "client" | "server";
  readonly hex: string;
}
/** What one step of the conversation sent, in order. */
interface Step {
  readonly name: string;
  readonly rows: Row[];
}

const { vectors } = JSON.parse(
  await Deno.readTextFile(new URL("../vectors/messages.json", import.meta.url)),
) as { vectors: Row[] };
const steps: Step[] = [];
for (const row of vectors) {
  const name = row.name.replace(/, message \d+$/, "");
  if (steps.at(-1)?.name === name) steps.at(-1)!.rows.push(row);
  else steps.push({ name, rows: [row] });
}

const CLIENT = `${"c".repeat(31)}a`, SERVER = `${"s".repeat(31)}a`, THIRD = `${"t".repeat(31)}a`;
const furlOf = (tubId: string, port: number, name: string) => `pb://${tubId}@tcp:127.0.0.1:${port}/${name}`;
const renumbered = (rows: readonly Row[]) => rows.flatMap(({ hex }) => messagesIn(hex));

copyableClass("cp.test");

/** An error that says what Python's says. */
function pythonError(type: string, parents: string[], message: string): Error {
  class PythonError extends Error {}
  nameErrors(PythonError, type, ...parents);
  return new PythonError(message);
}

class Strict extends Referenceable {
  override getInterfaceName() {
    return "RIEcho.example.com";
  }
  remote_echo(value: unknown) {
    return value;
  }
}

class Root extends Referenceable {
  // Nothing is collected, so that no decref comes in between.
  readonly held: unknown[] = [];
  readonly kept = new Referenceable();
  readonly strict = new Strict();
  readonly function = callable((a: unknown, b?: number) => {
    const { values } = a as Kwargs<{ a: number; b: number }>;
    return b ?? values.a + values.b;
  });
  remote_echo(value: unknown) {
    this.held.push(value);
    return value instanceof Kwargs ? null : value;
  }
  remote_add(a: unknown, b: unknown) {
    if (a instanceof Kwargs) return (a.values as { a: number }).a + (a.values as { b: number }).b;
    if (b === undefined) throw new TypeError("missing b");
    return (a as number) + (b as number);
  }
  remote_nothing() {}
  remote_give() {
    return this.kept;
  }
  remote_give_strict() {
    return this.strict;
  }
  remote_is_mine(value: unknown) {
    return value === this.kept;
  }
  remote_function() {
    return this.function;
  }
  remote_take() {}
  remote_call_back(target: RemoteReference) {
    this.held.push(target);
    return target.callRemote("poke", 1);
  }
  remote_call_function(target: RemoteFunction) {
    this.held.push(target);
    return target.callRemote(kwargs({ n: 7 }));
  }
  remote_unsendable() {
    return Symbol("object");
  }
  remote_fail(kind: string) {
    const exception = ["builtins.Exception", "builtins.BaseException", "builtins.object"];
    if (kind === "key") throw pythonError("builtins.KeyError", ["builtins.LookupError"], "('k', 'v')");
    if (kind === "custom") throw pythonError("messages.CustomError", exception, "not ascii: \u20ac");
    if (kind === "violation") throw new Violation("Violation: ('refused',)");
    throw pythonError("builtins.ValueError", exception, "you asked me to fail");
  }
}

/** Answers that need not be the same: JavaScript's errors, the cut of a long text, functions have no FURL here. */
const OTHER_ANSWERS = new Set([
  "call of a vocab word",
  "call with a name outside ascii",
  "error with a long text",
  "error with a traceback",
  "error missing method",
  "error wrong arguments",
  "answer that cannot be sent",
  "answer with a part that cannot be sent",
  "function as a result",
]);
/** Here Python's server makes calls itself, whose numbers depend on its garbage collector. */
const OWN_CALLS = new Set(["call back", "function as an argument", "their-reference in a call"]);

Deno.test("a Broker answers Python's calls byte for byte as Python did", async (test) => {
  const root = new Root();
  await using fetchedFrom = new Pair();
  const carol = await fetchedFrom.refTo(new Referenceable()) as unknown as RemoteReference;
  const options: TestOptions = {
    tubIds: [SERVER, CLIENT],
    prepare: (host) => {
      host.names.set("root", root);
      host.furls.set(root, furlOf(SERVER, 1001, "root"));
      host.furls.set(root.kept, furlOf(SERVER, 1001, "swissnumber1"));
      host.furls.set(root.strict, furlOf(SERVER, 1001, "swissnumber2"));
      host.acquire = () => Promise.resolve(carol);
    },
  };
  await using peer = new RawPeer(options);
  for (const { name, rows } of steps) {
    await test.step(name, async () => {
      const expected = renumbered(rows.filter(({ from }) => from === "server"));
      for (const { from, hex } of rows) if (from === "client") await peer.send(hex);
      await turns(8);
      assert.equal(peer.broker.ended, undefined);
      const written = messagesIn(peer.take());
      if (OTHER_ANSWERS.has(name)) assert.equal(written.length, expected.length);
      else if (name === "their-reference in a call") assert.deepEqual(written, expected.slice(0, 2));
      else if (!OWN_CALLS.has(name)) assert.deepEqual(written, expected);
    });
  }
});

/** What the client did to send what the vectors have. */
type Action = (held: Record<string, RemoteReference>, peer: RawPeer) => unknown;

class Client extends Referenceable {
  pokes = 0;
  remote_poke(n: number) {
    return this.pokes += n;
  }
}

const caller = new Client();
const poke = callable((named: Kwargs<{ n: number }>) => caller.pokes += named.values.n);
const root = (method: string, ...args: unknown[]): Action => ({ root }) =>
  root!.callRemote(method, ...args as []);
const shared = [1];
const ring: unknown[] = [];
ring.push(ring);
const callBroker = (peer: RawPeer, method: string, named: object) =>
  peer.broker.outgoing.call(new Tracker(0), method, [kwargs(named)], {});
const give = (held: Record<string, RemoteReference>, name: string) => held[name]![Symbol.dispose]();

const ACTIONS: Record<string, Action> = {
  "getReferenceByName": (_, peer) => peer.broker.getReferenceByName("root"),
  "getReferenceByName again": (_, peer) => peer.broker.getReferenceByName("root"),
  "getReferenceByName of an unknown name": (_, peer) => peer.broker.getReferenceByName("nosuch"),
  "call with a positional argument": root("echo", new TextEncoder().encode("hi")),
  "call with two positional arguments": root("add", 1, 2),
  "call with keyword arguments": root("add", kwargs({ b: 2, a: 1 })),
  "call with both": root("echo", 1, kwargs({ z: true, y: null })),
  "call without arguments": root("nothing"),
  "callRemoteOnly": ({ root }) => root!.callRemoteOnly("echo", new TextEncoder().encode("no answer")),
  "call after callRemoteOnly": root("echo", 2.5),
  "call of a vocab word": root("list", "error"),
  "call with a name outside ascii": root("caf\u00e9"),
  "call with a shared list": root("echo", [shared, shared]),
  "call with a shared list in two arguments": root("echo", shared, kwargs({ other: shared })),
  "call with a cycle": root("echo", ring),
  "call with one of everything": root("echo", [
    0,
    -1,
    2n ** 64n,
    -(2n ** 64n),
    1.5,
    new TextEncoder().encode("b"),
    "t",
    null,
    true,
    new Decimal("1.10"),
    tuple(1),
    { k: [2] },
    new Set([3]),
    frozenSet(4),
  ]),
  "call with a copyable": root(
    "echo",
    Object.assign(new (copyableClass("cp.test"))(), { a: 1, b: "x" }),
  ),
  "error KeyError": root("fail", "key"),
  "error ValueError": root("fail", "value"),
  "error of the program's own class": root("fail", "custom"),
  "error with a long text": root("fail", "long"),
  "error Violation": root("fail", "violation"),
  "error with a traceback": root("fail", "traceback"),
  "error missing method": root("nosuch"),
  "error wrong arguments": root("add", 1),
  "answer that cannot be sent": root("unsendable"),
  "answer with a part that cannot be sent": root("unsendable_inside"),
  "argument that cannot be sent": root("echo", [1, { a: Symbol("object") }]),
  "call after one that was aborted": root("echo", new TextEncoder().encode("still here")),
  "my-reference long form in an answer": root("give"),
  "my-reference short form in an answer": root("give"),
  "my-reference with an interface": root("give_strict"),
  "call of an object with an interface": ({ strict }) =>
    strict!.callRemote("echo", new TextEncoder().encode("x")),
  "your-reference in a call": ({ root, kept }) => root!.callRemote("is_mine", kept),
  "your-reference twice in a list": ({ root, kept }) => root!.callRemote("echo", [kept, kept]),
  "my-reference in a call, your-reference in its answer": root("echo", caller),
  "my-reference short form in a call": root("echo", caller),
  "call back": root("call_back", caller),
  "function as a result": root("function"),
  "call of a function": ({ function: f }) =>
    (f as unknown as RemoteFunction).callRemote(kwargs({ b: 1, a: 2 })),
  "function as an argument": root("call_function", poke),
  "their-reference in a call": ({ root, carol }) => root!.callRemote("take", carol),
  "their-reference twice in a call": ({ root, carol }) => root!.callRemote("take", [carol, carol]),
  "decref of an object received once": (held) => give(held, "strict"),
  "decref of an object received four times": (held) => give(held, "kept"),
  "my-reference under a new clid after a decref": root("give"),
  "decref of a function": (held) => give(held, "function"),
  "decref of an unknown clid": (_, peer) => callBroker(peer, "decref", { clid: 99, count: 1 }),
  "decref of too many": (_, peer) => callBroker(peer, "decref", { clid: 1, count: 50 }),
};
const KEEP: Record<string, string> = {
  "getReferenceByName": "root",
  "my-reference long form in an answer": "kept",
  "my-reference with an interface": "strict",
  "function as a result": "function",
  "my-reference under a new clid after a decref": "kept",
};

/** Nothing is sent of what cannot be; a function of ours has no FURL. */
const OTHER_CALLS = new Set(["argument that cannot be sent", "function as an argument"]);

Deno.test("a Broker makes the calls that Python made, byte for byte", async (test) => {
  const carolObject = new Referenceable();
  await using third = new Pair({
    tubIds: [CLIENT, THIRD],
    prepare: (_, host) => void host.furls.set(carolObject, furlOf(THIRD, 1002, "carol")),
  });
  const held: Record<string, RemoteReference> = {
    carol: await third.refTo(carolObject) as unknown as RemoteReference,
  };
  await using peer = new RawPeer({
    tubIds: [CLIENT, SERVER],
    prepare: (host) => void host.furls.set(caller, furlOf(CLIENT, 1000, "swissnumber1")),
  });
  for (const { name, rows } of steps) {
    const action = ACTIONS[name];
    if (action === undefined) continue;
    await test.step(name, async () => {
      const expected = renumbered(rows.filter(({ from }) => from === "client"));
      let result: unknown;
      const done = Promise.resolve(action(held, peer)).then((value) => result = value, (error) => {
        result = error;
      });
      await turns(4);
      for (const { from, hex } of rows) if (from === "server") await peer.send(hex);
      await done;
      await turns(4);
      assert.equal(peer.broker.ended, undefined);
      const written = messagesIn(peer.take());
      if (name === "argument that cannot be sent") assert.deepEqual(written, []);
      else if (OTHER_CALLS.has(name)) assert.equal(written.length, expected.length);
      // The answers to Python's own decrefs come in the same order, though it sent them later.
      else assert.deepEqual(written, expected);
      if (KEEP[name] !== undefined) held[KEEP[name]] = result as RemoteReference;
      if (name.startsWith("error ")) assert.ok(result instanceof Error, String(result));
    });
  }
  assert.equal(caller.pokes, 8);
});
