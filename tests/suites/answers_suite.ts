/**
 * What a stranger may say in each phase of a negotiation, for a Tub of this library and one of Python's: both must answer
 * with the same bytes.
 *
 * @module
 */

import { Attacker, type Reachable } from "../tub/attacker.ts";
import type { TestIdentity } from "../support/identity.ts";

/** Something that is said. */
export interface Saying {
  readonly name: string;
  /** The words, by the TubIDs of both sides. */
  words(stranger: string, tub: string): string;
}

const UPGRADE = "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n";
const get = (name: string, request: (tub: string) => string): Saying => ({
  name,
  words: (_stranger, tub) => request(tub),
});

/** First words, where `GET /id/<TubID> HTTP/1.1` is expected. */
export const REQUESTS: readonly Saying[] = [
  get("the usual", (tub) => `GET /id/${tub} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`),
  get("no header at all", (tub) => `GET /id/${tub} HTTP/1.1\r\n\r\n`),
  get("another version of HTTP", (tub) => `GET /id/${tub} SPDY/9\r\n\r\n`),
  get("blanks between the fields", (tub) => `GET \t /id/${tub}   HTTP/1.1\r\n\r\n`),
  get("a block of 4,096 bytes", (tub) => padded(`GET /id/${tub} HTTP/1.1\r\nx: `, 4_096)),
  get("a block of 4,097 bytes", (tub) => padded(`GET /id/${tub} HTTP/1.1\r\nx: `, 4_097)),
  get("4,097 bytes without an end", () => "x".repeat(4_097)),
  get("another TubID", () => `GET /id/${"a".repeat(32)} HTTP/1.1\r\n\r\n`),
  get("a TubID in capitals", (tub) => `GET /id/${tub.toUpperCase()} HTTP/1.1\r\n\r\n`),
  get("more than a TubID", (tub) => `GET /id/${tub}x HTTP/1.1\r\n\r\n`),
  get("an empty TubID", () => "GET /id/ HTTP/1.1\r\n\r\n"),
  get("the page of a browser", () => "GET /foo HTTP/1.1\r\nHost: x\r\n\r\n"),
  get("no version", (tub) => `GET /id/${tub}\r\n\r\n`),
  get("a field too many", (tub) => `GET /id/${tub} HTTP/1.1 x\r\n\r\n`),
  get("another method", (tub) => `POST /id/${tub} HTTP/1.1\r\n\r\n`),
  get("a method in small letters", (tub) => `get /id/${tub} HTTP/1.1\r\n\r\n`),
  get("an empty block", () => "\r\n\r\n"),
];

function padded(start: string, length: number): string {
  return `${start}${"x".repeat(length - start.length - 4)}\r\n\r\n`;
}

const HELLO = {
  "banana-negotiation-range": "3 3",
  "initial-vocab-table-range": "0 0",
  "my-incarnation": "0123456789abcdef",
};

const hello = (name: string, change: Record<string, string | undefined>): Saying => ({
  name,
  words: (stranger) => block({ ...HELLO, "my-tub-id": stranger, ...change }),
});

