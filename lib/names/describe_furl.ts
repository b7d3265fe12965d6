/**
 * What a FURL says of itself, for people: without its secrets.
 *
 * @module
 */

import { FurlError } from "../errors.ts";
import { partsOf } from "./attenuate_furl.ts";
import type { Caveat } from "./caveat.ts";
import { isReservedName, parseDerivedName } from "./derived_name.ts";
import type { SturdyRef } from "./sturdy_ref.ts";

/** What {@linkcode describeFurl} tells; frozen. */
export interface FurlDescription {
  /** The Tub that the object lives in. */
  readonly tubId: string;
  /** Where the Tub may be found. */
  readonly hints: readonly string[];
  /** What was taken away, in the order in which it was; empty for an object's own FURL. */
  readonly caveats: readonly Caveat[];
  /** The methods that all caveats allow; `undefined` if none says. */
  readonly methods: readonly string[] | undefined;
  /** The earliest end, in milliseconds since 1970; `undefined` if none says. */
  readonly until: number | undefined;
  /** The least number of calls, of which some may have been made already; `undefined` if none says. */
  readonly uses: number | undefined;
  /** The TubIDs that the only caller would need to have: with more than one, nobody can use it. */
  readonly forTub: readonly string[];
  /** What it is said to be for. */
  readonly labels: readonly string[];
}

/**
 * What a FURL allows, as it says itself: whether it is genuine only the object's Tub can tell. It shows no name, and none of
 * what makes the FURL good, so it can be printed.
 *
 * @throws {FurlError} If it is not a FURL, or one that was attenuated in a way that is not known here.
 *
 * @example
 * ```ts
 * import { attenuateFurl, describeFurl } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const furl = "pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:localhost:4501/nayr47ezh6bxqdnn3gwj6n5tqqfhgbtr";
 * assert.deepEqual(describeFurl(furl).caveats, []);
 * assert.deepEqual(describeFurl(attenuateFurl(furl, { uses: 3 })).caveats, [{ type: "uses", uses: 3 }]);
 * ```
 */
export function describeFurl(furl: string | Uint8Array | SturdyRef): FurlDescription {
  const { tubId, hints, name } = partsOf(furl, "describe");
  const derived = isReservedName(name) ? parseDerivedName(name) : { caveats: [] };
  if (derived === undefined) {
    throw new FurlError(
      "Cannot describe FURL: its name begins as that of an attenuated one, and is none that this version can read",
    );
  }
  const caveats = derived.caveats.map(({ caveat }) => Object.freeze(caveat));
  return Object.freeze({
    tubId,
    hints,
    caveats: Object.freeze(caveats),
    ...allowanceOf(caveats),
    labels: Object.freeze(caveats.flatMap((caveat) => caveat.type === "label" ? [caveat.label] : [])),
  });
}

/** What caveats allow together. */
export type Allowance = Pick<FurlDescription, "methods" | "until" | "uses" | "forTub">;

/** What is left where all caveats hold. */
export function allowanceOf(caveats: readonly Caveat[]): Allowance {
  let methods: readonly string[] | undefined;
  let until: number | undefined, uses: number | undefined;
  const forTub = new Set<string>();
  for (const caveat of caveats) {
    switch (caveat.type) {
      case "methods": {
        const allowed = new Set(caveat.methods);
        methods = methods === undefined ? caveat.methods : methods.filter((name) => allowed.has(name));
        break;
      }
      case "until":
        until = Math.min(until ?? Infinity, caveat.until);
        break;
      case "uses":
        uses = Math.min(uses ?? Infinity, caveat.uses);
        break;
      case "forTub":
        forTub.add(caveat.tubId);
        break;
      case "label":
        break;
    }
  }
  return {
    methods: methods === undefined ? undefined : Object.freeze([...methods]),
    until,
    uses,
    forTub: Object.freeze([...forTub]),
  };
}
