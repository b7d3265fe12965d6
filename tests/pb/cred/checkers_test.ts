import assert from "node:assert/strict";
import { FileError, pb } from "../../../mod.ts";
import { House, portalTo } from "./house.ts";

/** Credentials that count what is asked of them. */
class Counted implements pb.UsernameHashedPassword {
  readonly interfaces = [pb.IUsernameHashedPassword];
  checked = 0;
  constructor(readonly username: string, readonly isRight: boolean) {}
  checkPassword(): boolean {
    this.checked++;
    return this.isRight;
  }
}

async function withFile<T>(
  text: string | Uint8Array<ArrayBuffer>,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, typeof text === "string" ? new TextEncoder().encode(text) : text);
    return await use(file);
  } finally {
    await Deno.remove(file);
  }
}

const context: pb.LoginContext = { broker: undefined, signal: new AbortController().signal };
const ask = async (checker: pb.CredentialsChecker, credentials: pb.Credentials) =>
  await checker.requestAvatarId(credentials, context);

Deno.test("respond() is the MD5 of the spec's vector", () => {
  const challenge = Uint8Array.fromHex("15fe3c256460a65fb489ae4b2deb461d");
  assert.equal(pb.respond(challenge, "secret").toHex(), "a9abda604fc1d09eeabd6b6bf37d0b44");
  assert.throws(() => pb.respond(challenge, "\ud800"), TypeError);
  assert.throws(() => pb.respond(challenge, 7 as unknown as string), TypeError);
});

