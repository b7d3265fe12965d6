import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { agreedClient, type RawPeer } from "../broker/raw.ts";
import { answerTo, askFor, call, House, logInRaw, portalTo, User } from "./house.ts";
import { collectGarbage } from "../../support/gc.ts";

/** The next message, whatever it says. */
const reply = (raw: RawPeer) => raw.nextMessage();
const includes = (hex: string, text: string) => {
  const wanted = Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0"));
  assert.ok(hex.includes(wanted.join(" ")), `${text} is not in it`);
};
const UNAUTHORIZED = "twisted.cred.error.UnauthorizedLogin", FAILED = "twisted.cred.error.LoginFailed";
/** The number of the call is the fifth byte. */
const withoutId = (hex: string) => hex.replace(/^(03 80 1c 87) .. /, "$1 ");

Deno.test("a login by password has Twisted's bytes", async () => {
  class Welcoming extends House {
    override async requestAvatar(id: pb.AvatarId, mind: pb.RemoteReference, context: pb.LoginContext) {
      await mind.callRemote("welcome", id);
      mind[Symbol.dispose]();
      return await super.requestAvatar(id, mind, context);
    }
  }
  const challenge = Uint8Array.fromHex("15fe3c256460a65fb489ae4b2deb461d");
  const users = new pb.InMemoryUsernamePasswordDatabase({ alice: "secret" });
  const portal = new pb.Portal(new Welcoming(), [users], { randomBytes: () => challenge });
  await using made = await agreedClient(portal);
  const { raw } = made;
  raw.send(
    "07 80 1a 87 01 81 04 82 72 6f 6f 74 14 87 01 81 02 80 0b 87 05 82 61 6c 69 63 65 01 80 05 87",
  );
  await raw.expect(
    "03 80 1b 87 01 81 03 80 0b 87 10 82 15 fe 3c 25 64 60 a6 5f b4 89 ae 4b 2d eb 46 1d 02 80 10 87 01 81",
  );
  raw.send(
    "07 80 1a 87 02 81 01 81 07 82 72 65 73 70 6f 6e 64 01 81 03 80 0b 87",
    "10 82 a9 ab da 60 4f c1 d0 9e ea bd 6b 6b f3 7d 0b 44 02 80 10 87 01 81 01 80 05 87",
  );
  await raw.hear(call(1, 1, "welcome", ["unicode", "alice"]));
  raw.say(["decref", 1], ["answer", 1, ["None"]]);
  await raw.hear(["decref", 1]);
  await raw.expect("03 80 1b 87 02 81 02 80 10 87 02 81");
  raw.send(
    "07 80 1a 87 03 81 02 81 03 82 61 64 64 01 81 03 80 0b 87 01 81 02 81 01 80 05 87",
  );
  await raw.hear(["answer", 3, 3]);
});

Deno.test("a login is logged out once: at the last decref, or at the loss of the connection", async () => {
  const house = new House();
  await using made = await agreedClient(portalTo(house).portal);
  const { raw } = made;
  await logInRaw(raw, 1, 1, "alice", "wonderland");
  await logInRaw(raw, 3, 2, "bob", "builder");
  await logInRaw(raw, 5, 3, "alice", "wonderland");
  raw.say(["decref", 2], ["decref", 2], call(7, 4, "whoami"));
  await raw.hear(["answer", 7, ["unicode", "bob"]]);
  assert.deepEqual(house.log, ["in alice", "in bob", "in alice", "out alice"]);
  assert.equal(made.server.brokers[0]!.tables.local, 2);
  await made.server.close();
  assert.deepEqual(house.log.slice(4), ["out bob", "out alice"]);
});

