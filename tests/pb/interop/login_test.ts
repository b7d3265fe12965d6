import assert from "node:assert/strict";
import { kwargs, pb, tuple } from "../../../mod.ts";
import { interopTest, PeerFailure, type PythonPeer, startPython } from "../../support/python.ts";
import { House, User } from "../cred/house.ts";

const PASSWORDS = "Alice:wonderland\nbob:builder\n";

async function twisted(which: "memory" | "both" | "anonymous" | "file", ...args: string[]) {
  const python = await startPython("../pb/interop/cred_peer.py", [which, ...args]);
  const client = await pb.connect(`tcp:127.0.0.1:${python.ready.port}`);
  return {
    python,
    client,
    /** The log, when it has this many entries. */
    async log(count: number): Promise<unknown> {
      for (;;) {
        const { log } = await python.command("log");
        if ((log as unknown[]).length >= count) return log;
      }
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await python[Symbol.asyncDispose]();
    },
  };
}

class Mind extends pb.Referenceable {
  readonly heard: string[] = [];
  remote_welcome(name: string): void {
    this.heard.push(name);
  }
}

interopTest("client.login() logs in to a Twisted portal, several times, and out", async () => {
  await using peer = await twisted("memory");
  const { client } = peer;
  const mind = new Mind();
  const [alice, bob] = await Promise.all([
    client.login<User>(new pb.UsernamePassword("alice", "wonderland"), mind),
    client.login<User>(new pb.UsernamePassword("bob", "builder")),
  ]);
  assert.equal(await alice.callRemote("whoami"), "alice");
  assert.equal(await bob.callRemote("whoami"), "bob");
  assert.equal(await bob.callRemote("add", 1, 2), 3);
  assert.deepEqual(mind.heard, ["alice"]);
  alice.logout();
  assert.deepEqual((await peer.log(3) as string[]).slice(2), ["out alice"]);
  assert.equal(await bob.callRemote("whoami"), "bob");
  await client.close();
  assert.deepEqual((await peer.log(4) as string[]).slice(3), ["out bob"]);
});

interopTest("client.login() reaches an avatar of Twisted that is no pb.Avatar", async () => {
  await using peer = await twisted("memory");
  using avatar = await peer.client.login(new pb.UsernamePassword("bare", "x"));
  assert.deepEqual(await avatar.callRemote("anything", 1), ["anything", [1]]);
});

const REFUSED: readonly (readonly [string, "memory" | "anonymous", pb.LoginMethod, unknown, string])[] = [
  [
    "a wrong password",
    "memory",
    new pb.UsernamePassword("alice", "x"),
    pb.UnauthorizedLogin,
    "twisted.cred.error.UnauthorizedLogin",
  ],
  [
    "an unknown user",
    "memory",
    new pb.UsernamePassword("nobody", "x"),
    pb.UnauthorizedLogin,
    "twisted.cred.error.UnauthorizedLogin",
  ],
  [
    "an anonymous login where none is allowed",
    "memory",
    new pb.Anonymous(),
    pb.UnhandledCredentials,
    "twisted.cred.error.UnhandledCredentials",
  ],
  [
    "a password where only anonymous logins are",
    "anonymous",
    new pb.UsernamePassword("alice", "wonderland"),
    pb.UnhandledCredentials,
    "twisted.cred.error.UnhandledCredentials",
  ],
  [
    "a user whom the realm fails",
    "memory",
    new pb.UsernamePassword("mallory", "x"),
    pb.RemoteError,
    "builtins.NotImplementedError",
  ],
];
for (const [what, which, credentials, construct, remoteType] of REFUSED) {
  interopTest(`client.login() rejects with Twisted's type for ${what}`, async () => {
    await using peer = await twisted(which);
    await assert.rejects(peer.client.login(credentials), (error: unknown) => {
      assert.ok(error instanceof (construct as typeof pb.LoginFailed));
      assert.equal(error.remoteType, remoteType);
      return true;
    });
    assert.equal(peer.client.isConnected, true);
  });
}

interopTest("client.login() is anonymous or not, as it likes, where Twisted has both checkers", async () => {
  await using peer = await twisted("both");
  const guest = await peer.client.login(new pb.Anonymous());
  assert.equal(await guest.callRemote("whoami"), "guest");
  using alice = await peer.client.login<User>(new pb.UsernamePassword("alice", "wonderland"));
  assert.equal(await alice.callRemote("whoami"), "alice");
  guest.logout();
  assert.deepEqual(await peer.log(3), ["in anonymous", "in alice", "out anonymous"]);
});

