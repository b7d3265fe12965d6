import assert from "node:assert/strict";
import {
  i2p,
  InvalidHintError,
  PermissionDenied,
  ProxyError,
  socks,
  tcp,
  tor,
  Tub,
  unix,
  UnreachableError,
} from "../../mod.ts";
import type { ConnectionHintHandler } from "../../mod.ts";
import { connectSam } from "../../lib/transport/sam.ts";
import { dialTcp } from "../../lib/transport/tcp.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { startSamBridge } from "../support/sam_bridge.ts";
import { freePort, packageTests, startMicrosocks, startServer, startTor } from "../support/servers.ts";
import { inFolder, mode } from "./support.ts";
import { startTub, Target, until } from "./tubs.ts";

function withHints(furl: string, ...hints: string[]): string {
  return furl.replace(/@[^/]*\//, `@${hints.join(",")}/`);
}

async function clientWith(type: string, handler: ConnectionHintHandler): Promise<Tub> {
  const client = await Tub.create();
  client.removeAllConnectionHintHandlers();
  client.addConnectionHintHandler(type, handler);
  return client;
}

/** The error of the only hint. */
async function errorOf(client: Tub, hint: string): Promise<Error> {
  const furl = `pb://${"a".repeat(32)}@${hint}/name`;
  const error = await client.getReference(furl).then(
    () => assert.fail("it was reached"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UnreachableError, String(error));
  return error.errors.get(hint)!;
}

await packageTests("microsocks", (test) => {
  test("socks() connects two Tubs by a SOCKS5 server, by a hint of its own and for tcp", async () => {
    await using proxy = await startMicrosocks();
    await using server = await startTub();
    const furl = server.registerReference(new Target());
    for (
      const [type, hint] of [["socks", `socks:localhost:${server.listeners[0]!.port}`], ["tcp", ""]] as const
    ) {
      await using client = await clientWith(type, socks({ proxy: `tcp:127.0.0.1:${proxy.port}` }));
      const ref = await client.getReference<Target>(hint === "" ? furl : withHints(furl, hint));
      assert.equal(await ref.callRemote("add", 1, 2), 3);
      const big = new Uint8Array(3_000_000).fill(7);
      assert.deepEqual(await ref.callRemote("echo", big), big);
      const { address } = client.getConnectionInfoForFURL(furl)!;
      assert.match(
        address!,
        new RegExp(`^tcp:(localhost|127\\.0\\.0\\.1):\\d+ by tcp:127\\.0\\.0\\.1:${proxy.port}$`),
      );
    }
  });

  test("socks() logs in to a SOCKS5 server, which refuses a wrong password", async () => {
    const login = { username: "me", password: "pw" };
    await using proxy = await startMicrosocks(login);
    await using server = await startTub();
    const furl = server.registerReference(new Target());
    const where = { proxy: `127.0.0.1:${proxy.port}` };
    await using client = await clientWith("tcp", socks({ ...where, ...login }));
    await client.getReference(furl);
    for (const wrong of [where, { ...where, username: "me", password: "no" }]) {
      await using refused = await clientWith("tcp", socks(wrong));
      assert.ok(await errorOf(refused, "tcp:127.0.0.1:9") instanceof ProxyError);
    }
  });

  test("socks() says what a SOCKS5 server answers when nobody listens over there", async () => {
    await using proxy = await startMicrosocks();
    await using client = await clientWith("socks", socks({ proxy: `tcp:127.0.0.1:${proxy.port}` }));
    const error = await errorOf(client, `socks:127.0.0.1:${freePort()}`);
    assert.ok(error instanceof ProxyError);
    assert.equal(error.reply, 5);
  });

  test("tor() does with any SOCKS5 server, of which it knows nothing more", async () => {
    await using proxy = await startMicrosocks();
    await using server = await startTub();
    await using client = await clientWith("tor", tor({ socks: `tcp:127.0.0.1:${proxy.port}` }));
    const hint = `tor:localhost:${server.listeners[0]!.port}`;
    await client.getReference(withHints(server.registerReference(new Target()), hint));
  });
});

Deno.test("socks() says that the connection was refused when no proxy is there", async () => {
  await using client = await clientWith("socks", socks({ proxy: `tcp:127.0.0.1:${freePort()}` }));
  assert.ok(await errorOf(client, "socks:h:1") instanceof UnreachableError);
});

Deno.test("socks() says that a web server is no SOCKS5 proxy", async () => {
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using conn = await server.accept();
    await conn.read(new Uint8Array(100));
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
  })();
  await using client = await clientWith("socks", socks({ proxy: `tcp:127.0.0.1:${server.addr.port}` }));
  const error = await errorOf(client, "socks:h:1");
  assert.ok(error instanceof ProxyError && /does not speak SOCKS5/.test(error.message));
  await serving;
  server.close();
});

