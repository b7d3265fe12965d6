/**
 * The proof of a server that was dialled by a `tls:` hint, whose certificate the client's TLS does not show.
 *
 * ```
 * client                                     server
 *   <============ TLS 1.3, from the first byte ===>      the server sees the client's certificate
 *                   <-------------------------  foolscap-tls: 1
 *   foolscap-tls: 1, tub-id, nonce ---------->
 *                   <-------------------------  foolscap-tls: 1, certificate, signature
 *   hello           <------------------------>  hello    as ever
 * ```
 *
 * The signature is over the TubID asked for, the nonce, and the hashes of both certificates. So it is good for one server, one
 * client and one connection: whoever stands between the two has another certificate than the client's to show to the server,
 * and a server signs what the holder of the client's key has asked on a connection of its own. `docs/security.md` has the argument.
 *
 * @module
 */

import { RemoteNegotiationError } from "../errors.ts";
import { decodeBase32, encodeBase32, isTubId, tubIdOf } from "../names/tub_id.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import { readCertificate } from "../transport/certificate.ts";
import { importPrivateKey, parsePem } from "../transport/key_pair.ts";
import type { TlsIdentity } from "../transport/transport.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import { decodeBlock, encodeBlock } from "./blocks.ts";
import { Refusal, refusalOf } from "./refusal.ts";

/** What the signature is for: a Tub's key signs nothing else that begins so. */
export const PROOF_LABEL = "foolscap tls server proof v1";
/** Bytes of the client's nonce. */
export const NONCE_BYTES = 32;
const SIGNATURE_BYTES = 64;
const VERSION_KEY = "foolscap-tls";
const VERSION = "1";

/**
 * The server's first block. It says nothing that the client needs: with it comes the acknowledgement of the client's last
 * message of the TLS handshake, without which the client's system holds the request back for 40 ms.
 */
export const GREETING: Uint8Array = encodeBlock([[VERSION_KEY, VERSION]]);

/** What the client asks. */
export interface ProofRequest {
  /** The Tub that the client wants. */
  readonly tubId: string;
  /** 32 bytes, new for each connection. */
  readonly nonce: Uint8Array;
}

/** What is signed. */
export interface ProofFields extends ProofRequest {
  /** DER of the certificate that the server has sent. */
  readonly serverCertificate: Uint8Array;
  /** DER of the client's certificate, as TLS has verified it. */
  readonly clientCertificate: Uint8Array;
}

/**
 * A new request.
 *
 * @throws {RangeError} If the random source gives another number of bytes.
 */
export function makeRequest(tubId: string, randomBytes: RandomBytes): ProofRequest {
  const nonce = randomBytes(NONCE_BYTES);
  if (nonce.length !== NONCE_BYTES) {
    throw new RangeError("Cannot ask for a proof: the random source gave another number of bytes");
  }
  return { tubId, nonce };
}

/** Writes the client's block. */
export function encodeRequest({ tubId, nonce }: ProofRequest): Uint8Array {
  return encodeBlock([[VERSION_KEY, VERSION], ["tub-id", tubId], ["nonce", encodeBase32(nonce)]]);
}

/**
 * Reads the client's block.
 *
 * @throws {Refusal} If it is none: another version, no TubID, a nonce of another length.
 */
export function decodeRequest(block: Uint8Array): ProofRequest {
  const fields = fieldsOf(block, "The client's first block does not ask for a proof of version 1");
  const tubId = fields.get("tub-id") ?? "";
  if (!isTubId(tubId)) throw refusalOf("The client asks for a proof of what is no TubID", tubId);
  const text = fields.get("nonce") ?? "";
  let nonce: Uint8Array | undefined;
  try {
    nonce = decodeBase32(text);
  } catch {
    // The same as one of another length.
  }
  if (nonce?.length !== NONCE_BYTES) {
    throw refusalOf(`The client's nonce is not ${NONCE_BYTES} bytes of base32`, text);
  }
  return { tubId, nonce };
}

