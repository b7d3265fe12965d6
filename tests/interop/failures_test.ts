import assert from "node:assert/strict";
import {
  Referenceable,
  registerRemoteError,
  RemoteException,
  type RemoteReference,
  type TraceEvent,
  Violation,
} from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejection, rejectionOf, startTub, step, stepEachWay } from "./rig.ts";

class PeerError extends Error {}
registerRemoteError("served.PeerError", PeerError);
class NotFound extends Error {}
registerRemoteError("shop.errors.NotFound", NotFound, { parents: ["builtins.LookupError"] });
class NoSuchBook extends NotFound {}

/** Throws, takes and gives failures. */
class Thrower extends Referenceable {
  taken: unknown;
  remote_throw(text: string): never {
    throw new NotFound(text);
  }
  remote_throw_derived(text: string): never {
    throw new NoSuchBook(text);
  }
  remote_take(value: unknown): unknown {
    this.taken = value;
    return [value];
  }
}

/** Calls what it is given, and passes its failure on. */
class Relay extends Referenceable {
  constructor(readonly ref: RemoteReference) {
    super();
  }
  async remote_relay(method: string, ...args: unknown[]): Promise<unknown> {
    return await this.ref.callRemote(method, ...args);
  }
}

interopTest("errors of registered classes cross in both directions", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "from Python, as instances of the class", async ({ python }) => {
    for (const kind of ["custom", "derived"]) {
      const error = await rejectionOf(PeerError, python.callRemote("fail", kind, "no"));
      assert.equal(error.message, "no");
      assert.ok(error.cause instanceof RemoteException);
      assert.equal(error.cause.check("served.DerivedPeerError") !== undefined, kind === "derived");
      assert.match(error.cause.remoteTraceback, /remote_fail/);
    }
    const other = await rejection(python.callRemote("fail", "ValueError", "no"));
    assert.equal(Object.getPrototypeOf(other), RemoteException.prototype);
  });

  await stepEachWay(t, peer, "to Python, where check() and trap() match", async ({ python }) => {
    const thrower = new Thrower();
    for (const method of ["throw", "throw_derived"]) {
      for (const name of ["shop.errors.NotFound", "builtins.LookupError", "builtins.Exception"]) {
        const names = ["builtins.KeyError", name];
        assert.equal(await python.callRemote("check", thrower, method, names, "no"), name);
      }
      assert.equal(await python.callRemote("check", thrower, method, ["javascript.Error"], "no"), null);
      assert.equal(await python.callRemote("trap", thrower, method, "no"), true);
    }
  });

  await stepEachWay(t, peer, "through Python, as the class again", async ({ python }) => {
    const error = await rejectionOf(
      NotFound,
      python.callRemote("call", new Thrower(), "throw_derived", "far"),
    );
    assert.equal(error.message, "far");
    assert.ok(error.cause instanceof RemoteException);
    assert.equal(error.cause.check("builtins.LookupError"), "builtins.LookupError");
  });

  await step(t, "through a third Tub of Deno's, with type, parents and text", async () => {
    await using middle = await startTub({ unsafeTracebacks: true });
    await using tub = await startTub();
    const relay = new Relay(await middle.getReference(peer.furl));
    const furl = middle.registerReference(relay);
    const ref = await tub.getReference<Relay>(furl);
    const error = await rejectionOf(PeerError, ref.callRemote("relay", "fail", "derived", "far"));
    assert.ok(error.cause instanceof RemoteException);
    assert.equal(error.cause.remoteType, "served.DerivedPeerError");
    assert.match(error.cause.remoteTraceback, /remote_fail/);
    await peer.get(furl, "relay");
    const failure = await rejectionOf(
      PeerFailure,
      peer.call("relay", "relay", { str: "fail" }, { str: "derived" }, {
        str: "far",
      }),
    );
    assert.equal(failure.failure.type, "served.DerivedPeerError");
    assert.ok(failure.failure.parents.includes("served.PeerError"));
    assert.equal(failure.failure.value, "far");
  });

  await stepEachWay(t, peer, "not with exposeRemoteExceptionTypes: false", async ({ python }) => {
    const error = await rejection(python.callRemote("fail", "derived", "no"));
    assert.equal(Object.getPrototypeOf(error), RemoteException.prototype);
    assert.equal((error as RemoteException).check("served.PeerError"), "served.PeerError");
  }, { ways: BOTH_DIALERS, tub: { exposeRemoteExceptionTypes: false } });
});