for (const proxy of ["", "x", "tcp:h", "tcp:h:0", "tcp:h:70000", "unix:relative", "http://h:1"]) {
  Deno.test(`socks() refuses the proxy ${JSON.stringify(proxy)}`, () => {
    assert.throws(() => socks({ proxy }), TypeError);
  });
}

Deno.test("socks(), tor() and i2p() refuse options that make no sense", () => {
  assert.throws(() => socks({ proxy: "h:1", username: "me" }), TypeError);
  assert.throws(() => socks({ proxy: "h:1", username: "", password: "" }), RangeError);
  assert.throws(() => tor({ socks: "h:1", launch: true }), TypeError);
  assert.throws(() => tor({ control: "nonsense" }), TypeError);
  assert.throws(() => i2p({ options: { a: "b c" } }), TypeError);
  assert.throws(() => i2p({ destination: "a\nSESSION" }), TypeError);
});

// As Foolscap's test_connection.Tor has them, and more.
const notTorAble =
  "127.0.0.1 10.0.0.1 192.168.1.1 172.16.0.1 172.31.255.255 169.254.1.1 224.0.0.1 240.0.0.1 0.0.0.0 [::1] [2001:db8::1]"
    .split(" ");
for (const host of notTorAble) {
  Deno.test(`tor() ignores a hint to ${host}`, async () => {
    await using client = await clientWith("tor", tor({ socks: "tcp:127.0.0.1:9" }));
    const error = await errorOf(client, `tor:${host}:80`);
    assert.ok(error instanceof InvalidHintError);
    assert.equal(error.reason, `ignoring non-Tor-able ipaddr ${host.replace(/[[\]]/g, "")}`);
  });
}

for (const hint of ["tor:nohost", "tor:a.onion:80:extra", "tor:a_b:1", "tor:a.onion:0"]) {
  Deno.test(`tor() does not recognize ${hint}`, async () => {
    await using client = await clientWith("tor", tor({ socks: "tcp:127.0.0.1:9" }));
    assert.ok(await errorOf(client, hint) instanceof InvalidHintError);
  });
}

for (const host of ["8.8.8.8", "172.32.0.1", "example.org", "abc.onion"]) {
  Deno.test(`tor() says what it was doing when no Tor is there to reach ${host}`, async () => {
    await using client = await clientWith("tor", tor({ socks: `tcp:127.0.0.1:${freePort()}` }));
    const furl = `pb://${"a".repeat(32)}@tor:${host}:80,slow:x:y/name`;
    const stop = Promise.withResolvers<never>();
    client.addConnectionHintHandler("slow", { connect: () => stop.promise });
    const attempt = client.getReference(furl);
    const status = () => client.getConnectionInfoForFURL(furl)?.connectorStatuses.get(`tor:${host}:80`) ?? "";
    await until(() => status() === "connection refused (while connecting to a Tor)", status());
    stop.reject(new InvalidHintError("enough"));
    await assert.rejects(attempt);
  });
}

