import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { PbBroker } from "../../../lib/pb/broker/broker.ts";
import { PbServer } from "../../../lib/pb/server.ts";
import { resolveSettings } from "../../../lib/pb/broker/options.ts";
import { StreamConnection } from "../../../lib/transport/stream_connection.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { streamPair } from "../../support/stream_pairs.ts";
import { agreedServer, type Sexp, u } from "../broker/raw.ts";
import { call, House, portalTo, type User } from "./house.ts";
import { collectGarbage } from "../../support/gc.ts";

const alice = () => new pb.UsernamePassword("alice", "secret");
const challenge = Uint8Array.fromHex("15fe3c256460a65fb489ae4b2deb461d");
const response = Uint8Array.fromHex("a9abda604fc1d09eeabd6b6bf37d0b44");
const failure = (type: string, value: string): Sexp => [
  "twisted.spread.pb.CopyableFailure",
  [
    "dictionary",
    [u("type"), type],
    [u("value"), u(value)],
    [u("traceback"), u("Traceback unavailable\n")],
    [u("parents"), ["list", u(type), u("builtins.Exception")]],
  ],
];

Deno.test("login() by password has Twisted's bytes, holds the avatar, and logs out by a decref", async () => {
  await using made = await agreedServer();
  const { raw, client } = made;
  const mind = new (class extends pb.Referenceable {})();
  const login = client.login<User>(alice(), mind);
  await raw.expect(
    "07 80 1a 87 01 81 04 82 72 6f 6f 74 14 87 01 81 02 80 0b 87 05 82 61 6c 69 63 65 01 80 05 87",
  );
  raw.say(["answer", 1, ["tuple", challenge, ["remote", 1]]]);
  await raw.hear(call(2, 1, "respond", response, ["remote", 1]), ["decref", 1]);
  raw.say(["answer", 2, ["remote", 2]]);
  const avatar = await login;
  assert.ok(avatar instanceof pb.AvatarReference && avatar instanceof pb.RemoteReference);
  const sum = avatar.callRemote("add", 1, 2);
  await raw.hear(call(3, 2, "add", 1, 2));
  raw.say(["answer", 3, 3]);
  assert.equal(await sum, 3);
  // It is its own object for the server.
  client.getRootObject().callRemoteOnly("take", avatar);
  await raw.hear(["message", 4, "root", "take", 0, ["tuple", ["local", 2]], ["dictionary"]]);
  avatar.logout();
  avatar.logout();
  await raw.hear(["decref", 2]);
  await assert.rejects(avatar.callRemote("whoami"), /the reference was released/);
});

Deno.test("login() without a name is one call", async () => {
  await using made = await agreedServer();
  const { raw, client } = made;
  const login = client.login(new pb.Anonymous());
  await raw.expect(
    "07 80 1a 87 01 81 04 82 72 6f 6f 74 0e 82 6c 6f 67 69 6e 41 6e 6f 6e 79 6d 6f 75 73",
    "01 81 02 80 0b 87 01 80 01 87 01 80 05 87",
  );
  raw.say(["answer", 1, ["remote", 8]]);
  {
    using _avatar = await login;
  }
  await raw.hear(["decref", 8]);
});

Deno.test("an avatar that came for two logins is given back after both are logged out", async () => {
  await using made = await agreedServer();
  const { raw, client } = made;
  const logins = [client.login(new pb.Anonymous()), client.login(new pb.Anonymous())];
  await raw.hear(call(1, "root", "loginAnonymous", ["None"]), call(2, "root", "loginAnonymous", ["None"]));
  raw.say(["answer", 1, ["remote", 5]], ["answer", 2, ["remote", 5]]);
  const [one, other] = await Promise.all(logins);
  one!.logout();
  const still = other!.callRemote("x");
  await raw.hear(call(3, 5, "x"));
  raw.say(["answer", 3, 1]);
  assert.equal(await still, 1);
  other!.logout();
  await raw.hear(["decref", 5], ["decref", 5]);
});

