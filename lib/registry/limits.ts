/**
 * The limits that a capability can have.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";
import { quoteForeign, showName } from "../util/text.ts";
import type { Limit, LimitedCall } from "./limit.ts";
import type { PermissionQuery } from "./permission_query.ts";

/** `Cannot call "write"`, or what stands for a function, which has no methods. The name is the caller's own. */
export function cannotCall(method: string): string {
  return method === "" ? "Cannot call the function" : `Cannot call ${quoteForeign(method, 100)}`;
}

/** As many names as one looks through. */
const MAX_SHOWN = 20;

/** Lets calls of some methods pass. */
export class MethodLimit implements Limit {
  readonly kind = "method";
  readonly #methods: ReadonlySet<string>;

  /** @param methods Their names, without `remote_`. */
  constructor(methods: ReadonlySet<string>) {
    this.#methods = methods;
  }

  refuses({ method }: LimitedCall): string | undefined {
    if (this.#methods.has(method)) return undefined;
    return `Cannot call ${quoteForeign(method, 100)}: this capability allows ${listed(this.#methods)}`;
  }
}

/** Names of methods for people: `only list, read`. */
function listed(methods: ReadonlySet<string>): string {
  if (methods.size === 0) return "no method";
  const shown = [...methods].slice(0, MAX_SHOWN).map(showName).join(", ");
  return `only ${shown}${methods.size > MAX_SHOWN ? ` and ${methods.size - MAX_SHOWN} more` : ""}`;
}

/** Lets calls of some Tubs pass. A caller that has proved no TubID, and this process itself, are none of them. */
export class HolderLimit implements Limit {
  readonly kind = "holders";
  readonly #holders: ReadonlySet<string>;

  /** @param holders Their TubIDs. */
  constructor(holders: ReadonlySet<string>) {
    this.#holders = holders;
  }

  refuses({ method, context: { caller } }: LimitedCall): string | undefined {
    if (caller !== undefined && this.#holders.has(caller)) return undefined;
    return `${cannotCall(method)}: this capability is for other holders`;
  }
}

/** Lets calls pass before a time. A call that has begun by then goes on. */
export class ExpiryLimit implements Limit {
  readonly kind = "expires";
  readonly #expiresAt: number;
  readonly #clock: Clock;

  /** @param expiresAt Milliseconds since 1970. */
  constructor(expiresAt: number, clock: Clock) {
    this.#expiresAt = expiresAt;
    this.#clock = clock;
  }

  refuses({ method }: LimitedCall): string | undefined {
    return this.#clock.now() < this.#expiresAt
      ? undefined
      : `${cannotCall(method)}: this capability has expired`;
  }
}

/**
 * Writes down that calls are used.
 *
 * @returns How many are written down as used now: more than `used`.
 * @throws {StoreError} If that is not possible: the call does not pass then.
 */
export type CountJournal = (used: number, maxCalls: number) => number;

/** Lets a number of calls pass, ever. */
export class CallCountLimit implements Limit {
  readonly kind = "maxCalls";
  readonly #maxCalls: number;
  readonly #journal: CountJournal | undefined;
  #used: number;
  #written: number;

  /**
   * @param used How many have passed already.
   * @param journal Is told before a call passes.
   */
  constructor(maxCalls: number, used?: number, journal?: CountJournal) {
    this.#maxCalls = maxCalls;
    this.#used = this.#written = used ?? 0;
    this.#journal = journal;
  }

  /** How many calls have passed. */
  get used(): number {
    return this.#used;
  }

  /** How many calls are left. */
  get left(): number {
    return Math.max(0, this.#maxCalls - this.#used);
  }

  refuses({ method }: LimitedCall): string | undefined {
    if (this.#used < this.#maxCalls) return undefined;
    return `${cannotCall(method)}: all of this capability's ${this.#maxCalls} calls are used`;
  }

  count(): void {
    if (this.#journal !== undefined && this.#used >= this.#written) {
      this.#written = this.#journal(this.#used, this.#maxCalls);
    }
    this.#used++;
  }
}

/** How many calls in which time. */
export interface CallRate {
  /** Calls that can be made at once, and in `perMs` again. */
  readonly calls: number;
  /** In milliseconds. */
  readonly perMs: number;
}

/** Rounding, where times have fractions, must not make a caller wait a millisecond more than it was told. */
const ROUNDING = 1e-9;

/**
 * A bucket that fills evenly, and of which each call takes as much as flows in `perMs / calls`. What is in it is counted in
 * parts of a call of which there are `calls` in a millisecond: so whole numbers stay whole, and nothing is won, or lost, by
 * looking often.
 */
export class RateLimit implements Limit {
  readonly kind = "rate";
  readonly #rate: CallRate;
  readonly #clock: Clock;
  #level: number;
  #filledAt: number;

  /** @param calls How many are in the bucket: it is full, or empty if it is not known how many were made just before. */
  constructor(rate: CallRate, clock: Clock, calls: number = rate.calls) {
    this.#rate = rate;
    this.#clock = clock;
    this.#level = calls * rate.perMs;
    this.#filledAt = clock.now();
  }

  refuses({ method }: LimitedCall): string | undefined {
    this.#fill();
    const { calls, perMs } = this.#rate;
    const missing = perMs - this.#level;
    if (missing <= Math.min(perMs, calls) * ROUNDING) return undefined;
    const waitMs = Math.max(1, Math.ceil(missing / calls - ROUNDING));
    return `${cannotCall(method)}: more than ${calls} calls in ${perMs} ms; try again in ${waitMs} ms`;
  }

  count(): void {
    this.#level -= this.#rate.perMs;
  }

  #fill(): void {
    const now = this.#clock.now();
    const { calls, perMs } = this.#rate;
    // If the clock was set back, nothing has flowed in meanwhile, and nothing is lost.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#level = Math.min(calls * perMs, this.#level + elapsed * calls);
  }
}

/** Lets calls pass while the permissions are there. Which ones they are is not told: they name paths and hosts. */
export class PermissionLimit implements Limit {
  readonly kind = "requires";
  readonly #descriptors: readonly Deno.PermissionDescriptor[];
  readonly #permissions: PermissionQuery;
  /** To ask costs a third of a call, and one chunk of bytes may hold many calls, all delivered at once. */
  #isKnown = false;

  /** @param descriptors As they were checked. */
  constructor(descriptors: readonly Deno.PermissionDescriptor[], permissions: PermissionQuery) {
    this.#descriptors = descriptors;
    this.#permissions = permissions;
  }

  refuses({ method }: LimitedCall): string | undefined {
    if (this.#isKnown) return undefined;
    if (!this.#areThere()) {
      return `${cannotCall(method)}: the process lacks a Deno permission that it requires`;
    }
    this.#isKnown = true;
    queueMicrotask(this.#forget);
    return undefined;
  }

  readonly #forget = (): void => {
    this.#isKnown = false;
  };

  #areThere(): boolean {
    try {
      return this.#descriptors.every((descriptor) => this.#permissions.query(descriptor) === "granted");
    } catch {
      // It was fine at the grant; a permission that cannot even be asked for is none.
      return false;
    }
  }
}
