/**
 * A sandboxed object that is granted: its limits hold for callers, whoever they are, and its events tell of them.
 */
import assert from "node:assert/strict";
import { type CapabilityEvent, denoRunCommand, FurlError, PermissionDenied, type Tub } from "../../mod.ts";
import { failureText } from "../interop/introductions.ts";
import { rejection, startTub } from "../interop/rig.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import type Plugin from "./modules/plugin.ts";
import { PLUGIN, startPlugin } from "./support.ts";

const GRANT = { methods: ["add", "count"], maxCalls: 2, label: "plugin" };

Deno.test("grantSandbox() with a grant gives a capability with its limits, which ends with it", async () => {
  await using tub = await startTub();
  using events = tub.registry.events();
  await using sandbox = await startPlugin(tub, { grant: GRANT });
  await using client = await startTub();
  const plugin = await client.getReference<Plugin>(sandbox.furl!);
  assert.equal(await plugin.callRemote("add", 1, 2), 3);
  await refused(plugin.callRemote("child"), "method");
  assert.equal(await sandbox.reference.callRemote("add", 2, 2), 4, "the program itself is not limited");
  const counter = sandbox.capability!.attenuate({ methods: ["count"], label: "counter" });
  assert.equal(await (await client.getReference<Plugin>(counter.furl)).callRemote("count"), 1);
  await refused(plugin.callRemote("add", 1, 2), "maxCalls");
  assert.deepEqual(tub.registry.tree().map(({ label, children }) => [label, children[0]?.label]), [
    ["plugin", "counter"],
  ]);
  await sandbox.stop();
  await refused(plugin.callRemote("add", 1, 2), "revoked");
  await refused(client.getReference(sandbox.furl!), "revoked");

  await tub.stop();
  assert.deepEqual(
    (await Array.fromAsync(events)).map(words),
    [
      "plugin granted",
      "plugin introduced",
      "plugin used add",
      "plugin denied child",
      "counter granted",
      "counter introduced",
      "counter used count",
      "plugin denied add",
      "plugin revoked",
      "counter revoked",
      "plugin denied add",
    ],
  );
});

for (const deep of [false, true]) {
  Deno.test(`grantSandbox() ${deep ? "deep " : ""}grants no more than that by a method that returns its own object`, async () => {
    await using tub = await startTub();
    await using sandbox = await startPlugin(tub, {
      publish: "plugin",
      grant: { methods: ["self", "isSelf", "add"], deep },
    });
    await using client = await startTub();
    const plugin = await client.getReference<Plugin>(sandbox.furl!);
    const self = await plugin.callRemote("self");
    assert.equal(self, plugin);
    await refused(self.callRemote("count"), "method");
  });
}

Deno.test("grantSandbox() gives its object for what the sandbox sends of it, also when it is started again", async () => {
  await using tub = await startTub();
  await using sandbox = await startPlugin(tub, { restart: { max: 1, perMs: 60_000, backoffMs: 0 } });
  await using client = await startTub();
  const plugin = await client.getReference<Plugin>(sandbox.furl!);
  assert.equal(await plugin.callRemote("self"), plugin);
  await assert.rejects(plugin.callRemote("exit", 3));
  assert.equal(await plugin.callRemote("self"), plugin);
  assert.equal(await plugin.callRemote("isSelf", plugin), true);
});

function words(event: CapabilityEvent): string {
  return [event.label, event.type, ..."method" in event ? [event.method] : []].join(" ");
}

async function refused(promise: PromiseLike<unknown>, limit: string): Promise<void> {
  const error = await rejection(Promise.resolve(promise));
  assert.ok(error instanceof PermissionDenied, String(error));
  assert.equal(error.limit, limit);
}

interface Row {
  readonly name: string;
  readonly start: (tub: Tub) => Promise<unknown>;
  readonly error: new (...args: never[]) => Error;
  readonly message: RegExp;
}

const WRONG: readonly Row[] = [
  {
    name: "an option of the grant that there is not",
    start: (tub) => startPlugin(tub, { grant: { method: ["add"] } as object }),
    error: TypeError,
    message: /there is no option "method"/,
  },
  {
    name: "two names",
    start: (tub) => startPlugin(tub, { publish: "plugin", grant: { name: "other" } }),
    error: TypeError,
    message: /publish and grant\.name both name it/,
  },
  {
    name: "a name that no FURL can have",
    start: (tub) => startPlugin(tub, { grant: { name: "a\nb" } }),
    error: FurlError,
    message: /name/,
  },
];

for (const { name, start, error, message } of WRONG) {
  Deno.test(`grantSandbox() refuses ${name} before it starts anything`, async () => {
    await using tub = await startTub();
    const thrown = await rejection(start(tub));
    assert.ok(thrown instanceof error);
    assert.match(thrown.message, message);
    assert.deepEqual(tub.registry.list(), []);
  });
}

Deno.test("grantSandbox() with a grant and without a FURL gives an object to pass", async () => {
  await using tub = await startTub();
  await using sandbox = await startPlugin(tub, { publish: false, grant: { methods: ["add"] } });
  assert.equal(sandbox.furl, undefined);
  assert.equal(tub.registry.unwrap(sandbox.capability!.object), sandbox.object);
});

Deno.test("denoRunCommand() of a Tub names what its sandboxes take", async () => {
  await using tub = await startTub();
  await using sandbox = await startPlugin(tub, { permissions: { env: ["TZ"] } });
  assert.equal(sandbox.state, "running");
  const flags = denoRunCommand(tub).split(" ");
  for (
    const flag of [`--allow-read=${PLUGIN.pathname}`, "--allow-env=TZ", `--allow-run=${Deno.execPath()}`]
  ) {
    assert.ok(flags.includes(flag), flag);
  }
});

interopTest("the limits of a sandboxed object hold for Python", async () => {
  await using tub = await startTub();
  await using peer = await startPython();
  await using sandbox = await startPlugin(tub, { grant: GRANT });
  await peer.get(sandbox.furl!, "plugin");
  const add = () => peer.call("plugin", "add", { int: "1" }, { int: "2" });
  assert.deepEqual(await add(), { int: "3" });
  const error = await rejection(peer.call("plugin", "name"));
  assert.ok(error instanceof PeerFailure);
  assert.ok(error.failure.parents.includes("javascript.PermissionDenied.method"));
  assert.deepEqual(await add(), { int: "3" });
  assert.match(failureText(await rejection(add())), /all of this capability's 2 calls are used$/);
  sandbox.capability!.revoke();
  assert.match(failureText(await rejection(add())), /this capability was revoked$/);
});
