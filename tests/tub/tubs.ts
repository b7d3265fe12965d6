/**
 * Tubs for tests, on ports of 127.0.0.1 that the system chooses.
 *
 * @module
 */

import { EMPTY } from "../broker/support.ts";
import { Referenceable, Tub, type TubOptions } from "../../mod.ts";

/** A Tub that listens and has a location. */
export async function startTub(options: TubOptions = {}): Promise<Tub> {
  const tub = await Tub.create(options);
  tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
  return tub;
}

/** Two Tubs: the first is the master of the two. */
export async function startMasterAndSlave(options: TubOptions = {}): Promise<[Tub, Tub]> {
  const [a, b] = await Promise.all([startTub(options), startTub(options)]);
  return a.tubId > b.tubId ? [a, b] : [b, a];
}

/** An object to be called. */
export class Target extends Referenceable {
  /** What `hold` was given. */
  held: unknown;
  /** Calls of `wait` resolve with this. */
  readonly gate: PromiseWithResolvers<string> = Promise.withResolvers();
  /** Resolves when `wait` has been called. */
  readonly waiting: PromiseWithResolvers<void> = Promise.withResolvers();

  remote_add(a: number, b: number): number {
    return a + b;
  }

  remote_echo(value: unknown): unknown {
    return value;
  }

  remote_hold(value: unknown): void {
    this.held = value;
  }

  remote_wait(): Promise<string> {
    this.waiting.resolve();
    return this.gate.promise;
  }

  remote_self(): this {
    return this;
  }
}

/** The tables of a Tub that holds nothing. */
export const EMPTY_TABLES = {
  ...EMPTY,
  connections: 0,
  connecting: 0,
  negotiating: 0,
  names: 0,
  reconnectors: 0,
};

/** Waits, a turn of the event loop at a time, until `isSo`; gives up loudly. */
export async function until(isSo: () => boolean, what = "the condition"): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