await packageTests("tor", (test) => {
  test("tor() finds the SOCKS port of a real Tor by its control port, with its cookie, and hears its refusal", async () => {
    await using server = await startTor("--CookieAuthentication", "1");
    const asked: string[] = [];
    for (
      const control of [`tcp:127.0.0.1:${server.controlPort}`, (say: (text: string) => void) => {
        say("looking");
        asked.push("asked");
        return Promise.resolve(`tcp:127.0.0.1:${server.controlPort}`);
      }]
    ) {
      await using client = await clientWith("tor", tor({ control }));
      for (const hint of ["tor:short.onion:80", "tor:other.onion:80"]) {
        const error = await errorOf(client, hint);
        assert.ok(error instanceof ProxyError, String(error));
        assert.match(error.message, new RegExp(`^Tor at tcp:127.0.0.1:${server.port} did not connect`));
      }
    }
    assert.deepEqual(asked, ["asked"]);
  });

  test("tor() gives the control port of a real Tor its password, and says that a wrong one is refused", async () => {
    const { stdout } = await new Deno.Command("tor", { args: ["--quiet", "--hash-password", "pw"] }).output();
    const hash = new TextDecoder().decode(stdout).trim();
    await using server = await startTor("--HashedControlPassword", hash);
    const control = `tcp:127.0.0.1:${server.controlPort}`;
    await using client = await clientWith("tor", tor({ control, controlPassword: "pw" }));
    assert.match((await errorOf(client, "tor:short.onion:80")).message, /^Tor at tcp/);
    await using wrong = await clientWith("tor", tor({ control, controlPassword: "no" }));
    assert.match((await errorOf(wrong, "tor:short.onion:80")).message, /control port .* refused/);
  });

  test("tor() launches a Tor of its own, which ends with the Tub", () =>
    inFolder(async (dataDirectory) => {
      // Nothing goes out to the world.
      Deno.writeTextFileSync(`${dataDirectory}/torrc`, "Socks5Proxy 127.0.0.1:1\n");
      const client = await clientWith("tor", tor({ launch: { dataDirectory } }));
      const error = await errorOf(client, "tor:short.onion:80");
      assert.match(error.message, /^Tor at tcp:127\.0\.0\.1:\d+ did not connect/);
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(error.message)![1]);
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      await client.stop();
      await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
    }));
});

Deno.test("tor() says that Tor cannot be launched when there is none, or it ends at once", async () => {
  for (const binary of ["/nonexistent/tor", "/bin/false"]) {
    await using client = await clientWith("tor", tor({ launch: { binary } }));
    const error = await errorOf(client, "tor:a.onion:80");
    assert.ok(error instanceof ProxyError);
    assert.match(error.message, /^Cannot launch Tor/);
  }
});

Deno.test({
  name: "tor() names the flag that launching takes",
  permissions: { run: false, read: true, write: true, env: true, net: true },
  async fn() {
    await using client = await clientWith("tor", tor({ launch: true }));
    const error = await errorOf(client, "tor:a.onion:80");
    assert.ok(error instanceof PermissionDenied);
    assert.match(error.message, /--allow-run=tor/);
  },
});