/** Hellos. */
export const HELLOS: readonly Saying[] = [
  hello("the usual", {}),
  hello("a memory", { "last-connection": "none 0" }),
  hello("no incarnation", { "my-incarnation": undefined }),
  hello("no vocabulary", { "initial-vocab-table-range": undefined }),
  hello("a vocabulary to come", { "initial-vocab-table-range": "2 3" }),
  hello("versions to come beside ours", { "banana-negotiation-range": "1 9" }),
  hello("only versions to come", { "banana-negotiation-range": "4 5" }),
  hello("only versions of old", { "banana-negotiation-range": "1 2" }),
  hello("one version instead of two", { "banana-negotiation-range": "3" }),
  hello("versions that are no numbers", { "banana-negotiation-range": "a b" }),
  hello("no versions", { "banana-negotiation-range": undefined }),
  hello("the form before 0.1", { "banana-negotiation-range": undefined, "banana-negotiation-version": "1" }),
  hello("keys that nobody knows", { "x-future": "1", "__proto__x": "2" }),
  hello("a forced negotiation", { "negotiation-forced": "True" }),
  hello("a TubID that is not its own", { "my-tub-id": "a".repeat(32) }),
  hello("no TubID", { "my-tub-id": undefined }),
  hello("an error", { error: "no" }),
  {
    name: "keys in capitals and no blanks",
    words: (stranger) =>
      block({ ...HELLO, "my-tub-id": stranger }).replace(/[\w-]+: /g, (key) => key.trim().toUpperCase()),
  },
  {
    name: "a line without a colon",
    words: (stranger) => `x\r\n${block({ ...HELLO, "my-tub-id": stranger })}`,
  },
  { name: "a block of 4,097 bytes", words: () => padded("x: ", 4_097) },
];

const DECISION = {
  "banana-decision-version": "3",
  "current-connection": "ff 1",
  "initial-vocab-table-index": "0 da39",
};
const decision = (name: string, change: Record<string, string | undefined>): Saying => ({
  name,
  words: () => block({ ...DECISION, ...change }),
});

/** Decisions of a master. */
export const DECISIONS: readonly Saying[] = [
  decision("the usual", {}),
  decision("an old version", { "banana-decision-version": "1" }),
  decision("a version to come", { "banana-decision-version": "4" }),
  decision("no version", { "banana-decision-version": undefined }),
  decision("no number", { "current-connection": undefined }),
  decision("no vocabulary", { "initial-vocab-table-index": undefined }),
  decision("a hash for table 0 that is wrong", { "initial-vocab-table-index": "0 0000" }),
  decision("a hash for table 1 that is wrong", { "initial-vocab-table-index": "1 0000" }),
  decision("a vocabulary to come", { "initial-vocab-table-index": "2 0000" }),
  decision("a vocabulary without a hash", { "initial-vocab-table-index": "1" }),
  decision("a refusal", { "banana-decision-version": "1", error: "Duplicate connection" }),
];

function block(entries: Record<string, string | undefined>): string {
  return Object.entries(entries).filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${value}\r\n`).join("") + "\r\n";
}

/** The answer to a request: all up to the end, or to where TLS would begin. */
export async function answerToRequest(tub: Reachable, saying: Saying): Promise<string> {
  using attacker = await Attacker.dial(tub);
  attacker.send(saying.words("", tub.tubId));
  return await attacker.until("\r\n\r\n");
}

/**
 * What comes after the words, up to the end of the connection; ends with `served` where an object was given. What differs by
 * nature is blotted out.
 */
export async function answerInTls(
  tub: Reachable,
  identity: TestIdentity,
  saying: Saying,
  isDecision: boolean,
): Promise<string> {
  using attacker = await Attacker.secure(tub, identity);
  await attacker.until("\r\n\r\n");
  const words = saying.words(identity.tubId, tub.tubId);
  attacker.call(0, "getReferenceByName", 1, () => attacker.encoder.word("target"));
  const call = [...attacker.encoder.take()].map((part) => String.fromCharCode(...part)).join("");
  let decided = "";
  // In one write: what a Tub that hangs up has not read would make its system forget what it has said.
  if (isDecision) attacker.send(block({ ...HELLO, "my-tub-id": identity.tubId }) + words + call);
  else if (identity.tubId > tub.tubId) attacker.send(words + block(DECISION) + call);
  else {
    attacker.send(words);
    decided = await attacker.until("\r\n\r\n").catch(() => "");
    if (decided.includes("current-connection")) attacker.send(call);
  }
  const answer = await Promise.race([
    attacker.until("my-reference").then(() => "served", () => attacker.received),
    attacker.end(),
  ]);
  return (decided + answer).replace(/current-connection: \w+/, "current-connection: X");
}
