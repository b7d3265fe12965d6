import assert from "node:assert/strict";
import {
  DeadReferenceError,
  PermissionDenied,
  Referenceable,
  registerRemoteError,
  RemoteException,
  Violation,
} from "../../mod.ts";
import { failureOf, Pair, type TestOptions } from "./support.ts";

class NotFound extends Error {
  constructor(message: string, readonly code = 404) {
    super(message);
  }
}
registerRemoteError("shop.errors.NotFound", NotFound, { parents: ["builtins.LookupError"] });
class NoSuchBook extends NotFound {}
registerRemoteError("shop.errors.NoSuchBook", NoSuchBook);
class Unnamed extends NotFound {}
class Detailed extends RemoteException {}
registerRemoteError("shop.errors.Detailed", Detailed, { make: (text, remote) => new Detailed(text, remote) });
class Broken extends Error {
  constructor(message: string) {
    if (message === "break") throw new TypeError("cannot be made");
    super(message);
  }
}
registerRemoteError("shop.errors.Broken", Broken);
class Wrong extends Error {}
registerRemoteError("shop.errors.Wrong", Wrong, { make: () => "no error" as unknown as Wrong });

/** Throws what it is told to, as if it came from elsewhere where a type is given. */
class Thrower extends Referenceable {
  thrown: Error = new Error();
  remote_throw(): never {
    throw this.thrown;
  }
}

async function across(thrown: Error, options: TestOptions = {}) {
  await using pair = new Pair(options);
  const thrower = new Thrower();
  thrower.thrown = thrown;
  const error = await failureOf((await pair.refTo(thrower)).callRemote("throw"));
  return { error, events: pair.left.events };
}

const remote = (type: string, ...parents: string[]) =>
  new RemoteException("far", { remoteType: type, remoteParents: [type, ...parents], remoteTraceback: "" });

const MAPPED: readonly [name: string, thrown: Error, type: abstract new (...args: never[]) => Error][] = [
  ["its own class", new NotFound("x"), NotFound],
  ["a class derived from another one that is registered", new NoSuchBook("x"), NoSuchBook],
  ["the class that its own derives from", new Unnamed("x"), NotFound],
  [
    "the class of the nearest parent",
    remote("a.B", "c.D", "shop.errors.NoSuchBook", "shop.errors.NotFound"),
    NoSuchBook,
  ],
  ["a class of RemoteExceptions", remote("shop.errors.Detailed"), Detailed],
];
for (const [name, thrown, type] of MAPPED) {
  Deno.test(`a call that fails with a registered type is rejected with ${name}`, async () => {
    const { error } = await across(thrown);
    assert.equal(Object.getPrototypeOf(error), type.prototype);
    assert.equal(error.message, thrown.message);
  });
}

Deno.test("a registered error has the RemoteException as its cause, and its class's own defaults", async () => {
  const { error } = await across(new NotFound("x", 5));
  assert.ok(error instanceof NotFound && error.cause instanceof RemoteException);
  assert.equal(error.code, 404);
  assert.equal(error.cause.remoteType, "shop.errors.NotFound");
  assert.equal(error.cause.check("builtins.LookupError"), "builtins.LookupError");
  assert.deepEqual(Object.keys(error), ["code"]);
});

const UNMAPPED: readonly [name: string, thrown: Error, type: string][] = [
  ["a Violation", new Violation("x"), "foolscap.tokens.Violation"],
  ["a DeadReferenceError", new DeadReferenceError("x"), "foolscap.ipb.DeadReferenceError"],
  ["a PermissionDenied", new PermissionDenied("x"), "javascript.PermissionDenied"],
  ["a TypeError", new TypeError("x"), "javascript.TypeError"],
  ["an unknown type", remote("__proto__", "constructor", "toString"), "__proto__"],
  ["a class whose constructor throws", remote("shop.errors.Broken"), "shop.errors.Broken"],
  ["a make() that gives no error", remote("shop.errors.Wrong"), "shop.errors.Wrong"],
];
for (const [name, thrown, type] of UNMAPPED) {
  Deno.test(`a call that fails with ${name} is rejected with a RemoteException`, async () => {
    if (type === "shop.errors.Broken") thrown.message = "break";
    const { error, events } = await across(thrown);
    assert.equal(Object.getPrototypeOf(error), RemoteException.prototype);
    assert.equal((error as RemoteException).check(type), type);
    const failed = events.filter((event) => event.type === "callback-failed");
    assert.equal(failed.length, /Broken|Wrong/.test(type) ? 1 : 0);
  });
}

