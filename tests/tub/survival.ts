/**
 * A Tub under attack, and what it must be afterwards.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type TraceEvent, Tub, type TubOptions } from "../../mod.ts";
import type { TestIdentity } from "../support/identity.ts";
import { type Attacker, identityBeside } from "./attacker.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

/** A Tub that serves a Target under the name `target`, and what a stranger needs. */
export interface Scene {
  readonly tub: Tub;
  readonly events: TraceEvent[];
  /** One that the Tub is the master of. */
  readonly slave: TestIdentity;
  /** One that is the Tub's master. */
  readonly master: TestIdentity;
}

/** Lets a stranger attack; after that the Tub holds nothing more than before, and still serves. */
export async function survive(
  attack: (scene: Scene) => Promise<void> | void,
  options: TubOptions = {},
): Promise<void> {
  const events: TraceEvent[] = [];
  await using tub = await startTub({ ...options, trace: (event) => events.push(event) });
  const target = new Target();
  const furl = tub.registerReference(target, "target");
  const [slave, master] = await Promise.all([
    identityBeside(tub.tubId, "slave"),
    identityBeside(tub.tubId, "master"),
  ]);
  await attack({ tub, events, slave, master });
  {
    await using honest = await Tub.create();
    const ref = await honest.getReference<Target>(furl);
    assert.equal(await ref.callRemote("add", 1, 2), 3);
  }
  target.gate.resolve("done");
  const names = tub.registry.size;
  await until(() => {
    const { exported, connections, negotiating } = tub.debug.tables();
    return exported + connections + negotiating === 0;
  }, "the Tub lets go of the stranger");
  assert.deepEqual(tub.debug.tables(), { ...EMPTY_TABLES, names });
  assert.equal(names, 1);
}

/** The last reason for which the Tub ended a negotiation. */
export function lastFailure(events: readonly TraceEvent[]): string {
  const event = events.findLast((event) => event.type === "negotiation-failed");
  return event?.type === "negotiation-failed" ? event.error.message : "";
}

/** Encodes a call of object 1 that passes an object of a third Tub. */
export function gift(attacker: Attacker, furl: string, giftId: number): void {
  attacker.call(1, "hold", 1, () => {
    const number = attacker.encoder.open("their-reference");
    attacker.encoder.integer(giftId);
    attacker.encoder.word(furl);
    attacker.encoder.close(number);
  });
}
