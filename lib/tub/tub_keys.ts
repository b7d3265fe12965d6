/**
 * Keys that follow from a Tub's private key: with the same certificate, they are the same ones at each start.
 *
 * HKDF-SHA-256 (RFC 5869) of the PKCS#8 of the private key, with no salt and a label of its own for each key: none of them
 * tells anything of another one, nor of the private key.
 *
 * @module
 */

import { nodeBuffer, nodeCrypto } from "../util/node.ts";
import { CertificateError, StoreError } from "../errors.ts";
import { systemRandomBytes } from "../util/random_bytes.ts";
import { sha256 } from "../util/sha256.ts";
import { encodeText } from "../util/text.ts";
import type { StoreKeys } from "../registry/store.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PRIVATE_KEY = /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA |EC )?PRIVATE KEY-----/;

function derive(pem: string, label: string): Uint8Array {
  const found = PRIVATE_KEY.exec(pem)?.[0];
  if (found === undefined) {
    throw new CertificateError("Cannot derive a key: there is no private key in the text");
  }
  try {
    const der = nodeCrypto().createPrivateKey(found).export({ type: "pkcs8", format: "der" });
    return new Uint8Array(nodeCrypto().hkdfSync("sha256", der, new Uint8Array(0), label, KEY_BYTES));
  } catch (cause) {
    throw new CertificateError("Cannot derive a key: the private key cannot be read", { cause });
  }
}

/**
 * The key of a Tub's audit file, for {@linkcode verifyAuditFile}. Whoever has it can check the file, and could write lines
 * that pass; it opens nothing else.
 *
 * @param certData PEM with the Tub's private key: what {@linkcode Tub.getCertData} gives, or its certificate file has.
 * @returns 32 bytes.
 * @throws {CertificateError} If there is no private key in it.
 */
export function auditKeyOf(certData: string): Uint8Array {
  return derive(certData, "foolscap audit file v1");
}

/** The keys of a Tub's store, and what tells that a store is this Tub's. */
export function storeKeysOf(certData: string): StoreKeys & { readonly check: string } {
  const sealKey = derive(certData, "foolscap store seal v1");
  const check = nodeCrypto().createHmac("sha256", derive(certData, "foolscap store check v1")).update("")
    .digest("base64");
  return {
    nameKey: derive(certData, "foolscap store names v1"),
    check,
    seal(root, about) {
      const nonce = systemRandomBytes(NONCE_BYTES);
      const cipher = nodeCrypto().createCipheriv("aes-256-gcm", sealKey, nonce);
      cipher.setAAD(sha256(encodeText(about)));
      const sealed = new Uint8Array(NONCE_BYTES + root.length + TAG_BYTES);
      sealed.set(nonce);
      // In this mode the cipher holds nothing back.
      sealed.set(cipher.update(root), NONCE_BYTES);
      cipher.final();
      sealed.set(cipher.getAuthTag(), NONCE_BYTES + root.length);
      return sealed;
    },
    open(sealed, about) {
      try {
        const tag = sealed.length - TAG_BYTES;
        const decipher = nodeCrypto().createDecipheriv(
          "aes-256-gcm",
          sealKey,
          sealed.subarray(0, NONCE_BYTES),
        );
        decipher.setAAD(sha256(encodeText(about)));
        decipher.setAuthTag(sealed.subarray(tag));
        const root = decipher.update(sealed.subarray(NONCE_BYTES, tag));
        return new Uint8Array(nodeBuffer().concat([root, decipher.final()]));
      } catch (cause) {
        throw new StoreError(
          "Cannot use a capability of the store: what is kept of it is not what was written; restore the file from a copy",
          { cause, problem: "damaged" },
        );
      }
    },
  };
}