async function withPasswords<T>(use: (file: string) => Promise<T>): Promise<T> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, PASSWORDS);
    return await use(file);
  } finally {
    await Deno.remove(file);
  }
}

interopTest("client.login() logs in where Twisted has a password file", async () => {
  await withPasswords(async (file) => {
    await using peer = await twisted("file", file);
    using avatar = await peer.client.login<User>(new pb.UsernamePassword("ALICE", "wonderland"));
    assert.equal(await avatar.callRemote("whoami"), "alice");
  });
});

/** A portal of ours, and a Twisted client of it. */
async function ours(portal: pb.Portal) {
  const python = await startPython("../pb/interop/cred_peer.py", ["memory"]);
  const server = await pb.serve(portal, "tcp:0:interface=127.0.0.1");
  await python.command("connect", { port: server.port });
  return {
    python,
    server,
    async [Symbol.asyncDispose]() {
      await server.close();
      await python[Symbol.asyncDispose]();
    },
  };
}

class Welcoming extends House {
  readonly left = Promise.withResolvers<void>();
  override async requestAvatar(id: pb.AvatarId, mind: pb.RemoteReference | null, context: pb.LoginContext) {
    if (mind !== null) await mind.callRemote("welcome", String(id === pb.ANONYMOUS ? "nobody" : id));
    const { avatar, logout } = await super.requestAvatar(id, mind, context);
    return {
      avatar,
      logout: () => {
        logout!();
        this.left.resolve();
      },
    };
  }
}

const users = () => new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland", bob: "builder" });
const failsAs = (type: string) => (error: unknown) => {
  assert.ok(error instanceof PeerFailure);
  assert.equal(error.failure.type, type);
  return true;
};
const call = async (python: PythonPeer, on: string, method: string, ...args: unknown[]) =>
  (await python.command("call", { on, method, args })).result;

interopTest("a Twisted client logs in to a portal of ours, and out by giving the avatar up", async () => {
  const house = new Welcoming();
  await using peer = await ours(new pb.Portal(house, [users()]));
  const { python } = peer;
  await python.command("login", { name: "alice", password: "wonderland", as_: "a", mind: true });
  await python.command("login", { name: "bob", password: "builder", as_: "b" });
  assert.equal(await call(python, "a", "whoami"), "'alice'");
  assert.equal(await call(python, "b", "add", 1, 2), "3");
  assert.deepEqual((await python.command("heard")).heard, ["alice"]);
  await python.command("drop", { name: "a" });
  await house.left.promise;
  assert.deepEqual(house.log, ["in alice", "in bob", "out alice"]);
  assert.equal(await call(python, "b", "whoami"), "'bob'");
});

interopTest("a Twisted client that is lost is logged out of a portal of ours", async () => {
  const house = new Welcoming();
  await using peer = await ours(new pb.Portal(house, [users()]));
  await peer.python.command("login", { name: "alice", password: "wonderland", mind: true });
  peer.python.signal("SIGKILL");
  await house.left.promise;
  assert.deepEqual(house.log, ["in alice", "out alice"]);
});

interopTest("a Twisted client is refused by a portal of ours as by its own", async () => {
  await using peer = await ours(new pb.Portal(new House(), [users()]));
  const { python } = peer;
  for (const [name, password] of [["alice", "x"], ["nobody", "x"], ["ü", "x"]]) {
    await assert.rejects(
      python.command("login", { name, password }),
      (error: unknown) => {
        assert.ok(error instanceof PeerFailure);
        assert.equal(error.failure.value, "");
        assert.deepEqual(error.failure.parents.slice(0, 3), [
          "twisted.cred.error.UnauthorizedLogin",
          "twisted.cred.error.LoginFailed",
          "twisted.cred.error.Unauthorized",
        ]);
        return failsAs("twisted.cred.error.UnauthorizedLogin")(error);
      },
    );
  }
  await assert.rejects(python.command("login"), failsAs("twisted.cred.error.UnhandledCredentials"));
  const twice = await python.command("respondTwice", { name: "alice", wrong: "x", right: "wonderland" });
  const refused = "twisted.cred.error.UnauthorizedLogin";
  assert.deepEqual(twice.types, [refused, refused]);
});