Deno.test("an avatar that the program has forgotten is not collected, and so not logged out", async () => {
  await using made = await agreedServer();
  const { raw, client } = made;
  const login = client.login(new pb.Anonymous());
  await raw.hear(call(1, "root", "loginAnonymous", ["None"]));
  raw.say(["answer", 1, ["remote", 1]]);
  await login.then(() => {});
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const later = client.getRootObject().callRemote("x");
  await raw.hear(call(2, "root", "x"));
  raw.say(["answer", 2, 1]);
  await later;
});

const ERRORS: readonly (readonly [string, unknown, RegExp])[] = [
  ["twisted.cred.error.UnauthorizedLogin", pb.UnauthorizedLogin, /knows nobody by this name and password/],
  ["twisted.cred.error.UnhandledCredentials", pb.UnhandledCredentials, /./],
  ["twisted.cred.error.LoginDenied", pb.LoginDenied, /./],
  ["twisted.cred.error.LoginFailed", pb.LoginFailed, /./],
  ["twisted.spread.flavors.NoSuchMethod", pb.RemoteError, /^$/],
];
for (const [type, construct, message] of ERRORS) {
  Deno.test(`login() rejects for ${type} with what it means`, async () => {
    await using made = await agreedServer();
    const { raw, client } = made;
    const login = client.login(new pb.Anonymous());
    login.catch(() => {});
    await raw.hear(call(1, "root", "loginAnonymous", ["None"]));
    raw.say(["error", 1, failure(type, "")]);
    await assert.rejects(login, (error: unknown) => {
      assert.ok(error instanceof Error);
      assert.equal(error.constructor, construct);
      assert.equal((error as pb.LoginFailed).remoteType, type);
      assert.match(error.message, message);
      return true;
    });
  });
}

const NONSENSE: readonly (readonly [string, Sexp])[] = [
  ["nothing", ["None"]],
  ["text", u("challenge")],
  ["a challenge without what takes the response", ["tuple", challenge]],
  ["a challenge that is text", ["tuple", u("x"), ["remote", 1]]],
  ["a challenge without end", ["tuple", new Uint8Array(1_025), ["remote", 1]]],
  ["an object of nobody", ["tuple", challenge, ["local", 7]]],
];
for (const [what, answer] of NONSENSE) {
  Deno.test(`login() rejects when the challenge is ${what}`, async () => {
    await using made = await agreedServer();
    const { raw, client } = made;
    const login = client.login(alice());
    login.catch(() => {});
    await raw.hear(call(1, "root", "login", "alice"));
    raw.say(["answer", 1, answer]);
    await assert.rejects(login, { name: "LoginFailed", message: /what the server sent is no challenge/ });
  });
}

Deno.test("login() rejects when the avatar is no reference", async () => {
  await using made = await agreedServer();
  const { raw, client } = made;
  const login = client.login(new pb.Anonymous());
  login.catch(() => {});
  await raw.hear(call(1, "root", "loginAnonymous", ["None"]));
  raw.say(["answer", 1, 7]);
  await assert.rejects(login, { name: "LoginFailed" });
  await assert.rejects(client.login({} as pb.LoginMethod), TypeError);
});

Deno.test("login() that is given up logs out when the avatar comes", async () => {
  await using made = await agreedServer();
  const { raw, client } = made;
  const stop = new AbortController();
  const login = client.login(new pb.Anonymous(), null, { signal: stop.signal });
  login.catch(() => {});
  await raw.hear(call(1, "root", "loginAnonymous", ["None"]));
  stop.abort(new RangeError("enough"));
  await assert.rejects(login, /enough/);
  raw.say(["answer", 1, ["remote", 1]]);
  await raw.hear(["decref", 1]);
  await assert.rejects(client.login(new pb.Anonymous(), null, { signal: stop.signal }), /enough/);
});

