import assert from "node:assert/strict";
import { NegotiationError, UnreachableError } from "../../lib/errors.ts";
import { anchoredKeyOf } from "../../lib/transport/certificate.ts";
import { listenTcp } from "../../lib/transport/tcp.ts";
import { dialTls, type DialTlsOptions } from "../../lib/transport/tls.ts";
import type { Connection, UpgradableConnection } from "../../lib/transport/transport.ts";
import { transportSuite } from "../suites/transport_suite.ts";
import { makeIdentity } from "../support/identity.ts";

const [client, server, other] = await Promise.all([makeIdentity(), makeIdentity(), makeIdentity()]);
const serverKey = anchoredKeyOf(server.der)!;

/** Dials a server that goes on as `serve` says. */
async function dial(
  serve: (connection: UpgradableConnection) => Promise<Connection>,
  options: Partial<DialTlsOptions> & { address?: string } = {},
): Promise<[Connection, Connection]> {
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const { closeTimeoutMs, address = "127.0.0.1" } = options;
  const listener = await listenTcp({ port: 0, address, closeTimeoutMs, onConnection: accepted.resolve });
  const { port } = listener;
  const served = accepted.promise.then(serve);
  try {
    return await Promise.all([
      dialTls({ host: address, port, serverKey, identity: client, ...options }),
      served,
    ]);
  } catch (error) {
    await served.then((connection) => connection.close(), () => {});
    throw error;
  } finally {
    await listener.close();
  }
}

const serve = (connection: UpgradableConnection) =>
  connection.startTls({ role: "server", identity: server, minVersion: "TLSv1.3", isPeerHeldBack: true });

transportSuite("a connection of dialTls()", (options) => dial(serve, options));

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`dialTls() to ${address} shows the client's certificate to the server, and nothing to the client`, async () => {
    const [near, far] = await dial(serve, { address });
    assert.equal(near.peerCertificate, undefined);
    assert.deepEqual(far.peerCertificate, new Uint8Array(client.der));
    assert.match(near.peerAddress, /^tls:/);
    await Promise.all([near.close(), far.close()]);
  });
}

Deno.test("dialTls() refuses a server with another key than the hint's", async () => {
  const attempt = dial((connection) => connection.startTls({ role: "server", identity: other }));
  await assert.rejects(
    attempt,
    (error) => error instanceof NegotiationError && /does not have the key of the hint/.test(error.message),
  );
});

Deno.test("dialTls() refuses a server that speaks no TLS", async () => {
  const attempt = dial(async (connection) => {
    await connection.writable.getWriter().write(new TextEncoder().encode("HTTP/1.1 500 no\r\n\r\n"));
    return connection;
  });
  await assert.rejects(
    attempt,
    (error) => error instanceof NegotiationError && /TLS handshake failed/.test(error.message),
  );
});

Deno.test("dialTls() says that nobody listens", async () => {
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection: () => {} });
  await listener.close();
  const attempt = dialTls({ host: "127.0.0.1", port: listener.port, serverKey, identity: client });
  await assert.rejects(attempt, UnreachableError);
});

Deno.test("dialTls() ends when its signal fires, before the connection and in the handshake", async () => {
  const stop = new AbortController();
  const reason = new RangeError("enough");
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection: accepted.resolve });
  const options = {
    host: "127.0.0.1",
    port: listener.port,
    serverKey,
    identity: client,
    signal: stop.signal,
  };
  const attempt = dialTls(options);
  const rejected = assert.rejects(attempt, reason);
  const connection = await accepted.promise;
  stop.abort(reason);
  await rejected;
  await assert.rejects(dialTls(options), reason);
  await connection.close();
  await listener.close();
});
