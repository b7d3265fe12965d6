import assert from "node:assert/strict";
import { PermissionDenied, UnreachableError } from "../../lib/errors.ts";
import { formatUnixHint, parseUnixHint } from "../../lib/names/hints.ts";
import type { UpgradableConnection } from "../../lib/transport/transport.ts";
import { dialUnix, listenUnix } from "../../lib/transport/unix.ts";
import { readToEnd, transportSuite } from "../suites/transport_suite.ts";
import { makeIdentity } from "../support/identity.ts";
import { secureBoth } from "../support/tcp_pair.ts";
import { inFolder, mode } from "../tub/support.ts";

const identities = await Promise.all([makeIdentity(), makeIdentity()]);
const nobody = () => {};

async function unixPair(
  options: { closeTimeoutMs?: number } = {},
): Promise<[UpgradableConnection, UpgradableConnection]> {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/s`;
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const listener = await listenUnix({ ...options, path, mode: 0o600, onConnection: accepted.resolve });
  try {
    return await Promise.all([dialUnix({ ...options, path }), accepted.promise]);
  } finally {
    await listener.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

transportSuite("unix", unixPair);
transportSuite("unix with TLS", async (options) => await secureBoth(await unixPair(options), identities));
for (const bits of [0o600, 0o660, 0o666]) {
  Deno.test(`listenUnix() gives its file the mode ${bits.toString(8)} and removes it when closed`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/s`;
      const listener = await listenUnix({ path, mode: bits, onConnection: nobody });
      assert.equal(mode(path), bits);
      await Promise.all([listener.close(), listener.close()]);
      assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
    }));
}

Deno.test("listenUnix() replaces the socket of a dead process, and neither a live one nor a file", () =>
  inFolder(async (folder) => {
    const path = `${folder}/s`;
    const code = "import os,socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1]); os._exit(0)";
    await new Deno.Command("/usr/bin/python3", { args: ["-c", code, path] }).output();
    assert.equal(Deno.lstatSync(path).isSocket, true);
    await assert.rejects(dialUnix({ path }), UnreachableError);
    const listener = await listenUnix({ path, mode: 0o600, onConnection: (each) => void each.close() });
    const again = listenUnix({ path, mode: 0o600, onConnection: nobody });
    await assert.rejects(
      again,
      (error) => error instanceof UnreachableError && /another program/.test(error.message),
    );
    const client = await dialUnix({ path });
    assert.equal((await readToEnd(client)).length, 0);
    await client.close();
    await listener.close();
    Deno.writeTextFileSync(path, "precious");
    await assert.rejects(listenUnix({ path, mode: 0o600, onConnection: nobody }), /not a socket/);
    assert.equal(Deno.readTextFileSync(path), "precious");
  }));

Deno.test("listenUnix() and dialUnix() say that there is no such folder", async () => {
  const path = "/nonexistent/folder/s";
  await assert.rejects(listenUnix({ path, mode: 0o600, onConnection: nobody }), UnreachableError);
  await assert.rejects(dialUnix({ path }), UnreachableError);
});

Deno.test({
  name: "dialUnix() names the flags that are missing",
  permissions: { read: true, write: false, net: false },
  async fn() {
    await assert.rejects(dialUnix({ path: "/tmp/s" }), (error) =>
      error instanceof PermissionDenied &&
      error.message.includes("--allow-net=unix:/tmp/s --allow-read=/tmp/s --allow-write=/tmp/s"));
  },
});

for (const path of ["/run/calc.sock", "/a,b/c:d%e", "/ä/日本"]) {
  Deno.test(`formatUnixHint() of ${path} can stand in a FURL and is read back`, () => {
    const hint = formatUnixHint(path);
    assert.doesNotMatch(hint, /[,/]/);
    assert.equal(parseUnixHint(hint), path);
  });
}

for (const hint of ["unix:", "unix:relative", "unix:%", "unix:%2Fa%00b", `unix:%2F${"x".repeat(200)}`]) {
  Deno.test(`parseUnixHint() refuses ${hint.slice(0, 20)}`, () => {
    assert.throws(() => parseUnixHint(hint), { name: "InvalidHintError" });
  });
}

const IN_THE_WAY: Record<string, (path: string, folder: string) => void> = {
  "a folder": (path) => Deno.mkdirSync(path),
  "a link to a file": (path, folder) => {
    Deno.writeTextFileSync(`${folder}/precious`, "mine");
    Deno.symlinkSync(`${folder}/precious`, path);
  },
  "a link that leads nowhere": (path, folder) => Deno.symlinkSync(`${folder}/none`, path),
  "a pipe": (path) => void new Deno.Command("mkfifo", { args: [path] }).outputSync(),
};
for (const [what, make] of Object.entries(IN_THE_WAY)) {
  Deno.test(`listenUnix() leaves ${what} alone that has its name`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/s`;
      make(path, folder);
      const before = Deno.lstatSync(path);
      const listening = listenUnix({ path, mode: 0o600, onConnection: nobody });
      await assert.rejects(listening, UnreachableError);
      const { ino, mode, isSymlink } = Deno.lstatSync(path);
      assert.deepEqual([ino, mode, isSymlink], [before.ino, before.mode, before.isSymlink]);
      await assert.rejects(dialUnix({ path }), UnreachableError);
    }));
}