Deno.test("i2p() connects Tubs by one session of a SAM bridge, which ends with the Tub", async () => {
  await using server = await startTub();
  await using other = await startTub();
  const [a, b] = [server.listeners[0]!.port, other.listeners[0]!.port];
  await using bridge = startSamBridge({ "a.i2p": a, "b.b32.i2p": b });
  const handler = i2p({ sam: `tcp:127.0.0.1:${bridge.port}`, port: 99, options: { "inbound.length": "1" } });
  const client = await clientWith("i2p", handler);
  const refs = await Promise.all([
    client.getReference<Target>(withHints(server.registerReference(new Target()), "i2p:a.i2p:4501")),
    client.getReference<Target>(withHints(other.registerReference(new Target()), "i2p:b.b32.i2p")),
  ]);
  for (const ref of refs) assert.equal(await ref.callRemote("add", 1, 2), 3);
  const created = bridge.commands.filter((line) => line.startsWith("SESSION"));
  assert.equal(created.length, 1);
  assert.match(created[0]!, / DESTINATION=TRANSIENT SIGNATURE_TYPE=7 inbound\.length=1$/);
  const streams = bridge.commands.filter((line) => line.startsWith("STREAM"));
  assert.deepEqual(streams.map((line) => /TO_PORT=\d+/.exec(line)?.[0]).sort(), [
    "TO_PORT=4501",
    "TO_PORT=99",
  ]);
  await until(() => bridge.commands.includes("PONG 12345"));
  assert.equal(bridge.sessions.size, 1);
  await client.stop();
  await until(() => bridge.sessions.size === 0);
});

Deno.test("i2p() makes a new session when the router has ended the old one, and says what the bridge refuses", async () => {
  await using server = await startTub();
  await using bridge = startSamBridge(
    { "a.i2p": server.listeners[0]!.port, "closed.i2p": freePort() },
    "3.1",
  );
  await using client = await clientWith("i2p", i2p({ sam: `127.0.0.1:${bridge.port}` }));
  assert.equal((await errorOf(client, "i2p:unknown.i2p") as ProxyError).reply, "KEY_NOT_FOUND");
  assert.equal((await errorOf(client, "i2p:closed.i2p") as ProxyError).reply, "CANT_REACH_PEER");
  for (const conn of bridge.sessions.values()) conn.close();
  await until(() => bridge.sessions.size === 0);
  const furl = withHints(server.registerReference(new Target()), "i2p:a.i2p:1");
  await until(() => bridge.sessions.size === 0);
  const attempt = () => client.getReference(furl).then(() => true, () => false);
  // The end of the session may take a turn to arrive here.
  for (let tries = 0; !await attempt(); tries++) assert.ok(tries < 5);
  assert.equal(bridge.commands.filter((line) => line.startsWith("SESSION")).length, 2);
});

for (const hint of ["i2p:a_b", "i2p:a:b", "i2p:a.i2p:1:2", "i2p:a.i2p:99999"]) {
  Deno.test(`i2p() does not recognize ${hint}`, async () => {
    await using client = await clientWith("i2p", i2p());
    assert.ok(await errorOf(client, hint) instanceof InvalidHintError);
  });
}

await packageTests("i2pd", (test) => {
  test("i2p() and connectSam() speak with a real I2P router, which has no network", async () => {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/i2pd.conf`, "");
    await using router = await startServer("i2pd", (port) => [
      ...[`--datadir=${folder}`, `--conf=${folder}/i2pd.conf`, "--log=stdout", "--netid=99"],
      // Nothing goes out to the world.
      ...["--reseed.urls=https://127.0.0.1:1/", "--host=127.0.0.1", "--address4=127.0.0.1"],
      ...["--http.enabled=false", "--httpproxy.enabled=false", "--socksproxy.enabled=false"],
      ...["--sam.enabled=true", `--sam.port=${port}`],
    ], () => Deno.remove(folder, { recursive: true }));
    // A lookup takes no session, a stream does.
    for (
      const [name, reply] of [["unknown.i2p", /^(INVALID_KEY|KEY_NOT_FOUND)$/], [
        "ME",
        /^INVALID_ID$/,
      ]] as const
    ) {
      const connection = await dialTcp({ host: "127.0.0.1", port: router.port });
      const { signal } = new AbortController();
      const stream = connectSam(connection, { id: "none", name, port: 80, who: "SAM bridge", signal });
      await assert.rejects(stream, (error) => error instanceof ProxyError && reply.test(String(error.reply)));
    }
    // Without a network the router makes no session and says nothing: the effort ends that.
    const client = await clientWith("i2p", i2p({ sam: `tcp:127.0.0.1:${router.port}` }));
    const furl = `pb://${"a".repeat(32)}@i2p:unknown.i2p:80/name`;
    const attempt = assert.rejects(client.getReference(furl));
    const status = () => client.getConnectionInfoForFURL(furl)?.connectorStatuses.get("i2p:unknown.i2p:80");
    await until(() => status() === "making an I2P session");
    await Promise.all([client.stop(), attempt]);
  });
});

