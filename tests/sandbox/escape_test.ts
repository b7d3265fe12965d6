import assert from "node:assert/strict";
import { grantSandbox, type Sandbox, Tub } from "../../mod.ts";
import { LIBRARY, moduleOf, PLUGIN, startPlugin } from "./support.ts";
import type Plugin from "./modules/plugin.ts";

const HERE = new URL("./escape_test.ts", import.meta.url);

/** What a sandbox without permissions tries, and how it ends. */
const attempts: { name: string; code: string; outcome: RegExp }[] = [
  { name: "reads a file", code: 'return Deno.readTextFileSync("/etc/passwd")', outcome: /NotCapable.*read/ },
  {
    name: "reads its own module",
    code: `return Deno.readTextFileSync(new URL(${JSON.stringify(PLUGIN.href)}))`,
    outcome: /NotCapable.*read/,
  },
  {
    name: "reads a file by node:fs",
    code: 'return (await import("node:fs")).readFileSync("/etc/passwd")',
    outcome: /NotCapable.*read/,
  },
  {
    name: "lists its file descriptors",
    code: 'return [...Deno.readDirSync("/proc/self/fd")]',
    outcome: /NotCapable/,
  },
  {
    name: "reads the memory of its process",
    code: 'return Deno.openSync("/proc/self/mem")',
    outcome: /NotCapable/,
  },
  { name: "looks where it is", code: "return Deno.cwd()", outcome: /NotCapable|done: \/$/ },
  {
    name: "writes a file",
    code: 'Deno.writeTextFileSync("/tmp/foolscap-escape", "x")',
    outcome: /NotCapable.*write/,
  },
  { name: "makes a temporary file", code: "return Deno.makeTempFileSync()", outcome: /NotCapable.*write/ },
  {
    name: "opens a database",
    code: 'new (await import("node:sqlite")).DatabaseSync("/tmp/foolscap-escape")',
    outcome: /NotCapable/,
  },
  {
    name: "fetches",
    code: 'return (await fetch("http://127.0.0.1:4501/")).status',
    outcome: /NotCapable.*net/,
  },
  {
    name: "connects",
    code: 'await Deno.connect({ hostname: "127.0.0.1", port: 4501 })',
    outcome: /NotCapable.*net/,
  },
  { name: "listens", code: 'Deno.listen({ hostname: "127.0.0.1", port: 0 })', outcome: /NotCapable.*net/ },
  { name: "opens a WebSocket", code: 'new WebSocket("ws://127.0.0.1:4501/")', outcome: /NotCapable.*net/ },
  {
    name: "asks for an address",
    code: 'return await Deno.resolveDns("example.org", "A")',
    outcome: /NotCapable.*net/,
  },
  { name: "reads a variable", code: 'return Deno.env.get("HOME")', outcome: /NotCapable.*env/ },
  { name: "reads all variables", code: "return Deno.env.toObject()", outcome: /NotCapable.*env/ },
  {
    name: "reads a variable of process.env",
    code: 'return String((await import("node:process")).default.env.HOME)',
    outcome: /NotCapable|done: undefined/,
  },
  {
    name: "runs a program",
    code: 'return new Deno.Command("/bin/true").outputSync()',
    outcome: /NotCapable.*run/,
  },
  {
    name: "runs Deno with more permissions",
    code: 'return new Deno.Command(Deno.execPath(), { args: ["eval", "1"] }).outputSync()',
    outcome: /NotCapable/,
  },
  {
    name: "runs a shell by node:child_process",
    code: 'return (await import("node:child_process")).spawnSync("/bin/true").error ?? "ran"',
    outcome: /NotCapable/,
  },
  { name: "signals its parent", code: 'Deno.kill(Deno.ppid, "SIGTERM")', outcome: /NotCapable.*run/ },
  {
    name: "signals its parent by node:process",
    code: '(await import("node:process")).default.kill(Deno.ppid, "SIGTERM")',
    outcome: /NotCapable.*run/,
  },
  { name: "loads a library", code: 'Deno.dlopen("libc.so.6", {})', outcome: /NotCapable.*ffi/ },
  { name: "asks for the host's name", code: "return Deno.hostname()", outcome: /NotCapable.*sys/ },
  {
    name: "opens the inspector",
    code: '(await import("node:inspector")).open(0)',
    outcome: /NotCapable|refused/,
  },
  {
    name: "imports a file",
    code: `return await import(${JSON.stringify(HERE.href)})`,
    outcome: /read access/,
  },
  {
    name: "imports a JSON file",
    code: 'return await import("file:///etc/passwd", { with: { type: "json" } })',
    outcome: /read access/,
  },
  {
    name: "imports a text file",
    code: 'return await import("file:///etc/passwd", { with: { type: "text" } })',
    outcome: /refused/,
  },
  {
    name: "imports by http",
    code: 'return await import("http://127.0.0.1:4501/x.ts")',
    outcome: /import access/,
  },
  {
    name: "imports from a host that Deno trusts",
    code: 'return await import("https://deno.land/x/y.ts")',
    outcome: /import access/,
  },
  { name: "imports from JSR", code: 'return await import("jsr:@std/assert")', outcome: /refused/ },
  {
    name: "sends a word as an npm package's name",
    code: 'return await import("npm:foolscap-secret-12345")',
    outcome: /--cached-only/,
  },
  {
    name: "imports a module with a file in it",
    code: `return await import("data:text/javascript,import '${HERE.href}'")`,
    outcome: /read access/,
  },
  {
    name: "imports text, which gives it nothing",
    code: 'return (await import("data:text/javascript,export default typeof Deno.readTextFileSync")).default',
    outcome: /done: function/,
  },
  {
    name: "makes a Worker of a file",
    code: `await new Promise((_, reject) => { new Worker(${
      JSON.stringify(HERE.href)
    }, { type: "module" }).onerror = (e) => { e.preventDefault(); reject(new Error(e.message)); } })`,
    outcome: /read access/,
  },
  {
    name: "reads a file in a Worker",
    code:
      `return await new Promise((resolve) => { const w = new Worker("data:text/javascript,try{postMessage(Deno.readTextFileSync('/etc/passwd'))}catch(e){postMessage('refused: '+e.name)}", { type: "module" }); w.onmessage = (e) => { w.terminate(); resolve(e.data); } })`,
    outcome: /refused: NotCapable/,
  },
  {
    name: "asks for permissions",
    code: 'return (await Deno.permissions.request({ name: "read" })).state',
    outcome: /done: (prompt|denied)/,
  },
  { name: "asks the user", code: 'return prompt("password?")', outcome: /done: null/ },
  { name: "keeps something in storage", code: 'localStorage.setItem("a", "b")', outcome: /ReferenceError/ },
  { name: "keeps something in a cache", code: 'await caches.open("a")', outcome: /ReferenceError/ },
  { name: "opens a key-value store", code: "await Deno.openKv()", outcome: /TypeError/ },
];

