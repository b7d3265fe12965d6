import assert from "node:assert/strict";
import { Tub } from "../../mod.ts";
import { interopTest, startPython } from "../support/python.ts";
import { locate, type Rig, Rig as NewRig, startTub, step, stepEachWay } from "./rig.ts";

/** Makes a PEM file with an RSA key and a certificate of the version, as Python Foolscap would. */
const MAKE_RSA = `
import sys
from OpenSSL import crypto
key = crypto.PKey()
key.generate_key(crypto.TYPE_RSA, 2048)
cert = crypto.X509()
cert.set_version(int(sys.argv[2]) - 1)
cert.set_serial_number(1)
cert.get_subject().CN = "newpb_thingy"
cert.set_issuer(cert.get_subject())
cert.gmtime_adj_notBefore(int(sys.argv[3]))
cert.gmtime_adj_notAfter(int(sys.argv[4]))
cert.set_pubkey(key)
cert.sign(key, "sha256")
with open(sys.argv[1], "wb") as file:
    file.write(crypto.dump_certificate(crypto.FILETYPE_PEM, cert))
    file.write(crypto.dump_privatekey(crypto.FILETYPE_PEM, key))
`;

async function makeRsa(path: string, version: 1 | 3, fromSeconds = 0, toSeconds = 3600): Promise<void> {
  const args = ["-W", "ignore", "-c", MAKE_RSA, path, ...[version, fromSeconds, toSeconds].map(String)];
  const { success, stderr } = await new Deno.Command("/usr/bin/python3", { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function assertCallsGoBothWays({ python, peer, ours }: Rig): Promise<void> {
  assert.equal(await python.callRemote("add", 1, 2), 3);
  assert.deepEqual(await peer.call(ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
}

const CERTIFICATES = [
  { name: "RSA, X.509 v1", version: 1, from: 0, to: 3600 },
  { name: "RSA, X.509 v3", version: 3, from: 0, to: 3600 },
  { name: "RSA, expired long ago", version: 3, from: -7200, to: -3600 },
  { name: "RSA, not yet valid", version: 3, from: 3600, to: 7200 },
] as const;

for (const { name, version, from, to } of CERTIFICATES) {
  interopTest(`a Python Tub connects with a certificate: ${name}`, async (t) => {
    await inFolder(async (folder) => {
      const certFile = `${folder}/tub.pem`;
      await makeRsa(certFile, version, from, to);
      await using peer = await startPython("peer.py", ["--cert-file", certFile]);
      await stepEachWay(t, peer, "calls", assertCallsGoBothWays);
    });
  });

  interopTest(`a Deno Tub connects with a certificate: ${name}`, async (t) => {
    await inFolder(async (folder) => {
      const certFile = `${folder}/tub.pem`;
      await makeRsa(certFile, version, from, to);
      await using peer = await startPython();
      for (const dialer of ["Deno", "Python"] as const) {
        await step(t, `${dialer} dials`, async () => {
          await using tub = await startTub({ certFile });
          await assertCallsGoBothWays(await new NewRig(peer, tub).meet(dialer));
        });
      }
    });
  });
}

interopTest("Tub.create() and Python's Tub have the same identity from the same file", async (t) => {
  await inFolder(async (folder) => {
    const certFile = `${folder}/deno.pem`;
    const { tubId } = await makeAndStop(certFile);
    await using peer = await startPython("peer.py", ["--cert-file", certFile]);
    await step(t, "that Deno wrote: Ed25519", () => {
      assert.equal(peer.ready.tubid, tubId);
    });
    await stepEachWay(t, peer, "calls, with Ed25519 on both sides", assertCallsGoBothWays);
    await step(t, "that Python wrote", async () => {
      const path = `${folder}/python.pem`;
      await using other = await startPython("peer.py", ["--cert-file", path]);
      await using tub = await Tub.create({ certFile: path });
      assert.equal(tub.tubId, other.ready.tubid);
    });
    await step(t, "a peer that has our own identity", async () => {
      // Its FURLs are ours: getReference stays at home, where there is no such name.
      await using tub = await locate(await Tub.create({ certFile }));
      await assert.rejects(tub.getReference(peer.furl), /unable to find reference/);
    });
  });
});

async function makeAndStop(certFile: string): Promise<Tub> {
  const tub = await Tub.create({ certFile });
  await tub.stop();
  return tub;
}

interopTest("a PING of Python is answered", async (t) => {
  const options = ["--option", "keepaliveTimeout=1", "--option", "disconnectTimeout=3"];
  await using peer = await startPython("peer.py", options);

  await stepEachWay(t, peer, "with its number", async (rig) => {
    await rig.python.callRemote("nothing");
    assert.deepEqual((await peer.command("ping")).answers, ["058f"]);
    await assertCallsGoBothWays(rig);
  });

  await stepEachWay(t, peer, "in the middle of a call", async (rig) => {
    const waiting = rig.python.callRemote("wait", "x");
    await rig.python.callRemote("nothing");
    assert.deepEqual((await peer.command("ping")).answers, ["058f"]);
    await rig.python.callRemote("release", "x", 5);
    assert.equal(await waiting, 5);
  });

  await stepEachWay(t, peer, "so that an idle connection lasts beyond disconnectTimeout", async (rig) => {
    // Python sends a PING each second without traffic, and ends a connection that was silent for three.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    assert.ok(rig.python.isConnected());
    await assertCallsGoBothWays(rig);
  }, { ways: [{ dialer: "Deno", master: "Python" }] });
});
