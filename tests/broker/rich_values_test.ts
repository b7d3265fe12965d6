import assert from "node:assert/strict";
import {
  callable,
  Copyable,
  Dict,
  type Kwargs,
  kwargs,
  Referenceable,
  registerCopier,
  registerRemoteCopy,
  registerRemoteCopyFactory,
  registerRemoteError,
  RemoteException,
  RemoteInterface,
  type RemoteReference,
  schema,
  ValueSet,
  Violation,
} from "../../mod.ts";
import { OWN_FEATURES } from "../../lib/util/features.ts";
import { SAMPLES } from "../graph/rich/samples.ts";
import { failureOf, Pair, type TestOptions } from "./support.ts";

const RICH: TestOptions = { features: OWN_FEATURES };

class Echo extends Referenceable {
  seen: unknown[] = [];
  remote_echo(value: unknown): unknown {
    this.seen.push(value);
    return value;
  }
  remote_count(...args: unknown[]): number {
    return args.length;
  }
  remote_default(value: unknown = "left out"): unknown {
    return value;
  }
  remote_nothing(): void {}
  remote_named(named: Kwargs): unknown {
    return named.values;
  }
  remote_call(f: RemoteReference): unknown {
    return f.callRemote("echo", new Date(7));
  }
}

async function echoes(options: TestOptions): Promise<{ pair: Pair; echo: Echo; ref: RemoteReference }> {
  const pair = new Pair(options);
  const echo = new Echo();
  return { pair, echo, ref: await pair.refTo(echo) as unknown as RemoteReference };
}

for (const [name, make] of SAMPLES) {
  Deno.test(`callRemote() passes and returns ${name} as such between two Tubs that know it`, async () => {
    const { pair, echo, ref } = await echoes(RICH);
    await using _ = pair;
    const value = make();
    const back = await ref.callRemote("echo", value);
    for (const got of [echo.seen[0], back]) {
      assert.deepEqual(got, value);
      if (typeof value !== "object" || value === null) continue;
      assert.equal(Object.getPrototypeOf(got), Object.getPrototypeOf(value));
      assert.notEqual(got, value);
    }
  });
}

/** What a peer gets that knows no more than Python does. */
const PLAIN: readonly (readonly [name: string, value: unknown, arrives: unknown])[] = [
  ["undefined", undefined, null],
  ["a small bigint", 5n, 5],
  ["a Map with text keys", new Map([["a", 1]]), Object.assign(Object.create(null), { a: 1 })],
  ["a Map with other keys", new Map([[1, 2]]), new Dict([[1, 2]])],
  ["a Set", new Set([1]), new ValueSet([1])],
  ["a typed array", new Uint16Array([1]), Uint8Array.of(1, 0)],
  ["a DataView", new DataView(Uint8Array.of(1).buffer), Uint8Array.of(1)],
];
for (const [name, value, arrives] of PLAIN) {
  Deno.test(`callRemote() sends ${name} by the value table to a peer that does not know it`, async () => {
    const { pair, echo, ref } = await echoes({});
    await using _ = pair;
    const back = await ref.callRemote("echo", value);
    for (const got of [echo.seen[0], back]) {
      if (arrives instanceof Set) assert.deepEqual([...got as Set<unknown>], [...arrives]);
      else if (arrives instanceof Dict) assert.deepEqual([...got as Dict], [...arrives]);
      else assert.deepEqual(got, arrives);
    }
  });
}

const REFUSED: readonly (readonly [name: string, value: unknown, message: RegExp])[] = [
  ["a Date", new Date(0), /a Date: send its getTime\(\) or toISOString\(\) \(at arguments\[0\]\.a\)/],
  ["an Error", new Error("no"), /an Error: send its message, or throw it/],
  ["a URL", new URL("https://a.b/"), /a URL: send its href/],
  ["a RegExp", /a/, /a RegExp: send its source/],
  ["an ArrayBuffer", new ArrayBuffer(1), /an ArrayBuffer: send new Uint8Array\(buffer\)/],
  ["an object of Temporal", Temporal.Now.instant(), /an object of Temporal: send its toString\(\)/],
];
for (const [name, value, message] of REFUSED) {
  Deno.test(`callRemote() refuses ${name} for a peer that does not know it, and says what to do`, async () => {
    const { pair, echo, ref } = await echoes({});
    await using _ = pair;
    const error = await failureOf(ref.callRemote("echo", { a: value }));
    assert.ok(error instanceof Violation);
    assert.match(error.message, message);
    assert.equal(echo.seen.length, 0);
    assert.equal(await ref.callRemote("echo", 1), 1);
  });
}