/** The bytes that are signed: each field with its length in front, in four bytes, so that none can reach into the next. */
export async function encodeFields(fields: ProofFields): Promise<Uint8Array<ArrayBuffer>> {
  const hashes = [fields.serverCertificate, fields.clientCertificate].map(sha256);
  const parts = [
    encodeText(PROOF_LABEL),
    encodeText(fields.tubId),
    fields.nonce,
    ...await Promise.all(hashes),
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

/** DER of an identity's own certificate. */
export function certificateOf({ certPem }: TlsIdentity): Uint8Array<ArrayBuffer> {
  return parsePem(certPem)[0]!.der;
}

const keys = new WeakMap<TlsIdentity, Promise<CryptoKey>>();

/**
 * Signs and writes the server's answer.
 *
 * @param identity Of an Ed25519 key.
 * @param clientCertificate As TLS has verified it.
 */
export async function makeAnswer(
  request: ProofRequest,
  identity: TlsIdentity,
  clientCertificate: Uint8Array,
): Promise<Uint8Array> {
  let key = keys.get(identity);
  if (key === undefined) keys.set(identity, key = importPrivateKey(identity.keyPem, "ed25519"));
  const serverCertificate = certificateOf(identity);
  const fields = await encodeFields({ ...request, serverCertificate, clientCertificate });
  const signature = await crypto.subtle.sign("Ed25519", await key, fields);
  return encodeBlock([
    [VERSION_KEY, VERSION],
    ["certificate", serverCertificate.toBase64()],
    ["signature", new Uint8Array(signature).toBase64()],
  ]);
}

/** What the server's answer is held against. */
export interface AnswerChecks {
  /** What was asked on this connection. */
  readonly request: ProofRequest;
  /** The Ed25519 key of the hint, 32 bytes. */
  readonly hintKey: Uint8Array;
  /** DER of the client's own certificate. */
  readonly clientCertificate: Uint8Array;
}

/**
 * Checks a greeting.
 *
 * @throws {RemoteNegotiationError} If the server gives up in it.
 * @throws {Refusal} If it is none.
 */
export function checkGreeting(block: Uint8Array): void {
  fieldsOf(block, "The server's first block does not promise a proof of version 1");
}

/**
 * Checks the server's answer.
 *
 * @returns DER of the server's certificate, which is that of the TubID asked for, and whose key it holds.
 * @throws {RemoteNegotiationError} If the server gives up in it.
 * @throws {Refusal} If it is no proof: says what is wrong with it.
 */
export async function checkAnswer(
  block: Uint8Array,
  { request, hintKey, clientCertificate }: AnswerChecks,
): Promise<Uint8Array<ArrayBuffer>> {
  const fields = fieldsOf(block, "The server's answer is no proof of version 1");
  const serverCertificate = bytesOf(fields, "certificate");
  const signature = bytesOf(fields, "signature");
  const tubId = await tubIdOf(serverCertificate);
  if (tubId !== request.tubId) {
    throw new Refusal(
      `Connected to the wrong Tub: the certificate is that of ${tubId}, and ${request.tubId} was wanted`,
    );
  }
  const key = keyOf(serverCertificate);
  if (key === undefined || !key.every((byte, i) => byte === hintKey[i]) || hintKey.length !== key.length) {
    throw new Refusal("The server's certificate does not have the key of the hint");
  }
  const signed = await encodeFields({ ...request, serverCertificate, clientCertificate });
  const publicKey = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  const isProof = signature.length === SIGNATURE_BYTES &&
    await crypto.subtle.verify("Ed25519", publicKey, signature, signed);
  if (!isProof) {
    throw new Refusal("The server did not prove on this connection that it holds the key of its certificate");
  }
  return serverCertificate;
}

function keyOf(certificate: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readCertificate(certificate).ed25519Key;
  } catch {
    throw new Refusal("The server's certificate cannot be read");
  }
}

function fieldsOf(block: Uint8Array, what: string): ReadonlyMap<string, string> {
  const fields = decodeBlock(block);
  const error = fields.get("error");
  if (error !== undefined) throw new RemoteNegotiationError(`The peer refused: ${quoteForeign(error)}`);
  if (fields.get(VERSION_KEY) === VERSION) return fields;
  throw refusalOf(what, `${VERSION_KEY}: ${fields.get(VERSION_KEY) ?? "(missing)"}`);
}

function bytesOf(fields: ReadonlyMap<string, string>, name: string): Uint8Array<ArrayBuffer> {
  const text = fields.get(name);
  if (text === undefined) throw new Refusal(`The server's answer has no ${name}`);
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    throw refusalOf(`The server's ${name} is not base64`, text);
  }
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
}
