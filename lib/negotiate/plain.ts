/**
 * Two Tubs over streams for which the programs at both ends vouch: no TLS, no certificate, and nobody dials.
 *
 * ```
 * one end                                    other end
 *   hello           <------------------------>  hello       phase hello: both at once
 *   decision        <------------------------>  decision    phase decision: both at once, and the same
 *   <============ Banana =====================>
 * ```
 *
 * The blocks are Foolscap's; the key `foolscap-attach: plain` in the hello says that no TLS is meant. Nothing in them proves who the
 * peer is: `my-tub-id` can only be held against what the program itself has said, so that a mistake is noticed.
 *
 * @module
 */

import { NegotiationError } from "../errors.ts";
import type { Connection } from "../transport/transport.ts";
import { upgradable } from "../transport/upgradable.ts";
import { encodeText } from "../util/text.ts";
import { Attempt } from "./attempt.ts";
import { decodeBlock, decodeLines, encodeBlock } from "./blocks.ts";
import { chooseVocabulary, evaluateDecision, makeDecision } from "./decision.ts";
import { checkVersion, makeHello, vocabulariesOf } from "./hello.ts";
import type { NegotiatingTub } from "./negotiating_tub.ts";
import { openRefusal, Refusal, refusalOf } from "./refusal.ts";

/** Options of {@linkcode negotiatePlain}. */
export interface NegotiatePlainOptions {
  readonly tub: NegotiatingTub;
  /** The Tub that the program says is at the other end; `undefined` for a peer without a name. */
  readonly trustedAs: string | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called synchronously before our decision is written, when the peer's hello is good.
   *
   * @throws {DuplicateConnectionError} If there is a connection with that Tub; the peer is told so.
   */
  admit(incarnation: string): void;
}

/** A connection without proofs on which both ends have agreed. */
export interface PlainAgreement {
  /** Its `readable` begins at the first Banana byte. */
  readonly connection: Connection;
  /** The vocabulary table of both directions. */
  readonly vocabTable: number;
  /** All that the peer's hello said, by lower-case key: nothing of it is proved. */
  readonly hello: ReadonlyMap<string, string>;
}

/** Foolscap ignores keys that it does not know; here this one tells a plain hello from any other block. */
const MODE_KEY = "foolscap-attach";
const MODE = "plain";
/** What a peer is told that begins the handshake with TLS. */
const NOT_PLAIN = "HTTP/1.1 500 Internal Server Error: no TLS is spoken here\r\n\r\n";

/**
 * Negotiates without TLS. Both ends do the same.
 *
 * @param connection Belongs to the negotiation; neither of its streams may be locked.
 * @returns Resolves when both ends are about to speak Banana.
 * @throws {NegotiationError} If there is no agreement in time. The connection is closed by then.
 */
export async function negotiatePlain(
  connection: Connection,
  options: NegotiatePlainOptions,
): Promise<PlainAgreement> {
  const { tub, signal } = options;
  const { limits, clock } = tub;
  const attempt = new Attempt(upgradable(connection, { clock }), { limits, clock, signal });
  try {
    const agreed = await agree(attempt, options);
    return { ...agreed, connection: attempt.finish() };
  } catch (error) {
    throw await attempt.fail(error);
  }
}

async function agree(
  attempt: Attempt,
  { tub, trustedAs, admit }: NegotiatePlainOptions,
): Promise<Omit<PlainAgreement, "connection">> {
  attempt.phase = "hello";
  attempt.errorForm = "block";
  const { tubId, incarnation } = tub;
  await attempt.write(
    encodeBlock(makeHello({ tubId, incarnation, extra: { ...tub.extraHello, [MODE_KEY]: MODE } })),
  );
  const hello = await readHello(attempt);
  checkVersion(hello);
  const claimed = hello.get("my-tub-id") ?? "";
  if (trustedAs !== undefined && claimed !== trustedAs) {
    throw refusalOf(`The program vouches for ${trustedAs}, and the peer says that it is`, claimed);
  }
  attempt.phase = "decision";
  const vocabTable = chooseVocabulary({ vocabularies: vocabulariesOf(hello) });
  admit(hello.get("my-incarnation") ?? "");
  const decision = encodeBlock(makeDecision({ incarnation, seqnum: 0 }, vocabTable));
  // When it has come, the peer reads tokens.
  attempt.errorForm = "token";
  await attempt.write(decision);
  const theirs = evaluateDecision(decodeBlock(await attempt.readBlock()));
  if (theirs.vocabTable !== vocabTable) {
    throw openRefusal(`Vocabulary table ${vocabTable} was agreed on, not ${theirs.vocabTable}`);
  }
  return { vocabTable, hello };
}

async function readHello(attempt: Attempt): Promise<ReadonlyMap<string, string>> {
  const block = await attempt.readBlock();
  const first = decodeLines(block)[0] ?? "";
  if (first.startsWith("GET ")) {
    // Its own words are the only ones that such a peer reads.
    await attempt.write(encodeText(NOT_PLAIN));
    attempt.errorForm = "nothing";
    throw new NegotiationError("The peer begins with TLS: attach both ends with it, or neither");
  }
  if (first.startsWith("HTTP/1.1 ")) {
    attempt.errorForm = "nothing";
    throw new NegotiationError("The peer waits for TLS: attach both ends with it, or neither");
  }
  const hello = decodeBlock(block);
  if (hello.get(MODE_KEY) === MODE || hello.has("error")) return hello;
  throw new Refusal("The peer's first block is no plain hello");
}