Deno.test("unix() connects two Tubs by a socket that only this user may use", () =>
  inFolder(async (folder) => {
    const path = `${folder}/calc.sock`;
    await using server = await Tub.create();
    const listener = await server.listenOn(`unix:${path}`);
    assert.equal(listener.port, 0);
    assert.equal(listener.hint, `unix:${encodeURIComponent(path)}`);
    assert.equal(mode(path), 0o600);
    await assert.rejects(server.setLocationAutomatically(), /only unix sockets/);
    server.setLocation(listener.hint);
    const furl = server.registerReference(new Target());
    await using client = await clientWith("unix", unix());
    const ref = await client.getReference<Target>(furl);
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    await assert.rejects(client.listenOn(`unix:${path}`), /another program listens there/);
    await using stranger = await Tub.create();
    assert.ok(await errorOf(stranger, listener.hint) instanceof InvalidHintError);
    await listener.close();
    assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
    assert.equal(await ref.callRemote("add", 1, 2), 3);
  }));

for (const allowPeers of [false, true]) {
  Deno.test(`unix() ${allowPeers ? "follows" : "refuses"} a hint of a peer with allowPeers: ${allowPeers}`, () =>
    inFolder(async (folder) => {
      await using owner = await Tub.create();
      owner.setLocation((await owner.listenOn(`unix:${folder}/s`)).hint);
      await using receiver = await startTub();
      receiver.addConnectionHintHandler("unix", unix({ allowPeers }));
      await using giver = await clientWith("unix", unix());
      giver.addConnectionHintHandler("tcp", tcp());
      const gift = await giver.getReference(owner.registerReference(new Target()));
      const ref = await giver.getReference<Target>(receiver.registerReference(new Target()));
      const given = ref.callRemote("hold", gift);
      if (allowPeers) return void await given;
      await assert.rejects(
        given,
        (error: Error) => !error.message.includes(folder) && /gift/.test(error.message),
      );
    }));
}

Deno.test({
  name: "Tub.listenOn() and unix() name the flags that a unix socket takes",
  permissions: { net: ["unix:/tmp/a"], read: ["/tmp/a"], write: false },
  async fn() {
    await using tub = await clientWith("unix", unix());
    await assert.rejects(tub.listenOn("unix:/tmp/a"), /--allow-write=\/tmp\/a/);
    await assert.rejects(tub.listenOn("unix:/tmp/b"), /--allow-net=unix:\/tmp\/b/);
    assert.match((await errorOf(tub, "unix:%2Ftmp%2Fa")).message, /--allow-write=\/tmp\/a/);
  },
});

/** What could become another command, another header or another address at a proxy, were it passed on. */
const INJECTIONS = [
  "a\r\nb:1",
  "a\nSESSION CREATE:1",
  "a b:1",
  "a\0b:1",
  "a:1\r\n",
  "[::1\r\n]:1",
  "a,b:1",
  'a"b:1',
  "a%0d%0ab:1",
];
for (const [type, make] of Object.entries({ socks: () => socks({ proxy: "127.0.0.1:1" }), tor, i2p, tcp })) {
  for (const rest of INJECTIONS) {
    Deno.test(`${type}() passes nothing of the hint ${JSON.stringify(rest)} on`, async () => {
      const connecting = make().connect(`${type}:${rest}`, {
        signal: new AbortController().signal,
        clock: systemClock,
        updateStatus: () => {},
      });
      await assert.rejects(Promise.resolve(connecting), InvalidHintError);
    });
  }
}
