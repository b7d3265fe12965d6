import assert from "node:assert/strict";
import {
  DeadReferenceError,
  FurlError,
  NegotiationError,
  RemoteException,
  type RemoteReference,
  Tub,
  UnreachableError,
  Violation,
} from "../../mod.ts";
import { interopTest, PeerFailure, type PeerFailureDetails, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejectionOf, type Rig, step, stepEachWay, until } from "./rig.ts";

async function peerFailure(promise: Promise<unknown>): Promise<PeerFailureDetails> {
  return (await rejectionOf(PeerFailure, promise)).failure;
}

async function remoteError(promise: PromiseLike<unknown>): Promise<RemoteException> {
  return await rejectionOf(RemoteException, promise);
}

/** The connection is the same one, and calls go both ways. */
async function assertAlive({ python, peer, ours }: Rig): Promise<void> {
  assert.ok(python.isConnected());
  assert.equal(await python.callRemote("add", 1, 2), 3);
  assert.deepEqual(await peer.call(ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
}

const TEXTS: readonly { readonly name: string; readonly text: string; readonly arrives: RegExp }[] = [
  { name: "plain", text: "you asked me to fail", arrives: /^you asked me to fail$/ },
  { name: "empty", text: "", arrives: /^$/ },
  { name: "of every plane", text: "na\u00efve \u20ac \u{1f600}", arrives: /^na\u00efve \u20ac \u{1f600}$/u },
  { name: "long", text: "x".repeat(5000), arrives: /^x{900,1000}\.\.$/ },
  { name: "long and not ASCII", text: "\u20ac".repeat(3000), arrives: /^\u20ac{300,1000}\.\.$/ },
  { name: "long and of pairs", text: "\u{1f600}".repeat(3000), arrives: /^(\u{1f600}){200,1000}\.\.$/u },
];

/** What a JavaScript error is for `Failure.check` in Python. */
const KINDS: readonly { readonly kind: string; readonly type: string; readonly checks: string }[] = [
  { kind: "TypeError", type: "javascript.TypeError", checks: "builtins.TypeError" },
  { kind: "RangeError", type: "javascript.RangeError", checks: "builtins.ValueError" },
  { kind: "SyntaxError", type: "javascript.SyntaxError", checks: "builtins.ValueError" },
  { kind: "Error", type: "javascript.Error", checks: "builtins.Exception" },
  { kind: "PeerError", type: "javascript.PeerError", checks: "builtins.Exception" },
  { kind: "Violation", type: "foolscap.tokens.Violation", checks: "foolscap.tokens.Violation" },
];

interopTest("a failure of a method reaches its caller", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "from Python, with type, parents and traceback", async (rig) => {
    const { python } = rig;
    const value = await remoteError(python.callRemote("fail"));
    assert.equal(value.remoteType, "builtins.ValueError");
    assert.equal(value.message, "you asked me to fail");
    assert.match(value.remoteTraceback, /Traceback[^]*remote_fail/);
    assert.equal(value.check("builtins.KeyError", "builtins.Exception"), "builtins.Exception");
    assert.equal(value.check("builtins.KeyError"), undefined);
    const key = await remoteError(python.callRemote("fail", "KeyError", "k"));
    assert.equal(key.message, "'k'");
    assert.equal(key.check("builtins.LookupError"), "builtins.LookupError");
    const custom = await remoteError(python.callRemote("fail", "custom"));
    assert.match(custom.remoteType, /\.PeerError$/);
    const later = await remoteError(python.callRemote("fail", "later", "in a moment"));
    assert.equal(later.message, "in a moment");
    const violation = await remoteError(python.callRemote("fail", "violation", "no"));
    assert.equal(violation.check("foolscap.tokens.Violation"), "foolscap.tokens.Violation");
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "with its text", async (rig) => {
    for (const { name, text, arrives } of TEXTS) {
      assert.match(
        (await remoteError(rig.python.callRemote("fail", "ValueError", text))).message,
        arrives,
        name,
      );
      const args = [{ str: "TypeError" }, { str: text }];
      assert.match((await peerFailure(peer.call(rig.ours, "fail", ...args))).value, arrives, name);
    }
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "from Deno, with a type that Python can check", async (rig) => {
    for (const { kind, type, checks } of KINDS) {
      for (const method of ["fail", "fail_later"]) {
        const args = [{ str: kind }, { str: "no" }];
        const failure = await peerFailure(peer.call(rig.ours, method, ...args));
        assert.equal(failure.type, type);
        assert.equal(failure.value, "no");
        assert.ok(failure.remote);
        assert.equal(failure.parents.at(-1), "builtins.object");
        const types = ["builtins.KeyError", checks];
        const checked = await peer.command("check", { ref: rig.ours, method, args, types });
        assert.equal(checked.type, checks);
      }
    }
    const odd = await peerFailure(peer.call(rig.ours, "fail_oddly"));
    assert.match(odd.value, /a text/);
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "of a method that is not there", async (rig) => {
    const missing = await remoteError(rig.python.callRemote("nosuch"));
    assert.equal(missing.remoteType, "builtins.AttributeError");
    assert.match(missing.message, /remote_nosuch/);
    const types = ["builtins.AttributeError"];
    const checked = await peer.command("check", { ref: rig.ours, method: "nosuch", types });
    assert.equal(checked.type, "builtins.AttributeError");
    assert.match((await peerFailure(peer.call(rig.ours, "caf\u00e9"))).value, /remote_caf/);
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "that was passed on by the other side", async (rig) => {
    await rig.python.callRemote("hold", rig.root);
    const ours = await remoteError(rig.python.callRemote("call_back", "fail", "RangeError", "far"));
    assert.equal(ours.remoteType, "javascript.RangeError");
    assert.equal(ours.check("builtins.ValueError"), "builtins.ValueError");
    assert.equal(ours.message, "far");
    await rig.root.remote_hold(rig.python);
    const args = [{ str: "fail" }, { str: "KeyError" }, { str: "k" }];
    const theirs = await peerFailure(peer.call(rig.ours, "call_back", ...args));
    assert.equal(theirs.type, "builtins.KeyError");
    assert.ok(theirs.parents.includes("builtins.LookupError"));
    await assertAlive(rig);
  });
});

interopTest("Python learns no path of this machine, and a stack only if the Tub says so", async (t) => {
  await using peer = await startPython();
  const path = Deno.cwd();
  await stepEachWay(t, peer, "by default", async ({ ours }) => {
    const failure = await peerFailure(
      peer.call(ours, "fail", { str: "TypeError" }, { str: `Cannot read ${path}/secret.txt` }),
    );
    assert.ok(!JSON.stringify(failure).includes(path), JSON.stringify(failure));
    assert.doesNotMatch(failure.traceback, /root\.ts|remote_fail/);
    assert.match(failure.traceback, /Traceback unavailable/);
  }, { ways: BOTH_DIALERS });
  await stepEachWay(t, peer, "with unsafeTracebacks", async ({ ours }) => {
    const failure = await peerFailure(peer.call(ours, "fail", { str: "TypeError" }, { str: "no" }));
    assert.match(failure.traceback, /remote_fail[^]*root\.ts/);
  }, { ways: BOTH_DIALERS, tub: { unsafeTracebacks: true } });
});

interopTest("a value that may not cross fails its call and nothing else", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "an argument that Deno cannot send", async (rig) => {
    const { python } = rig;
    const error = await rejectionOf(Violation, python.callRemote("echo", { tags: [1, 2, Symbol("x")] }));
    assert.equal(error.where, "arguments[0].tags[2]");
    const bare = await rejectionOf(Violation, python.callRemote("echo", () => {}));
    assert.match(bare.message, /callable/);
    await rejectionOf(Violation, python.callRemote("echo", "\ud800"));
    await rejectionOf(Violation, python.callRemote("echo", new Map<unknown, unknown>([[1, 1], [true, 2]])));
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "an argument that Python cannot send", async (rig) => {
    const error = await remoteError(rig.python.callRemote("send_unsendable", rig.root));
    assert.equal(error.remoteType, "foolscap.tokens.Violation");
    assert.match(error.message, /arg\[0\]/);
    assert.equal(rig.tub.debug.tables().activeCalls, 0);
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "a result that Python cannot send", async (rig) => {
    for (const method of ["unsendable", "unsendable_inside"]) {
      await rejectionOf(Violation, rig.python.callRemote(method));
    }
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "a result that Deno cannot send", async (rig) => {
    const failure = await peerFailure(peer.call(rig.ours, "unsendable"));
    assert.equal(failure.type, "foolscap.tokens.Violation");
    assert.match(failure.value, /result\[1\]\.a/);
    await assertAlive(rig);
  });

  await stepEachWay(t, peer, "what a RemoteInterface in Python refuses", async (rig) => {
    const strict = await rig.python.callRemote("give_strict") as RemoteReference;
    const refused = await remoteError(strict.callRemote("add", 1, "two"));
    assert.equal(refused.remoteType, "foolscap.tokens.Violation");
    assert.match(refused.message, /arg/);
    const types = await remoteError(strict.callRemote("add", 1.5, 2));
    assert.equal(types.remoteType, "foolscap.tokens.Violation");
    const result = await remoteError(strict.callRemote("wrong"));
    assert.match(result.message, /return value/);
    const missing = await remoteError(strict.callRemote("nosuch"));
    assert.match(missing.message, /nosuch/);
    await assertAlive(rig);
  });

  const limits = { maxStringBytes: 10_000, maxElements: 1_000, maxDepth: 40 };
  await stepEachWay(t, peer, "what a limit of the Deno Tub refuses", async (rig) => {
    const { python, ours } = rig;
    const long = await peerFailure(peer.call(ours, "length", { list: [{ bytes: "00".repeat(10_001) }] }));
    assert.equal(long.type, "foolscap.tokens.Violation");
    assert.match(long.value, /10001/);
    assert.match(long.value, /arguments\[0\]\[0\]/);
    const many = await peerFailure(peer.call(ours, "length", { list: Array(1001).fill({ int: "1" }) }));
    assert.equal(many.type, "foolscap.tokens.Violation");
    const unknown = await peerFailure(peer.call(ours, "echo", { copyable: ["tests.Unknown", []] }));
    assert.match(unknown.value, /tests\.Unknown/);
    const answer = await rejectionOf(Violation, python.callRemote("make", 10_001));
    assert.match(answer.message, /10001/);
    await assertAlive(rig);
  }, { tub: { limits } });
});

interopTest("getReference() fails with what is wrong with the FURL", async (t) => {
  await using peer = await startPython();
  const { furl } = peer;
  const port = String(peer.ready.port);

  await stepEachWay(t, peer, "a name that nobody has", async (rig) => {
    const error = await remoteError(rig.tub.getReference(furl.replace(/[^/]+$/, "nobody")));
    assert.equal(error.remoteType, "builtins.KeyError");
    assert.match(error.message, /unable to find reference for name starting with 'no'/);
    const wanted = rig.furl.replace(/[^/]+$/, "nobody");
    const failure = await peerFailure(peer.get(wanted, "nothing"));
    assert.equal(failure.type, "builtins.KeyError");
    assert.match(failure.value, /unable to find reference for name starting with 'no'/);
    assert.ok(!failure.value.includes("nobody"));
    await assertAlive(rig);
  });

  await step(t, "a TubID that nobody has there", async () => {
    await using tub = await Tub.create();
    const wrong = furl.replace(/pb:\/\/[a-z2-7]+/, `pb://${"a".repeat(32)}`);
    const error = await rejectionOf(NegotiationError, tub.getReference(wrong));
    assert.match(error.message, /unknown TubID|unknown tub/i);
    assert.equal(tub.debug.tables().connections, 0);
  });

  await step(t, "a TubID that nobody has at a Deno Tub", async () => {
    await using tub = await Tub.create();
    const listener = await tub.listenOn("tcp:0:interface=127.0.0.1");
    const failure = await peerFailure(peer.get(`pb://${"a".repeat(32)}@${listener.hint}/x`, "nothing"));
    assert.equal(failure.type, "foolscap.tokens.BananaError");
    assert.match(failure.value, /500 Internal Server Error: unknown TubID/);
    assert.equal(tub.debug.tables().connections, 0);
  });

  await step(t, "a hint where nobody listens", async () => {
    await using tub = await Tub.create();
    const closed = await tub.listenOn("tcp:0:interface=127.0.0.1");
    const free = String(closed.port);
    await closed.close();
    const wrong = furl.replace(`:${port}/`, `:${free}/`);
    const error = await rejectionOf(UnreachableError, tub.getReference(wrong));
    assert.deepEqual([...error.errors.keys()], [`tcp:127.0.0.1:${free}`]);
    const both = furl.replace(`:${port}/`, `:${free},tcp:127.0.0.1:${port}/`);
    assert.equal(await (await tub.getReference(both)).callRemote("add", 1, 2), 3);
  });

  await step(t, "a text that is no FURL", async () => {
    await using tub = await Tub.create();
    await rejectionOf(FurlError, tub.getReference("http://example.org/"));
  });
});

interopTest("what breaks the protocol ends the connection, and the next one works", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "bytes from Python that are no token", async (rig) => {
    const lost = Promise.withResolvers<void>();
    rig.python.notifyOnDisconnect(lost.resolve);
    const waiting = rejectionOf(DeadReferenceError, rig.python.callRemote("wait", "never"));
    // Let the call arrive: the bytes go into whatever Python is writing.
    await rig.python.callRemote("nothing");
    await peer.command("write", { hex: "00".repeat(70) });
    await waiting;
    await lost.promise;
    await until(() => rig.tub.debug.tables().connections === 0, "the connection is closed");
    await rig.meet("Deno");
    await assertAlive(rig);
  });
});