Deno.test("an object that a realm gives to two logins is logged out of both at its last decref", async () => {
  class Shared extends House {
    readonly shared = new pb.Referenceable();
    override avatar() {
      return this.shared;
    }
  }
  const house = new Shared();
  const traced: string[] = [];
  await using made = await agreedClient(portalTo(house, { limits: { maxSessions: 2 } }).portal, {
    trace: ({ type }) => traced.push(type),
  });
  const { raw } = made;
  raw.say(askFor(1, "alice"), answerTo(2, 1, 1, "wonderland"), askFor(3, "bob"));
  const tuple = (nth: number, id: number) => ["tuple", new Uint8Array(16).fill(nth), ["remote", id]];
  await raw.hear(["answer", 1, tuple(1, 1)], ["answer", 3, tuple(2, 2)], ["answer", 2, ["remote", 3]]);
  raw.say(answerTo(5, 2, 2, "builder"));
  await raw.hear(["answer", 5, ["remote", 3]]);
  raw.say(askFor(6, "bob"), answerTo(7, 4, 3, "builder"));
  await raw.hear(["answer", 6, tuple(3, 4)]);
  includes(await reply(raw), "too many logins of this connection are there");
  raw.say(["decref", 3], call(8, 99, "x"));
  await reply(raw);
  assert.deepEqual(house.log, ["in alice", "in bob"]);
  raw.say(["decref", 3], call(9, 99, "x"));
  await reply(raw);
  assert.deepEqual(house.log, ["in alice", "in bob", "out alice", "out bob"]);
  assert.deepEqual(traced, ["connected", "login-failed"]);
});

Deno.test("an unknown user and a wrong password are answered by the same bytes", async () => {
  const house = new House();
  await using made = await agreedClient(portalTo(house).portal);
  const { raw } = made;
  const answers: string[] = [];
  for (const [nth, name, password] of [[1, "alice", "x"], [2, "nobody", "x"]] as const) {
    raw.say(askFor(nth, name));
    await raw.hear(["answer", nth, ["tuple", new Uint8Array(16).fill(nth), ["remote", nth]]]);
    raw.say(answerTo(nth + 2, nth, nth, password));
    answers.push(withoutId(await reply(raw)));
  }
  assert.equal(answers[0], answers[1]);
  includes(answers[0]!, UNAUTHORIZED);
  includes(answers[0]!, "twisted.cred.error.Unauthorized");
  includes(answers[0]!, "builtins.Exception");
  assert.deepEqual(house.log, []);
});

const NOBODY: readonly (readonly [string, pb.CredentialsChecker["requestAvatarId"]])[] = [
  ["throws an error of the program", () => {
    throw new TypeError("no such user");
  }],
  ["rejects with it", () => Promise.reject(new TypeError("no such user"))],
  ["says more than it should", () => Promise.reject(new pb.UnauthorizedLogin("no such user"))],
  ["returns nothing", () => undefined as unknown as string],
  ["returns null", () => Promise.resolve(null as unknown as string)],
];
for (const [what, requestAvatarId] of NOBODY) {
  Deno.test(`a checker that ${what} lets nobody in, and the peer does not learn why`, async () => {
    const traced: pb.PbTraceEvent[] = [];
    const checker = { credentialInterfaces: [pb.IUsernameHashedPassword], requestAvatarId };
    const { portal } = portalTo(new House());
    portal.registerChecker(checker);
    await using made = await agreedClient(portal, { trace: (event) => traced.push(event) });
    const { raw } = made;
    raw.say(askFor(1, "alice"), answerTo(2, 1, 1, "x"), call(3, 1, "respond"));
    await raw.hear(["answer", 1, ["tuple", new Uint8Array(16).fill(1), ["remote", 1]]]);
    // A challenge that is used up is refused at once, and looks the same.
    const [used, refused] = [await reply(raw), await reply(raw)].map(withoutId);
    assert.equal(refused, used);
    const event = traced.find(({ type }) => type === "login-failed");
    assert.ok(event?.type === "login-failed" && event.error.cause instanceof Error);
  });
}

const TOLD: readonly (readonly [string, Error, string])[] = [
  ["LoginFailed", new pb.LoginFailed("closed on Sundays"), FAILED],
  ["LoginDenied", new pb.LoginDenied("not you"), "twisted.cred.error.LoginDenied"],
  ["pb.Error", new pb.Error("the database is away"), "twisted.spread.pb.Error"],
];
for (const [name, error, type] of TOLD) {
  Deno.test(`a ${name} of a checker is told as it is`, async () => {
    const { portal } = portalTo(new House());
    portal.registerChecker({
      credentialInterfaces: [pb.IAnonymous],
      requestAvatarId: () => Promise.reject(error),
    });
    await using made = await agreedClient(portal);
    made.raw.say(call(1, "root", "loginAnonymous", ["None"]));
    const told = await reply(made.raw);
    includes(told, type);
    includes(told, error.message);
  });
}

