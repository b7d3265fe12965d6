/**
 * Fresh identities for tests of transports and negotiation.
 *
 * @module
 */

import { tubIdOf } from "../../lib/names/tub_id.ts";
import { createCertificate } from "../../lib/transport/certificate.ts";
import { formatPem } from "../../lib/transport/key_pair.ts";
import type { TlsIdentity } from "../../lib/transport/transport.ts";

/** An identity with the name that its certificate gives it. */
export interface TestIdentity extends TlsIdentity {
  readonly tubId: string;
  /** The certificate. */
  readonly der: Uint8Array;
}

/** Makes an Ed25519 identity. */
export async function makeIdentity(): Promise<TestIdentity> {
  const keys = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
  const der = await createCertificate({
    publicKey,
    sign: async (body) => new Uint8Array(await crypto.subtle.sign("Ed25519", keys.privateKey, body)),
    serial: crypto.getRandomValues(new Uint8Array(16)),
    nowMs: Date.now(),
  });
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    tubId: await tubIdOf(der),
    der,
    certPem: formatPem("CERTIFICATE", der),
    keyPem: formatPem("PRIVATE KEY", pkcs8),
  };
}

/** Makes two identities: the first is the master of the two. */
export async function makeMasterAndSlave(): Promise<[TestIdentity, TestIdentity]> {
  const [a, b] = await Promise.all([makeIdentity(), makeIdentity()]);
  return a.tubId > b.tubId ? [a, b] : [b, a];
}
