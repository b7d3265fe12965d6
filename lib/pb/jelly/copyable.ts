/**
 * Objects that travel by value: the sender's `Copyable`, and what is made of it, a `RemoteCopy`.
 *
 * `(TAG state)`
 *
 * Source: Twisted `flavors.py`, `Copyable`, `RemoteCopy`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { assignState } from "../../values/assign_state.ts";
import type { Expression } from "../banana/expression.ts";
import { type Jellyable, stateOf, type Unjellyable } from "./jellyable.ts";
import type { Jellying, Unjellying } from "./invoker.ts";

/**
 * An object that is copied each time it is sent. The peer says by `setUnjellyableForClass` what becomes of it.
 *
 * Two occurrences in one message arrive as one object. One that contains itself arrives broken at Python's own RemoteCopy.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * class LilyPond extends pb.Copyable {
 *   static override copytype = "pond.LilyPond";
 *   secret = "under the third stone";
 *   constructor(public frogs: number) {
 *     super();
 *   }
 *   override getStateToCopy() {
 *     return { frogs: this.frogs };
 *   }
 * }
 * pb.jelly(new LilyPond(12));
 * ```
 */
export class Copyable implements Jellyable {
  /** The tag by which it is sent: by custom `module.Class`, and better with a dot. */
  static copytype?: string;

  /**
   * The tag for one receiver. By default what {@linkcode Copyable.getTypeToCopy} returns.
   *
   * @param _perspective On whose behalf it is sent, if it is known.
   */
  getTypeToCopyFor(_perspective: unknown): string | undefined {
    return this.getTypeToCopy();
  }

  /** The tag. By default the static `copytype` of its class. */
  getTypeToCopy(): string | undefined {
    // Not this.constructor: an attribute may have that name.
    return (Object.getPrototypeOf(this).constructor as typeof Copyable).copytype;
  }

  /**
   * What is sent to one receiver. By default what {@linkcode Copyable.getStateToCopy} returns.
   *
   * @param _perspective On whose behalf it is sent, if it is known.
   */
  getStateToCopyFor(_perspective: unknown): unknown {
    return this.getStateToCopy();
  }

  /** What is sent: any value. By default own enumerable properties. What it throws fails the call. */
  getStateToCopy(): unknown {
    return { ...this };
  }

  /** Writes `(TAG state)`. */
  jellyFor(jellier: Jellying): void {
    const { perspective } = jellier;
    const tag = this.getTypeToCopyFor(perspective);
    if (typeof tag !== "string" || tag === "") {
      throw new Violation("Cannot send an object: its class, a pb.Copyable, must have a static copytype");
    }
    jellier.prepare(this);
    jellier.list(2);
    jellier.word(tag);
    jellier.jelly(this.getStateToCopyFor(perspective));
  }
}

/**
 * What is made of a peer's {@linkcode Copyable}: registered by `setUnjellyableForClass`, and made by its constructor, without
 * arguments. (Twisted runs no constructor; in JavaScript there is no object without one that has its private fields.)
 */
export class RemoteCopy implements Unjellyable {
  /**
   * Takes the state that came. By default each entry becomes a property, and a name that the class has a method or accessor of is
   * refused; nothing at all is no state. Parts of a cycle may not be complete yet: see `postUnjelly`.
   *
   * @param state Any value.
   * @throws {Violation} If it cannot be the state of this object.
   */
  setCopyableState(state: unknown): void {
    assignState(this, stateOf(state));
  }

  /** Reads `(TAG state)`. */
  unjellyFor(unjellier: Unjellying, expression: readonly Expression[]): unknown {
    unjellier.bind(this);
    if (expression.length !== 2) throw new Violation("Cannot read a copy: it has no state, or more than one");
    this.setCopyableState(unjellier.unjelly(expression[1]!));
    return this;
  }
}