interopTest("a Violation over there is told from one here", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "by its class", async ({ python }) => {
    const there = await rejectionOf(RemoteException, python.callRemote("fail", "violation", "no"));
    assert.equal(there.check("foolscap.tokens.Violation"), "foolscap.tokens.Violation");
    const here = await rejection(python.callRemote("echo", Symbol("x")));
    assert.equal(Object.getPrototypeOf(here), Violation.prototype);
  }, { ways: BOTH_DIALERS });
});

interopTest("Python with expose-remote-exception-types off wraps what we throw", async () => {
  await using peer = await startPython("peer.py", ["--option", "expose-remote-exception-types=false"]);
  await using tub = await startTub();
  await peer.get(tub.registerReference(new Thrower()), "thrower");
  const { failure } = await rejectionOf(PeerFailure, peer.call("thrower", "throw", { str: "no" }));
  assert.equal(failure.type, "foolscap.tokens.RemoteException");
  assert.match(failure.value, /RemoteException around '\[CopiedFailure instance/);
});

interopTest("Python without unsafe tracebacks tells none, relayed ones neither", async () => {
  await using peer = await startPython("peer.py", ["--safe-tracebacks"]);
  await using tub = await startTub({ unsafeTracebacks: true });
  const python = await tub.getReference(peer.furl);
  const own = await rejectionOf(RemoteException, python.callRemote("fail"));
  assert.equal(own.remoteTraceback, "Traceback unavailable\n");
  const relayed = await rejectionOf(NotFound, python.callRemote("call", new Thrower(), "throw", "x"));
  assert.equal((relayed.cause as RemoteException).remoteTraceback, "Traceback unavailable\n");
});

interopTest("a failure travels as a value", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "from Python, in a result and an argument", async ({ python }) => {
    const [given] = await python.callRemote("give_failure", "as a value") as [RemoteException];
    const thrower = new Thrower();
    await python.callRemote("send_failure", thrower, "take", "as an argument");
    for (const [failure, text] of [[given, "as a value"], [thrower.taken, "as an argument"]] as const) {
      assert.equal(Object.getPrototypeOf(failure), RemoteException.prototype);
      const remote = failure as RemoteException;
      assert.equal(remote.message, text);
      assert.equal(remote.remoteType, "served.DerivedPeerError");
      assert.equal(remote.check("served.PeerError"), "served.PeerError");
    }
  });

  await stepEachWay(t, peer, "to Python and back", async ({ python }) => {
    const [given] = await python.callRemote("give_failure", "as a value") as [RemoteException];
    const [kind, type, value, parents] = await python.callRemote("describe_failure", given) as unknown[];
    assert.equal(kind, "CopiedFailure");
    assert.equal(type, "served.DerivedPeerError");
    assert.equal(value, "as a value");
    assert.deepEqual(parents, given.remoteParents);
    const [again] = await python.callRemote("echo", [given]) as [RemoteException];
    assert.equal(again.message, given.message);
    assert.deepEqual(again.remoteParents, given.remoteParents);
    const thrower = new Thrower();
    await python.callRemote("call", thrower, "take", given);
    assert.ok(thrower.taken instanceof RemoteException);
  });

  await stepEachWay(t, peer, "but not as any other error", async ({ python }) => {
    const error = await rejectionOf(Violation, python.callRemote("echo", new TypeError("x")));
    assert.match(error.message, /an Error: send its message, or throw it/);
  }, { ways: BOTH_DIALERS });
});

interopTest("failed calls are told to the trace, those of Python and those of ours", async () => {
  await using peer = await startPython();
  const events: TraceEvent[] = [];
  await using tub = await startTub({ trace: (event) => events.push(event) });
  const python = await tub.getReference(peer.furl);
  await rejectionOf(NotFound, python.callRemote("call", new Thrower(), "throw", "here"));
  const failed = events.flatMap((event) =>
    event.type === "call-failed" || event.type === "call-rejected" ? [event] : []
  );
  assert.deepEqual(failed.map(({ type, method, error }) => [type, method, error.constructor]), [
    ["call-failed", "throw", NotFound],
    ["call-rejected", "call", RemoteException],
  ]);
  assert.ok(failed.every(({ tubId }) => tubId === peer.ready.tubid));
});
