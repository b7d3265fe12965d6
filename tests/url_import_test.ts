import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

/** What a user's first program may look like; it prints what its calls gave. */
const program = (base: string) => `
import { Referenceable, Tub } from "${base}mod.ts";

class Calculator extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
}

await using server = await Tub.create();
const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
server.setLocation(\`tcp:127.0.0.1:\${listener.port}\`);
const furl = server.registerReference(new Calculator());

await using client = await Tub.create();
const calculator = await client.getReference<Calculator>(furl);
const sum: number = await calculator.callRemote("add", 1, 2);
console.log(sum, await calculator.remote.add(3, 4));
`;

/** Serves the files of the repository as a plain web server does. */
function serveRepository(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname;
    if (!/^\/(mod\.ts|lib\/.*\.ts)$/.test(path)) return new Response("not here", { status: 404 });
    try {
      const text = await Deno.readTextFile(new URL(`.${path}`, ROOT));
      return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
    } catch {
      return new Response("not here", { status: 404 });
    }
  });
}

interface Run {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in an empty folder, with no configuration and only the flags given. */
async function runAlone(text: string, flags: readonly string[]): Promise<Run> {
  const folder = await Deno.makeTempDir({ prefix: "url_import_" });
  try {
    await Deno.writeTextFile(`${folder}/main.ts`, text);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-lock", "--no-prompt", ...flags, "main.ts"],
      cwd: folder,
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("mod.ts works from a URL without a configuration file when only the network is allowed", async () => {
  await using server = serveRepository();
  const base = `http://127.0.0.1:${server.addr.port}/`;
  const flags = ["--check=all", "--allow-net=127.0.0.1", `--allow-import=127.0.0.1:${server.addr.port}`];
  const { success, stdout, stderr } = await runAlone(program(base), flags);
  assert.ok(success, stderr);
  assert.equal(stdout, "3 7\n");
});

Deno.test("mod.ts can be imported from a URL when nothing is allowed", async () => {
  await using server = serveRepository();
  const base = `http://127.0.0.1:${server.addr.port}/`;
  const text = `import * as lib from "${base}mod.ts"; console.log(typeof lib.Tub);`;
  const { success, stdout, stderr } = await runAlone(text, [`--allow-import=127.0.0.1:${server.addr.port}`]);
  assert.ok(success, stderr);
  assert.equal(stdout, "function\n");
});
