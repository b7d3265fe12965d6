/**
 * How an object writes itself as a reference to it.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import type { MessageReceiver } from "../flavors/call.ts";
import type { Jellying } from "../jelly/invoker.ts";

/** Under this key a broker counts references to objects that are being sent. */
export const localTaker: unique symbol = Symbol("localTaker");

/** What can number objects: a broker. */
export interface LocalTaker {
  /** Counts references. */
  readonly [localTaker]: {
    /**
     * Counts one more reference to an object.
     *
     * @returns Its number.
     * @throws {PbError} If the peer holds too many.
     */
    take(object: MessageReceiver): number;
    /** The message was not sent. */
    giveBack(id: number): void;
  };
}

/**
 * Writes `(remote n)`.
 *
 * @throws {Violation} If the value is not for a connection.
 */
export function jellyRemote(object: MessageReceiver, jellier: Jellying): void {
  const invoker: object | undefined = jellier.invoker;
  if (invoker === undefined || !(localTaker in invoker)) {
    throw new Violation(
      "Cannot jelly an object that travels by reference: it means something on a connection only",
    );
  }
  const { [localTaker]: taker } = invoker as LocalTaker;
  const id = taker.take(object);
  jellier.onUndo(() => taker.giveBack(id));
  jellier.list(2);
  jellier.word("remote");
  jellier.integer(id);
}
