import assert from "node:assert/strict";
import net from "node:net";
import { CertificateError, NegotiationError, UnreachableError } from "../../lib/errors.ts";
import { memoryPair } from "../../lib/transport/memory.ts";
import { dialTcp, listenTcp } from "../../lib/transport/tcp.ts";
import type { UpgradableConnection } from "../../lib/transport/transport.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
import { readBytes, readToEnd, transportSuite } from "../suites/transport_suite.ts";
import { makeIdentity } from "../support/identity.ts";
import { secureBoth, tcpPair } from "../support/tcp_pair.ts";

const identities = await Promise.all([makeIdentity(), makeIdentity()]);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

transportSuite("tcp", tcpPair);
transportSuite("tcp with TLS", async (options) => await secureBoth(await tcpPair(options), identities));
transportSuite("memory with TLS", async (options) => {
  const [a, b] = memoryPair(options);
  return await secureBoth([upgradable(a, options), upgradable(b, options)], identities);
});

Deno.test("startTls() shows each end the certificate of the other, as memory of its own", async () => {
  const [client, server] = await secureBoth(await tcpPair(), identities);
  assert.deepEqual(client.peerCertificate, identities[1].der);
  assert.deepEqual(server.peerCertificate, identities[0].der);
  assert.equal(client.peerCertificate?.buffer.byteLength, identities[1].der.byteLength);
  await Promise.all([client.close(), server.close()]);
});

for (const delay of ["none", "turn", "5 ms"]) {
  Deno.test(`startTls() after a plaintext exchange never hangs, with a server delay of ${delay}`, async () => {
    for (let round = 0; round < 30; round++) await plaintextThenTls(await tcpPair(), delay);
  });
}

async function plaintextThenTls(
  [client, server]: [UpgradableConnection, UpgradableConnection],
  delay: string,
): Promise<void> {
  const clientSide = (async () => {
    await send(client, "GET\r\n\r\n");
    assert.equal(text(await readBytes(client, 7)), "101\r\n\r\n");
    return await client.startTls({ role: "client", identity: identities[0] });
  })();
  const serverSide = (async () => {
    assert.equal(text(await readBytes(server, 7)), "GET\r\n\r\n");
    await send(server, "101\r\n\r\n");
    if (delay === "turn") await new Promise((resolve) => setImmediate(resolve));
    if (delay === "5 ms") await new Promise((resolve) => setTimeout(resolve, 5));
    return await server.startTls({ role: "server", identity: identities[1] });
  })();
  const [a, b] = await Promise.all([clientSide, serverSide]);
  await Promise.all([send(a, "ping"), send(b, "pong")]);
  assert.equal(text(await readBytes(a, 4)), "pong");
  assert.equal(text(await readBytes(b, 4)), "ping");
  await Promise.all([a.close(), b.close()]);
}

async function send(connection: { writable: WritableStream<Uint8Array> }, value: string): Promise<void> {
  const writer = connection.writable.getWriter();
  await writer.write(bytes(value));
  writer.releaseLock();
}

Deno.test("startTls() fails and closes when the peer answers with something else than TLS", async () => {
  const [client, server] = await tcpPair();
  const handshake = client.startTls({ role: "client", identity: identities[0] });
  await Promise.all([assert.rejects(handshake, NegotiationError), send(server, "HTTP/1.1 200 OK\r\n\r\n")]);
  await Promise.all([client.close(), server.close()]);
});

Deno.test("startTls() as server fails and closes when the peer sends something else than TLS", async () => {
  const [client, server] = await tcpPair();
  const handshake = server.startTls({ role: "server", identity: identities[0] });
  await Promise.all([assert.rejects(handshake, NegotiationError), send(client, "GET / HTTP/1.1\r\n\r\n")]);
  await Promise.all([client.close(), server.close()]);
});

for (const role of ["client", "server"] as const) {
  Deno.test(`startTls() as ${role} fails and closes when the peer hangs up`, async () => {
    const [one, other] = await tcpPair();
    const handshake = one.startTls({ role, identity: identities[0] });
    await Promise.all([assert.rejects(handshake, NegotiationError), other.close()]);
    await one.close();
  });

  Deno.test(`startTls() as ${role} over memory fails and closes when the peer hangs up`, async () => {
    const [one, other] = memoryPair();
    const handshake = upgradable(one).startTls({ role, identity: identities[0] });
    await Promise.all([assert.rejects(handshake, NegotiationError), other.close()]);
    await one.close();
  });

  Deno.test(`startTls() as ${role} ends when its signal fires`, async () => {
    const [one, other] = await tcpPair();
    const stop = new AbortController();
    const handshake = one.startTls({ role, identity: identities[0], signal: stop.signal });
    stop.abort(new RangeError("tired"));
    await assert.rejects(handshake, (error) => {
      return error instanceof NegotiationError && error.cause instanceof RangeError;
    });
    await Promise.all([one.close(), other.close()]);
  });

  Deno.test(`startTls() as ${role} refuses a broken identity without leaving anything open`, async () => {
    const [one, other] = await tcpPair();
    const identity = { certPem: identities[0].certPem, keyPem: "no key" };
    await assert.rejects(one.startTls({ role, identity }), CertificateError);
    await Promise.all([one.close(), readToEnd(other).catch(() => {})]);
    await other.close();
  });
}

