import assert from "node:assert/strict";
import {
  Referenceable,
  type SandboxEnd,
  SandboxError,
  type SandboxExit,
  type SandboxOptions,
  Tub,
} from "../../mod.ts";
import { startPlugin } from "./support.ts";

class Calculator extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
}

type Deed = "spin" | "fillHeap" | "fillBuffers" | "floodStdout";

const deeds: { name: string; method: Deed; options: SandboxOptions; reason: SandboxEnd }[] = [
  { name: "loops for ever", method: "spin", options: { maxSilenceMs: 600 }, reason: "silent" },
  {
    name: "fills its heap",
    method: "fillHeap",
    options: { memoryMb: 32, maxSilenceMs: 60_000 },
    reason: "memory",
  },
  {
    name: "fills buffers outside of its heap",
    method: "fillBuffers",
    options: { maxRssMb: 256, maxSilenceMs: 400 },
    reason: "memory",
  },
  { name: "floods the connection", method: "floodStdout", options: {}, reason: "protocol" },
];
for (const { name, method, options, reason } of deeds) {
  Deno.test(`a sandbox that ${name} is ended, and the Tub goes on`, async () => {
    await using tub = await Tub.create();
    tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
    const calculator = await tub.getReference<Calculator>(tub.registerReference(new Calculator()));
    const sandbox = await startPlugin(tub, options);
    const call = sandbox.reference.callRemote(method);
    const failed = assert.rejects(call, (error) => error instanceof SandboxError && error.reason === reason);
    assert.equal(await calculator.callRemote("add", 1, 2), 3);
    await failed;
    assert.equal((await sandbox.ended).reason, reason);
    assert.equal(await calculator.callRemote("add", 3, 4), 7);
  });
}

for (
  const { name, text } of [
    { name: "words", text: "hello, world\n" },
    { name: "a token header without end", text: "\x00".repeat(100) },
    { name: "a huge string", text: "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x82" },
    { name: "ABORT and ERROR", text: "\x01\x8d\x05\x8dhello" },
  ]
) {
  Deno.test(`a sandbox that writes ${name} to stdout in place of the protocol is ended`, async () => {
    await using tub = await Tub.create();
    const sandbox = await startPlugin(tub, { maxSilenceMs: 1_000 });
    await assert.rejects(sandbox.reference.callRemote("writeToStdout", text), SandboxError);
    const { reason } = await sandbox.ended;
    assert.ok(["protocol", "silent", "crashed", "exited"].includes(reason), reason);
  });
}

for (
  const { name, bytes } of [
    { name: "an int", bytes: [5, 0x81] },
    { name: "a string", bytes: [2, 0x82, 0x41, 0x41] },
    { name: "an ERROR", bytes: [2, 0x8d, 0x41, 0x41] },
  ]
) {
  Deno.test(`a sandbox that writes ${name} to stdout has failed, and is started again`, async () => {
    await using tub = await Tub.create();
    const exits: SandboxExit[] = [];
    const sandbox = await startPlugin(tub, {
      restart: "on-failure",
      onExit: (exit) => void exits.push(exit),
    });
    const code = `Deno.stdout.writeSync(new Uint8Array([${bytes}])); await new Promise(() => {});`;
    await assert.rejects(sandbox.reference.callRemote("attempt", code), { reason: "protocol" });
    assert.equal(await sandbox.reference.callRemote("add", 1, 2), 3);
    assert.deepEqual(exits.map(({ reason, willRestart }) => [reason, willRestart]), [["protocol", true]]);
  });
}

Deno.test("a sandbox that prints without end is read, and most of it dropped", async () => {
  await using tub = await Tub.create();
  const lines: string[] = [];
  const sandbox = await startPlugin(tub, { onOutput: (line) => lines.push(line), clock: undefined });
  await sandbox.reference.callRemote("floodStderr", 20_000);
  await sandbox.stop();
  assert.ok(lines.length >= 1_000 && lines.length < 20_000, String(lines.length));
  assert.deepEqual((await sandbox.ended).lastLines.at(-1), "line 19999");
});

Deno.test("a sandbox cannot give more objects than a connection may", async () => {
  await using tub = await Tub.create();
  const sandbox = await startPlugin(tub, { limits: { maxImports: 100 } });
  await assert.rejects(sandbox.reference.callRemote("manyObjects", 1_000));
});

Deno.test("a sandbox ends when the process that started it does, in whatever way", async () => {
  const script = `
    import { grantSandbox, Tub } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
    const tub = await Tub.create();
    const sandbox = await grantSandbox(tub, ${
    JSON.stringify(new URL("./modules/plugin.ts", import.meta.url).href)
  });
    Deno.stdout.writeSync(new TextEncoder().encode(String(sandbox.pid)));
    Deno.kill(Deno.pid, "SIGKILL");`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", `data:text/javascript,${encodeURIComponent(script)}`],
    stderr: "null",
  }).output();
  const pid = Number(new TextDecoder().decode(stdout));
  assert.ok(pid > 0);
  for (let i = 0; i < 200 && isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  assert.equal(isAlive(pid), false);
});

/** Whether there is such a process that has not ended: who has not been waited for yet does not count. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