Deno.test("a challenge is good for one response, and the checker is asked once", async () => {
  const house = new House();
  const { portal, checker } = portalTo(house);
  await using made = await agreedClient(portal);
  const { raw } = made;
  raw.say(askFor(1, "alice"));
  await raw.hear(["answer", 1, ["tuple", new Uint8Array(16).fill(1), ["remote", 1]]]);
  raw.say(answerTo(2, 1, 1, "wrong"));
  includes(await reply(raw), UNAUTHORIZED);
  raw.say(answerTo(3, 1, 1, "wonderland"));
  includes(await reply(raw), UNAUTHORIZED);
  assert.equal(checker.asked, 1);
  await logInRawAt(raw, 4);
  // The response that has just let somebody in lets nobody in again, neither there nor at another challenge.
  raw.say(answerTo(6, 2, 2, "wonderland"), askFor(7, "alice"));
  includes(await reply(raw), "Invalid Object ID");
  await raw.hear(["answer", 7, ["tuple", new Uint8Array(16).fill(3), ["remote", 4]]]);
  raw.say(answerTo(8, 4, 2, "wonderland"));
  includes(await reply(raw), UNAUTHORIZED);
  assert.deepEqual(house.log, ["in alice"]);

  async function logInRawAt(peer: RawPeer, id: number) {
    peer.say(askFor(id, "alice"));
    await peer.hear(["answer", id, ["tuple", new Uint8Array(16).fill(2), ["remote", 2]]]);
    peer.say(answerTo(id + 1, 2, 2, "wonderland"), ["decref", 2]);
    await peer.hear(["answer", id + 1, ["remote", 3]]);
  }
});

Deno.test("a challenge of one connection is of no use on another", async () => {
  const house = new House();
  const { portal } = portalTo(house);
  await using one = await agreedClient(portal);
  await using other = await agreedClient(portal);
  one.raw.say(askFor(1, "alice"));
  await one.raw.hear(["answer", 1, ["tuple", new Uint8Array(16).fill(1), ["remote", 1]]]);
  other.raw.say(answerTo(1, 1, 1, "wonderland"));
  includes(await reply(other.raw), "Invalid Object ID");
  other.raw.say(askFor(2, "alice"));
  await other.raw.hear(["answer", 2, ["tuple", new Uint8Array(16).fill(2), ["remote", 1]]]);
  other.raw.say(answerTo(3, 1, 1, "wonderland"));
  includes(await reply(other.raw), UNAUTHORIZED);
  assert.deepEqual(house.log, []);
});

Deno.test("a challenge ends with its time", async () => {
  const clock = new FakeClock();
  const house = new House();
  await using made = await agreedClient(portalTo(house, { clock, limits: { maxChallenges: 1 } }).portal);
  const { raw } = made;
  raw.say(askFor(1, "alice"), askFor(2, "alice"));
  await raw.hear(["answer", 1, ["tuple", new Uint8Array(16).fill(1), ["remote", 1]]]);
  includes(await reply(raw), FAILED);
  clock.advance(60_000);
  raw.say(answerTo(3, 1, 1, "wonderland"));
  includes(await reply(raw), UNAUTHORIZED);
  raw.say(askFor(4, "alice"));
  await raw.hear(["answer", 4, ["tuple", new Uint8Array(16).fill(2), ["remote", 2]]]);
  // Giving it back makes room as well.
  raw.say(["decref", 2], askFor(5, "alice"));
  await raw.hear(["answer", 5, ["tuple", new Uint8Array(16).fill(3), ["remote", 3]]]);
  raw.say(answerTo(6, 3, 3, "wonderland"));
  await raw.hear(["answer", 6, ["remote", 4]]);
  assert.equal(clock.pending, 0);
});

