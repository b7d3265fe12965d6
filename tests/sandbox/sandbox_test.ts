import assert from "node:assert/strict";
import {
  grantSandbox,
  PermissionDenied,
  Referenceable,
  RemoteException,
  type RemoteFunction,
  type RemoteReference,
  SandboxError,
  Tub,
} from "../../mod.ts";
import { LIBRARY, moduleOf, PLUGIN, startPlugin } from "./support.ts";
import type Plugin from "./modules/plugin.ts";
import { collectGarbage } from "../support/gc.ts";

class Logger extends Referenceable {
  readonly lines: string[] = [];
  remote_log(line: string): void {
    this.lines.push(line);
  }
}

class Named extends Referenceable {
  remote_name(): string {
    return "outside";
  }
}

async function listeningTub(): Promise<Tub> {
  const tub = await Tub.create();
  tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
  return tub;
}

Deno.test("grantSandbox() runs an object with its capabilities, and stop() ends its process", async () => {
  await using tub = await Tub.create();
  const logger = new Logger();
  const printed: string[] = [];
  const sandbox = await startPlugin(tub, {
    caps: { logger },
    args: [1, "two"],
    onOutput: (line) => printed.push(line),
  });
  const { reference } = sandbox;
  assert.equal(await reference.callRemote("add", 1, 2), 3);
  assert.deepEqual(await reference.callRemote("args"), [1, "two"]);
  await reference.callRemote("log", "hello");
  await reference.callRemote("print", "to the console");
  assert.deepEqual(logger.lines, ["hello"]);
  await assert.rejects(
    reference.callRemote("fail"),
    (error) => error instanceof RemoteException && error.message === "as asked",
  );
  assert.equal(sandbox.state, "running");
  const { pid } = sandbox;
  assert.ok(pid !== undefined && pid !== Deno.pid);
  await sandbox.stop();
  assert.deepEqual(printed, ["to the console"]);
  assert.equal(sandbox.state, "ended");
  assert.equal((await sandbox.ended).reason, "stopped");
  assert.throws(() => Deno.kill(pid, "SIGCONT"), Deno.errors.NotFound);
  await assert.rejects(reference.callRemote("add", 1, 2), SandboxError);
});

for (
  const { name, options, result } of [
    { name: "make", options: { export: "make", args: ["made"] }, result: "made" },
    { name: "object", options: { export: "object" }, result: "an object" },
  ]
) {
  Deno.test(`grantSandbox() takes the export "${name}"`, async () => {
    await using tub = await Tub.create();
    const sandbox = await grantSandbox<Named>(tub, PLUGIN, options);
    assert.equal(await sandbox.reference.callRemote("name"), result);
  });
}

Deno.test("objects pass through a sandbox's border both ways, and keep who they are", async () => {
  await using tub = await listeningTub();
  await using client = await Tub.create();
  const sandbox = await startPlugin(tub);
  const plugin = await client.getReference<Plugin>(sandbox.furl!);
  const child = await plugin.callRemote("child");
  assert.equal(await child.callRemote("name"), "first");
  assert.equal(await plugin.callRemote("child"), child);
  assert.equal(await plugin.callRemote("isChild", child), true);
  assert.equal(await plugin.callRemote("isSelf", plugin), true);
  assert.equal(await plugin.remote.child().remote.name(), "first");
  const doubler = await plugin.callRemote("doubler") as RemoteFunction<(n: number) => number>;
  assert.equal(await doubler.callRemote(4), 8);
  const own = new Named();
  assert.equal(await plugin.callRemote("callBack", own as never), "called outside");
  assert.equal(await plugin.callRemote("echo", own), own);
  // A third Tub: the sandbox's object is given on as one of the Tub outside.
  await using third = await listeningTub();
  class Keeper extends Referenceable {
    async remote_use(other: RemoteReference<Named>): Promise<string> {
      return await other.callRemote("name");
    }
  }
  const keeper = await client.getReference<Keeper>(third.registerReference(new Keeper()));
  assert.equal(await keeper.callRemote("use", child as never), "first");
  // And an object of the third Tub goes in, and comes back as itself.
  const far = await client.getReference<Named>(third.registerReference(new Named()));
  assert.equal(await plugin.callRemote("callBack", far as never), "called outside");
  assert.equal(await plugin.callRemote("echo", far), far);
});