Deno.test("login() rejects when the connection is lost before the answer", async () => {
  await using made = await agreedServer();
  const login = made.client.login(alice());
  login.catch(() => {});
  await made.raw.hear(call(1, "root", "login", "alice"));
  made.raw.end();
  await assert.rejects(login, pb.PBConnectionLost);
  await assert.rejects(made.client.login(alice()), { name: "DeadReferenceError" });
});

Deno.test("a client that is kept up logs in again after each loss", async () => {
  const house = new House();
  const server = new PbServer(portalTo(house).portal, PbBroker, resolveSettings({}), undefined);
  const clock = new FakeClock();
  let told = Promise.withResolvers<[pb.PbClient, pb.AvatarReference<User>]>();
  const open = () => {
    const [near, far] = streamPair();
    server.accept(new StreamConnection(far, { peerAddress: "memory" }));
    return near;
  };
  await using _client = pb.connectPersistently(open, async (connected) => {
    const credentials = new pb.UsernamePassword("alice", "wonderland");
    told.resolve([connected, await connected.login<User>(credentials)]);
  }, {
    clock,
    randomBytes: (length) => new Uint8Array(length),
    trace: (event) => {
      if (event.type === "reconnect-waiting") queueMicrotask(() => clock.advance(event.delayMs));
    },
  });
  const [first, avatar] = await told.promise;
  assert.equal(await avatar.callRemote("whoami"), "alice");
  told = Promise.withResolvers();
  await first.close();
  const [, again] = await told.promise;
  assert.equal(await again.callRemote("whoami"), "alice");
  assert.deepEqual(house.log.toSorted(), ["in alice", "in alice", "out alice"]);
  await server.close();
});

Deno.test("realms attach minds and detach them, several for one user", async () => {
  class Room extends pb.Avatar {
    readonly minds = new Set<pb.RemoteReference>();
    perspective_say(text: string): Promise<unknown> {
      return Promise.all([...this.minds].map((mind) => mind.callRemote("heard", text)));
    }
  }
  class Ear extends pb.Referenceable {
    readonly texts: string[] = [];
    remote_heard(text: string): void {
      this.texts.push(text);
    }
  }
  const room = new Room();
  const realm: pb.Realm = {
    requestAvatar(_id, mind: pb.RemoteReference) {
      room.minds.add(mind);
      return { avatar: room, logout: () => room.minds.delete(mind) };
    },
  };
  const portal = new pb.Portal(realm, [new pb.AllowAnonymousAccess()]);
  await using server = await pb.serve(portal, "tcp:0:interface=127.0.0.1");
  await using one = await pb.connect(server.address);
  await using other = await pb.connect(server.address);
  const [left, right] = [new Ear(), new Ear()];
  const avatar = await one.login<Room>(new pb.Anonymous(), left);
  using second = await other.login<Room>(new pb.Anonymous(), right);
  await avatar.callRemote("say", "both");
  avatar.logout();
  await one.getRootObject().callRemote("nothing").catch(() => {});
  await second.callRemote("say", "one");
  assert.deepEqual([left.texts, right.texts], [["both"], ["both", "one"]]);
});

Deno.test("logins for which there is no room are not counted as failed ones", async () => {
  const users = new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland" });
  const limits = { maxPendingLogins: 1, maxFailedLogins: 2 };
  const portal = new pb.Portal({ requestAvatar: () => ({ avatar: new pb.Avatar() }) }, [users], { limits });
  await using server = await pb.serve(portal, "tcp:0:interface=127.0.0.1");
  await using client = await pb.connect(server.address);
  const alice = new pb.UsernamePassword("alice", "wonderland");
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => client.login(alice)));
  const refused = all.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  assert.ok(refused.length > 2 && refused.length < 20);
  assert.ok(refused.every(({ reason }) => /not answered yet/.test(reason.message)));
  (await client.login(alice)).logout();
  for (let i = 0; i < 2; i++) {
    await assert.rejects(client.login(new pb.UsernamePassword("alice", "?")), pb.UnauthorizedLogin);
  }
  await assert.rejects(client.login(alice), /too many logins of this connection have failed/);
});
