/**
 * Tubs with tls: hints, and certificates that an authority has signed.
 *
 * @module
 */

import { createCertificate, createTrustAnchor } from "../../lib/transport/certificate.ts";
import { formatPem } from "../../lib/transport/key_pair.ts";
import type { TlsIdentity } from "../../lib/transport/transport.ts";
import { Tub, type TubOptions } from "../../mod.ts";

/** A Tub whose location has both hints. */
export async function startTub(options: TubOptions = {}): Promise<Tub> {
  const tub = await Tub.create(options);
  tub.setLocation(...(await tub.listenOn("tcp:0:interface=127.0.0.1")).hints);
  return tub;
}

/** The same FURL with other hints. */
export function withHints(furl: string, ...hints: string[]): string {
  return furl.replace(/@[^/]*\//, `@${hints.join(",")}/`);
}

/** An authority as any that the process trusts, and an identity that it has signed. */
export async function certificateAuthority() {
  const make = () => crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
  const raw = async (key: CryptoKey) => new Uint8Array(await crypto.subtle.exportKey("raw", key));
  const authority = await make();
  const anchor = createTrustAnchor(await raw(authority.publicKey));
  return {
    pem: formatPem("CERTIFICATE", anchor),
    /** A certificate of the usual form, or one of the authority itself. */
    async issue(form: "usual" | "CA" = "usual"): Promise<TlsIdentity> {
      const keys = form === "CA" ? authority : await make();
      const sign = async (body: Uint8Array<ArrayBuffer>) =>
        new Uint8Array(await crypto.subtle.sign("Ed25519", authority.privateKey, body));
      const certificate = form === "CA" ? anchor : await createCertificate({
        publicKey: await raw(keys.publicKey),
        sign,
        serial: Uint8Array.of(7),
        nowMs: Date.now(),
      });
      const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
      return { certPem: formatPem("CERTIFICATE", certificate), keyPem: formatPem("PRIVATE KEY", pkcs8) };
    },
  };
}
