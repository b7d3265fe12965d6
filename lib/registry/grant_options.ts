/**
 * What a grant may say, and what of it can be wrong.
 *
 * @module
 */

import { checkOwnName } from "../names/derived_name.ts";
import { isTubId } from "../names/tub_id.ts";
import { quoteForeign } from "../util/text.ts";
import { type ExpiryTime, expiryTime } from "./expiry.ts";
import type { DurableOptions } from "./factories.ts";
import { checkPolicy, type MembranePolicy } from "./membranes/policy.ts";
import type { CallRate } from "./limits.ts";

/** What a capability allows, to whom, how often and how long. What is left out is not limited. */
export interface AttenuateOptions {
  /** The methods that can be called, without `remote_`; an empty list is none at all. Not for functions. */
  readonly methods?: readonly string[] | undefined;
  /** Until when; see {@linkcode ExpiryTime}. Calls that have begun by then go on. */
  readonly expires?: ExpiryTime | undefined;
  /** How many calls can be made, ever. One counts when it is delivered; what a limit refuses does not count. */
  readonly maxCalls?: number | undefined;
  /** How many calls can be made in which time: so many at once, and then evenly. */
  readonly rate?: CallRate | undefined;
  /** The TubIDs of those who may use it, whoever else has got hold of it. */
  readonly holders?: readonly string[] | undefined;
  /**
   * The Deno permissions without which it cannot work. One that is missing fails the grant; one that is lost later fails
   * the call. Those that the class declares (`static requires`) are added.
   */
  readonly requires?: readonly Deno.PermissionDescriptor[] | undefined;
  /**
   * Whether it covers what its methods give out as well: whatever crosses, in results or in arguments, and in either direction,
   * is wrapped, as {@linkcode membrane} does it. All limits but `methods`, which are those of the object itself, hold
   * for calls of what is reached through it, calls of it count, and the end of the capability cuts all of it. An object says
   * what may pass; those of the capabilities that it comes of are asked too. What comes of a deep one is deep.
   *
   * @default {false}
   */
  readonly deep?: boolean | MembranePolicy | undefined;
  /** What the program calls it, for lists, trees and events. Callers do not see it. */
  readonly label?: string | undefined;
  /**
   * A name of the program's choice for the FURL. Whoever can guess it can use the capability.
   *
   * @default 160 random bits
   */
  readonly name?: string | undefined;
}

/** Options of {@linkcode CapabilityRegistry.grant}. */
export interface GrantOptions extends AttenuateOptions {
  /**
   * Keeps the capability, with all that is attenuated from it, in the Tub's store: after a restart its FURL is as good as
   * before, its limits go on where they were, and what was revoked stays so.
   *
   * @default it ends with the Tub
   */
  readonly durable?: DurableOptions | undefined;
}

/** The options, checked as far as they can be by themselves. */
export interface Terms {
  readonly methods: ReadonlySet<string> | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  readonly maxCalls: number | undefined;
  readonly rate: CallRate | undefined;
  readonly holders: ReadonlySet<string> | undefined;
  readonly requires: readonly Deno.PermissionDescriptor[];
  readonly label: string | undefined;
  readonly name: string | undefined;
  readonly deep: MembranePolicy | undefined;
}

const NAMES: Readonly<Record<keyof AttenuateOptions, true>> = {
  methods: true,
  expires: true,
  maxCalls: true,
  rate: true,
  holders: true,
  requires: true,
  deep: true,
  label: true,
  name: true,
};

/**
 * Checks what the program says.
 *
 * @param now The time, in milliseconds since 1970.
 * @throws {TypeError} If an option is unknown, or of a wrong type.
 * @throws {RangeError} If a number, a TubID or a time cannot be.
 * @throws {FurlError} If the name cannot stand in a FURL.
 */
export function checkTerms(options: AttenuateOptions, now: number): Terms {
  checkKeys(options, NAMES, "the options");
  const { methods, expires, maxCalls, rate, holders, requires, label, name, deep } = options;
  if (maxCalls !== undefined && !(Number.isSafeInteger(maxCalls) && maxCalls >= 0)) {
    throw new RangeError("Cannot grant: maxCalls is not a number of calls");
  }
  if (label !== undefined && typeof label !== "string") {
    throw new TypeError("Cannot grant: the label is not a text");
  }
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError("Cannot grant: the name is not a text");
  }
  if (name !== undefined) checkOwnName(name);
  for (const holder of checkList("holders", "TubIDs", holders) ?? []) {
    if (isTubId(holder)) continue;
    throw new RangeError(`Cannot grant: the holder ${quoteForeign(holder, 64)} is not a TubID`);
  }
  return {
    methods: setOf(checkList("methods", "names", methods)),
    expiresAt: expires === undefined ? undefined : expiryTime(expires, now),
    maxCalls,
    rate: rate === undefined ? undefined : checkRate(rate),
    holders: setOf(holders),
    requires: checkRequires(requires),
    label,
    name,
    deep: deep === undefined || deep === false ? undefined : deep === true ? {} : checkDeep(deep),
  };
}

function checkDeep(policy: unknown): MembranePolicy {
  if (typeof policy !== "object" || policy === null) {
    throw new TypeError("Cannot grant: deep is neither true, false nor a policy");
  }
  checkKeys(policy, { allow: true, onCall: true }, "the policy's allow and onCall");
  checkPolicy(policy);
  return policy;
}

function checkKeys(options: object, names: object, what: string): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot grant: ${what} are not an object`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    throw new TypeError(
      `Cannot grant: there is no option ${quoteForeign(name, 64)}; it is one of ${
        Object.keys(names).join(", ")
      }`,
    );
  }
}

function checkList(name: string, what: string, list: unknown): readonly string[] | undefined {
  if (list === undefined) return undefined;
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw new TypeError(`Cannot grant: ${name} is not a list of ${what}`);
}

function setOf(list: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return list === undefined ? undefined : new Set(list);
}

function checkRate(rate: CallRate): CallRate {
  checkKeys(rate, { calls: true, perMs: true }, "the rate's calls and perMs");
  const { calls, perMs } = rate;
  if (!Number.isSafeInteger(calls) || calls < 1) {
    throw new RangeError("Cannot grant: rate.calls is not a number of calls, at least 1");
  }
  // `RateLimit` counts in whole parts of a call, exactly up to this number.
  if (!(perMs > 0 && perMs <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError("Cannot grant: rate.perMs is not a number of milliseconds above 0");
  }
  return Object.freeze({ calls, perMs });
}

/** @throws {TypeError} If it is no list of objects. What permissions there are, the {@linkcode PermissionQuery} knows. */
export function checkRequires(requires: unknown): readonly Deno.PermissionDescriptor[] {
  if (requires === undefined) return [];
  const isFine = Array.isArray(requires) &&
    requires.every((item) => typeof item === "object" && item !== null && typeof item.name === "string");
  if (!isFine) {
    throw new TypeError(
      'Cannot grant: requires is not a list of Deno permissions such as { name: "read", path: "/srv/data" }',
    );
  }
  return requires.map((descriptor) => Object.freeze({ ...descriptor }));
}

/** What is to be kept of a grant, and the rest of its options, which have not been looked at: they may be no object at all. */
export function splitOptions(options: GrantOptions): {
  readonly durable: DurableOptions | undefined;
  readonly others: AttenuateOptions;
} {
  if (typeof options !== "object" || options === null) return { durable: undefined, others: options };
  const { durable, ...others } = options;
  return { durable, others };
}
