/**
 * From an open stream to a connection that two Tubs have agreed on.
 *
 * ```
 * client                                     server
 *   GET /id/<TubID> ------------------------->           phase plaintext
 *                   <-------------------------  101
 *   <============ TLS, both certificates =====>          phase tls
 *   hello           <------------------------>  hello    phase hello: both at once
 *   decision: the greater TubID to the smaller           phase decision
 *   <============ Banana =====================>
 * ```
 *
 * Source: Foolscap `negotiate.py`.
 *
 * @module
 */

import { NegotiationError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { tubIdOf } from "../names/tub_id.ts";
import type { Connection, UpgradableConnection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import { PONG } from "../wire/tokens.ts";
import { Attempt } from "./attempt.ts";
import { decodeBlock, encodeBlock } from "./blocks.ts";
import { chooseVocabulary, evaluateDecision, isMasterOver, makeDecision } from "./decision.ts";
import { Refusal } from "./refusal.ts";
import { evaluateHello, makeHello, type PeerOffer } from "./hello.ts";
import type { Agreement, NegotiatingTub } from "./negotiating_tub.ts";
import {
  proveOurselves,
  proveServer,
  type ServerToProve,
  TLS_HANDSHAKE,
  type TlsOwner,
} from "./tls_first.ts";
import { checkSwitching, decodeGet, encodeGet, SWITCHING_PROTOCOLS, unknownTubId } from "./plaintext.ts";

/** Options of {@linkcode negotiateOutbound}. */
export interface NegotiateOutboundOptions {
  readonly tub: NegotiatingTub;
  /** The Tub that was dialled. */
  readonly targetTubId: string;
  /** The host of the hint, for the `Host` header. */
  readonly host: string;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode negotiateOverTls}. */
export interface NegotiateOverTlsOptions extends ServerToProve {
  readonly tub: NegotiatingTub;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode negotiateInbound}. */
export interface NegotiateInboundOptions {
  /** The Tub of that name behind this listener. */
  tubFor(tubId: string): NegotiatingTub | undefined;
  /**
   * The Tub that answers those who begin with TLS.
   * @default they are refused, as is whatever else is no GET
   */
  readonly tlsOwner?: TlsOwner | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Negotiates as the side that dialled.
 *
 * @param connection Belongs to the negotiation; neither of its streams may be locked.
 * @returns Resolves when both sides are about to speak Banana.
 * @throws {NegotiationError} If there is no agreement in time: what went wrong, and in which phase. The
 * connection is closed by then. {@linkcode RemoteNegotiationError} if the peer said why,
 * {@linkcode DuplicateConnectionError} if `admit` threw it.
 */
export function negotiateOutbound(
  connection: UpgradableConnection,
  options: NegotiateOutboundOptions,
): Promise<Agreement> {
  const { tub, targetTubId, host, signal } = options;
  return run(new Attempt(connection, { limits: tub.limits, clock: tub.clock, signal }), async (attempt) => {
    await attempt.write(encodeGet(targetTubId, host));
    checkSwitching(await attempt.readBlock());
    attempt.phase = "tls";
    await attempt.startTls({ role: "client", identity: tub.identity });
    return await agree(attempt, tub, targetTubId);
  });
}

/**
 * Negotiates as the side that dialled, on a connection that is TLS already and does not show whose.
 *
 * @param connection Belongs to the negotiation; neither of its streams may be locked.
 * @returns Resolves when the server has proved who it is and both sides are about to speak Banana.
 * @throws {NegotiationError} As {@linkcode negotiateOutbound}.
 */
export function negotiateOverTls(
  connection: Connection,
  options: NegotiateOverTlsOptions,
): Promise<Agreement> {
  const { tub, targetTubId, signal } = options;
  return run(new Attempt(connection, { limits: tub.limits, clock: tub.clock, signal }), async (attempt) => {
    await proveServer(attempt, tub, options);
    return await agree(attempt, tub, targetTubId);
  });
}

/**
 * Negotiates as the side that was dialled.
 *
 * @param connection Belongs to the negotiation; neither of its streams may be locked.
 * @returns Resolves when both sides are about to speak Banana.
 * @throws {NegotiationError} As {@linkcode negotiateOutbound}.
 */
export function negotiateInbound(
  connection: UpgradableConnection,
  options: NegotiateInboundOptions,
): Promise<Agreement> {
  return run(new Attempt(connection, options), async (attempt) => {
    attempt.errorForm = "http";
    if (await attempt.peek() === TLS_HANDSHAKE) {
      if (options.tlsOwner === undefined) {
        throw new Refusal("The client begins with TLS, which only some Tubs of this module take");
      }
      const tub = await proveOurselves(attempt, options.tlsOwner, options.tubFor);
      return await agree(attempt, tub, undefined, true);
    }
    const tubId = decodeGet(await attempt.readBlock());
    const tub = options.tubFor(tubId);
    if (tub === undefined) throw unknownTubId(tubId);
    // A copy: whoever carries it may give the memory away.
    await attempt.write(SWITCHING_PROTOCOLS.slice());
    attempt.errorForm = "nothing";
    attempt.phase = "tls";
    await attempt.startTls({ role: "server", identity: tub.identity });
    return await agree(attempt, tub, undefined);
  });
}

async function run(
  attempt: Attempt,
  steps: (attempt: Attempt) => Promise<Omit<Agreement, "connection">>,
): Promise<Agreement> {
  try {
    const agreed = await steps(attempt);
    return { ...agreed, connection: attempt.finish() };
  } catch (error) {
    throw await attempt.fail(error);
  }
}

/** The part inside TLS, the same on both sides; `targetTubId` is known to the one that dialled. */
async function agree(
  attempt: Attempt,
  tub: NegotiatingTub,
  targetTubId: string | undefined,
  isPeerHeldBack = false,
): Promise<Omit<Agreement, "connection">> {
  attempt.phase = "hello";
  attempt.errorForm = "block";
  const certificate = attempt.peerCertificate;
  if (certificate === undefined) throw new NegotiationError("The peer showed no certificate");
  const certificateTubId = await tubIdOf(certificate);
  const hello = makeHello({
    tubId: tub.tubId,
    incarnation: tub.incarnation,
    lastConnection: targetTubId === undefined ? undefined : tub.lastConnectionTo(targetTubId) ?? "none",
    extra: tub.extraHello,
  });
  await attempt.write(encodeBlock(hello));
  const offer = evaluateHello(decodeBlock(await attempt.readBlock()), {
    certificateTubId,
    ownTubId: tub.tubId,
    targetTubId,
  });
  attempt.phase = "decision";
  const isMaster = isMasterOver(tub.tubId, offer.tubId);
  // A master of ours reads tokens behind our hello, and its system its acknowledgement with any of them.
  if (isPeerHeldBack && !isMaster) await attempt.write(Uint8Array.of(PONG));
  const settled = isMaster ? await decide(attempt, tub, offer) : await follow(attempt, tub, offer);
  return {
    ...settled,
    isMaster,
    isPeerHeldBack,
    version: 3,
    tubId: offer.tubId,
    localTubId: tub.tubId,
    direction: targetTubId === undefined ? "inbound" : "outbound",
    hello: offer.hello,
    incarnation: offer.incarnation,
  };
}

type Settled = Pick<Agreement, "vocabTable" | "seqnum">;

async function decide(attempt: Attempt, tub: NegotiatingTub, offer: PeerOffer): Promise<Settled> {
  const vocabTable = chooseVocabulary(offer);
  const { seqnum } = tub.admit(offer);
  const decision = encodeBlock(makeDecision({ incarnation: tub.incarnation, seqnum }, vocabTable));
  // From here on the peer reads tokens. Alone in its write: Python refuses a block with much behind it.
  attempt.errorForm = "token";
  await attempt.write(decision);
  return { vocabTable, seqnum };
}

async function follow(attempt: Attempt, tub: NegotiatingTub, offer: PeerOffer): Promise<Settled> {
  // The master reads tokens as soon as it has decided.
  attempt.errorForm = "token";
  const { vocabTable, master } = evaluateDecision(decodeBlock(await attempt.readBlock()));
  tub.joined(offer.tubId, master);
  return { vocabTable, seqnum: master?.seqnum };
}
