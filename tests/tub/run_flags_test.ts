import assert from "node:assert/strict";
import { Tub } from "../../mod.ts";
import { denoPermissions, missingPermissions } from "../../lib/tub/deno_permissions.ts";
import { denoRunCommand, leastFlags } from "../../lib/tub/run_flags.ts";

const rows: { name: string; descriptors: Deno.PermissionDescriptor[]; flags: string[] }[] = [
  { name: "nothing", descriptors: [], flags: [] },
  {
    name: "a folder and what is in it",
    descriptors: [{ name: "read", path: "/srv/data" }, { name: "read", path: "/srv" }],
    flags: ["--allow-read=/srv"],
  },
  {
    name: "folders of like names",
    descriptors: [{ name: "read", path: "/srv2" }, { name: "read", path: "/srv" }],
    flags: ["--allow-read=/srv,/srv2"],
  },
  {
    name: "the root, a file URL, dots and a slash at the end",
    descriptors: [
      { name: "write", path: new URL("file:///a%20b/c/../d/") },
      { name: "write", path: "/x/./y/" },
      { name: "read", path: "/" },
      { name: "read", path: "/etc" },
    ],
    flags: ["--allow-read=/", "--allow-write=/a b/d,/x/y"],
  },
  {
    name: "relative paths, that climb and that do not",
    descriptors: [{ name: "read", path: "." }, { name: "read", path: "a/b" }, { name: "read", path: "../c" }],
    flags: ["--allow-read=.,../c"],
  },
  {
    name: "a whole kind",
    descriptors: [{ name: "net", host: "example.org" }, { name: "net" }],
    flags: ["--allow-net"],
  },
  {
    name: "a host and its ports, in any case, and IPv6",
    descriptors: [
      { name: "net", host: "Example.org:443" },
      { name: "net", host: "example.org" },
      { name: "net", host: "[::1]:80" },
      { name: "net", host: "[::1]" },
      { name: "net", host: "127.0.0.1:1" },
    ],
    flags: ["--allow-net=127.0.0.1:1,[::1],example.org"],
  },
  {
    name: "variables with a star",
    descriptors: [{ name: "env", variable: "AWS_KEY" }, { name: "env", variable: "AWS_*" }],
    flags: ["--allow-env=AWS_*"],
  },
  {
    name: "every kind, in one order, twice",
    descriptors: [
      { name: "import", host: "deno.land" },
      { name: "ffi", path: "/lib/x.so" },
      { name: "run", command: "git" },
      { name: "run", command: "git" },
      { name: "sys", kind: "osRelease" },
      { name: "sys", kind: "hostname" },
    ],
    flags: [
      "--allow-sys=hostname,osRelease",
      "--allow-run=git",
      "--allow-ffi=/lib/x.so",
      "--allow-import=deno.land",
    ],
  },
];
for (const { name, descriptors, flags } of rows) {
  Deno.test(`leastFlags() gives the least flags for ${name}`, () => {
    assert.deepEqual(leastFlags(descriptors), flags);
    assert.deepEqual(leastFlags([...descriptors].reverse()), flags);
  });
}

Deno.test("leastFlags() refuses a permission that Deno does not have", () => {
  assert.throws(() => leastFlags([{ name: "hrtime" } as unknown as Deno.PermissionDescriptor]), TypeError);
});

Deno.test("leastFlags() refuses a comma, which no flag can say, unless a broader permission includes it", () => {
  assert.throws(() => leastFlags([{ name: "read", path: "/srv/a,b" }]), TypeError);
  assert.deepEqual(leastFlags([{ name: "read", path: "/srv/a,b" }, { name: "read", path: "/srv" }]), [
    "--allow-read=/srv",
  ]);
});

Deno.test("denoRunCommand() quotes for a shell, and names what listeners need", async () => {
  await using tub = await Tub.create();
  const { port } = await tub.listenOn("tcp:0:interface=127.0.0.1");
  assert.equal(
    denoRunCommand([{ name: "read", path: "/it's" }], { main: "-x.ts", listeners: tub.listeners }),
    `deno run --no-prompt '--allow-read=/it'\\''s' --allow-net=127.0.0.1:${port} ./-x.ts`,
  );
});

Deno.test("the flags of leastFlags() are what Deno takes them for", async () => {
  const descriptors: Deno.PermissionDescriptor[] = [
    { name: "read", path: "/srv/x" },
    { name: "read", path: "/srv" },
    { name: "net", host: "[::1]:80" },
    { name: "net", host: "example.org:443" },
    { name: "net", host: "example.org" },
    { name: "env", variable: "AWS_KEY" },
    { name: "env", variable: "AWS_*" },
    { name: "sys", kind: "hostname" },
    { name: "run", command: "git" },
    { name: "ffi", path: "/lib/x.so" },
    { name: "import", host: "example.org:443" },
  ];
  const code =
    `console.log(JSON.parse(Deno.args[0]).every((d) => Deno.permissions.querySync(d).state === "granted"))`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-config", ...leastFlags(descriptors)],
      ...[`data:text/javascript,${encodeURIComponent(code)}`, JSON.stringify(descriptors)],
    ],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "true\n", new TextDecoder().decode(stderr));
});

Deno.test({
  name: "denoPermissions tells what the process has now, and the flag for what it has not",
  permissions: { read: ["/srv"] },
  fn() {
    const path = "/srv/it's";
    assert.equal(denoPermissions.query({ name: "read", path }), "granted");
    assert.notEqual(denoPermissions.query({ name: "write", path }), "granted");
    assert.equal(denoPermissions.flagFor({ name: "write", path }), `'--allow-write=/srv/it'\\''s'`);
    assert.throws(() => denoPermissions.query({ name: "none" } as unknown as Deno.PermissionDescriptor));
    assert.deepEqual(missingPermissions([{ name: "read", path }, { name: "net" }]), [{ name: "net" }]);
    Deno.permissions.revokeSync({ name: "read", path: "/srv" });
    assert.notEqual(denoPermissions.query({ name: "read", path }), "granted");
  },
});
