/**
 * The two ends of a connection that is TLS from its first byte, up to where the hellos begin.
 *
 * @module
 */

import { NegotiationError } from "../errors.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import type { TlsIdentity } from "../transport/transport.ts";
import type { Attempt } from "./attempt.ts";
import type { NegotiatingTub } from "./negotiating_tub.ts";
import { unknownTubId } from "./plaintext.ts";
import {
  certificateOf,
  checkAnswer,
  checkGreeting,
  decodeRequest,
  encodeRequest,
  GREETING,
  makeAnswer,
  makeRequest,
} from "./tls_proof.ts";

/** The first byte of a TLS connection: a record of the handshake. */
export const TLS_HANDSHAKE = 0x16;

/** The Tub that answers where a connection begins with TLS: its certificate is shown before anybody can ask for a Tub. */
export interface TlsOwner {
  readonly tubId: string;
  /** Of a certificate that a `tls:` hint can be written for. */
  readonly identity: TlsIdentity;
}

/** What the dialling side knows of the server, from the hint and the FURL. */
export interface ServerToProve {
  readonly targetTubId: string;
  /** The Ed25519 key of the hint. */
  readonly hintKey: Uint8Array;
  /** @default the system's own source */
  readonly randomBytes: RandomBytes;
}

/**
 * Lets the server prove who it is. The attempt has its certificate then.
 *
 * @throws {Refusal} If it does not.
 */
export async function proveServer(
  attempt: Attempt,
  tub: NegotiatingTub,
  { targetTubId, hintKey, randomBytes }: ServerToProve,
): Promise<void> {
  attempt.phase = "proof";
  const request = makeRequest(targetTubId, randomBytes);
  await attempt.write(encodeRequest(request));
  checkGreeting(await attempt.readBlock());
  const clientCertificate = certificateOf(tub.identity);
  attempt.peerCertificate = await checkAnswer(await attempt.readBlock(), {
    request,
    hintKey,
    clientCertificate,
  });
}

/**
 * Goes on as server with a client that has begun with TLS: 1.3 and its certificate, or nothing is signed.
 *
 * @param tubFor The Tub of that TubID, if it is `owner`.
 * @throws {Refusal} If the client does not ask as it must, or for another Tub than the owner of the port.
 */
export async function proveOurselves(
  attempt: Attempt,
  owner: TlsOwner,
  tubFor: (tubId: string) => NegotiatingTub | undefined,
): Promise<NegotiatingTub> {
  attempt.phase = "tls";
  attempt.errorForm = "nothing";
  const { identity } = owner;
  await attempt.startTls({ role: "server", identity, minVersion: "TLSv1.3", isPeerHeldBack: true });
  attempt.phase = "proof";
  attempt.errorForm = "block";
  await attempt.write(GREETING.slice());
  const request = decodeRequest(await attempt.readBlock());
  const tub = request.tubId === owner.tubId ? tubFor(request.tubId) : undefined;
  if (tub === undefined) throw unknownTubId(request.tubId);
  const { peerCertificate } = attempt;
  if (peerCertificate === undefined) throw new NegotiationError("The peer showed no certificate");
  await attempt.write(await makeAnswer(request, owner.identity, peerCertificate));
  return tub;
}