Deno.test("undefined stays undefined: as a result, as an argument, by name, and where a default stands", async () => {
  const { pair, ref } = await echoes(RICH);
  await using _ = pair;
  assert.equal(await ref.callRemote("nothing"), undefined);
  assert.equal(await ref.callRemote("default", undefined), "left out");
  assert.equal(await ref.callRemote("default", null), null);
  assert.equal(await ref.callRemote("count", undefined, undefined), 2);
  const named = await ref.callRemote("named", kwargs({ a: undefined }));
  assert.deepEqual(Object.entries(named as object), [["a", undefined]]);
});

Deno.test("references cross inside rich values, also as keys, and come home", async () => {
  const { pair, echo, ref } = await echoes(RICH);
  await using _ = pair;
  const mine = new Echo();
  const back = await ref.callRemote("echo", new Map<unknown, unknown>([[mine, new Set([mine, ref])]]));
  const [[key, members]] = [...back as Map<unknown, Set<unknown>>] as [[unknown, Set<unknown>]];
  assert.equal(key, mine);
  assert.deepEqual([...members], [mine, ref]);
  assert.ok((echo.seen[0] as Map<unknown, Set<unknown>>).values().next().value!.has(echo));
});

Deno.test("a function that came from the peer goes home, and is the function there", async () => {
  const { pair, echo, ref } = await echoes(RICH);
  await using _ = pair;
  const f = callable((a: number) => a + 1);
  assert.equal(
    await ref.callRemote("echo", new Map([["f", f]])).then((map) => (map as Map<string, unknown>).get("f")),
    f,
  );
  const held = (echo.seen[0] as Map<string, { callRemote(a: number): PromiseLike<number> }>).get("f")!;
  assert.equal(await held.callRemote(4), 5);
  const error = await failureOf(ref.callRemote("echo", () => {}));
  assert.match(error.message, /wrap it in callable/);
});

Deno.test("a value that the peer cannot take costs its call alone, in both directions", async () => {
  await using pair = new Pair({ ...RICH, limits: { maxDepth: 30 } });
  class Deep extends Echo {
    remote_deep(): unknown {
      let error = new Error("end");
      for (let i = 0; i < 40; i++) error = new Error("next", { cause: error });
      return error;
    }
  }
  const ref = await pair.refTo(new Deep()) as unknown as RemoteReference;
  const error = await failureOf(ref.callRemote("deep"));
  assert.ok(error instanceof RemoteException);
  assert.match(error.message, /nested deeper than 30 \(at result\.cause\.cause/);
  assert.equal(await ref.callRemote("echo", 1), 1);
});

// ---- errors

class NotHere extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotHere";
  }
}
registerRemoteError("tests.rich.NotHere", NotHere);
class NotHereEither extends NotHere {}
class Broken extends Error {}
registerRemoteError("tests.rich.Broken", Broken, {
  make: () => {
    throw new TypeError("its maker fails");
  },
});

Deno.test("an Error has the class that registerRemoteError() gave its name to", async () => {
  const { pair, ref } = await echoes(RICH);
  await using _ = pair;
  const cause = new Map([["why", undefined]]);
  const back = await ref.callRemote("echo", new NotHereEither("gone")) as NotHere;
  assert.equal(Object.getPrototypeOf(back), NotHere.prototype);
  assert.deepEqual([back.name, back.message, back.cause], ["NotHere", "gone", undefined]);
  const other = await ref.callRemote("echo", Object.assign(new NotHere("gone"), { cause })) as NotHere;
  assert.deepEqual(other.cause, cause);
});

Deno.test("an Error whose class the program cannot make is a plain one, and the trace is told", async () => {
  const { pair, echo, ref } = await echoes(RICH);
  await using _ = pair;
  await ref.callRemote("echo", new Broken("text"));
  const got = echo.seen[0] as Error;
  assert.equal(Object.getPrototypeOf(got), Error.prototype);
  assert.equal(got.message, "text");
  const event = pair.right.events.find(({ type }) => type === "callback-failed");
  assert.equal((event as { error: Error }).error.message, "its maker fails");
});

Deno.test("an Error is of no class of the program's where failures are not either", async () => {
  const { pair, echo, ref } = await echoes({
    ...RICH,
    prepare: (_, right) => right.exposesRemoteTypes = false,
  });
  await using _ = pair;
  const back = await ref.callRemote("echo", [new NotHere("gone"), new RangeError("far")]) as Error[];
  assert.deepEqual((echo.seen[0] as Error[]).map((error) => [error.constructor, error.name]), [
    [Error, "NotHere"],
    [RangeError, "RangeError"],
  ]);
  assert.ok(back[0] instanceof Error);
});

