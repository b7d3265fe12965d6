import assert from "node:assert/strict";
import { PermissionDenied, UnreachableError } from "../../lib/errors.ts";
import { formatUnixHint, parseUnixHint } from "../../lib/names/unix_hint.ts";
import { connectionOver } from "../../lib/transport/foreign_streams.ts";
import { memoryPair } from "../../lib/transport/memory.ts";
import type { UpgradableConnection } from "../../lib/transport/transport.ts";
import { dialUnix, listenUnix } from "../../lib/transport/unix.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
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

function foreignPair(options: { closeTimeoutMs?: number } = {}) {
  return memoryPair(options).map((end) =>
    connectionOver({ readable: end.readable, writable: end.writable, close: () => end.close() }, {
      ...options,
      peerAddress: "pipe",
    })
  ) as [ReturnType<typeof connectionOver>, ReturnType<typeof connectionOver>];
}

transportSuite("unix", unixPair);
transportSuite("unix with TLS", async (options) => await secureBoth(await unixPair(options), identities));
transportSuite("foreign streams", (options) => Promise.resolve(foreignPair(options)));
transportSuite("foreign streams with TLS", async (options) => {
  const [a, b] = foreignPair(options);
  return await secureBoth([upgradable(a, options), upgradable(b, options)], identities);
});

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

Deno.test("connectionOver() refuses what are no streams, and locked ones", () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const options = { peerAddress: "pipe" };
  assert.throws(() => connectionOver({ readable, writable: {} as WritableStream }, options), TypeError);
  readable.getReader();
  assert.throws(() => connectionOver({ readable, writable }, options), /locked/);
});

Deno.test("connectionOver() fails when a chunk is not bytes, and skips empty ones", async () => {
  const readable = new ReadableStream<unknown>({
    start(controller) {
      controller.enqueue(new Uint8Array());
      controller.enqueue(Uint8Array.of(7));
      controller.enqueue("text");
    },
  }) as ReadableStream<Uint8Array>;
  let closed = 0;
  const connection = connectionOver(
    { readable, writable: new WritableStream(), close: () => void closed++ },
    {
      peerAddress: "pipe",
    },
  );
  const reader = connection.readable.getReader();
  assert.deepEqual((await reader.read()).value, Uint8Array.of(7));
  await assert.rejects(reader.read(), /not a Uint8Array/);
  await connection.close();
  await connection.close();
  assert.equal(closed, 1);
});

Deno.test("connectionOver() tells what close of the streams throws, and does not wait for ever", async () => {
  const failures: Error[] = [];
  const streams = () => ({
    readable: new ReadableStream<Uint8Array>(),
    writable: new WritableStream<Uint8Array>(),
  });
  const failing = connectionOver({
    ...streams(),
    close: () => {
      throw new RangeError("no");
    },
  }, { peerAddress: "pipe", onCloseFailed: (error) => failures.push(error) });
  await failing.close();
  assert.ok(failures[0] instanceof RangeError);
  const alive = setInterval(() => {}, 60_000);
  const hanging = connectionOver({ ...streams(), close: () => new Promise(() => {}) }, {
    peerAddress: "pipe",
    closeTimeoutMs: 5,
  });
  await hanging.close();
  clearInterval(alive);
});
