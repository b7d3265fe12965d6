/**
 * What values of JavaScript's own have in common that are written as a few tokens and have an identity.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { decodeText } from "../../util/text.ts";
import { STRING, VOCAB } from "../../wire/tokens.ts";
import { Unslicer } from "../unslicer.ts";

/** Takes some tokens and gives an object, which `reference` can name when it is there. One is used again and again. */
export abstract class ObjectLeaf extends Unslicer {
  #objectNumber = 0;
  /** Memory of an object besides its tokens, in bytes. */
  protected abstract readonly cost: number;

  override start(objectNumber: number): void {
    this.#objectNumber = objectNumber;
    this.receiver.spend(this.cost);
    this.receiver.register(objectNumber, undefined);
  }

  /** The object is there. */
  protected made<T extends object>(object: T): T {
    this.receiver.replace(this.#objectNumber, object);
    return object;
  }
}

/** The same for objects that are written as a few texts. */
export abstract class TextLeaf extends ObjectLeaf {
  readonly #texts: string[] = [];
  /** The type of the sequence, for messages. */
  protected abstract readonly word: string;
  /** The longest text of each place, in bytes. */
  protected abstract readonly limits: readonly number[];

  override start(objectNumber: number): void {
    this.#texts.length = 0;
    super.start(objectNumber);
  }
  override checkToken(type: number, size: number): void {
    const limit = this.limits[this.count];
    if (limit === undefined || (type !== STRING && type !== VOCAB)) {
      throw new Violation(`A ${this.word} takes ${this.limits.length} STRINGs and nothing else`);
    }
    if (size > limit) throw new Violation(`Text of a ${this.word} is too long: ${size} > ${limit} bytes`);
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#texts.push(decodeText(bytes, start, end));
    } catch (cause) {
      throw new Violation(`Text of a ${this.word} is not UTF-8`, { cause });
    }
  }
  override receive(): void {}
  override close(): object {
    const texts = this.#texts.splice(0);
    if (texts.length < this.limits.length) throw new Violation(`Sequence of a ${this.word} ended too early`);
    return this.made(this.make(texts));
  }

  /** The object of these texts; a Violation if there is none. */
  protected abstract make(texts: readonly string[]): object;
}