Deno.test("startTls() refuses a locked stream and leaves the connection alone", async () => {
  const [client, server] = await tcpPair();
  const writer = client.writable.getWriter();
  await assert.rejects(client.startTls({ role: "client", identity: identities[0] }), TypeError);
  await writer.write(bytes("still here"));
  assert.equal(text(await readBytes(server, 10)), "still here");
  await Promise.all([client.close(), server.close()]);
});

Deno.test("close() of the plain connection cuts a handshake on its way", async () => {
  const [client, server] = await tcpPair();
  const handshake = assert.rejects(
    client.startTls({ role: "client", identity: identities[0] }),
    NegotiationError,
  );
  await client.close();
  await handshake;
  await server.close();
});

Deno.test("close() of the plain connection ends the TLS connection on it", async () => {
  const [client, server] = await tcpPair();
  const [a, b] = await secureBoth([client, server], identities);
  const drained = readToEnd(b);
  await client.close();
  assert.equal((await drained).length, 0);
  await a.close();
  await b.close();
});

Deno.test("a connection answers the peer's end of stream with its own", async () => {
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection: accepted.resolve });
  const socket = net.connect({ port: listener.port, host: "127.0.0.1", allowHalfOpen: true });
  const ended = new Promise<void>((resolve) => socket.on("end", resolve));
  socket.resume().end("bye");
  const connection = await accepted.promise;
  assert.equal(text(await readToEnd(connection)), "bye");
  await ended;
  await connection.close();
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.destroy();
  await closed;
  await listener.close();
});

Deno.test("dialTcp() says what is wrong when nothing listens", async () => {
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection() {} });
  await listener.close();
  await assert.rejects(dialTcp({ host: "127.0.0.1", port: listener.port }), (error) => {
    assert(error instanceof UnreachableError);
    assert.match(error.message, /^Cannot connect to tcp:127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    return true;
  });
});

Deno.test("dialTcp() rejects with the reason of its signal", async () => {
  const reason = new RangeError("changed my mind");
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection: (c) => void c.close() });
  const dial = { host: "127.0.0.1", port: listener.port };
  await assert.rejects(dialTcp({ ...dial, signal: AbortSignal.abort(reason) }), reason);
  const stop = new AbortController();
  const attempt = dialTcp({ ...dial, signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(attempt, reason);
  await listener.close();
});

Deno.test("listenTcp() says what is wrong when the port is taken", async () => {
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection() {} });
  const again = listenTcp({ port: listener.port, address: "127.0.0.1", onConnection() {} });
  await assert.rejects(again, UnreachableError);
  await listener.close();
});

Deno.test("listenTcp() frees the port when closed and keeps what it has accepted", async () => {
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection: accepted.resolve });
  assert.equal(listener.address, "127.0.0.1");
  const client = await dialTcp({ host: "127.0.0.1", port: listener.port });
  const server = await accepted.promise;
  await Promise.all([listener.close(), listener.close()]);
  const second = await listenTcp({ port: listener.port, address: "127.0.0.1", onConnection() {} });
  await send(client, "alive");
  assert.equal(text(await readBytes(server, 5)), "alive");
  await Promise.all([client.close(), server.close(), second.close()]);
});

Deno.test("listenTcp() closes a connection whose handler throws", async () => {
  const listener = await listenTcp({
    port: 0,
    address: "127.0.0.1",
    onConnection() {
      throw new RangeError("not today");
    },
  });
  const client = await dialTcp({ host: "127.0.0.1", port: listener.port });
  assert.equal((await readToEnd(client)).length, 0);
  await client.close();
  await listener.close();
});

const addresses = Deno.networkInterfaces().filter((each) => each.family === "IPv6");
const loopback = addresses.find((each) => each.address === "::1");
const linkLocal = addresses.find((each) => each.address.startsWith("fe80:"));

Deno.test({
  name: "dialTcp() reaches an IPv6 address",
  ignore: loopback === undefined,
  async fn() {
    const accepted = Promise.withResolvers<UpgradableConnection>();
    const listener = await listenTcp({ port: 0, address: "::1", onConnection: accepted.resolve });
    const client = await dialTcp({ host: "::1", port: listener.port });
    assert.equal(client.peerAddress, `tcp:[::1]:${listener.port}`);
    const [a, b] = await secureBoth([client, await accepted.promise], identities);
    await Promise.all([a.close(), b.close(), listener.close()]);
  },
});

Deno.test({
  name: "dialTcp() reaches an IPv6 address with a zone, TLS included",
  ignore: linkLocal === undefined,
  async fn() {
    const accepted = Promise.withResolvers<UpgradableConnection>();
    const listener = await listenTcp({ port: 0, address: "::", onConnection: accepted.resolve });
    const host = `${linkLocal?.address}%${linkLocal?.name}`;
    const client = await dialTcp({ host, port: listener.port });
    await plaintextThenTls([client, await accepted.promise], "none");
    await listener.close();
  },
});
