/**
 * Users who log in: pb5, pb6, pb7, anon, pbecho, pbbench and chat.
 *
 * @module
 */

import assert from "node:assert/strict";
import { float, type Kwargs, kwargs, pb, tuple } from "../../../mod.ts";
import type { Example, Say, Served } from "./stage.ts";

const script = "logins.py";

type Users = Readonly<Record<string, string>>;

function portal(users: Users, make: (name: string, mind: unknown) => pb.Login, isOpen = false): Served {
  const realm: pb.Realm = {
    requestAvatar: (id, mind) => make(typeof id === "string" ? id : "Anonymous", mind),
  };
  const checkers: pb.CredentialsChecker[] = [new pb.InMemoryUsernamePasswordDatabase(users)];
  if (isOpen) checkers.push(new pb.AllowAnonymousAccess());
  return { root: new pb.Portal(realm, checkers) };
}

class MyPerspective extends pb.Avatar {
  constructor(readonly say: Say, ...words: string[]) {
    super();
    this.#words = words;
  }
  readonly #words: string[];
  perspective_foo(arg: number): void {
    this.say(...this.#words, "foo", arg);
  }
}

const perspectives = (say: Say, users: Users, isOpen = false) => [
  portal(users, (name) => ({ avatar: new MyPerspective(say, "I am", name) }), isOpen),
];

const pb5: Example = {
  name: "pb5",
  script,
  serve: (say) => perspectives(say, { user1: "pass1" }),
  async play(_, server) {
    await using client = await pb.connect(server);
    using perspective = await client.login(new pb.UsernamePassword("user1", "pass1"));
    await perspective.callRemote("foo", 12);
  },
  serverSays: [["I am", "user1", "foo", 12]],
  clientSays: [],
};

const pb6: Example = {
  name: "pb6",
  script,
  serve: (say) => perspectives(say, { user1: "pass1", user2: "pass2" }),
  async play(_, server) {
    await using one = await pb.connect(server);
    await using two = await pb.connect(server);
    using first = await one.login(new pb.UsernamePassword("user1", "pass1"));
    using second = await two.login(new pb.UsernamePassword("user2", "pass2"));
    await first.callRemote("foo", 13);
    await second.callRemote("foo", 14);
  },
  serverSays: [["I am", "user1", "foo", 13], ["I am", "user2", "foo", 14]],
  clientSays: [],
};

const pb7: Example = {
  name: "pb7",
  script,
  serve(say) {
    const service = (name: string, users: Users) =>
      portal(users, (user) => ({ avatar: new MyPerspective(say, name, user) }));
    return [
      service("service1", { user1: "pass1", user2: "pass2" }),
      service("service2", { user1: "pass1", user2: "pass2" }),
      service("service3", { user3: "pass3" }),
    ];
  },
  async play(say, ...servers) {
    let number = 10;
    for (const [user, service] of [[1, 1], [1, 2], [2, 1], [2, 2], [3, 3]] as const) {
      await using client = await pb.connect(servers[service - 1]!);
      using perspective = await client.login(new pb.UsernamePassword(`user${user}`, `pass${user}`));
      await perspective.callRemote("foo", number++);
    }
    await using client = await pb.connect(servers[2]!);
    const error = await client.login(new pb.UsernamePassword("user1", "pass1")).catch((error) => error);
    assert.ok(error instanceof pb.UnauthorizedLogin);
    say(error.remoteType);
  },
  serverSays: [
    ["service1", "user1", "foo", 10],
    ["service2", "user1", "foo", 11],
    ["service1", "user2", "foo", 12],
    ["service2", "user2", "foo", 13],
    ["service3", "user3", "foo", 14],
  ],
  clientSays: [["twisted.cred.error.UnauthorizedLogin"]],
  serverLogs: ["Failure: twisted.cred.error.UnauthorizedLogin:"],
};

const anon: Example = {
  name: "anon",
  script,
  serve: (say) => perspectives(say, { user1: "pass1", user2: "pass2" }, true),
  async play(_, server) {
    await using client = await pb.connect(server);
    using nobody = await client.login(new pb.Anonymous());
    using somebody = await client.login(new pb.UsernamePassword("user1", "pass1"));
    await nobody.callRemote("foo", 13);
    await somebody.callRemote("foo", 13);
  },
  serverSays: [["I am", "Anonymous", "foo", 13], ["I am", "user1", "foo", 13]],
  clientSays: [],
};

class DefinedError extends pb.Error {}
pb.nameError(DefinedError, "pbecho.DefinedError");

class SimplePerspective extends pb.Avatar {
  constructor(readonly say: Say) {
    super();
  }
  perspective_echo(text: string): string {
    this.say("echoing", text);
    return text;
  }
  perspective_error(): void {
    throw new DefinedError("exception!");
  }
}

const pbecho: Example = {
  name: "pbecho",
  script,
  serve: (say) => [
    portal({ guest: "guest" }, (name) => ({
      avatar: new SimplePerspective(say),
      logout: () => say(name, "logged out"),
    })),
  ],
  async play(say, server) {
    await using client = await pb.connect(server);
    const perspective = await client.login<SimplePerspective>(new pb.UsernamePassword("guest", "guest"));
    say("message received", await perspective.callRemote("echo", "hello world"));
    const error = await perspective.callRemote("error").catch((error: unknown) => error);
    assert.ok(error instanceof pb.RemoteError);
    say("error received", error.check("pbecho.DefinedError")?.slice(7));
    perspective.logout();
  },
  serverSays: [["echoing", "hello world"], ["guest", "logged out"]],
  clientSays: [["message received", "hello world"], ["error received", "DefinedError"]],
};

class Bench extends pb.Avatar {
  perspective_simple(): void {}
  perspective_complexTypes(): unknown[] {
    return ["a", 1, 1, float(1), [], tuple()];
  }
}

const pbbench: Example = {
  name: "pbbench",
  script,
  serve: () => [portal({ benchmark: "benchmark" }, () => ({ avatar: new Bench() }))],
  async play(say, server) {
    await using client = await pb.connect(server);
    using avatar = await client.login(new pb.UsernamePassword("benchmark", "benchmark"));
    let right = 0;
    for (let i = 0; i < 100; i++) {
      const [simple, types] = await Promise.all([
        avatar.callRemote("simple"),
        avatar.callRemote("complexTypes"),
      ]);
      assert.deepEqual(types, ["a", 1, 1, 1, [], tuple()]);
      if (simple === null) right++;
    }
    say("right answers", right);
  },
  serverSays: [],
  clientSays: [["right answers", 100]],
};

class User extends pb.Avatar {
  constructor(readonly name: string, readonly mind: pb.RemoteReference, readonly groups: Map<string, Group>) {
    super();
  }
  perspective_joinGroup(groupname: string, kw?: Kwargs): Group {
    let group = this.groups.get(groupname);
    if (group === undefined) {
      this.groups.set(groupname, group = new Group(kw?.values.allowMattress !== false));
    }
    group.users.add(this);
    return group;
  }
  send(message: string): Promise<unknown> {
    return this.mind.callRemote("print", message);
  }
}

class Group extends pb.Viewable {
  readonly users = new Set<User>();
  constructor(readonly allowMattress: boolean) {
    super();
  }
  async view_send(from: pb.Avatar | undefined, message: string): Promise<void> {
    if (!this.allowMattress && message.includes("mattress")) throw new NotSaid("Don't say that word");
    const text = `<${(from as User).name}> says: ${message}`;
    // One after the other, so that what they hear has an order.
    for (const user of this.users) await user.send(text);
  }
}

class NotSaid extends Error {}
pb.nameError(NotSaid, "builtins.ValueError");

class ChatClient extends pb.Referenceable {
  constructor(readonly say: Say, readonly name: string) {
    super();
  }
  remote_print(message: string): void {
    this.say(this.name, "hears", message);
  }
}

const chat: Example = {
  name: "chat",
  script,
  serve() {
    const groups = new Map<string, Group>();
    return [portal({ alice: "1234", bob: "secret", carol: "fido" }, (name, mind) => {
      const avatar = new User(name, mind as pb.RemoteReference, groups);
      const logout = () => groups.forEach((group) => group.users.delete(avatar));
      return { avatar, logout };
    })];
  },
  async play(say, server) {
    await using one = await pb.connect(server);
    await using two = await pb.connect(server);
    using alice = await one.login(new pb.UsernamePassword("alice", "1234"), new ChatClient(say, "alice"));
    using bob = await two.login(new pb.UsernamePassword("bob", "secret"), new ChatClient(say, "bob"));
    const join = "joinGroup";
    const group = await alice.callRemote(join, "#NeedAFourth", kwargs({ allowMattress: false }));
    const same = await bob.callRemote(join, "#NeedAFourth");
    await (group as pb.RemoteReference).callRemote("send", "You can call me Al.");
    await (same as pb.RemoteReference).callRemote("send", "Hello.");
    const error = await (same as pb.RemoteReference).callRemote("send", "a mattress").catch((error) => error);
    assert.ok(error instanceof pb.RemoteError);
    say(error.remoteType, error.message);
  },
  serverSays: [],
  clientSays: [
    ["alice", "hears", "<alice> says: You can call me Al."],
    ["bob", "hears", "<alice> says: You can call me Al."],
    ["alice", "hears", "<bob> says: Hello."],
    ["bob", "hears", "<bob> says: Hello."],
    ["builtins.ValueError", "Don't say that word"],
  ],
  serverLogs: ["builtins.ValueError: Don't say that word"],
};

/** The examples, in the order of the documentation. */
export const LOGINS: readonly Example[] = [pb5, pb6, pb7, anon, pbecho, pbbench, chat];