Deno.test("logins are refused without a look when too many have failed", async () => {
  const { portal, checker } = portalTo(new House(), { limits: { maxFailedLogins: 3 } });
  await using made = await agreedClient(portal);
  const { raw } = made;
  for (let nth = 1; nth <= 4; nth++) {
    raw.say(askFor(2 * nth, "alice"));
    await raw.hear(["answer", 2 * nth, ["tuple", new Uint8Array(16).fill(nth), ["remote", nth]]]);
    raw.say(answerTo(2 * nth + 1, nth, nth, nth === 4 ? "wonderland" : "wrong"));
    includes(await reply(raw), nth === 4 ? "too many logins of this connection have failed" : UNAUTHORIZED);
  }
  assert.equal(checker.asked, 3);
});

const NAMES: readonly (readonly [string, Parameters<typeof askFor>[1]])[] = [
  ["a number", 7],
  ["a list", ["list"]],
  ["bytes that are not UTF-8", new Uint8Array([0xff])],
  ["more than 1,024 bytes", "a".repeat(1_025)],
];
for (const [what, name] of NAMES) {
  Deno.test(`a user name that is ${what} is nobody's`, async () => {
    await using made = await agreedClient(portalTo(new House()).portal);
    made.raw.say(askFor(1, name));
    includes(await reply(made.raw), UNAUTHORIZED);
  });
}

const RESPONSES: readonly (readonly [string, Parameters<typeof askFor>[1]])[] = [
  ["no bytes", ["None"]],
  ["bytes of another length", new Uint8Array(15)],
  ["an empty string", new Uint8Array()],
  ["text", ["unicode", "x"]],
];
for (const [what, response] of RESPONSES) {
  Deno.test(`a response that is ${what} is wrong`, async () => {
    await using made = await agreedClient(portalTo(new House()).portal);
    const { raw } = made;
    raw.say(askFor(1, ["unicode", "alice"]), call(2, 1, "respond", response, ["None"]));
    await raw.hear(["answer", 1, ["tuple", new Uint8Array(16).fill(1), ["remote", 1]]]);
    includes(await reply(raw), UNAUTHORIZED);
  });
}

Deno.test("a login without an answer is none", async () => {
  const house = new House();
  const { portal } = portalTo(house);
  portal.registerChecker(new pb.AllowAnonymousAccess());
  await using made = await agreedClient(portal);
  const { raw } = made;
  raw.say(["message", 1, "root", "loginAnonymous", 0, ["tuple", ["None"]], ["dictionary"]]);
  raw.say(call(2, "root", "loginAnonymous", ["None"]));
  await raw.hear(["answer", 2, ["remote", 1]]);
  raw.say(call(3, 1, "whoami"));
  await raw.hear(["answer", 3, ["unicode", "anonymous"]]);
  assert.deepEqual(house.log, ["in anonymous"]);
});

Deno.test("a login whose answer cannot be sent is logged out", async () => {
  const house = new House();
  const { portal } = portalTo(house);
  portal.registerChecker(new pb.AllowAnonymousAccess());
  await using made = await agreedClient(portal, { limits: { maxReferences: 1 } });
  const { raw } = made;
  raw.say(call(1, "root", "loginAnonymous", ["None"]), call(2, "root", "loginAnonymous", ["None"]));
  await raw.hear(["answer", 1, ["remote", 1]]);
  includes(await reply(raw), "Maximum PB reference count exceeded.");
  assert.deepEqual(house.log, ["in anonymous", "in anonymous", "out anonymous"]);
});

Deno.test("without a checker for it a login fails as Twisted's does", async () => {
  await using made = await agreedClient(portalTo(new House()).portal);
  made.raw.say(call(1, "root", "loginAnonymous", ["None"]));
  const told = await reply(made.raw);
  includes(told, "twisted.cred.error.UnhandledCredentials");
  includes(told, "No checker for twisted.cred.credentials.IAnonymous");
});

