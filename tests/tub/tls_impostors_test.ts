/** Attackers who listen where a tls: hint leads. */
import assert from "node:assert/strict";
import { encodeBase32 } from "../../lib/names/tub_id.ts";
import { formatTlsHint } from "../../lib/names/hints.ts";
import { decodeBlock, encodeBlock } from "../../lib/negotiate/blocks.ts";
import { makeAnswer } from "../../lib/negotiate/tls_proof.ts";
import { anchoredKeyOf } from "../../lib/transport/certificate.ts";
import { listenTcp } from "../../lib/transport/tcp.ts";
import { dialTls } from "../../lib/transport/tls.ts";
import type { TlsIdentity, UpgradableConnection } from "../../lib/transport/transport.ts";
import { NegotiationError, RemoteNegotiationError, Tub } from "../../mod.ts";
import { makeIdentity } from "../support/identity.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { certificateAuthority, startTub, withHints } from "./tls_support.ts";
import { Target } from "./tubs.ts";

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** A port where an attacker answers each connection in TLS. */
async function listen(
  identity: TlsIdentity,
  answer: (peer: RawPeer, request: Uint8Array) => Promise<void>,
): Promise<{ port: number } & AsyncDisposable> {
  const peers: RawPeer[] = [];
  const serve = async (connection: UpgradableConnection) => {
    const peer = new RawPeer(connection);
    peers.push(peer);
    await peer.startTls("server", identity);
    await peer.send("foolscap-tls: 1\r\n\r\n");
    await answer(peer, bytesOf(await peer.block()));
  };
  const served: Promise<void>[] = [];
  const listener = await listenTcp({
    port: 0,
    address: "127.0.0.1",
    closeTimeoutMs: 100,
    onConnection: (connection) => void served.push(serve(connection).catch(() => {})),
  });
  return {
    port: listener.port,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await Promise.all(peers.map((peer) => peer.close()));
      await Promise.all(served);
    },
  };
}

const answerWith = (fields: Map<string, string>) => text(encodeBlock(fields));
const fieldsOf = (block: Uint8Array) => decodeBlock(block.subarray(0, block.length - 4));
const requestOf = (block: Uint8Array, tubId: string) => ({
  tubId,
  nonce: Uint8Array.from(decodeNonce(decodeBlock(block).get("nonce")!)),
});

function decodeNonce(text: string): number[] {
  const bits = [...text].map((char) =>
    "abcdefghijklmnopqrstuvwxyz234567".indexOf(char).toString(2).padStart(5, "0")
  );
  return bits.join("").match(/.{8}/g)!.map((byte) => parseInt(byte, 2));
}

Deno.test("a hint with the attacker's key and the real Tub's public certificate is refused", async () => {
  const [real, evil] = await Promise.all([makeIdentity(), makeIdentity()]);
  await using client = await Tub.create();
  await using port = await listen(evil, async (peer, request) => {
    const answer = fieldsOf(await makeAnswer(requestOf(request, real.tubId), evil, bytesOf("any")));
    answer.set("certificate", real.der.toBase64());
    await peer.send(answerWith(answer));
  });
  const hint = formatTlsHint("127.0.0.1", port.port, anchoredKeyOf(evil.der)!);
  await assert.rejects(
    client.getReference(`pb://${real.tubId}@${hint}/x`),
    (error) =>
      error instanceof NegotiationError &&
      /certificate does not have the key of the hint/.test(error.message),
  );
});

Deno.test("a hint with the attacker's key and certificate, for the real Tub's TubID, is refused", async () => {
  const [real, evil] = await Promise.all([makeIdentity(), makeIdentity()]);
  await using client = await Tub.create();
  await using port = await listen(evil, async (peer, request) => {
    await peer.send(text(await makeAnswer(requestOf(request, real.tubId), evil, bytesOf("any"))));
  });
  const hint = formatTlsHint("127.0.0.1", port.port, anchoredKeyOf(evil.der)!);
  await assert.rejects(
    client.getReference(`pb://${real.tubId}@${hint}/x`),
    (error) => error instanceof NegotiationError && /Connected to the wrong Tub/.test(error.message),
  );
});

Deno.test("a FURL with another Tub's tls: hint is refused by that Tub", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const furl = `pb://${"a".repeat(32)}@${server.locationHints[1]}/x`;
  await assert.rejects(
    client.getReference(furl),
    (error) => error instanceof RemoteNegotiationError && /unknown TubID a{32}/.test(error.message),
  );
});

