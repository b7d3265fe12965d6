import assert from "node:assert/strict";
import { failureOf } from "../../lib/broker/failure.ts";
import { withoutPaths } from "../../lib/util/redact.ts";
import { NoSuchMethodError } from "../../lib/broker/referenceable.ts";
import { registerRemoteError } from "../../lib/broker/remote_errors.ts";
import {
  DeadReferenceError,
  PermissionDenied,
  ProtocolError,
  RemoteException,
  UnreachableError,
  Violation,
} from "../../lib/errors.ts";
import { fc } from "../deps.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

class Special extends RangeError {}
class Mapped extends Error {}
registerRemoteError("my.module.Mapped", Mapped, { parents: ["builtins.LookupError"] });
class SubMapped extends Mapped {}
class NotFound extends Error {}
registerRemoteError("my.module.NotFound", NotFound);

const TYPES: readonly [name: string, error: Error, type: string, ...parents: string[]][] = [
  ["Violation", new Violation("x"), "foolscap.tokens.Violation", "builtins.Exception"],
  ["DeadReferenceError", new DeadReferenceError("x"), "foolscap.ipb.DeadReferenceError"],
  ["ProtocolError", new ProtocolError("x"), "foolscap.tokens.BananaError"],
  ["PermissionDenied", new PermissionDenied("x"), "javascript.PermissionDenied", "builtins.PermissionError"],
  ["UnreachableError", new UnreachableError("x"), "javascript.UnreachableError", "builtins.ConnectionError"],
  ["TypeError", new TypeError("x"), "javascript.TypeError", "builtins.TypeError", "javascript.Error"],
  ["a subclass", new Special("x"), "javascript.Special", "javascript.RangeError", "builtins.ValueError"],
  ["a class with a Python name", new Mapped("x"), "my.module.Mapped", "builtins.LookupError"],
  ["a subclass of such a class", new SubMapped("x"), "my.module.Mapped", "builtins.LookupError"],
  ["a class that says no more than its name", new NotFound("x"), "my.module.NotFound"],
  ["a missing method", new NoSuchMethodError("x"), "javascript.NoSuchMethodError", "builtins.AttributeError"],
  ["a timeout", new DOMException("x", "TimeoutError"), "javascript.TimeoutError", "builtins.TimeoutError"],
  ["an abort", new DOMException("x", "AbortError"), "javascript.AbortError"],
  ["Deno's NotFound", new Deno.errors.NotFound("x"), "javascript.NotFound", "builtins.FileNotFoundError"],
  [
    "an error with only a name",
    Object.assign(new Error("x"), { name: "Custom" }),
    "javascript.Custom",
    "javascript.Error",
  ],
];
for (const [name, error, type, ...parents] of TYPES) {
  Deno.test(`failureOf() gives ${name} a type that Python can check`, () => {
    const failure = failureOf(error, false);
    assert.equal(failure.type, type);
    assert.equal(failure.value, "x");
    assert.equal(failure.parents[0], type);
    for (const parent of [...parents, "builtins.Exception", "builtins.object"]) {
      assert.ok(failure.parents.includes(parent), `${parent} in ${failure.parents}`);
    }
    assert.equal(failure.traceback, "Traceback unavailable\n");
  });
}

Deno.test("failureOf() keeps type, parents and text of a relayed failure", () => {
  const error = new RemoteException("no file /etc/far", {
    remoteType: "far.Away",
    remoteParents: ["far.Away", "builtins.Exception"],
    remoteTraceback: "far away",
  });
  assert.deepEqual(failureOf(error, false), {
    value: "no file /etc/far",
    type: "far.Away",
    traceback: "Traceback unavailable\n",
    parents: ["far.Away", "builtins.Exception"],
  });
  assert.equal(failureOf(error, true).traceback, "far away");
});

Deno.test("failureOf() tells stack and paths only if it may", () => {
  const error = new RangeError("cannot read '/home/me/my file.txt'");
  const told = failureOf(error, true), hidden = failureOf(error, false);
  assert.equal(told.value, error.message);
  assert.match(told.traceback, /failure_test\.ts/);
  assert.equal(hidden.value, "cannot read '…'");
  assert.equal(hidden.traceback, "Traceback unavailable\n");
});

Deno.test("failureOf() hides the name in a FURL, in the stack too", () => {
  const furl = `pb://${"a".repeat(32)}@tcp:h:1/swissnumswissnum`;
  const failure = failureOf(new RangeError(`no ${furl}`), true);
  assert.ok(!JSON.stringify(failure).includes("swissnum"));
});