const DATABASES: readonly (readonly [string, (file: string) => pb.CredentialsChecker])[] = [
  ["in memory", () => new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland" })],
  ["in a file", (file) => new pb.FilePasswordDB(file)],
  ["in a file that is cached", (file) => new pb.FilePasswordDB(file, { cache: true })],
];
for (const [where, make] of DATABASES) {
  Deno.test(`a database ${where} does the same work for an unknown user as for a wrong password`, async () => {
    await withFile("alice:wonderland\nbob:x\n", async (file) => {
      const checker = make(file);
      const [wrong, unknown] = [new Counted("alice", false), new Counted("nobody", true)];
      for (const credentials of [wrong, unknown]) {
        await assert.rejects(ask(checker, credentials), { name: "UnauthorizedLogin", message: "" });
      }
      assert.deepEqual([wrong.checked, unknown.checked], [1, 1]);
      assert.equal(await ask(checker, new Counted("alice", true)), "alice");
      assert.equal(await ask(checker, new pb.UsernamePassword("alice", "wonderland")), "alice");
      await assert.rejects(ask(checker, new pb.UsernamePassword("alice", "wonder")), pb.UnauthorizedLogin);
      // Only true lets in.
      const truthy = Object.assign(new Counted("alice", true), { checkPassword: () => "yes" });
      await assert.rejects(ask(checker, truthy), pb.UnauthorizedLogin);
    });
  });
}

Deno.test("an InMemoryUsernamePasswordDatabase takes users by name, __proto__ too, and gives them up", async () => {
  const users = new pb.InMemoryUsernamePasswordDatabase(new Map([["ü", "ä"]]));
  const password = new Uint8Array([1, 2]);
  users.addUser("__proto__", password);
  password.fill(0);
  assert.equal(await ask(users, new pb.UsernamePassword("ü", "ä")), "ü");
  assert.equal(await ask(users, new pb.UsernamePassword("__proto__", new Uint8Array([1, 2]))), "__proto__");
  users.removeUser("ü");
  await assert.rejects(ask(users, new pb.UsernamePassword("ü", "ä")), pb.UnauthorizedLogin);
  await assert.rejects(ask(users, new pb.UsernamePassword("constructor", "")), pb.UnauthorizedLogin);
  assert.throws(() => users.addUser("\ud800", "x"), TypeError);
  assert.throws(() => users.addUser("x", 7 as unknown as string), TypeError);
  assert.equal(pb.InMemoryUsernamePasswordDatabaseDontUse, pb.InMemoryUsernamePasswordDatabase);
});

const FILES:
  readonly (readonly [string, string, pb.FilePasswordOptions, string, [string, string] | undefined])[] = [
    ["the first line of a name", "a:1\na:2\n", {}, "a", ["a", "1"]],
    ["a last line without its end", "a:1\nb:2", {}, "b", ["b", "2"]],
    ["a password without white space behind it", "a:1 \t\r\n", {}, "a", ["a", "1"]],
    ["white space before it", " a: 1\n", {}, " a", [" a", " 1"]],
    ["fields by their places", "x:1:a\n", { usernameField: 2, passwordField: 1 }, "a", ["a", "1"]],
    ["a delimiter of its own", "a::b::c\n", { delimiter: "::", passwordField: 2 }, "a", ["a", "c"]],
    ["no line with too few fields", "a\nb:1\n", {}, "a", undefined],
    ["names in their case", "Alice:1\n", {}, "alice", undefined],
    ["names whatever their case", "Alice:1\n", { caseSensitive: false }, "aLICE", ["alice", "1"]],
    ["letters beyond ASCII in their case", "Ü:1\n", { caseSensitive: false }, "ü", undefined],
    ["an empty password", "a:\n", {}, "a", ["a", ""]],
    ["nobody by the name of a property", "a:1\n", {}, "__proto__", undefined],
  ];
for (const [what, text, options, name, expected] of FILES) {
  for (const cache of [false, true]) {
    Deno.test(`FilePasswordDB ${cache ? "with a cache " : ""}finds ${what}`, async () => {
      await withFile(text, async (file) => {
        const user = await new pb.FilePasswordDB(file, { ...options, cache }).getUser(name);
        assert.deepEqual(user && [user[0], new TextDecoder().decode(user[1])], expected);
      });
    });
  }
}

Deno.test("FilePasswordDB leaves out names that are not UTF-8, and keeps passwords that are not", async () => {
  await withFile(new Uint8Array([0xff, 0x3a, 0x31, 0x0a, 0x61, 0x3a, 0xff, 0x0a]), async (file) => {
    const [, password] = (await new pb.FilePasswordDB(file).getUser("a"))!;
    assert.deepEqual(password, new Uint8Array([0xff]));
  });
});

Deno.test("FilePasswordDB sees a change of the file, with a cache and without", async () => {
  await withFile("a:1\n", async (file) => {
    const checkers = [new pb.FilePasswordDB(file, { cache: true }), new pb.FilePasswordDB(file)];
    for (const checker of checkers) assert.ok(await checker.getUser("a"));
    await Deno.writeTextFile(file, "bob:1\n");
    for (const checker of checkers) {
      assert.equal(await checker.getUser("a"), undefined);
      assert.ok(await checker.getUser("bob"));
    }
  });
});

for (const cache of [false, true]) {
  const what = cache ? "with a cache" : "without";
  Deno.test(`FilePasswordDB ${what} does not let in by a reading that began before a change`, async () => {
    await withFile("a:1\n", async (file) => {
      const checker = new pb.FilePasswordDB(file, { cache });
      const before = checker.getUser("a");
      Deno.writeTextFileSync(file, "bob:1\n");
      const after = await Promise.all([1, 2, 3].map(() => checker.getUser("a")));
      await before;
      assert.deepEqual(after, [undefined, undefined, undefined]);
      assert.equal(await checker.getUser("a"), undefined);
      assert.ok(await checker.getUser("bob"));
    });
  });
}

Deno.test("FilePasswordDB lets nobody in when its file cannot be read, and says why only to the program", async () => {
  for (const cache of [false, true]) {
    const checker = new pb.FilePasswordDB("/nowhere/passwords", { cache });
    await assert.rejects(ask(checker, new Counted("a", true)), (error: unknown) => {
      assert.ok(error instanceof pb.UnauthorizedLogin);
      assert.equal(error.message, "");
      assert.ok(error.cause instanceof Deno.errors.NotFound);
      return true;
    });
  }
});

Deno.test("FilePasswordDB lets nobody in by a folder, a pipe, a device or a huge file, and does not wait for it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    using huge = await Deno.create(`${folder}/huge`);
    await huge.truncate(65 * 1024 * 1024);
    for (const file of [folder, `${folder}/pipe`, "/dev/zero", `${folder}/huge`]) {
      const checker = new pb.FilePasswordDB(file);
      await assert.rejects(ask(checker, new Counted("a", true)), (error: unknown) => {
        assert.ok(error instanceof pb.UnauthorizedLogin && error.cause instanceof FileError);
        return true;
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("FilePasswordDB looks at no more of a line than it needs", async () => {
  const lines = [":".repeat(1_000_000), "a::b", "::alice::wonder::land::", "bob", ""].join("\n");
  await withFile(lines, async (file) => {
    const checker = new pb.FilePasswordDB(file, { delimiter: "::", usernameField: 1, passwordField: 2 });
    assert.deepEqual(await checker.getUser("alice"), ["alice", new TextEncoder().encode("wonder")]);
    assert.deepEqual(await checker.getUser(""), ["", new Uint8Array()]);
    assert.equal(await checker.getUser("b"), undefined);
    const last = new pb.FilePasswordDB(file, { delimiter: "::", usernameField: 3, passwordField: 1 });
    assert.deepEqual(await last.getUser("land"), ["land", new TextEncoder().encode("alice")]);
  });
});

Deno.test("FilePasswordDB with a hash takes plain passwords only, and hashes for unknown users too", async () => {
  await withFile("alice:DNALREDNOW\n", async (file) => {
    const hashed: string[] = [];
    const checker = new pb.FilePasswordDB(file, {
      hash(username, password) {
        hashed.push(username);
        return Promise.resolve(new TextDecoder().decode(password.toReversed()).toUpperCase());
      },
    });
    const portal = new pb.Portal(new House(), [checker]);
    assert.deepEqual(portal.listCredentialsInterfaces(), [pb.IUsernamePassword]);
    const { logout } = await portal.login(new pb.UsernamePassword("alice", "wonderland"));
    assert.equal(typeof logout, "function");
    for (const [name, password] of [["alice", "x"], ["nobody", "x"]] as const) {
      await assert.rejects(portal.login(new pb.UsernamePassword(name, password)), pb.UnauthorizedLogin);
    }
    assert.deepEqual(hashed, ["alice", "alice", "nobody"]);
    await assert.rejects(portal.login(new Counted("alice", true)), {
      name: "UnhandledCredentials",
      message: "No checker for twisted.cred.credentials.IUsernameHashedPassword",
    });
    await assert.rejects(ask(checker, new Counted("alice", true)), pb.UnauthorizedLogin);
  });
});

Deno.test("FilePasswordDB and Portal refuse what they cannot use", () => {
  assert.throws(() => new pb.FilePasswordDB("x", { delimiter: "" }), TypeError);
  assert.throws(() => new pb.FilePasswordDB("x", { usernameField: -1 }), RangeError);
  assert.throws(() => new pb.FilePasswordDB("x", { passwordField: 1.5 }), RangeError);
  assert.throws(() => new pb.Portal({} as pb.Realm), TypeError);
  assert.throws(() => new pb.Portal(new House(), [{} as pb.CredentialsChecker]), TypeError);
  assert.throws(() => new pb.Portal(new House(), [], { limits: { maxSessions: 0 } }), RangeError);
  assert.throws(() => new pb.Portal(new House(), [], { limits: { x: 1 } as object }), TypeError);
});

Deno.test("a Portal asks the checker that was registered last for a kind, and the realm with who it is", async () => {
  const house = new House();
  const { portal } = portalTo(house);
  portal.registerChecker(new pb.AllowAnonymousAccess());
  const own: pb.CredentialsChecker = { credentialInterfaces: [], requestAvatarId: () => "by token" };
  portal.registerChecker(own, pb.IUsernameHashedPassword, "example.IToken");
  assert.deepEqual(portal.listCredentialsInterfaces(), [
    pb.IUsernamePassword,
    pb.IUsernameHashedPassword,
    pb.IAnonymous,
    "example.IToken",
  ]);
  await portal.login({ interfaces: ["example.IToken"] });
  await portal.login(new pb.Anonymous());
  const { avatar, logout } = await portal.login(new pb.UsernamePassword("alice", "wonderland"), "mind");
  logout!();
  assert.deepEqual(house.log, ["in by token", "in anonymous", "in alice", "out alice"]);
  assert.equal((avatar as { mind?: unknown }).mind, "mind");
});

Deno.test("a password is not shown with its credentials", () => {
  const credentials = new pb.UsernamePassword("alice", "wonderland");
  assert.doesNotMatch(
    Deno.inspect(credentials, { showHidden: true }) + JSON.stringify(credentials),
    /wonder|119/,
  );
  assert.equal(new TextDecoder().decode(credentials.password), "wonderland");
  assert.throws(() => new pb.UsernamePassword("\ud800", "x"), TypeError);
});
