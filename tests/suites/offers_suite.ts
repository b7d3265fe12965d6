/**
 * Hellos made by hand, for a master that has a connection with the same peer already: which of them replace it, and what is
 * said to the others.
 *
 * Source: Foolscap `negotiate.py`, `compareOfferAndExisting`; spec, section 2.8.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestIdentity } from "../support/identity.ts";
import { Attacker, type Reachable } from "../tub/attacker.ts";

/** One offer. */
export interface Offer {
  /** The number of the rule that it falls under. */
  readonly rule: number;
  readonly name: string;
  readonly isAccepted: boolean;
  /** `my-incarnation`; without it the line is left out. */
  readonly incarnation?: string;
  /** `last-connection`, where `OWN` stands for the master's incarnation. */
  readonly last?: string;
}

/** The life that the existing connection was made with: what {@linkcode Attacker.hello} says. */
const LIFE = "0123456789abcdef";

/** All rules; the existing connection has the number 2. */
export const OFFERS: readonly Offer[] = [
  { rule: 1, name: "no incarnation", isAccepted: false, last: "OWN 2" },
  { rule: 1, name: "an empty incarnation", isAccepted: false, incarnation: "", last: "OWN 2" },
  { rule: 1, name: "no last connection", isAccepted: false, incarnation: "fedcba9876543210" },
  { rule: 2, name: "another life", isAccepted: true, incarnation: "fedcba9876543210", last: "none 0" },
  { rule: 2, name: "another life that remembers", isAccepted: true, incarnation: "ff", last: "OWN 9" },
  { rule: 3, name: "no memory", isAccepted: false, incarnation: LIFE, last: "none 0" },
  {
    rule: 4,
    name: "memory of an earlier master",
    isAccepted: true,
    incarnation: LIFE,
    last: "0000000000000000 2",
  },
  { rule: 5, name: "memory of this connection", isAccepted: true, incarnation: LIFE, last: "OWN 2" },
  { rule: 6, name: "memory of the one before", isAccepted: false, incarnation: LIFE, last: "OWN 1" },
  { rule: 7, name: "memory of one to come", isAccepted: false, incarnation: LIFE, last: "OWN 9" },
];

/** Says hello as the offer tells. */
export function offer(
  attacker: Attacker,
  { tubId }: TestIdentity,
  { incarnation, last }: Pick<Offer, "incarnation" | "last">,
  own: string,
): void {
  attacker.send(
    "banana-negotiation-range: 3 3\r\ninitial-vocab-table-range: 0 0\r\n" +
      (incarnation === undefined ? "" : `my-incarnation: ${incarnation}\r\n`) +
      (last === undefined ? "" : `last-connection: ${last.replace("OWN", own)}\r\n`) +
      `my-tub-id: ${tubId}\r\n\r\n`,
  );
}

/** Connects, and connects anew as one who has given the first connection up: the second one counts from then on. */
export async function joinTwice(tub: Reachable, identity: TestIdentity): Promise<[Attacker, own: string]> {
  using first = await Attacker.join(tub, identity);
  const [, own] = /current-connection: (\w+) 1\r\n/.exec(await first.until("\r\n\r\n"))!;
  const attacker = await Attacker.secure(tub, identity);
  await attacker.until("\r\n\r\n");
  offer(attacker, identity, { incarnation: LIFE, last: "OWN 1" }, own!);
  assert.equal(await attacker.until("\r\n\r\n"), decided(own!, 2));
  await first.end();
  return [attacker, own!];
}

/** Makes the offer while another connection is there, and holds the master to its rules. */
export async function judge(
  tub: Reachable,
  identity: TestIdentity,
  made: Offer,
): Promise<void> {
  const [attacker, own] = await joinTwice(tub, identity);
  using existing = attacker;
  using next = await Attacker.secure(tub, identity);
  await next.until("\r\n\r\n");
  offer(next, identity, made, own);
  if (made.isAccepted) {
    assert.equal(await next.until("\r\n\r\n"), decided(own, 3));
    await existing.end();
    await next.lookUp("target");
    return;
  }
  assert.equal(await next.end(), DUPLICATE);
  await existing.lookUp("target");
  // What was refused has used no number up.
  using another = await Attacker.secure(tub, identity);
  await another.until("\r\n\r\n");
  offer(another, identity, { incarnation: LIFE, last: "OWN 2" }, own);
  assert.equal(await another.until("\r\n\r\n"), decided(own, 3));
  await existing.end();
  await another.lookUp("target");
}

/** What a master says to an offer that it refuses. */
export const DUPLICATE = "banana-decision-version: 1\r\nerror: Duplicate connection\r\n\r\n";

/** What it says to one that it takes. */
export function decided(own: string, seqnum: number): string {
  return `banana-decision-version: 3\r\ncurrent-connection: ${own} ${seqnum}\r\n` +
    "initial-vocab-table-index: 0 da39\r\n\r\n";
}
