/**
 * The messages of a connection: what each is called, and how many fields it has.
 *
 * Source: Twisted `spread/pb.py`, `Broker.expressionReceived` and its `proto_` methods.
 *
 * @module
 */

import { ProtocolError } from "../../errors.ts";
import { decodeLossy, quoteForeign } from "../../util/text.ts";
import type { Expression } from "../banana/expression.ts";

/** Serves one message: its fields are those behind the word, which comes first. */
export type MessageHandler = (message: readonly Expression[]) => void;

/** What can be received on one connection. A feature adds its own. */
export class MessageTable {
  readonly #handlers = new Map<string, { readonly count: number; readonly handle: MessageHandler }>();
  readonly #unknown: (word: string) => void;

  /** @param unknown Is told of a word that is not in the table. */
  constructor(unknown: (word: string) => void) {
    this.#unknown = unknown;
  }

  /**
   * Adds a message.
   *
   * @param count How many fields it has behind its word.
   */
  set(word: string, count: number, handle: MessageHandler): void {
    this.#handlers.set(word, { count, handle });
  }

  /**
   * Serves what has come.
   *
   * @throws {ProtocolError} If it is no message, or has not its number of fields.
   */
  receive(expression: Expression): void {
    if (!Array.isArray(expression) || !(expression[0] instanceof Uint8Array)) {
      throw new ProtocolError("The peer sent something that is no message");
    }
    const word = wordOf(expression[0]);
    const entry = this.#handlers.get(word);
    if (entry === undefined) return this.#unknown(word);
    if (expression.length !== entry.count + 1) {
      throw new ProtocolError(
        `The peer sent ${quoteForeign(word, 40)} with ${
          expression.length - 1
        } fields instead of ${entry.count}`,
      );
    }
    entry.handle(expression);
  }
}

function wordOf(bytes: Uint8Array): string {
  if ("text" in bytes && typeof bytes.text === "string") return bytes.text;
  return bytes.length > 200 ? decodeLossy(bytes.subarray(0, 200)) : decodeLossy(bytes);
}
