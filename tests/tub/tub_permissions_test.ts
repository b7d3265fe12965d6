import assert from "node:assert/strict";
import { Referenceable, Tub } from "../../mod.ts";
import { startTub } from "./tubs.ts";

const MOD = import.meta.resolve("../../mod.ts");

/** Runs a program with few permissions. With a terminal it could prompt: it has no `--no-prompt`. */
async function run(code: string, ...flags: string[]): Promise<{ success: boolean; text: string }> {
  const program = `import { Referenceable, Tub } from ${JSON.stringify(MOD)};\n${code}`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...flags, `data:text/typescript,${encodeURIComponent(program)}`],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(success ? stdout : stderr);
  return { success, text };
}

const attempt = (expression: string) =>
  `await using tub = await Tub.create();
  try { await ${expression}; console.log("done"); } catch (error) { console.log(error.name + ": " + error.message); }`;

Deno.test("Tub.listenOn() names the flag that is missing", async () => {
  const { text } = await run(attempt('tub.listenOn("tcp:4501:interface=127.0.0.1")'));
  assert.match(
    text,
    /^PermissionDenied: Cannot listen on tcp:127\.0\.0\.1:4501: .*--allow-net=127\.0\.0\.1:4501\n$/,
  );
});

Deno.test("Tub.listenOn() is content with the permission for just that address", async () => {
  const { text } = await run(attempt('tub.listenOn("tcp:0:interface=127.0.0.1")'), "--allow-net=127.0.0.1:0");
  assert.equal(text, "done\n");
});

Deno.test("Tub.setLocationAutomatically() names the flag that is missing", async () => {
  const { text } = await run(
    attempt('tub.listenOn("tcp:0").then(() => tub.setLocationAutomatically())'),
    "--allow-net=0.0.0.0",
  );
  assert.match(text, /^PermissionDenied: .*--allow-sys=networkInterfaces\n$/);
});

Deno.test("Tub.getReference() names the flag that is missing, for each hint", async () => {
  await using server = await startTub();
  const furl = server.registerReference(new Referenceable());
  const { port } = server.listeners[0]!;
  const { text } = await run(attempt(`tub.getReference(${JSON.stringify(furl)})`), "--allow-net=127.0.0.1:1");
  assert.match(text, new RegExp(`^UnreachableError: .*--allow-net=127\\.0\\.0\\.1:${port}\\n$`));
});

Deno.test("Tub.getReference() is content with the permission for just that hint", async () => {
  await using server = await startTub();
  const furl = server.registerReference(new Referenceable());
  const { port } = server.listeners[0]!;
  const { text } = await run(
    attempt(`tub.getReference(${JSON.stringify(furl)})`),
    `--allow-net=127.0.0.1:${port}`,
  );
  assert.equal(text, "done\n");
});

Deno.test("a Tub's own objects are reached when nothing is allowed", async () => {
  const { text } = await run(attempt(`(async () => {
    tub.setLocation("tcp:localhost:1");
    return await tub.getReference(tub.registerReference(new Referenceable()));
  })()`));
  assert.equal(text, "done\n");
});

Deno.test("a program with a Tub that neither listens nor is connected ends by itself", async () => {
  const { success, text } = await run(`await Tub.create(); console.log("end");`);
  assert.ok(success, text);
  assert.equal(text, "end\n");
});

Deno.test("Tub.registerReference() names the flag to write the FURL file", async () => {
  const { text } = await run(
    attempt(`(async () => {
    tub.setLocation("tcp:localhost:1");
    tub.registerReference(new Referenceable(), { furlFile: "calc.furl" });
  })()`),
    "--allow-read=calc.furl",
  );
  assert.match(text, /^PermissionDenied: .*--allow-write=calc\.furl\n$/);
});

Deno.test({
  name: "Tub.create() needs no permission",
  permissions: "none",
  async fn() {
    await using tub = await Tub.create();
    assert.equal(tub.running, true);
  },
});
