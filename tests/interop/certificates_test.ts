import assert from "node:assert/strict";
import { tubIdOf } from "../../lib/names/tub_id.ts";
import { parsePem } from "../../lib/transport/key_pair.ts";
import { answerInTls, HELLOS } from "../suites/answers_suite.ts";
import { makeIdentity, type TestIdentity } from "../support/identity.ts";
import { interopTest } from "../support/python.ts";
import { Attacker, type Reachable } from "../tub/attacker.ts";
import { python } from "../tub/support.ts";
import { startTub, Target } from "../tub/tubs.ts";
import { startIn, startProgram } from "./python_party.ts";
import { step } from "./rig.ts";

/** Prints a certificate that another one has signed, its key, and the other one. */
const MAKE_CHAIN = `
from OpenSSL import crypto
def make(name, issuer=None, issuer_key=None):
    key = crypto.PKey()
    key.generate_key(crypto.TYPE_RSA, 2048)
    cert = crypto.X509()
    cert.set_version(2)
    cert.set_serial_number(1)
    cert.get_subject().CN = name
    cert.set_issuer((issuer or cert).get_subject())
    cert.gmtime_adj_notBefore(0)
    cert.gmtime_adj_notAfter(3600)
    cert.set_pubkey(key)
    if issuer is None:
        cert.add_extensions([crypto.X509Extension(b"basicConstraints", True, b"CA:TRUE")])
    cert.sign(issuer_key or key, "sha256")
    return cert, key
ca, ca_key = make("authority")
leaf, leaf_key = make("leaf", ca, ca_key)
for pem in (crypto.dump_certificate(1, leaf), crypto.dump_privatekey(1, leaf_key), crypto.dump_certificate(1, ca)):
    print(pem.decode())
`;

/** An identity whose certificate an authority has signed; with its certificate, or without. */
async function makeChain(): Promise<[complete: TestIdentity, alone: TestIdentity]> {
  const [leaf, key, authority] = parsePem(await python(MAKE_CHAIN));
  const { der } = leaf!;
  const alone = { der, tubId: await tubIdOf(der), certPem: leaf!.pem, keyPem: key!.pem };
  return [{ ...alone, certPem: `${leaf!.pem}\n${authority!.pem}` }, alone];
}

async function isServed(tub: Reachable, identity: TestIdentity): Promise<boolean> {
  return (await answerInTls(tub, identity, HELLOS[0]!, false)).endsWith("served");
}

interopTest("a certificate that an authority has signed counts by its own hash", async (t) => {
  const [complete, alone] = await makeChain();
  await using program = await startProgram();
  const master = await makeIdentity();
  await step(t, "for Deno, whatever is sent with it", async () => {
    await using tub = await startTub();
    tub.registerReference(new Target(), "target");
    assert.equal(await isServed(tub, complete), true);
    assert.equal(await isServed(tub, alone), true);
  });
  await step(t, "for Python, which wants to see the authority's as well", async () => {
    await using party = await startIn(program, master);
    const tub = { tubId: master.tubId, listeners: [party] };
    assert.equal(await isServed(tub, complete), true);
    // OpenSSL refuses it before Foolscap could look at the hash.
    using attacker = await Attacker.secure(tub, alone);
    attacker.hello(alone.tubId);
    assert.doesNotMatch(await attacker.end(), /decision/);
  });
});