Deno.test("an Error tells no name of a FURL, no path of this machine, and no stack", async () => {
  const { pair, echo, ref } = await echoes(RICH);
  await using _ = pair;
  const furl = `pb://${"a".repeat(32)}@tcp:h:1/secretname`;
  const error = new Error(`cannot open /home/me/key.pem for ${furl}`, { cause: new Error("at /etc/secret") });
  error.name = "At /root/x";
  await ref.callRemote("echo", error);
  const got = echo.seen[0] as Error;
  assert.doesNotMatch(Deno.inspect(got), /secretname|\/home|\/etc|\/root|rich_values_test/);
  assert.match(got.message, /^cannot open … for pb:\/\/a+@tcp:h:1\/…$/);
  assert.equal((got.cause as Error).message, "at …");
});

Deno.test("an Error tells its stack where the Tub exposes tracebacks", async () => {
  const { pair, echo, ref } = await echoes({ ...RICH, prepare: (left) => left.exposesTracebacks = true });
  await using _ = pair;
  await ref.callRemote("echo", new Error("in /home/me"));
  const got = echo.seen[0] as Error;
  assert.equal(got.message, "in /home/me");
  assert.match(got.stack!, /rich_values_test/);
});

Deno.test("an Error of this library's own tells no cause, and is made by nobody else", async () => {
  const { pair, echo, ref } = await echoes(RICH);
  await using _ = pair;
  await ref.callRemote("echo", new Violation("no", { cause: { secret: 1 } }));
  const got = echo.seen[0] as Error;
  assert.equal(Object.getPrototypeOf(got), Error.prototype);
  assert.deepEqual([got.name, got.message, got.cause], ["Violation", "no", undefined]);
});

Deno.test("a failure of a peer that is passed on as a value stays what it was", async () => {
  const { pair, ref } = await echoes(RICH);
  await using _ = pair;
  const failure = new RemoteException("text", {
    remoteType: "builtins.KeyError",
    remoteParents: ["builtins.KeyError"],
    remoteTraceback: "",
  });
  const back = await ref.callRemote("echo", new Error("outer", { cause: failure })) as Error;
  assert.ok(back.cause instanceof RemoteException);
  assert.equal(back.cause.remoteType, "builtins.KeyError");
});

Deno.test("an Error with a message of a million characters is sent with its beginning", async () => {
  const { pair, echo, ref } = await echoes(RICH);
  await using _ = pair;
  await ref.callRemote("echo", new Error("\u20ac".repeat(1_000_000)));
  assert.equal((echo.seen[0] as Error).message, "\u20ac".repeat(8_192));
});

// ---- classes of the program

class Span {
  constructor(readonly from: Date, readonly to: Date) {}
}
registerCopier(Span, ({ from, to }) => ["tests.rich.Span", { from, to }]);
registerRemoteCopyFactory("tests.rich.Span", ({ from, to }) => new Span(from as Date, to as Date));
class Note extends Copyable {
  static override copytype = "tests.rich.Note";
  when: unknown = new Date(1);
  gone: unknown = undefined;
}
registerRemoteCopy(Note);
Deno.test("Copyables and copied classes may have rich values as attributes", async () => {
  const { pair, ref } = await echoes(RICH);
  await using _ = pair;
  const day = new Date(5);
  const [span, note] = await ref.callRemote("echo", [new Span(day, day), new Note()]) as [Span, Note];
  assert.ok(span instanceof Span && note instanceof Note);
  assert.equal(span.from, span.to);
  assert.deepEqual(span.from, day);
  assert.deepEqual(Object.entries(note), [["when", new Date(1)], ["gone", undefined]]);
});

// ---- schemas

const RITable = RemoteInterface("RITable.rich.tests", {
  any: schema.method([["value", schema.Any()]], schema.Any()),
  dict: schema.method([["value", schema.DictOf(String, Number)]], schema.Any()),
  keyed: schema.method([["value", schema.DictOf(Number, Number)]], schema.Any()),
  set: schema.method([["value", schema.SetOf(Number)]], schema.Any()),
  known: schema.method([["value", schema.AttributeDictConstraint(["a", Number])]], schema.Any()),
  list: schema.method([["value", schema.ListOf(Number)]], schema.Any()),
  text: schema.method([["value", String]], schema.Any()),
  bytes: schema.method([["value", Uint8Array]], schema.Any()),
  flag: schema.method([["value", Boolean]], schema.Any()),
  whole: schema.method([["value", schema.IntegerConstraint()]], schema.Any()),
  none: schema.method([["value", null]], null),
  choice: schema.method([["value", schema.ChoiceOf(String, schema.DictOf(String, Number))]], schema.Any()),
});

