/**
 * What a connection on which nobody is logged in may send.
 *
 * @module
 */

import type { Broker } from "../flavors/call.ts";

/** Under this key a broker takes a limit for expressions. */
export const expressionLimit: unique symbol = Symbol("expressionLimit");

/** What can be limited: a broker. */
export interface Limited {
  /** Memory that one expression may take from here on, in bytes, if that is less than what the program said. */
  [expressionLimit]: number;
}

/** Limits what a peer may send; brokers of the program's own are left as they are. */
export function limitExpressions(broker: Broker, bytes: number): void {
  if (expressionLimit in broker) (broker as Broker & Limited)[expressionLimit] = bytes;
}
