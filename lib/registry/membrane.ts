/**
 * An object with all that is reached through it, behind something that can be cut.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { type AttenuateOptions, checkTerms } from "./grant_options.ts";
import { limitsOf } from "./limits_of.ts";
import { MembraneCore } from "./membranes/core.ts";
import { checkPolicy, type MembranePolicy } from "./membranes/policy.ts";
import { isPublishable } from "./name_lookups.ts";

export type { MembraneCall, MembranePolicy } from "./membranes/policy.ts";

/** The limits of what is reached through a membrane. All calls of it count together; calls that the inside makes do not. */
export type MembraneLimits = Pick<AttenuateOptions, "expires" | "maxCalls" | "rate" | "holders">;

/** Options of {@linkcode membrane} and {@linkcode CapabilityRegistry.membrane}. */
export interface MembraneOptions extends MembranePolicy {
  /** What the program calls it: its policy is told, callers are not. */
  readonly label?: string | undefined;
  /**
   * Limits of all that is reached through it.
   *
   * @default none
   */
  readonly limits?: MembraneLimits | undefined;
}

/** What {@linkcode membrane} takes besides: the clock of its limits. */
export interface MembraneClock {
  /**
   * The time.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined;
}

/**
 * A membrane around an object: made by {@linkcode membrane}.
 *
 * @typeParam T The class of the object.
 */
export class Membrane<T extends Publishable = Publishable> implements Disposable {
  /** What stands for the object outside: typed as that, so that it can be passed where that can. */
  readonly object: T;
  /** What the program calls it. */
  readonly label: string | undefined;
  readonly #core: MembraneCore;

  /** @ignore Use {@linkcode membrane}. */
  constructor(core: MembraneCore, object: T, label: string | undefined) {
    this.#core = core;
    this.object = core.wrap(object) as T;
    this.label = label;
  }

  /** Whether it was cut. */
  get isRevoked(): boolean {
    return this.#core.ended !== undefined;
  }

  /**
   * Cuts it, for good: whatever has crossed it, in either direction, fails with a {@linkcode PermissionDenied} when it is
   * called; so do the calls that have begun, whose results are dropped and whose `signal` fires.
   *
   * @param reason What callers are told.
   * @returns Whether there was something to cut.
   * @throws {TypeError} If the reason is not a text.
   */
  revoke(reason?: string): boolean {
    if (reason !== undefined && typeof reason !== "string") {
      throw new TypeError("Cannot revoke: the reason is not a text");
    }
    if (this.isRevoked) return false;
    this.#core.shut("revoked", reason);
    this.#core.endCalls();
    return true;
  }

  /** Cuts it. */
  [Symbol.dispose](): void {
    this.revoke();
  }
}

/**
 * Puts an object, or a function that {@linkcode callable} was given, behind a membrane. What crosses it, in either direction,
 * is wrapped: objects, functions and references, in arguments, results and errors, however deep in lists, dicts, Maps,
 * Sets and Copyables; and what is reached through those. So whoever is outside has nothing of what is inside but by the
 * membrane, wherever it travels, and the inside has nothing of the outside but by it.
 *
 * An object has the same stand-in each time it crosses, as long as somebody holds that, and is itself again when it crosses back. A
 * RemoteReference has a RemoteReference for its stand-in. Other values are copied, as if they crossed a connection; what
 * cannot be sent cannot cross. A FURL that is only a text is a text: who knows it can use it. SturdyRefs cross the membranes of a
 * registry, and no others.
 *
 * {@linkcode CapabilityRegistry.membrane} makes one with a FURL, that lists, trees and events know.
 *
 * @throws {TypeError} If it is neither a Referenceable nor a Callable, or an option is of a wrong type.
 * @throws {RangeError} If a number, time or TubID cannot be.
 *
 * @example
 * ```ts
 * import { localReference, membrane, PermissionDenied, Referenceable } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Page extends Referenceable {
 *   remote_text() {
 *     return "It was a dark and stormy night.";
 *   }
 * }
 * class Book extends Referenceable {
 *   readonly #page = new Page();
 *   remote_page() {
 *     return this.#page;
 *   }
 *   remote_has(page: Page) {
 *     return page === this.#page;
 *   }
 * }
 *
 * const lent = membrane(new Book(), { allow: ({ method }) => method !== "tear" });
 * const book = localReference(lent.object);
 * const page = await book.callRemote("page");
 * assert.equal(await book.callRemote("page"), page); // the same one each time
 * assert.equal(await book.callRemote("has", page), true); // and itself at home
 *
 * lent.revoke("it is late");
 * await assert.rejects(localReference(page).callRemote("text"), PermissionDenied);
 * ```
 */
export function membrane<T extends Publishable>(
  object: T,
  options: MembraneOptions & MembraneClock = {},
): Membrane<T> {
  if (!isPublishable(object)) {
    throw new TypeError("Cannot make a membrane: the object is neither a Referenceable nor a Callable");
  }
  const { label, limits = {}, clock = systemClock } = options;
  checkPolicy(options);
  const { expires, maxCalls, rate, holders } = limits;
  const terms = checkTerms({ expires, maxCalls, rate, holders, label }, clock.now());
  const core = new MembraneCore({
    label,
    policies: [options],
    limits: limitsOf(terms, clock, undefined),
    watcher: { used() {}, denied() {} },
    trace: () => {},
    sturdy: undefined,
  });
  return new Membrane(core, object, label);
}