Deno.test("a sandbox without permissions gets nowhere", async (t) => {
  await using tub = await Tub.create();
  const before = Deno.env.get("FOOLSCAP_SECRET");
  Deno.env.set("FOOLSCAP_SECRET", "hunter2");
  let sandbox: Sandbox<Plugin>;
  try {
    sandbox = await startPlugin(tub);
  } finally {
    if (before === undefined) Deno.env.delete("FOOLSCAP_SECRET");
  }
  for (const { name, code, outcome } of attempts) {
    await t.step(`${name}`, async () => {
      assert.match(await sandbox.reference.callRemote("attempt", code), outcome);
    });
  }
  assert.equal(sandbox.state, "running");
});

Deno.test("a sandbox has no variables but those that it is given, even if it may read them all", async () => {
  await using tub = await Tub.create();
  const sandbox = await startPlugin(tub, { permissions: { env: true }, env: { GREETING: "hello" } });
  const said = await sandbox.reference.callRemote("attempt", "return JSON.stringify(Deno.env.toObject())");
  const variables: Record<string, string> = JSON.parse(said.replace("done: ", ""));
  // Deno adds these by itself: a folder of its own as the PATH.
  const added = ["PATH", "DENO_NODE_SHIM_ACTIVE", "DENO_DIR"];
  assert.deepEqual(Object.keys(variables).filter((name) => !added.includes(name)).sort(), [
    "DENO_NO_PACKAGE_JSON",
    "DENO_NO_UPDATE_CHECK",
    "GREETING",
    "NO_COLOR",
  ]);
  assert.notEqual(variables.PATH, Deno.env.get("PATH"));
});

Deno.test("a sandbox may do what it is given, and no more", async () => {
  await using tub = await Tub.create();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.txt`, "in it");
    const sandbox = await startPlugin(tub, {
      permissions: { read: [folder], write: [`${folder}/own`] },
      env: { GREETING: "hello" },
    });
    const attempt = (code: string) => sandbox.reference.callRemote("attempt", code);
    assert.equal(
      await attempt(`return Deno.readTextFileSync(${JSON.stringify(`${folder}/a.txt`)})`),
      "done: in it",
    );
    assert.equal(await attempt('return Deno.env.get("GREETING")'), "done: hello");
    assert.match(await attempt(`Deno.writeTextFileSync(${JSON.stringify(`${folder}/b`)}, "")`), /NotCapable/);
    assert.match(await attempt('return Deno.env.get("HOME")'), /NotCapable/);
    // Deno follows links that are there, so a sandbox must not be able to make one.
    for (const make of ["symlink", "link"]) {
      const link = JSON.stringify(`${folder}/link`);
      assert.match(await attempt(`Deno.${make}Sync("/etc/passwd", ${link})`), /NotCapable/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a module imports other files only if they are named, statically as well", async () => {
  await using tub = await Tub.create();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/parts`);
    await Deno.writeTextFile(`${folder}/parts/data.json`, '{"answer":42}');
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      `import { Referenceable } from ${JSON.stringify(LIBRARY)};
       import data from "./parts/data.json" with { type: "json" };
       export default class extends Referenceable { remote_answer(): number { return data.answer; } }`,
    );
    const main = `${folder}/main.ts`;
    await assert.rejects(
      grantSandbox(tub, main),
      (error) => String((error as Error).cause).includes("data.json"),
    );
    const sandbox = await grantSandbox<{ remote_answer(): number }>(tub, main, {
      imports: [new URL(`file://${folder}/parts/`)],
    });
    assert.equal(await sandbox.reference.callRemote("answer"), 42);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a module that spoils every prototype spoils its own process only", async () => {
  await using tub = await Tub.create();
  const source = `
    import { Referenceable } from ${JSON.stringify(LIBRARY)};
    for (const { prototype } of [Object, Array, Promise, Map, Uint8Array, Function, Error]) {
      for (const key of Object.getOwnPropertyNames(prototype)) {
        if (key === "constructor") continue;
        try { Object.defineProperty(prototype, key, { get() { throw new Error("spoilt"); } }); } catch {}
      }
    }
    Object.prototype.polluted = true;
    export default class extends Referenceable {}`;
  await assert.rejects(grantSandbox(tub, moduleOf(source), { startTimeoutMs: 3_000 }));
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  const sandbox = await startPlugin(tub);
  assert.equal(await sandbox.reference.callRemote("add", 1, 2), 3);
});
