import assert from "node:assert/strict";
import { NegotiationError } from "../../lib/errors.ts";
import { tubIdOf } from "../../lib/names/tub_id.ts";
import { negotiateInbound, negotiateOutbound } from "../../lib/negotiate/negotiate.ts";
import type { Agreement } from "../../lib/negotiate/negotiating_tub.ts";
import { parsePem } from "../../lib/transport/key_pair.ts";
import { dialTcp, listenTcp } from "../../lib/transport/tcp.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { readBytes } from "../suites/transport_suite.ts";
import { makeIdentity, type TestIdentity } from "../support/identity.ts";
import { hasPython, PythonLines } from "./python_lines.ts";
import { TestTub } from "../support/test_tub.ts";

const ignore = !hasPython("foolscap", "twisted");

/** An identity of our own that is greater or smaller than the TubID. */
async function identityBeside(tubId: string, isGreater: boolean): Promise<TestIdentity> {
  for (;;) {
    const identity = await makeIdentity();
    if (identity.tubId > tubId === isGreater) return identity;
  }
}

/** An identity that the Python Foolscap has made: RSA, X.509 v1. */
async function pythonIdentity(python: PythonLines): Promise<TestIdentity> {
  await python.send("certificate");
  const pem = new TextDecoder().decode(Uint8Array.fromBase64((await python.words())[1]!));
  const blocks = parsePem(pem);
  const certificate = blocks.find((block) => block.label === "CERTIFICATE")!;
  const key = blocks.find((block) => block.label !== "CERTIFICATE")!;
  const { der } = certificate;
  return { certPem: certificate.pem, keyPem: key.pem, der, tubId: await tubIdOf(der) };
}

async function dialPython(
  tub: TestTub,
  python: PythonLines,
  tubId: string,
  port: number,
): Promise<Agreement> {
  const connection = await dialTcp({ host: "127.0.0.1", port });
  const agreement = await negotiateOutbound(connection, { tub, targetTubId: tubId, host: "127.0.0.1" });
  assert.deepEqual(await python.words(), ["connected", tub.tubId, "inbound"]);
  return agreement;
}

async function letPythonDial(tub: TestTub, python: PythonLines): Promise<Agreement> {
  const { promise, resolve, reject } = Promise.withResolvers<Agreement>();
  const { limits, clock } = tub;
  const listener = await listenTcp({
    port: 0,
    address: "127.0.0.1",
    onConnection: (connection) => {
      negotiateInbound(connection, { tubFor: () => tub, limits, clock }).then(resolve, reject);
    },
  });
  await python.send(`dial pb://${tub.tubId}@tcp:127.0.0.1:${listener.port}/nothing`);
  try {
    const agreement = await promise;
    assert.deepEqual(await python.words(), ["connected", tub.tubId, "outbound"]);
    return agreement;
  } finally {
    await listener.close();
  }
}

/** PING 5 must come back as PONG 5, behind whatever else Python says. */
async function assertSpeaksBanana({ connection }: Agreement): Promise<void> {
  const writer = connection.writable.getWriter();
  await writer.write(Uint8Array.of(0x05, 0x8e));
  writer.releaseLock();
  const reader = connection.readable.getReader();
  for (let said = ""; !said.includes("058f");) {
    const { value, done } = await reader.read();
    assert(!done, `Python closed the connection after ${said}`);
    said += value.toHex();
  }
  reader.releaseLock();
}

for (const direction of ["outbound", "inbound"] as const) {
  for (const role of ["master", "slave", "whatever the hash says"] as const) {
    const kind = role === "master" || role === "slave" ? "Ed25519" : "made by Python";
    Deno.test({
      name: `a Tub agrees with Python ${direction} as ${role}, its certificate being ${kind}`,
      ignore,
      async fn() {
        await using python = new PythonLines("python_peer.py");
        const [, tubId, port] = await python.words() as [string, string, string];
        const identity = kind === "Ed25519"
          ? await identityBeside(tubId, role === "master")
          : await pythonIdentity(python);
        const tub = new TestTub(identity, "00112233445566ff", systemClock);
        const agreement = direction === "outbound"
          ? await dialPython(tub, python, tubId, Number(port))
          : await letPythonDial(tub, python);
        assert.equal(agreement.tubId, tubId);
        assert.equal(agreement.isMaster, tub.tubId > tubId);
        assert.equal(agreement.vocabTable, 1);
        assert.equal(agreement.seqnum, 1);
        assert.match(agreement.incarnation, /^[0-9a-f]{16}$/);
        await assertSpeaksBanana(agreement);
        await python.send("stop");
        for (let words = await python.words(); words[0] !== "stopped"; words = await python.words());
        for await (const _ of agreement.connection.readable);
        await agreement.connection.close();
      },
    });
  }
}

Deno.test({
  name: "a Tub that closes first lets Python stop",
  ignore,
  async fn() {
    await using python = new PythonLines("python_peer.py");
    const [, tubId, port] = await python.words() as [string, string, string];
    const tub = new TestTub(await makeIdentity(), "00112233445566ff", systemClock);
    const agreement = await dialPython(tub, python, tubId, Number(port));
    await agreement.connection.close();
    await python.send("stop");
    assert.deepEqual(await python.words(), ["stopped"]);
  },
});

Deno.test({
  name: "Python takes a first message of 100 kB right behind our decision",
  ignore,
  async fn() {
    await using python = new PythonLines("python_peer.py");
    const [, tubId, port] = await python.words() as [string, string, string];
    const tub = new TestTub(await identityBeside(tubId, true), "00112233445566ff", systemClock);
    const connection = await dialTcp({ host: "127.0.0.1", port: Number(port) });
    const agreement = await negotiateOutbound(connection, { tub, targetTubId: tubId, host: "127.0.0.1" });
    const pings = new Uint8Array(100_000);
    for (let at = 0; at < pings.length; at += 2) pings.set([0x05, 0x8e], at);
    const writing = agreement.connection.writable.getWriter().write(pings);
    const pongs = await readBytes(agreement.connection, pings.length);
    assert(pongs.every((byte, at) => byte === (at % 2 === 0 ? 0x05 : 0x8f)));
    await writing;
    await agreement.connection.close();
  },
});

Deno.test({
  name: "a Tub reports Python's refusal of an unknown TubID",
  ignore,
  async fn() {
    await using python = new PythonLines("python_peer.py");
    const [, , port] = await python.words() as [string, string, string];
    const tub = new TestTub(await makeIdentity(), "00112233445566ff", systemClock);
    const connection = await dialTcp({ host: "127.0.0.1", port: Number(port) });
    const targetTubId = "a".repeat(32);
    await assert.rejects(negotiateOutbound(connection, { tub, targetTubId, host: "127.0.0.1" }), (error) => {
      return error instanceof NegotiationError && error.message.includes(`unknown TubID ${targetTubId}`);
    });
  },
});