Deno.test("a realm that gives no avatar fails the login, and is logged out", async () => {
  const house = new House();
  house.avatar = () => 7 as unknown as User;
  const { portal } = portalTo(house);
  portal.registerChecker(new pb.AllowAnonymousAccess());
  await using made = await agreedClient(portal);
  made.raw.say(call(1, "root", "loginAnonymous", ["None"]));
  includes(await reply(made.raw), "the realm gave no pb.Avatar");
  assert.deepEqual(house.log, ["in anonymous", "out anonymous"]);
});

Deno.test("what a logout throws goes to the trace", async () => {
  const traced: pb.PbTraceEvent[] = [];
  const logouts = [
    () => {
      throw new RangeError("at once");
    },
    () => Promise.reject(new RangeError("later")),
    undefined,
  ];
  const realm: pb.Realm = {
    requestAvatar: (_, mind) => ({ avatar: new User("x", mind), logout: logouts.shift() }),
  };
  const portal = new pb.Portal(realm, [new pb.AllowAnonymousAccess()]);
  await using made = await agreedClient(portal, { trace: (event) => traced.push(event) });
  const { raw } = made;
  for (const id of [1, 2, 3]) {
    raw.say(call(id, "root", "loginAnonymous", ["None"]));
    await raw.hear(["answer", id, ["remote", id]]);
    raw.say(["decref", id]);
  }
  raw.say(call(4, "root", "nothing"));
  includes(await reply(raw), "No such method: remote_nothing");
  const where = traced.flatMap((event) => event.type === "callback-failed" ? [event.where] : []);
  assert.deepEqual(where, ["logout", "logout"]);
});

Deno.test("logins that are never decided are refused in time, and stay counted on their connection", async () => {
  const clock = new FakeClock();
  const granted: ((login: pb.Login) => void)[] = [];
  const signals: AbortSignal[] = [];
  const out: string[] = [];
  const realm: pb.Realm = {
    requestAvatar(_id, _mind, context) {
      signals.push(context.signal);
      return new Promise((resolve) => granted.push(resolve));
    },
  };
  const portal = new pb.Portal(realm, [new pb.AllowAnonymousAccess()], {
    clock,
    limits: { maxPendingLogins: 2, maxPendingLoginsOfAll: 2 },
  });
  await using made = await agreedClient(portal);
  await using other = await agreedClient(portal);
  const { raw } = made;
  for (const id of [1, 2, 3]) raw.say(call(id, "root", "loginAnonymous", ["None"]));
  includes(await reply(raw), "too many logins are not answered yet");
  other.raw.say(call(1, "root", "loginAnonymous", ["None"]));
  includes(await reply(other.raw), "too many logins are not answered yet");
  clock.advance(60_000);
  includes(await reply(raw), "it took too long");
  assert.ok(signals.every((signal) => signal.aborted));
  raw.say(call(4, "root", "loginAnonymous", ["None"]));
  // The second refusal of the two that were late may have come with the first.
  const rest = await reply(raw);
  includes(
    rest.includes("6e 6f 74 20 61 6e 73 77 65 72 65 64") ? rest : await reply(raw),
    "not answered yet",
  );
  other.raw.say(call(2, "root", "loginAnonymous", ["None"]), call(3, "root", "x"));
  includes(await reply(other.raw), "No such method");
  assert.equal(granted.length, 3);
  granted[0]!({ avatar: new User("late", null), logout: () => void out.push("late") });
  granted[1]!({ avatar: new User("late", null) });
  raw.say(call(5, "root", "loginAnonymous", ["None"]), call(6, "root", "x"));
  includes(await reply(raw), "No such method");
  assert.deepEqual(out, ["late"]);
  assert.equal(granted.length, 4);
});

