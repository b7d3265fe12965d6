import assert from "node:assert/strict";
import { NegotiationError } from "../../lib/errors.ts";
import { SWITCHING_PROTOCOLS } from "../../lib/negotiate/plaintext.ts";
import { dialTcp, listenTcp } from "../../lib/transport/tcp.ts";
import type { Connection, UpgradableConnection } from "../../lib/transport/transport.ts";
import { memoryPair } from "../../lib/transport/memory.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
import { tubIdOf } from "../../lib/names/tub_id.ts";
import { makeIdentity } from "../support/identity.ts";
import { makeVictim, VICTIM_KEYS } from "./impostor_victim.ts";
import { hasPython, PythonLines } from "./python_lines.ts";
import { RawPeer } from "../support/raw_peer.ts";

// A TLS library that has been told not to ask an authority could also be one that checks no signature.
// These tests show peers that hold a certificate and another key to both of our roles.

const ignore = !hasPython("OpenSSL", "cryptography");
const own = await makeIdentity();

const VERDICTS: Record<string, string> = {
  owner: "takes the owner of a certificate",
  forged: "refuses an impostor with a certificate and another key",
  bare: "refuses a peer without a certificate",
};

/** What our side makes of a peer that dials us. */
async function accept(peer: (port: number) => PythonLines): Promise<[Connection | Error, PythonLines]> {
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection: accepted.resolve });
  const python = peer(listener.port);
  const connection = await accepted.promise;
  await listener.close();
  const raw = new RawPeer(connection);
  await raw.block();
  await raw.send(new TextDecoder().decode(SWITCHING_PROTOCOLS));
  const outcome = await connection.startTls({ role: "server", identity: own }).catch((error) => error);
  return [outcome, python];
}

/** What our side makes of a peer that we dial. */
async function dial(python: PythonLines): Promise<[Connection | Error, PythonLines]> {
  const connection = await dialTcp({ host: "127.0.0.1", port: Number((await python.words())[0]) });
  const raw = new RawPeer(connection);
  await raw.send("GET /id/x HTTP/1.1\r\n\r\n");
  await raw.block();
  const outcome = await connection.startTls({ role: "client", identity: own }).catch((error) => error);
  return [outcome, python];
}

for (const kind of Object.keys(VICTIM_KEYS)) {
  for (const version of ["1.2", "1.3"]) {
    for (const role of ["server", "client"] as const) {
      for (const mode of role === "client" ? ["owner", "forged", "bare"] : ["owner", "forged"]) {
        Deno.test({
          name: `startTls() ${VERDICTS[mode]} (${kind}, TLS ${version}, the peer being ${role})`,
          ignore,
          async fn() {
            const directory = await Deno.makeTempDir();
            const { cert, key, tubId } = await makeVictim(kind, directory);
            const peer = (port: number) =>
              new PythonLines("impostor.py", role, String(port), version, cert, key, mode);
            const [outcome, python] = role === "client" ? await accept(peer) : await dial(peer(0));
            if (mode === "owner") {
              assert(!(outcome instanceof Error), String(outcome));
              assert.equal(await tubIdOf(outcome.peerCertificate!), tubId);
              await outcome.writable.getWriter().write(Uint8Array.of(1));
              assert.deepEqual(await python.words(), ["talked"]);
              await outcome.close();
            } else {
              assert(outcome instanceof NegotiationError, String(outcome));
              assert.match(outcome.message, mode === "bare" ? /no certificate/ : /did not prove/);
              assert.notDeepEqual(await python.words(), ["talked"]);
            }
            await python[Symbol.asyncDispose]();
            await Deno.remove(directory, { recursive: true });
          },
        });
      }
    }
  }
}

for (const role of ["client", "server"] as const) {
  Deno.test(`startTls() as ${role} refuses to speak with a pair that does not fit`, async () => {
    const other = await makeIdentity();
    const [a, b] = memoryPair();
    const identity = { certPem: own.certPem, keyPem: other.keyPem };
    await assert.rejects(upgradable(a).startTls({ role, identity }), /the key belongs to another one/);
    await b.close();
  });
}
