import assert from "node:assert/strict";
import { Kwargs, pb } from "../../../mod.ts";
import { Authority } from "../certificates.ts";
import { interopTest, PeerFailure, type PythonPeer, startPython } from "../../support/python.ts";

class Two extends pb.Referenceable {
  remote_three(number: number): number {
    return number + 1;
  }
}

class Reader extends pb.Viewable {
  view_who(perspective: object | undefined, ...args: unknown[]): unknown {
    const kw = args.at(-1) instanceof Kwargs ? (args.pop() as Kwargs).values : {};
    return [perspective === undefined, args, { ...kw }];
  }
}

class OutOfStock extends pb.Error {}
pb.nameError(OutOfStock, "shop.OutOfStock");

class Root extends pb.Root {
  readonly two = new Two();
  readonly reader = new Reader();
  readonly heard: unknown[] = [];
  kept: pb.RemoteReference | undefined;

  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_add(a: number, kw: Kwargs): number {
    return a + (kw.values.b as number);
  }
  remote_getTwo(): Two {
    return this.two;
  }
  remote_isTwo(other: unknown): boolean {
    return other === this.two;
  }
  remote_reader(): Reader {
    return this.reader;
  }
  remote_later(value: unknown): Promise<unknown> {
    return new Promise((resolve) => setTimeout(() => resolve(value), 1));
  }
  remote_cb(visitor: pb.RemoteReference, value: unknown): Promise<unknown> {
    return visitor.callRemote("hello", value);
  }
  remote_keep(visitor: pb.RemoteReference): void {
    this.kept = visitor;
  }
  remote_giveKept(): unknown {
    return this.kept;
  }
  remote_dropKept(): void {
    this.kept?.[Symbol.dispose]();
  }
  remote_hear(value: unknown): void {
    this.heard.push(value);
  }
  remote_fail(kind: string): unknown {
    if (kind === "expected") throw new OutOfStock("none left");
    if (kind === "later") return Promise.reject(new pb.Error("later problem"));
    if (kind === "unsendable") return Symbol("x");
    if (kind === "large") return new Uint8Array(700_000);
    throw new RangeError("a bug in /home/someone/secret.ts");
  }
}

async function called(options: pb.PbServeOptions = {}) {
  const python = await startPython("../pb/interop/peer.py");
  const root = new Root();
  const server = await pb.serve(root, "tcp:0:interface=127.0.0.1", options);
  await python.command("connect", { kind: "tcp", port: server.port });
  return {
    python,
    root,
    server,
    async [Symbol.asyncDispose]() {
      await server.close();
      await python[Symbol.asyncDispose]();
    },
  };
}

async function call(python: PythonPeer, method: string, ...args: unknown[]): Promise<unknown> {
  return (await python.command("call", { method, args })).result;
}

interopTest("a Twisted client calls a server of ours", async () => {
  await using peer = await called();
  const { python } = peer;
  assert.equal(await call(python, "echo", "hi"), "'hi'");
  assert.equal(await call(python, "echo", { tuple: [1, 2.5, null, true] }), "(1, 2.5, None, True)");
  assert.equal((await python.command("call", { method: "add", args: [1], kw: { b: 2 } })).result, "3");
  assert.equal(await call(python, "later", 7), "7");
  assert.equal(peer.server.brokers.length, 1);
});

interopTest("a Twisted client holds objects of a server of ours, and gives them back", async () => {
  await using peer = await called();
  const { python, server } = peer;
  await python.command("call", { method: "getTwo", name: "a" });
  await python.command("call", { method: "getTwo", name: "b" });
  assert.equal((await python.command("same", { a: "a", b: "b" })).same, true);
  assert.equal((await python.command("call", { on: "a", method: "three", args: [41] })).result, "42");
  assert.equal(await call(python, "isTwo", { ref: "a" }), "True");
  assert.equal(server.brokers[0]!.tables.local, 1);
  await python.command("drop", { name: "a" });
  await python.command("drop", { name: "b" });
  await call(python, "echo", 1);
  assert.equal(server.brokers[0]!.tables.local, 0);
});

interopTest("a server of ours calls an object of a Twisted client, and sends it home", async () => {
  await using peer = await called();
  assert.equal(await call(peer.python, "cb", { own: 1 }, 5), "[5, 'from python']");
  await call(peer.python, "keep", { own: 1 });
  assert.match(String(await call(peer.python, "giveKept")), /__main__\.Own object/);
  await call(peer.python, "dropKept");
});