Deno.test("a login whose connection is lost is not made, or logged out when it comes", async () => {
  const house = new House();
  const checked = Promise.withResolvers<string>();
  const { portal } = portalTo(house);
  const lost = Promise.withResolvers<void>();
  portal.registerChecker({
    credentialInterfaces: [pb.IUsernameHashedPassword],
    requestAvatarId(_credentials, { signal }) {
      signal.addEventListener("abort", () => lost.resolve());
      return checked.promise;
    },
  });
  portal.registerChecker(new pb.AllowAnonymousAccess());
  const asked = Promise.withResolvers<void>();
  const granted = Promise.withResolvers<void>();
  house.requestAvatar = async (id, mind, context) => {
    asked.resolve();
    await granted.promise;
    return await House.prototype.requestAvatar.call(house, id, mind, context);
  };
  await using made = await agreedClient(portal);
  const { raw } = made;
  raw.say(askFor(1, "alice"), answerTo(2, 1, 1, "x"), call(3, "root", "loginAnonymous", ["None"]));
  await asked.promise;
  await made.server.close();
  await lost.promise;
  checked.resolve("alice");
  granted.resolve();
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.deepEqual(house.log, ["in anonymous", "out anonymous"]);
});

Deno.test("nothing holds the mind of a login whose connection is lost", async () => {
  let mind: WeakRef<object> | undefined;
  const realm: pb.Realm = {
    requestAvatar(_id, given: pb.RemoteReference) {
      mind = new WeakRef(given);
      return { avatar: new User("x", undefined), logout: () => {} };
    },
  };
  const portal = new pb.Portal(realm, [new pb.AllowAnonymousAccess()]);
  await using made = await agreedClient(portal);
  made.raw.say(call(1, "root", "loginAnonymous", ["remote", 1]));
  await made.raw.hear(["answer", 1, ["remote", 1]]);
  made.raw.end();
  let isHeld = true;
  for (let round = 0; round < 100 && isHeld; round++) {
    // A look at it keeps it until the end of the turn.
    await new Promise((resolve) => setTimeout(resolve, 1));
    collectGarbage();
    isHeld = mind?.deref() !== undefined;
  }
  assert.equal(isHeld, false);
});

Deno.test("an avatar that travels by value is logged out when the connection is lost", async () => {
  class Card extends pb.Copyable {
    static override copytype = "house.Card";
    readonly number = 7;
  }
  const out: string[] = [];
  const realm: pb.Realm = {
    requestAvatar: () => ({ avatar: new Card(), logout: () => void out.push("out") }),
  };
  const portal = new pb.Portal(realm, [new pb.AllowAnonymousAccess()]);
  await using made = await agreedClient(portal);
  made.raw.say(call(1, "root", "loginAnonymous", ["None"]));
  includes(await reply(made.raw), "number");
  assert.deepEqual(out, []);
  await made.server.close();
  assert.deepEqual(out, ["out"]);
});

for (const [where, isLoggedOut] of [["before a login", false], ["after the last logout", true]] as const) {
  Deno.test(`${where} a message of more than maxExpressionBytesBeforeLogin ends the connection`, async () => {
    await using made = await agreedClient(portalTo(new House()).portal);
    const { raw } = made;
    const text = new Uint8Array(600_000);
    if (isLoggedOut) {
      await logInRaw(raw, 1, 1, "alice", "wonderland");
      raw.say(call(3, 2, "add", text, text));
      assert.match(await reply(raw), /^03 80 /);
      raw.say(["decref", 2]);
    }
    // As long as it may be.
    raw.say(call(7, "root", "login", text));
    includes(await reply(raw), UNAUTHORIZED);
    raw.say(call(8, "root", "loginAnonymous", ["list", text, text]));
    await raw.closed();
  });
}

Deno.test("maxExpressionBytesBeforeLogin is an option, and no more than maxExpressionBytes", async () => {
  for (
    const [before, all, isClosed] of [[2e6, 128e6, false], [2e6, 1e6, true], [1e6, 128e6, true]] as const
  ) {
    const { portal } = portalTo(new House(), { limits: { maxExpressionBytesBeforeLogin: before } });
    await using made = await agreedClient(portal, { limits: { maxExpressionBytes: all } });
    const text = new Uint8Array(600_000);
    made.raw.say(call(1, "root", "loginAnonymous", ["list", text, text]));
    if (isClosed) await made.raw.closed();
    else includes(await reply(made.raw), "twisted.cred.error.UnhandledCredentials");
  }
});
