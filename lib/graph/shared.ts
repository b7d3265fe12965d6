/**
 * `reference`: an object that came before in the same message. Source: Foolscap `slicer.py`,
 * `ReferenceUnslicer`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { INT } from "../wire/tokens.ts";
import { Pending, PendingResult } from "./pending.ts";
import { Unslicer } from "./unslicer.ts";

/** Gives the object of which the number is named. */
export class ReferenceUnslicer extends Unslicer {
  #object: unknown;

  override start(): void {
    this.#object = undefined;
  }
  override checkToken(type: number): void {
    if (type !== INT || this.count > 0) throw new ProtocolError("A reference takes one INT token");
  }
  override receive(value: unknown): void {
    this.#object = typeof value === "number" ? this.receiver.lookup(value) : undefined;
    if (this.#object === undefined) {
      throw new Violation("Cannot follow a reference: this message has no object of that number");
    }
  }
  override close(): unknown {
    if (this.#object === undefined) throw new ProtocolError("A reference without a number");
    const object = this.#object;
    this.#object = undefined; // this unslicer is kept, and the object shall not be
    return object instanceof Pending ? new PendingResult(object) : object;
  }
}
