import assert from "node:assert/strict";
import net from "node:net";
import { pb, PermissionDenied, Tub, UnreachableError } from "../../mod.ts";
import { Authority } from "./certificates.ts";

class Root extends pb.Root {
  remote_echo(value: unknown): unknown {
    return value;
  }
}

for (
  const target of [
    "",
    "localhost",
    "localhost:8787",
    "tcp:localhost",
    "tcp:localhost:0",
    "tcp:localhost:65536",
    "tcp::1:8787",
    "tcp:[::1:8787",
    "udp:localhost:8787",
    "unix:",
    "pb://abcdefg@tcp:localhost:8787/secret",
    "tcp:a b:1",
    "tcp:localhost:1\n",
    "TCP:localhost:1",
  ]
) {
  Deno.test(`connect() says how a target is written when it is given ${JSON.stringify(target)}`, async () => {
    await assert.rejects(pb.connect(target), (error) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.match(error.message, /^Cannot connect to .*: write "tcp:HOST:PORT"/);
      assert.ok(!error.message.includes("/secret"), error.message);
      return true;
    });
  });
}

for (
  const place of [
    "",
    "8787",
    "tcp:",
    "tcp:localhost:8787",
    "tcp:65536",
    "tcp:1:interface=",
    "tls:-1",
    "unix:",
  ]
) {
  Deno.test(`serve() says how a place is written when it is given ${JSON.stringify(place)}`, async () => {
    await assert.rejects(pb.serve(new Root(), place), {
      name: "TypeError",
      message: /^Cannot listen on .*: write "tcp:PORT"/,
    });
  });
}

for (const root of [undefined, null, 5, {}, Root, () => new Root()]) {
  Deno.test(`serve() refuses ${String(root)} for a root`, async () => {
    await assert.rejects(pb.serve(root as unknown as pb.Root, "tcp:0"), {
      name: "TypeError",
      message: /^Cannot serve: give a pb\.Root/,
    });
  });
}

Deno.test("serve() at a port that is in use, and connect() to one where nobody listens, say so", async () => {
  const server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
  const place = `tcp:${server.port}:interface=127.0.0.1`;
  await assert.rejects(pb.serve(new Root(), place), (error) => {
    assert.ok(error instanceof UnreachableError, String(error));
    assert.match(
      error.message,
      new RegExp(`^Cannot listen on tcp:127\\.0\\.0\\.1:${server.port}: .*in use`, "i"),
    );
    return true;
  });
  await server.close();
  await assert.rejects(pb.connect(server.address), (error) => {
    assert.ok(error instanceof UnreachableError, String(error));
    assert.match(
      error.message,
      new RegExp(`^Cannot connect to tcp:127\\.0\\.0\\.1:${server.port}: .*refused`, "i"),
    );
    return true;
  });
});