interopTest("a Twisted client is told of errors by their types, and of no paths", async () => {
  const traced: pb.PbTraceEvent[] = [];
  await using peer = await called({ trace: (event) => traced.push(event) });
  const { python } = peer;
  const fails = async (kind: string) => {
    const error = await call(python, "fail", kind).catch((error: unknown) => error);
    assert.ok(error instanceof PeerFailure, String(error));
    return error.failure;
  };
  const expected = await fails("expected");
  assert.equal(expected.type, "shop.OutOfStock");
  assert.equal(expected.value, "none left");
  assert.deepEqual(expected.parents.slice(0, 2), ["shop.OutOfStock", "twisted.spread.pb.Error"]);
  assert.equal((await fails("later")).value, "later problem");
  assert.deepEqual(traced.filter(({ type }) => type === "call-failed"), []);
  const bug = await fails("bug");
  assert.equal(bug.type, "javascript.RangeError");
  assert.equal(bug.value, "a bug in …");
  assert.ok(bug.parents.includes("builtins.ValueError"));
  assert.equal(traced.filter(({ type }) => type === "call-failed").length, 1);
  // What cannot be sent is an error, and the connection goes on.
  assert.equal((await fails("unsendable")).type, "javascript.Violation");
  assert.equal((await fails("large")).type, "javascript.Violation");
  assert.deepEqual(
    await python.command("awaitError", { method: "fail", args: ["expected"] }).then(({ remoteType }) =>
      remoteType
    ),
    "shop.OutOfStock",
  );
  const { checked } = await python.command("check", {
    method: "fail",
    args: ["bug"],
    types: ["builtins.KeyError", "builtins.ValueError"],
  });
  assert.equal(checked, "builtins.ValueError");
  const missing = await call(python, "nothing").catch((error: unknown) => error);
  assert.ok(missing instanceof PeerFailure);
  assert.equal(missing.failure.type, "twisted.spread.flavors.NoSuchMethod");
  assert.equal(missing.failure.value, "No such method: remote_nothing");
});

interopTest("a Twisted client is told of the stack if the server says so", async () => {
  await using peer = await called({ unsafeTracebacks: true });
  const error = await call(peer.python, "fail", "bug").catch((error: unknown) => error);
  assert.ok(error instanceof PeerFailure);
  assert.match(error.failure.traceback, /server_test\.ts/);
});

interopTest("a Twisted client calls without an answer", async () => {
  await using peer = await called();
  await peer.python.command("only", { method: "hear", args: [1] });
  await peer.python.command("only", { method: "nothing" });
  assert.equal(await call(peer.python, "echo", 2), "2");
  assert.deepEqual(peer.root.heard, [1]);
});

interopTest("a Twisted client reaches a viewable of ours", async () => {
  await using peer = await called();
  await peer.python.command("call", { method: "reader", name: "reader" });
  const { result } = await peer.python.command("call", {
    on: "reader",
    method: "who",
    args: [5],
    kw: { k: 6 },
  });
  assert.equal(result, "[True, [5], {'k': 6}]");
});

interopTest("a server of ours is told that a Twisted client has gone", async () => {
  await using peer = await called();
  const gone = Promise.withResolvers<void>();
  await call(peer.python, "echo", 1);
  peer.server.brokers[0]!.notifyOnDisconnect(gone.resolve);
  await peer.python.command("disconnect");
  await gone.promise;
  assert.equal(peer.server.brokers.length, 0);
});

interopTest("TLS with ordinary certificates carries both ways between Twisted and us", async () => {
  await using authority = await Authority.create();
  const { ca, folder } = authority;
  const { cert, key } = await authority.issue("server");
  await using python = await startPython("../pb/interop/peer.py", [
    "--tls",
    `${folder}/server.pem`,
    `${folder}/server.key`,
  ]);
  await using client = await pb.connect(`tls:127.0.0.1:${python.ready["tls" as "port"]}`, {
    caCerts: [ca],
    serverName: "localhost",
  });
  assert.equal(await client.getRootObject().callRemote("echo", "by tls"), "by tls");
  await assert.rejects(
    pb.connect(`tls:127.0.0.1:${python.ready["tls" as "port"]}`, {
      caCerts: [ca],
      serverName: "other.example",
    }),
    { name: "NegotiationError" },
  );
  await assert.rejects(pb.connect(`tls:localhost:${python.ready["tls" as "port"]}`), {
    name: "NegotiationError",
  });

  await using server = await pb.serve(new Root(), "tls:0:interface=127.0.0.1", { cert, key });
  await python.command("connect", { kind: "tls", port: server.port, ca: `${folder}/ca.pem` });
  assert.equal(await call(python, "echo", "by tls"), "'by tls'");
  await using own = await pb.connect(server.address, { caCerts: [ca] });
  assert.equal(await own.getRootObject().callRemote("echo", 1), 1);
  await python.command("disconnect");
});

interopTest("unix sockets carry both ways between Twisted and us", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using python = await startPython("../pb/interop/peer.py", ["--unix", `${folder}/python.socket`]);
    await using client = await pb.connect(`unix:${folder}/python.socket`);
    assert.equal(await client.getRootObject().callRemote("echo", "by unix"), "by unix");

    await using server = await pb.serve(new Root(), `unix:${folder}/deno.socket`);
    assert.equal(server.port, 0);
    await python.command("connect", { kind: "unix", path: `${folder}/deno.socket` });
    assert.equal(await call(python, "echo", "by unix"), "'by unix'");
    await python.command("disconnect");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