const STRANGE: readonly [name: string, thrown: unknown][] = [
  ["a message that throws", Object.defineProperty(new Error("x"), "message", { get: fail })],
  ["a stack that throws", Object.defineProperty(new Error("x"), "stack", { get: fail })],
  ["a name that throws", Object.defineProperty(new Error("x"), "name", { get: fail })],
  ["a message that is a Symbol", Object.assign(new Error(), { message: Symbol("s") })],
  ["a prototype that throws", new Proxy(new Error("x"), { getPrototypeOf: fail })],
  ["a constructor that throws", Object.defineProperty(new Error("x"), "constructor", { get: fail })],
  ["a revoked proxy", revoked()],
  ["lone surrogates", new Error("\ud800 and \udc00")],
  ["nothing", undefined],
  ["an object without a text", Object.create(null)],
];
for (const [name, thrown] of STRANGE) {
  Deno.test(`failureOf() describes ${name}`, () => {
    for (const exposes of [true, false]) {
      const failure = failureOf(thrown, exposes);
      assert.ok(failure.type.length > 0);
      assert.ok(failure.value.isWellFormed() && failure.traceback.isWellFormed());
    }
  });
}

function fail(): never {
  throw new Error("the error's own code failed");
}
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
  revoke();
  return proxy;
}

Deno.test("failureOf() stays within the bytes that Python takes, for any text", () => {
  const text = fc.string({ unit: "binary", maxLength: 4_000 });
  fc.assert(
    fc.property(text, text, text, fc.boolean(), (message, name, stack, exposes) => {
      const error = Object.assign(new Error(message), { name, stack });
      const failure = failureOf(error, exposes);
      assert.ok(bytesOf(failure.value) <= 1_000);
      assert.ok(bytesOf(failure.type) <= 200);
      assert.ok(bytesOf(failure.traceback) <= 2_000);
      assert.ok(failure.parents.every((parent) => bytesOf(parent) <= 200));
    }),
    { numRuns: 200 },
  );
});

const CUTS: readonly [name: string, message: string, value: string][] = [
  ["1000 bytes stay", "x".repeat(1_000), "x".repeat(1_000)],
  ["1001 are cut", "x".repeat(1_001), `${"x".repeat(997)}..`],
  ["characters stay whole", "€".repeat(500), `${"€".repeat(332)}..`],
];
for (const [name, message, value] of CUTS) {
  Deno.test(`failureOf() cuts by bytes: ${name}`, () => {
    assert.equal(failureOf(new Error(message), false).value, value);
  });
}

Deno.test("failureOf() cuts a relayed type and each of its parents", () => {
  const long = "t".repeat(300);
  const failure = failureOf(
    new RemoteException("x", { remoteType: long, remoteParents: [long, "p"], remoteTraceback: "" }),
    false,
  );
  assert.equal(failure.type, `${"t".repeat(197)}..`);
  assert.deepEqual(failure.parents, [failure.type, "p"]);
});

Deno.test("failureOf() keeps beginning and end of a long traceback", () => {
  const error = Object.assign(new Error("x"), { stack: `begin ${"é".repeat(3_000)} end` });
  const { traceback } = failureOf(error, true);
  assert.match(traceback, /^begin é+\n\n-- TRACEBACK ELIDED --\n\né+ end$/);
});

const PATHS: readonly [text: string, shown: string][] = [
  ["open '/home/u/x y/z' failed", "open '…' failed"],
  ["open /etc/passwd: no such file", "open …: no such file"],
  ["at f (file:///home/u/x.ts:1:2)", "at f (…:1:2)"],
  ["at /home/u/x.ts:1:2", "at …:1:2"],
  ["file:///C:/x/y.ts is missing", "… is missing"],
  ["C:\\Users\\John Smith\\a.txt is missing", "… is missing"],
  ["D:/data/x is missing", "… is missing"],
  ['"C:\\Program Files\\x"', '"…"'],
  ["\\\\server\\share\\x", "…"],
  ["~/secret.pem", "…"],
  ["PATH=/usr/bin:/home/x", "PATH=…"],
  ["--allow-read=/srv/data", "--allow-read=…"],
  ['{"path":"/home/u/b c"}', '{"path":"…"}'],
  ["error>/home/x", "error>…"],
  ["'/a b' or '/c d'", "'…' or '…'"],
  ["it's /home/x and it's", "it's … and it's"],
];
const ORDINARY = [
  "a/b and and/or",
  "2024/01/02, 1/2, km/h",
  "see https://example.com/a/b?c=/d",
  "ws://h:80/x",
  "text/html; charset=utf-8",
  "x = 4 / 2",
  "/",
  "a // comment",
  "./lib/x and ../y",
  "ä/ö",
  "50%/50%",
  "C: drive",
  "back\\slash",
];
for (const [text, shown] of [...PATHS, ...ORDINARY.map((text) => [text, text] as const)]) {
  Deno.test(`withoutPaths() makes ${JSON.stringify(shown)} of ${JSON.stringify(text)}`, () => {
    assert.equal(withoutPaths(text), shown);
  });
}

Deno.test("withoutPaths() gives no more back than it got, for texts made to make it try for ever", () => {
  for (const unit of ["'/", "/ /a,", "C:\\a b\\ ", '"/a', " /a\\", "a://", "~/ "]) {
    const text = unit.repeat(8_192 / unit.length);
    assert.ok(withoutPaths(text).length <= text.length);
  }
});