Deno.test("connect() to a socket that is not there says so", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assert.rejects(pb.connect(`unix:${folder}/none`), UnreachableError);
    await assert.rejects(pb.serve(new Root(), `unix:${folder}/none/none`), UnreachableError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("without permission for the network, connect() and serve() name the flag", async () => {
  const program = `
    import { pb } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
    const tell = (error) => console.log(error.name + ": " + error.message);
    await pb.connect("tcp:127.0.0.1:4").catch(tell);
    await pb.connect("tls:127.0.0.1:4").catch(tell);
    await pb.serve(new pb.Root(), "tcp:4:interface=127.0.0.1").catch(tell);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--cached-only", "--ext=ts", "-"],
    cwd: new URL("../..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const run = `${PermissionDenied.name}: Cannot`;
  assert.deepEqual(new TextDecoder().decode(stdout).trim().split("\n"), [
    `${run} connect to tcp:127.0.0.1:4: run with --allow-net=127.0.0.1:4`,
    `${run} connect to tls:127.0.0.1:4: run with --allow-net=127.0.0.1:4`,
    `${run} listen on tcp:127.0.0.1:4: run with --allow-net=127.0.0.1:4`,
  ], new TextDecoder().decode(stderr));
});

Deno.test("connect() to a server that listens and says nothing gives up in its time", async () => {
  const silent = net.createServer((socket) => void socket.resume().on("error", () => {}));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as net.AddressInfo;
  await assert.rejects(
    pb.connect(`tcp:127.0.0.1:${port}`, { limits: { negotiationTimeoutMs: 30 } }),
    {
      name: "NegotiationError",
      message:
        /^Cannot connect to .*: Nothing was agreed on within 30 ms|Nothing was agreed on within 30 ms$/,
    },
  );
  await assert.rejects(
    pb.connect(`tls:127.0.0.1:${port}`, { limits: { negotiationTimeoutMs: 30 } }),
    { name: "NegotiationError", message: /nothing came of it in time$/ },
  );
  await new Promise((resolve) => silent.close(resolve));
});

Deno.test("connect() to a Tub of Foolscap fails in its time, and the Tub goes on", async () => {
  const tub = await Tub.create();
  const listener = await tub.listenOn("tcp:0:interface=127.0.0.1");
  await assert.rejects(
    pb.connect(`tcp:127.0.0.1:${listener.port}`, { limits: { negotiationTimeoutMs: 30 } }),
    { name: "NegotiationError" },
  );
  await tub.stop();
});

Deno.test("a server asks clients for certificates of an authority, and serves no others", async () => {
  await using authority = await Authority.create();
  await using strangers = await Authority.create();
  const own = await authority.issue("server");
  const known = await authority.issue("client");
  const unknown = await strangers.issue("client");
  const failures: string[] = [];
  await using server = await pb.serve(new Root(), "tls:0:interface=127.0.0.1", {
    ...own,
    clientCaCerts: [authority.ca],
    trace: (event) => event.type === "disconnected" && failures.push(event.error.message),
  });
  const caCerts = [authority.ca];
  await using client = await pb.connect(server.address, { caCerts, ...known });
  assert.equal(await client.getRootObject().callRemote("echo", 1), 1);
  await assert.rejects(pb.connect(server.address, { caCerts, cert: known.cert }), {
    name: "TypeError",
    message: /no pair of PEM texts$/,
  });
  await assert.rejects(pb.connect(server.address, { caCerts }), { name: "NegotiationError" });
  await assert.rejects(pb.connect(server.address, { caCerts, ...unknown }), { name: "NegotiationError" });
  assert.equal(server.brokers.length, 1);
  // The client may be told before the server tells of it.
  while (failures.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(server.brokers.length, 1);
  assert.match(failures.join(), /TLS handshake failed/);
});

Deno.test("TLS is refused where one of the two ends does not speak it, or is not trusted", async () => {
  await using authority = await Authority.create();
  await using strangers = await Authority.create();
  const own = await authority.issue("server");
  await using secure = await pb.serve(new Root(), "tls:0:interface=127.0.0.1", {
    ...own,
    limits: { negotiationTimeoutMs: 100 },
  });
  await using plain = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
  const trusting = { caCerts: [authority.ca] };
  await assert.rejects(pb.connect(`tls:127.0.0.1:${plain.port}`, trusting), { name: "NegotiationError" });
  // The server waits for a hello, the client for an offer.
  await assert.rejects(pb.connect(`tcp:127.0.0.1:${secure.port}`), { name: "NegotiationError" });
  await assert.rejects(pb.connect(secure.address, { caCerts: [strangers.ca] }), {
    name: "NegotiationError",
    message: /^Cannot connect to tls:127\.0\.0\.1:\d+: TLS handshake failed: .*(?:certificate|issuer)/i,
  });
  await assert.rejects(pb.connect(secure.address), { name: "NegotiationError" });
  await assert.rejects(pb.connect(secure.address, { ...trusting, serverName: "other.example" }), {
    name: "NegotiationError",
    message: /other\.example|altname|NotValidForName/i,
  });
});

Deno.test("serve() by TLS needs a certificate and its key", async () => {
  await using authority = await Authority.create();
  const [one, other] = [await authority.issue("one"), await authority.issue("other")];
  await assert.rejects(pb.serve(new Root(), "tls:0"), {
    name: "TypeError",
    message: "Cannot serve TLS: give the options cert and key, both as PEM",
  });
  for (const pair of [{ cert: one.cert, key: "no key" }, { cert: "no certificate", key: one.key }]) {
    await assert.rejects(pb.serve(new Root(), "tls:0", pair), {
      name: "TypeError",
      message: /no pair of PEM/,
    });
  }
  await assert.rejects(pb.serve(new Root(), "tls:0", { cert: one.cert, key: other.key }), {
    name: "TypeError",
  });
});
