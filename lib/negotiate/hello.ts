/**
 * Hello blocks: what each Tub says about itself as soon as TLS is up.
 *
 * Source: Foolscap `negotiate.py`, `sendHello()`, `evaluateHello()`.
 *
 * @module
 */

import { RemoteNegotiationError } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";
import { openRefusal, Refusal, refusalOf } from "./refusal.ts";
import { bestOverlap, parseRange, type Range } from "./range.ts";

/** The protocol versions that are spoken here: 3 has PING and PONG. */
const VERSIONS: Range = { min: 3, max: 3 };
/** The numbers of the vocabulary tables that are known here. */
export const VOCABULARY_RANGE: Range = { min: 0, max: 1 };

/** What somebody remembers of the last connection that the other one, as master, made with it. */
export interface ConnectionMemory {
  /** Which life of the master: 16 hex digits with Foolscap. */
  readonly incarnation: string;
  /** The master's number of that connection with this slave; from 1. */
  readonly seqnum: number;
}

/** What goes into our hello. */
export interface HelloOptions {
  readonly tubId: string;
  readonly incarnation: string;
  /** Only the side that dialled says this; `undefined` leaves the key out. */
  readonly lastConnection?: ConnectionMemory | "none" | undefined;
  /** Keys beside those of Foolscap, which ignores them. */
  readonly extra?: Readonly<Record<string, string>> | undefined;
}

/** A peer's hello that has been found good. */
export interface PeerOffer {
  /** The peer, as its certificate proves. */
  readonly tubId: string;
  /** The peer's `my-incarnation`; empty if it gave none. */
  readonly incarnation: string;
  /** What the peer, having dialled, remembers of us as master; `undefined` without the key. */
  readonly lastConnection: ConnectionMemory | "none" | undefined;
  /** The vocabulary tables that the peer knows. */
  readonly vocabularies: Range;
  /** All of its keys. */
  readonly hello: ReadonlyMap<string, string>;
}

/** The entries of our hello, for {@linkcode encodeBlock}. */
export function makeHello(options: HelloOptions): [string, string][] {
  const { lastConnection } = options;
  const entries: [string, string][] = [
    ["banana-negotiation-range", `${VERSIONS.min} ${VERSIONS.max}`],
    ["initial-vocab-table-range", `${VOCABULARY_RANGE.min} ${VOCABULARY_RANGE.max}`],
    ["my-incarnation", options.incarnation],
    ["my-tub-id", options.tubId],
  ];
  if (lastConnection === "none") entries.push(["last-connection", "none 0"]);
  else if (lastConnection !== undefined) {
    entries.push(["last-connection", `${lastConnection.incarnation} ${lastConnection.seqnum}`]);
  }
  return [...entries, ...Object.entries(options.extra ?? {})];
}

/** What a peer's hello is held against. */
export interface HelloChecks {
  /** The TubID of the certificate whose key the peer has proved to hold. */
  readonly certificateTubId: string;
  /** Our own. */
  readonly ownTubId: string;
  /** The Tub that we dialled; `undefined` on the side that was dialled. */
  readonly targetTubId?: string | undefined;
}

/**
 * Checks a peer's hello.
 *
 * @throws {RemoteNegotiationError} If the peer gives up in it.
 * @throws {Refusal} If it is not good: no version in common, or a TubID that is not its own or not the
 * one we dialled.
 */
export function evaluateHello(hello: ReadonlyMap<string, string>, checks: HelloChecks): PeerOffer {
  checkVersion(hello);
  const tubId = hello.get("my-tub-id") ?? "";
  if (tubId !== checks.certificateTubId) {
    throw refusalOf(
      `TubID mismatch: the certificate is that of ${checks.certificateTubId}, the hello says`,
      tubId,
    );
  }
  if (checks.targetTubId !== undefined && tubId !== checks.targetTubId) {
    throw new Refusal(`Connected to the wrong Tub: it is ${tubId}, and ${checks.targetTubId} was wanted`);
  }
  if (tubId === checks.ownTubId) {
    throw new Refusal("Connected to itself: a Tub reaches its own objects by loopback");
  }
  return {
    tubId,
    incarnation: hello.get("my-incarnation") ?? "",
    lastConnection: parseMemory(hello.get("last-connection")),
    vocabularies: vocabulariesOf(hello),
    hello,
  };
}

/**
 * Checks what a hello says about the protocol.
 *
 * @throws {RemoteNegotiationError} If the peer gives up in it.
 * @throws {Refusal} If there is no version in common.
 */
export function checkVersion(hello: ReadonlyMap<string, string>): void {
  const error = hello.get("error");
  if (error !== undefined) throw new RemoteNegotiationError(`The peer refused: ${quoteForeign(error)}`);
  const range = hello.get("banana-negotiation-range");
  if (range === undefined) {
    throw openRefusal(
      hello.has("banana-negotiation-version")
        ? "Peer is speaking foolscap-0.0.5 or earlier, which is not compatible with this version. " +
          "Please upgrade the peer."
        : "No valid banana-negotiation sequence seen",
    );
  }
  bestOverlap(VERSIONS, parseRange(range, "exact"), "banana version");
  if (hello.get("negotiation-forced")?.toLowerCase() === "true") {
    throw new Refusal("The peer wants a forced negotiation, which does not exist");
  }
}

/** The vocabulary tables that a peer knows. */
export function vocabulariesOf(hello: ReadonlyMap<string, string>): Range {
  return parseRange(hello.get("initial-vocab-table-range") ?? "0 0", "open");
}

/** Of `last-connection` and `current-connection`; what cannot be read counts as not there. */
export function parseMemory(text: string | undefined): ConnectionMemory | "none" | undefined {
  const [, incarnation, seqnum] = /^\s*(\S+)\s+(\d{1,15})(?:\s|$)/.exec(text ?? "") ?? [];
  if (incarnation === undefined) return undefined;
  return incarnation === "none" ? "none" : { incarnation, seqnum: Number(seqnum) };
}