Deno.test("a server that answers without end costs no more than a block", async () => {
  const evil = await makeIdentity();
  await using client = await Tub.create();
  await using port = await listen(evil, (peer) => peer.send("x".repeat(100_000)));
  const hint = formatTlsHint("127.0.0.1", port.port, anchoredKeyOf(evil.der)!);
  await assert.rejects(client.getReference(`pb://${evil.tubId}@${hint}/x`), /longer than 4096 bytes/);
});

/** What a program makes of a FURL whose process trusts an authority. */
async function follow(furl: string, caPem: string, how: "--cert" | "DENO_CERT"): Promise<string> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, caPem);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--allow-net=127.0.0.1",
        ...(how === "--cert" ? ["--cert", file] : []),
        new URL("tls_client.ts", import.meta.url).pathname,
        furl,
      ],
      env: how === "DENO_CERT" ? { DENO_CERT: file } : {},
      stdin: "null",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(file);
  }
}

/** What an attacker has for a forged answer. */
interface Forgery {
  /** The real Tub. */
  readonly tub: Tub;
  /** The client's block. */
  readonly request: Uint8Array;
}

const NOT_PROVED = /in phase proof: The server did not prove on this connection that it holds the key/;
for (
  const [what, how, forge] of [
    ["signs with its own key", "--cert", async ({ tub, request }: Forgery) => {
      const own = await makeIdentity();
      const answer = fieldsOf(await makeAnswer(requestOf(request, tub.tubId), own, bytesOf("x")));
      answer.set("certificate", certificateOf(tub));
      return answerWith(answer);
    }],
    [
      "passes the request on to the real Tub and its answer back",
      "DENO_CERT",
      async ({ tub, request }: Forgery) => {
        const answer = await askReal(tub, request);
        return `${answer}\r\n\r\n`;
      },
    ],
    ["replays a proof that the real Tub has given before", "--cert", async ({ tub }: Forgery) => {
      const nonce = encodeBase32(crypto.getRandomValues(new Uint8Array(32)));
      const request = encodeBlock([["foolscap-tls", "1"], ["tub-id", tub.tubId], ["nonce", nonce]]);
      return `${await askReal(tub, request.subarray(0, request.length - 4))}\r\n\r\n`;
    }],
  ] as const
) {
  Deno.test(`a server whose certificate an authority has signed that ${how} trusts, and that ${what}, is refused`, async () => {
    await using tub = await startTub();
    const authority = await certificateAuthority();
    const evil = await authority.issue();
    await using port = await listen(evil, async (peer, request) => {
      await peer.send(await forge({ tub, request }));
      // The client is to end it.
      await peer.rest();
    });
    const furl = tub.registerReference(new Target());
    const hint = tub.locationHints[1]!.replace(/:\d+:/, `:${port.port}:`);
    assert.match(await follow(withHints(furl, hint), authority.pem, how), NOT_PROVED);
    // The control: the way itself is good.
    assert.equal(await follow(withHints(furl, tub.locationHints[1]!), authority.pem, how), "reached");
  });
}

function certificateOf(tub: Tub): string {
  return /-----BEGIN CERTIFICATE-----([^-]*)/.exec(tub.getCertData())![1]!.replace(/\s/g, "");
}

/** What the real Tub answers to an attacker who is a client of its own. */
async function askReal(tub: Tub, request: Uint8Array): Promise<string> {
  const identity = await makeIdentity();
  const { port } = tub.listeners[0]!;
  const serverKey = anchoredKeyOf(Uint8Array.fromBase64(certificateOf(tub)))!;
  const connection = await dialTls({ host: "127.0.0.1", port, serverKey, identity });
  const peer = new RawPeer({
    ...pick(connection),
    startTls: () => Promise.reject(new TypeError("TLS already")),
  });
  await peer.block();
  await peer.send(`${text(request)}\r\n\r\n`);
  const answer = await peer.block();
  await peer.close();
  assert.match(answer, /^certificate: /);
  return answer;
}

function pick(connection: Awaited<ReturnType<typeof dialTls>>) {
  const { readable, writable, peerCertificate, peerAddress } = connection;
  return { readable, writable, peerCertificate, peerAddress, close: () => connection.close() };
}
