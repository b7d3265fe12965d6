/**
 * What a constraint is: a rule about values that is checked twice. On the way in, token by token, before memory is
 * spent on what it refuses; and on whole values, before they are sent and once more when all of them is there.
 *
 * Promises of values, of which this layer knows nothing, are seen by a method with a symbol for its name, which no peer can reach.
 *
 * Source: Foolscap `constraint.py`, `Constraint`. Unlike there, a token that a constraint refuses is always a
 * Violation: Foolscap's "strict" constraints (text, booleans, None) end the connection.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { quoteForeign } from "../../util/text.ts";
import { tokenName } from "../../wire/tokens.ts";
import { Checking, REFUSED, type Refused } from "./checking.ts";

/** Only the types need it: there is no such property. */
export declare const promisedType: unique symbol;

/** A value that is to come, as an argument of a call. */
export interface PromisedValue<out T> {
  /** Only the types need it: the value. */
  readonly [promisedType]: T;
}

/** How a promise was settled. */
export interface Settled {
  readonly isRejected: boolean;
  /** The value, or the reason. */
  readonly value: unknown;
}

/** The method of promises that can be arguments: how it was settled; `undefined` while it is not. */
export const promised: unique symbol = Symbol("promised");

/** Whether a value is a promise that can be an argument, and how it was settled. */
function promiseOf(value: unknown): { readonly settled: Settled | undefined } | undefined {
  if (!(value instanceof Promise) || !(promised in value)) return undefined;
  return { settled: (value as unknown as { [promised](): Settled | undefined })[promised]() };
}

/**
 * A length or count of a constraint.
 *
 * @throws {RangeError} If it is not a whole number of 0 or more.
 */
export function checkCount(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (value !== Infinity && (!Number.isSafeInteger(value) || value < 0)) {
    throw new RangeError(
      `Cannot make a constraint: ${name} is ${value}, and a whole number of 0 or more is needed`,
    );
  }
  return value;
}

/**
 * The largest body of each type of token that a constraint takes, in bytes; a type that is not there is refused.
 * Foolscap: `taster`.
 */
export type Taster = ReadonlyMap<number, number>;

/** What may stand in one sequence: asked by the receiver while the sequence comes. */
export interface Contents {
  /** How many children there may be: for a dict, keys and values together. */
  readonly maxChildren: number;
  /**
   * The rule for the child of this index; `undefined` if any will do.
   *
   * @throws {Violation} If there must be no such child.
   */
  at(index: number): Constraint | undefined;
}

/** Only the types need it: there is no such property. */
export declare const sent: unique symbol;
/** Only the types need it: there is no such property. */
export declare const received: unique symbol;

/**
 * What has types for both ends of the wire.
 *
 * @typeParam In What may be sent.
 * @typeParam Out What then arrives.
 */
export interface Typed<out In = unknown, out Out = unknown> {
  /** Only the types need it: what may be sent. */
  readonly [sent]: In;
  /** Only the types need it: what arrives. */
  readonly [received]: Out;
}

/**
 * A rule about values. Made by the functions of the namespace `schema`.
 *
 * @typeParam In What may be sent under the rule.
 * @typeParam Out What then arrives.
 */
export abstract class Constraint<out In = unknown, out Out = unknown> implements Typed<In, Out> {
  /** Only the types need it: what may be sent. */
  declare readonly [sent]: In;
  /** Only the types need it: what arrives. */
  declare readonly [received]: Out;

  /** Foolscap's name of the constraint, for messages: `IntegerConstraint`. */
  abstract readonly name: string;

  /** Which tokens may come where this is the rule, and how large. OPEN is among them if sequences may. */
  protected abstract readonly taster: Taster;

  /** Whether a token may come: {@linkcode Constraint.checkToken} without the cost of an error. */
  accepts(type: number, size: number): boolean {
    const limit = this.taster.get(type);
    return limit !== undefined && size <= limit;
  }

  /**
   * Whether a whole value is of the kind that the rule is about. A quick look that costs no error: what fits may break
   * the rule all the same, and what does not fit breaks it for certain.
   */
  fits(_value: unknown): boolean {
    return true;
  }

  /**
   * May this token come? Asked before its body is read.
   *
   * @throws {Violation} If it may not.
   */
  checkToken(type: number, size: number): void {
    const limit = this.taster.get(type);
    if (limit === undefined) throw new Violation(`${tokenName(type)} token rejected by ${this.name}`);
    if (size > limit) throw new Violation(`${tokenName(type)} token too large: ${size}>${limit}`);
  }

  /**
   * May a sequence of this type come, and what may be inside? Asked when its type is known. A `reference` to something
   * earlier in the message may always come, and is not asked about: its object is checked when all is there.
   *
   * @param word The type, such as `list`.
   * @param detail The second index token: the class name of a `copyable`.
   * @returns The rule for the inside, `undefined` if there is none but the sequence's own.
   * @throws {Violation} If it may not.
   */
  inside(word: string, detail: string | undefined): Contents | undefined {
    const contents = this.within(word, detail);
    if (contents !== REFUSED) return contents;
    throw new Violation(
      `Unacceptable OPEN type ${quoteForeign(detail ?? word, 64)}: rejected by ${this.name}`,
    );
  }

  /**
   * {@linkcode Constraint.inside} without the cost of an error: this is what constraints define. By default no sequence
   * may come.
   *
   * @returns {@linkcode REFUSED} if it may not come.
   */
  within(_word: string, _detail: string | undefined): Contents | undefined | Refused {
    return REFUSED;
  }

  /**
   * Does a whole value keep the rule? If not, what {@linkcode Checking.refuse} gives is returned (or a Violation thrown,
   * which inside of a choice costs more).
   *
   * @returns The value that goes on in its place: nearly always the same. On the way out a list of numbers may become
   * one of floats; on the way in, a validator may make something else of it.
   * @throws {Violation} If it does not.
   */
  abstract check(value: unknown, checking: Checking): unknown;
}

/**
 * What a constraint threw, as a Violation. It may be code of the program's, or made by that when it is first needed: where
 * it fails while a message comes, one value is lost and not the connection.
 */
export function refusalOf(thrown: unknown): Violation {
  if (thrown instanceof Violation) return thrown;
  return new Violation("Cannot check a value: the code of its constraint failed", { cause: thrown });
}

/**
 * Checks one value from outside of a schema.
 *
 * @param direction `outbound` before it is sent, `inbound` when it has come.
 * @param where The place of the value in a message, such as `arguments[0]`.
 * @throws {Violation} If it breaks the rule; `where` says in which part.
 */
export function checkValue(
  constraint: Constraint,
  value: unknown,
  direction: "inbound" | "outbound",
  where = "",
): unknown {
  const checking = new Checking(direction);
  return checking.under(where, () => checkPart(constraint, value, checking));
}

/**
 * Checks a value that may be the promise of one, which is left to the receiver until its value is there.
 *
 * @throws {Violation} If it breaks the rule.
 */
export function checkPart(constraint: Constraint, value: unknown, checking: Checking): unknown {
  const promise = checking.direction === "outbound" ? promiseOf(value) : undefined;
  if (promise === undefined) return constraint.check(value, checking);
  const { settled } = promise;
  if (settled === undefined || settled.isRejected) return value;
  return constraint.check(settled.value, checking);
}
