// What is sent suits Twisted of 22.4 and of 26.4, which differ in what they refuse; and what either sends is read.
import assert from "node:assert/strict";
import { kwargs, pb, Violation } from "../../mod.ts";
import { agreedClient, agreedServer, type Sexp, u } from "./broker/raw.ts";

class Expected extends pb.Error {}
pb.nameError(Expected, "shop.Expected");

class Empty extends pb.Copyable {
  static override copytype = "releases.Empty";
}
class EmptyCache extends pb.Cacheable {
  static override copytype = "releases.EmptyCache";
}
class Plain {}

const THROWN: Record<string, () => unknown> = {
  expected: () => new Expected("no more"),
  unexpected: () => new RangeError("out of range"),
  refused: () => new Violation("not this"),
  nothing: () => null,
  text: () => "just text",
  bytes: () => new Uint8Array([1, 2]),
  surrogate: () => new Error("half \ud800 of one"),
  long: () => new Error("x".repeat(100_000)),
  unnamed: () => Object.setPrototypeOf({ message: "of nothing" }, null),
};

class Root extends pb.Root {
  remote_throws(kind: string): never {
    throw THROWN[kind]!();
  }
  remote_rejects(kind: string): Promise<never> {
    return Promise.reject(THROWN[kind]!());
  }
  remote_unsendable(): symbol {
    return Symbol("x");
  }
  remote_empty(): Empty {
    return new Empty();
  }
  remote_emptyCache(): EmptyCache {
    return new EmptyCache();
  }
  remote_plain(): Plain {
    return new Plain();
  }
}

const call = (target: Sexp, method: string, ...args: Sexp[]): Sexp => [
  "message",
  1,
  target,
  method,
  1,
  ["tuple", ...args],
  ["dictionary"],
];

const FAILURES: readonly (readonly [string, Sexp])[] = [
  ...Object.keys(THROWN).flatMap((kind) => [
    [`what is thrown: ${kind}`, call("root", "throws", u(kind))] as const,
    [`what a promise is rejected with: ${kind}`, call("root", "rejects", u(kind))] as const,
  ]),
  ["a method that is not there", call("root", "nothing")],
  ["an object that is not there", call(77, "x")],
  ["a name that is not there", call("bogus", "x")],
  ["a result that cannot be sent", call("root", "unsendable")],
  ["arguments of a class nobody registered", call("root", "throws", ["no.Such", ["dictionary"]])],
  ["arguments that are none", ["message", 1, "root", "throws", 1, 5, ["dictionary"]]],
  ["an object whose number is a list", call([1], "x")],
];
for (const [name, sent] of FAILURES) {
  Deno.test(`the failure of ${name} has what both releases need`, async () => {
    await using made = await agreedClient(new Root());
    made.raw.say(sent);
    const [word, id, payload] = await made.raw.message() as readonly Sexp[];
    assert.deepEqual([word, id], ["error", 1]);
    // Never (None) or text, which end the connection of 22.4.
    const [tag, state] = payload as readonly Sexp[];
    assert.equal(tag, "twisted.spread.pb.CopyableFailure");
    const [form, ...pairs] = state as readonly Sexp[];
    assert.equal(form, "dictionary");
    const fields = new Map<string, Sexp>();
    for (const [key, value] of pairs as readonly (readonly Sexp[])[]) {
      // 24.7 and later take no keys of bytes.
      const [isText, name] = key as readonly [Sexp, string];
      assert.equal(isText, "unicode");
      fields.set(name, value!);
    }
    // A byte string, whereas 22.4 compares parents as text; those are what 24.7 cannot do without.
    assert.equal(typeof fields.get("type"), "string");
    for (const key of ["value", "traceback"]) assert.equal((fields.get(key) as Sexp[])[0], "unicode");
    const [list, ...parents] = fields.get("parents") as readonly (readonly Sexp[])[];
    assert.equal(list, "list");
    assert.ok(parents.every(([isText]) => isText === "unicode"));
    const names = parents.map(([, name]) => name);
    assert.equal(names[0], fields.get("type"));
    assert.deepEqual(names.slice(-3), ["builtins.Exception", "builtins.BaseException", "builtins.object"]);
    // 22.4 copies these to what it makes of them.
    for (const key of ["count", "captureVars", "frames", "stack", "tb", "unsafeTracebacks"]) {
      assert.ok(fields.has(key), key);
    }
  });
}

Deno.test("a state without attributes is an empty dictionary, which 22.4 needs, and never (None)", async () => {
  const security = new pb.SecurityOptions().allowInstancesOf({ "releases.Plain": Plain });
  await using made = await agreedClient(new Root(), { security });
  const { raw } = made;
  raw.say(call("root", "empty"));
  await raw.hear(["answer", 1, ["releases.Empty", ["dictionary"]]]);
  raw.say(call("root", "emptyCache"));
  await raw.hear(["answer", 1, ["releases.EmptyCache", 1, ["dictionary"]]]);
  raw.say(call("root", "plain"));
  await raw.hear(["answer", 1, ["releases.Plain", ["dictionary"]]]);
});