Deno.test("exposeRemoteExceptionTypes: false gives a RemoteException for every type", async () => {
  const prepare: TestOptions["prepare"] = (left) => void (left.exposesRemoteTypes = false);
  const { error } = await across(new NoSuchBook("x"), { prepare });
  assert.equal(Object.getPrototypeOf(error), RemoteException.prototype);
  assert.equal((error as RemoteException).check("shop.errors.NotFound"), "shop.errors.NotFound");
});

Deno.test("a registered error that is passed on keeps type, parents and text of where it came from", async () => {
  const far = remote("far.Away", "shop.errors.Broken", "builtins.OSError");
  const { error } = await across((await across(far)).error);
  assert.ok(error instanceof Broken && error.cause instanceof RemoteException);
  assert.equal(error.cause.remoteType, "far.Away");
  assert.deepEqual(error.cause.remoteParents, far.remoteParents);
});

Deno.test("a failed call is told to the trace of both sides, with what was thrown and what was told", async () => {
  await using pair = new Pair();
  const thrower = new Thrower();
  thrower.thrown = new NotFound("no /home/me/x");
  await failureOf((await pair.refTo(thrower)).callRemote("throw"));
  const local = pair.right.events.find((event) => event.type === "call-failed");
  assert.ok(local?.type === "call-failed" && local.error === thrower.thrown && local.method === "throw");
  const far = pair.left.events.find((event) => event.type === "call-rejected");
  assert.ok(far?.type === "call-rejected" && far.error instanceof RemoteException);
  assert.equal(far.error.message, "no …");
  assert.equal(far.requestId, local.requestId);
});

Deno.test("a name that is not there is a RemoteException, whatever class a KeyError has", async () => {
  class Missing extends Error {}
  registerRemoteError("builtins.KeyError", Missing);
  await using pair = new Pair();
  const error = await failureOf(pair.left.broker.getReferenceByName("nobody"));
  assert.equal(Object.getPrototypeOf(error), RemoteException.prototype);
});

Deno.test("a function that is thrown does not show its source to the peer", async () => {
  const { error } = await across((() => "the source") as unknown as Error);
  assert.equal(error.message, "Thrown value is not an Error: a function");
});

class Fresh extends Error {}
class OfOurs extends Violation {}
const REFUSED: readonly [name: string, register: () => void, type: typeof TypeError | typeof RangeError][] = [
  ["the class a second time", () => registerRemoteError("a.Other", NotFound), RangeError],
  ["the name a second time", () => registerRemoteError("shop.errors.NotFound", Fresh), RangeError],
  ["a name of Foolscap's", () => registerRemoteError("foolscap.tokens.Violation", Fresh), RangeError],
  ["a class of ours", () => registerRemoteError("a.B", Violation), RangeError],
  ["a class derived from one of ours", () => registerRemoteError("a.B", OfOurs), RangeError],
  ["RemoteException itself", () => registerRemoteError("a.B", RemoteException as never), RangeError],
  ["Error itself", () => registerRemoteError("a.B", Error), TypeError],
  ["a class of no errors", () => registerRemoteError("a.B", Map as never), TypeError],
  ["nothing", () => registerRemoteError("a.B", undefined as never), TypeError],
  ["a name without a dot", () => registerRemoteError("NotFound", Fresh), TypeError],
  ["a name with a space", () => registerRemoteError("a.b c", Fresh), TypeError],
  ["a name that is too long", () => registerRemoteError(`a.${"b".repeat(200)}`, Fresh), TypeError],
  ["a parent that is no name", () => registerRemoteError("a.B", Fresh, { parents: [""] }), TypeError],
  [
    "a parent without a dot",
    () => registerRemoteError("a.B", Fresh, { parents: ["LookupError"] }),
    TypeError,
  ],
  [
    "parents that are a text",
    () => registerRemoteError("a.B", Fresh, { parents: "a.C" as never }),
    TypeError,
  ],
  ["a make() that is no function", () => registerRemoteError("a.B", Fresh, { make: 5 as never }), TypeError],
  ["no name", () => registerRemoteError(undefined as never, Fresh), TypeError],
];
for (const [name, register, type] of REFUSED) {
  Deno.test(`registerRemoteError() throws for ${name}`, () => {
    assert.throws(register, type);
  });
}