class Table extends Referenceable {
  static override remoteInterface = RITable;
  seen: unknown;
  #take(value: unknown): unknown {
    this.seen = value;
    return value;
  }
  remote_any(value: unknown): unknown {
    return this.#take(value);
  }
  remote_dict(value: unknown): unknown {
    return this.#take(value);
  }
  remote_keyed(value: unknown): unknown {
    return this.#take(value);
  }
  remote_set(value: unknown): unknown {
    return this.#take(value);
  }
  remote_known(value: unknown): unknown {
    return this.#take(value);
  }
  remote_list(value: unknown): unknown {
    return this.#take(value);
  }
  remote_text(value: unknown): unknown {
    return this.#take(value);
  }
  remote_bytes(value: unknown): unknown {
    return this.#take(value);
  }
  remote_flag(value: unknown): unknown {
    return this.#take(value);
  }
  remote_whole(value: unknown): unknown {
    return this.#take(value);
  }
  remote_none(value: unknown): undefined {
    this.#take(value);
  }
  remote_choice(value: unknown): unknown {
    return this.#take(value);
  }
}

const plain = (entries: object) => Object.assign(Object.create(null), entries);
/** Whether the caller knows the interface or not, the method gets the same. */
const DECLARED: readonly (readonly [method: string, value: unknown, seen: unknown])[] = [
  ["any", new Date(5), new Date(5)],
  ["any", new Map([[1, undefined]]), new Map([[1, undefined]])],
  ["dict", new Map([["a", 1]]), plain({ a: 1 })],
  ["dict", new Map(), plain({})],
  ["keyed", new Map([[1, 2]]), new Dict([[1, 2]])],
  ["set", new Set([1, 2]), new ValueSet([1, 2])],
  ["choice", new Map([["a", 1]]), plain({ a: 1 })],
  ["none", undefined, null],
  ["none", null, null],
];
for (const [method, value, seen] of DECLARED) {
  for (const useSchema of [true, false]) {
    const who = useSchema ? "a caller that knows the schema" : "a caller that does not";
    Deno.test(`a method declared as ${method} gets ${Deno.inspect(value)} as declared, from ${who}`, async () => {
      await using pair = new Pair(RICH);
      const table = new Table();
      const ref = await pair.refTo(table) as unknown as RemoteReference;
      const options = useSchema ? {} : { useSchema: false };
      await ref.with(options).callRemote(method, value);
      assert.equal(Object.getPrototypeOf(table.seen ?? {}), Object.getPrototypeOf(seen ?? {}));
      if (seen instanceof Map || seen instanceof Set) {
        assert.deepEqual([...table.seen as Set<unknown>], [...seen]);
      } else assert.deepEqual(table.seen, seen);
    });
  }
}

Deno.test("a method that is declared to give nothing gives null, between Tubs of this library too", async () => {
  await using pair = new Pair(RICH);
  const ref = await pair.refTo(new Table()) as unknown as RemoteReference;
  for (const options of [{}, { useSchema: false }]) {
    assert.equal(await ref.with(options).callRemote("none", null), null);
  }
});

Deno.test("a declared method gets small bigints as numbers, and other views as bytes, from who knows it", async () => {
  await using pair = new Pair(RICH);
  const table = new Table();
  const ref = await pair.refTo(table) as unknown as RemoteReference;
  await ref.callRemote("whole", 5n);
  assert.equal(table.seen, 5);
  await ref.callRemote("bytes", new Uint16Array([1]));
  assert.deepEqual(table.seen, Uint8Array.of(1, 0));
});

for (const method of ["dict", "set", "known", "list", "text", "bytes", "flag", "whole", "none", "choice"]) {
  Deno.test(`a method declared as ${method} refuses rich values of other types, token by token`, async () => {
    await using pair = new Pair(RICH);
    const table = new Table();
    const ref = await pair.refTo(table) as unknown as RemoteReference;
    const values = [
      new Date(0),
      new Error("a"),
      /a/,
      new URL("a:b"),
      new Float64Array(1),
      new Map([["b", "text"]]),
    ];
    for (const value of values) {
      const error = await failureOf(ref.with({ useSchema: false }).callRemote(method, value));
      assert.ok(error instanceof RemoteException, String(error));
      assert.equal(error.remoteType, "foolscap.tokens.Violation");
    }
    assert.equal(table.seen, undefined);
  });
}