interopTest("Twisted clients log in at once to a portal of ours", async () => {
  await using peer = await ours(new pb.Portal(new House(), [users()]));
  const { results } = await peer.python.command("loginMany", {
    users: [["alice", "wonderland"], ["bob", "builder"], ["alice", "x"]],
  });
  assert.deepEqual(results, [true, true, "twisted.cred.error.UnauthorizedLogin"]);
});

interopTest(
  "a Twisted client logs in to a portal of ours without a name, and to a password file",
  async () => {
    class Guests extends House {
      override avatar(name: string, mind: unknown) {
        return name === "anonymous" ? new Guest() : new User(name, mind);
      }
    }
    class Guest extends pb.Referenceable {
      remote_whoami(): string {
        return "guest";
      }
    }
    await withPasswords(async (file) => {
      const checkers = [new pb.FilePasswordDB(file, { caseSensitive: false }), new pb.AllowAnonymousAccess()];
      await using peer = await ours(new pb.Portal(new Guests(), checkers));
      const { python } = peer;
      await python.command("login", { as_: "g", mind: false });
      await python.command("login", { name: "aLiCe", password: "wonderland", as_: "a" });
      assert.equal(await call(python, "g", "whoami"), "'guest'");
      assert.equal(await call(python, "a", "whoami"), "'alice'");
    });
  },
);

interopTest("an avatar of Twisted takes arguments by name, fails, and shows what it sees", async () => {
  await using peer = await twisted("memory");
  using alice = await peer.client.login(new pb.UsernamePassword("alice", "wonderland"));
  using bob = await peer.client.login(new pb.UsernamePassword("bob", "builder"));
  assert.equal(await alice.callRemote("add", 1, kwargs({ b: 2 })), 3);
  await assert.rejects(alice.callRemote("fail"), {
    remoteType: "twisted.spread.pb.Error",
    message: "of the avatar",
  });
  const view = await alice.callRemote("view") as pb.RemoteReference;
  assert.deepEqual(await view.callRemote("who", 5, kwargs({ k: 6 })), ["alice", [5], [tuple("k", 6)]]);
  assert.equal(await alice.callRemote("isView", view), true);
  assert.equal(await bob.callRemote("isView", view), false);
  assert.equal(await alice.callRemote("view"), view);
  const other = await bob.callRemote("view") as pb.RemoteReference;
  assert.deepEqual(await other.callRemote("who"), ["bob", [], []]);
});

interopTest(
  "an avatar of ours takes Twisted's arguments by name, fails, and shows what it sees",
  async () => {
    await using peer = await ours(new pb.Portal(new House(), [users()]));
    const { python, server } = peer;
    await python.command("login", { name: "alice", password: "wonderland", as_: "a" });
    await python.command("login", { name: "bob", password: "builder", as_: "b" });
    const { result } = await python.command("call", { on: "a", method: "add", args: [1], kw: { b: 2 } });
    assert.equal(result, "3");
    await assert.rejects(call(python, "a", "fail"), failsAs("twisted.spread.pb.Error"));
    await python.command("call", { on: "a", method: "view", name: "view" });
    await python.command("call", { on: "b", method: "view", name: "other" });
    assert.equal(await call(python, "view", "who", 5), "['alice', [5], []]");
    assert.equal(await call(python, "other", "who"), "['bob', [], []]");
    assert.equal(await call(python, "a", "isView", { ref: "view" }), "True");
    assert.equal(await call(python, "b", "isView", { ref: "view" }), "False");
    // What is given back leaves nothing behind.
    for (const name of ["view", "other", "a"]) await python.command("drop", { name });
    assert.equal(await call(python, "b", "whoami"), "'bob'");
    assert.equal(server.brokers[0]!.tables.local, 1);
  },
);

interopTest(
  "a Twisted client sends more than 1 MiB at once when it is logged in, and is cut off before",
  async () => {
    const house = new Welcoming();
    await using peer = await ours(new pb.Portal(house, [users()]));
    const { python } = peer;
    const much = { method: "isView", length: 600_000 };
    await python.command("login", { name: "alice", password: "wonderland", mind: true });
    assert.equal((await python.command("sendMuch", { on: "avatar", ...much })).result, "False");
    await python.command("drop");
    await house.left.promise;
    await assert.rejects(
      python.command("sendMuch", { on: "root", ...much, method: "loginAnonymous" }),
      failsAs("twisted.spread.pb.PBConnectionLost"),
    );
  },
);