Deno.test("what is called through a sandbox is released with it", async () => {
  await using tub = await listeningTub();
  await using client = await Tub.create();
  const sandbox = await startPlugin(tub);
  const plugin = await client.getReference<Plugin>(sandbox.furl!);
  const held = () => {
    const { exported, imported, names } = tub.debug.tables();
    return { exported, imported, names };
  };
  const before = held();
  await plugin.callRemote("manyObjects", 500).then((children) => children.length);
  assert.equal(held().exported, before.exported + 500);
  for (let i = 0; i < 100 && held().exported + held().names > before.exported + before.names; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(held(), before);
});

Deno.test("a Tub that stops ends its sandboxes", async () => {
  const tub = await Tub.create();
  const sandbox = await startPlugin(tub);
  const waiting = assert.rejects(sandbox.reference.callRemote("never"), SandboxError);
  await tub.stop();
  await waiting;
  assert.equal(sandbox.state, "ended");
});

Deno.test("a sandbox asks the Tub outside for no name, however easy it is to guess", async () => {
  await using tub = await listeningTub();
  tub.registerReference(new Named(), { name: "admin" });
  const source = `
    import { Referenceable, RemoteReference } from ${JSON.stringify(LIBRARY)};
    export default class extends Referenceable {
      async remote_steal() {
        const { RemoteHandle } = await import(${JSON.stringify(LIBRARY)});
        const owner = RemoteHandle.ownerOf(this.cap);
        return await owner.getReferenceByName("admin");
      }
      constructor({ cap }) { super(); this.cap = cap; }
    }`;
  const sandbox = await grantSandbox<{ remote_steal(): unknown }>(tub, moduleOf(source), {
    caps: { cap: new Named() },
  });
  await assert.rejects(
    sandbox.reference.callRemote("steal"),
    (error) => error instanceof RemoteException && error.remoteType === "builtins.KeyError",
  );
});

const mistakes: {
  name: string;
  options: unknown;
  error: new (...args: never[]) => Error;
  message: RegExp;
}[] = [
  {
    name: "an unknown option",
    options: { permision: {} },
    error: TypeError,
    message: /no option "permision"/,
  },
  {
    name: "a relative path",
    options: { permissions: { read: ["a"] } },
    error: TypeError,
    message: /relative path/,
  },
  {
    name: "inherit",
    options: { permissions: { net: "inherit" } },
    error: TypeError,
    message: /neither true/,
  },
  {
    name: "an unknown kind",
    options: { permissions: { hrtime: true } },
    error: TypeError,
    message: /no permission/,
  },
  {
    name: "a descriptor with a misspelt key",
    options: { permissions: [{ name: "read", paths: "/x" }] },
    error: TypeError,
    message: /says more than "path"/,
  },
  { name: "too little memory", options: { memoryMb: 1 }, error: RangeError, message: /memoryMb/ },
  { name: "a Worker", options: { in: "worker" }, error: TypeError, message: /--unstable-worker-options/ },
  { name: "a wrong restart", options: { restart: "always" }, error: TypeError, message: /restart/ },
  {
    name: "a comma in a path",
    options: { permissions: { read: ["/a,b"] } },
    error: TypeError,
    message: /comma/,
  },
];
for (const { name, options, error, message } of mistakes) {
  Deno.test(`grantSandbox() refuses ${name}`, async () => {
    await using tub = await Tub.create();
    await assert.rejects(startPlugin(tub, options as never), (thrown) => {
      assert.ok(thrown instanceof error, String(thrown));
      assert.match(thrown.message, message);
      return true;
    });
  });
}

Deno.test({
  name: "grantSandbox() gives no permission that the process does not have, nor the part of one",
  permissions: { read: [new URL("../../", import.meta.url)], run: true, net: ["127.0.0.1"], env: true },
  async fn() {
    await using tub = await Tub.create();
    for (
      const [permissions, flag] of [
        [{ write: ["/tmp"] }, "--allow-write=/tmp"],
        [{ net: true }, "--allow-net"],
        [{ read: ["/etc/hosts"] }, "--allow-read=/etc/hosts"],
      ] as const
    ) {
      await assert.rejects(startPlugin(tub, { permissions }), (error) => {
        assert.ok(error instanceof PermissionDenied);
        assert.ok(error.message.includes(`run with ${flag},`), error.message);
        return true;
      });
    }
  },
});

for (
  const { name, module, options, message, cause } of [
    {
      name: "is missing",
      module: new URL("./modules/none.ts", import.meta.url),
      message: /Cannot start/,
      cause: /none\.ts/,
    },
    { name: "throws", module: moduleOf("throw new Error('boom')"), message: /boom/, cause: /boom/ },
    { name: "ends the process", module: moduleOf("Deno.exit(7)"), message: /ended with code 7/, cause: /./ },
    {
      name: "has no such export",
      module: PLUGIN,
      options: { export: "nothing" },
      message: /no export "nothing"/,
      cause: /./,
    },
    {
      name: "exports a number",
      module: PLUGIN,
      options: { export: "number" },
      message: /no Referenceable/,
      cause: /./,
    },
    {
      name: "is never loaded",
      module: moduleOf("await new Promise(() => setInterval(() => {}, 1e6))"),
      options: { startTimeoutMs: 700 },
      message: /not ready within 700 ms/,
      cause: /./,
    },
    {
      name: "loops while it is loaded",
      module: moduleOf("for (;;);"),
      options: { startTimeoutMs: 700 },
      message: /not ready within 700 ms/,
      cause: /./,
    },
  ] as { name: string; module: string | URL; options?: object; message: RegExp; cause: RegExp }[]
) {
  Deno.test(`grantSandbox() fails when the module ${name}`, async () => {
    await using tub = await Tub.create();
    await assert.rejects(grantSandbox(tub, module, options), (error) => {
      assert.ok(error instanceof SandboxError && error.reason === "start", String(error));
      assert.match(error.message, message);
      assert.match(String(error.cause), cause);
      return true;
    });
  });
}
