/**
 * The decision block: what the master of two Tubs settles, and the slave follows.
 *
 * Source: Foolscap `negotiate.py`, `evaluateNegotiationVersion1()`, `acceptDecision()`.
 *
 * @module
 */

import { RemoteNegotiationError } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";
import { vocabularyHash } from "../wire/vocabulary.ts";
import { openRefusal, refusalOf } from "./refusal.ts";
import { type ConnectionMemory, parseMemory, type PeerOffer, VOCABULARY_RANGE } from "./hello.ts";
import { bestOverlap, parseInteger } from "./range.ts";

/**
 * Whether we are the master: the greater TubID is, whoever dialled.
 */
export function isMasterOver(ownTubId: string, peerTubId: string): boolean {
  return ownTubId > peerTubId;
}

/**
 * The vocabulary table for a connection with this peer.
 *
 * @throws {Refusal} If no table is known to both.
 */
export function chooseVocabulary(offer: Pick<PeerOffer, "vocabularies">): number {
  return bestOverlap(VOCABULARY_RANGE, offer.vocabularies, "initial vocab set");
}

/** The entries of our decision, for {@linkcode encodeBlock}. */
export function makeDecision(current: ConnectionMemory, vocabTable: number): [string, string][] {
  return [
    ["banana-decision-version", "3"],
    ["current-connection", `${current.incarnation} ${current.seqnum}`],
    ["initial-vocab-table-index", `${vocabTable} ${vocabularyHash(vocabTable)}`],
  ];
}

/** What a master has decided. */
export interface Decision {
  /** The vocabulary table of both directions. */
  readonly vocabTable: number;
  /** What the slave says as `last-connection` when it dials this master again. */
  readonly master: ConnectionMemory | undefined;
}

/**
 * Checks a master's decision.
 *
 * @throws {RemoteNegotiationError} If it is a refusal.
 * @throws {Refusal} If it cannot be followed.
 */
export function evaluateDecision(decision: ReadonlyMap<string, string>): Decision {
  const version = decision.get("banana-decision-version");
  if (version === undefined || version === "") throw openRefusal("No banana-decision-version value");
  const number = parseInteger(version.trim());
  if (number === undefined || number < 1 || number > 3) {
    throw refusalOf("The master decided for a version that does not exist", version);
  }
  const error = decision.get("error");
  if (error !== undefined) {
    throw new RemoteNegotiationError(`Banana negotiation failed: ${quoteForeign(error)}`);
  }
  const master = parseMemory(decision.get("current-connection"));
  return {
    vocabTable: parseVocabulary(decision.get("initial-vocab-table-index")),
    master: master === "none" ? undefined : master,
  };
}

function parseVocabulary(text: string | undefined): number {
  if (text === undefined || text === "") return VOCABULARY_RANGE.min;
  const words = text.split(/\s+/).filter((word) => word !== "");
  const [index, hash] = [parseInteger(words[0] ?? ""), words[1] ?? ""];
  if (index === undefined || words.length !== 2) {
    throw refusalOf("The master's choice of a vocabulary table is not a number and a hash", text);
  }
  if (index < VOCABULARY_RANGE.min || index > VOCABULARY_RANGE.max) {
    throw openRefusal(`I can't handle initial vocab table index ${index}`);
  }
  const ours = vocabularyHash(index);
  if (index > 0 && ours !== hash) {
    throw openRefusal(
      `Our hash for vocab-table-index ${index} (${ours}) does not match your hash (${hash.slice(0, 200)})`,
    );
  }
  return index;
}