Deno.test("a call has bytes for its method, a tuple, and text for its keywords, as all releases need", async () => {
  await using made = await agreedServer();
  made.root.callRemote("do", kwargs({ password: 1 })).catch(() => {});
  await made.raw.expect(
    "07 80 1a 87 01 81 04 82 72 6f 6f 74 02 82 64 6f 01 81 01 80 0b 87 02 80 05 87 02 80",
    "02 80 07 82 75 6e 69 63 6f 64 65 15 87 01 81",
  );
});

// --- what they send ---

class Copy extends pb.RemoteCopy {
  declare x: number | undefined;
}
class Kept extends pb.RemoteCache {}
const registry = new pb.CopyRegistry(pb.copyTags);
registry.setUnjellyableForClass("releases.Copy", Copy);
registry.setUnjellyableForClass("releases.Kept", Kept);

const STATES: readonly (readonly [string, Sexp, number | undefined])[] = [
  ["nothing, as from Python 3.11 on", ["None"], undefined],
  ["an empty dictionary", ["dictionary"], undefined],
  ["keys of text", ["dictionary", [u("x"), 1]], 1],
  ["keys of bytes, as from Python 2", ["dictionary", ["x", 1]], 1],
];
for (const [name, state, x] of STATES) {
  Deno.test(`a copy, and a cached object, with a state of ${name} are read`, async () => {
    await using made = await agreedServer({ registry });
    const calling = made.root.callRemote("x");
    made.raw.say(["answer", 1, ["list", ["releases.Copy", state], ["releases.Kept", 1, state]]]);
    const [copy, kept] = await calling as [Copy, Kept];
    assert.equal(copy.x, x);
    assert.equal((kept as { x?: unknown }).x, x);
  });
}

const no: Sexp = ["boolean", "false"];
const parents: Sexp = ["list", u("a.B"), u("twisted.spread.pb.Error"), u("builtins.Exception")];
const frames: readonly (readonly [string, Sexp])[] = [["frames", ["list"]], ["stack", ["list"]], ["tb", [
  "None",
]]];
const STATE_22: readonly (readonly [string, Sexp])[] = [
  ["count", 5],
  ["type", "a.B"],
  ["value", u("why")],
  ["captureVars", no],
  ...frames,
  ["parents", parents],
  ["unsafeTracebacks", no],
  ["traceback", u("Traceback unavailable\n")],
];
const inOrder = (...names: string[]) =>
  names.map((name) =>
    STATE_22.find(([known]) => known === name) ?? [name, name === "pickled" ? 1 : ["list"]] as const
  );
const failure = (fields: readonly (readonly [string, Sexp])[], key: (name: string) => Sexp = u): Sexp => [
  "twisted.spread.pb.CopyableFailure",
  ["dictionary", ...fields.map(([name, value]): Sexp => [key(name), value])],
];
const RECEIVED: readonly (readonly [string, Sexp])[] = [
  ["22.4", failure(STATE_22)],
  ["22.4, through a Deferred", failure([...STATE_22, ["pickled", 1]])],
  [
    "26.4, through a Deferred",
    failure(
      inOrder(
        "pickled",
        "_frames",
        "type",
        "value",
        "captureVars",
        "count",
        "stack",
        "frames",
        "tb",
        "unsafeTracebacks",
        "parents",
        "traceback",
      ),
    ),
  ],
  ["the four keys that all read", failure(inOrder("type", "value", "traceback", "parents"))],
  ["Python 2, with keys of bytes", failure(STATE_22, (name) => name)],
];
for (const [name, payload] of RECEIVED) {
  Deno.test(`the failure of ${name} is read`, async () => {
    await using made = await agreedServer();
    const calling = made.root.callRemote("x");
    made.raw.say(["error", 1, payload]);
    const error = await calling.catch((error: unknown) => error);
    assert.ok(error instanceof pb.RemoteError);
    assert.deepEqual([error.remoteType, error.message], ["a.B", "why"]);
    assert.equal(error.check("twisted.spread.pb.Error"), "twisted.spread.pb.Error");
    assert.equal(error.remoteTraceback, "Traceback unavailable\n");
  });
}

Deno.test("text in place of a failure, which only newer releases take, and nothing, which none takes, fail the call", async () => {
  await using made = await agreedServer();
  for (const [i, payload] of [u("plain"), ["None"]].entries()) {
    const calling = made.root.callRemote("x");
    made.raw.say(["error", i + 1, payload as Sexp]);
    await assert.rejects(calling, pb.RemoteError);
  }
  assert.equal(made.client.isConnected, true);
});
