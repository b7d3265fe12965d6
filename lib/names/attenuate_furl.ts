/**
 * Weaker FURLs, made by whoever has a FURL, without asking anybody.
 *
 * Foolscap has nothing like it; its Tubs hold and present such a FURL as they do any other.
 *
 * @module
 */

import { FurlError } from "../errors.ts";
import { MAX_CAVEAT_BYTES, MAX_CAVEAT_LABEL_BYTES, MAX_NAME_BYTES } from "../limits.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import { type Caveat, MAX_UNTIL, MAX_USES } from "./caveat.ts";
import { deriveName } from "./derived_name.ts";
import { formatFurl, type FurlParts, parseFurl } from "./furl.ts";
import { SturdyRef } from "./sturdy_ref.ts";
import { isTubId, TUB_ID_LENGTH } from "./tub_id.ts";

/** What {@linkcode attenuateFurl} takes away; at least one. */
export interface FurlCaveats {
  /**
   * The methods that may be called, without `remote_`; an empty list allows none. A function has no methods: then nothing
   * can be called.
   *
   * @default those of the FURL it is derived from
   */
  readonly methods?: readonly string[] | undefined;
  /**
   * Until when it can be used, by the clock of the object's Tub: a `Date`, a `Temporal.Instant`, or milliseconds since 1970.
   *
   * @default as long as the FURL it is derived from
   */
  readonly until?: number | Date | { readonly epochMilliseconds: number } | undefined;
  /**
   * How many calls it allows, from 0 to 4,294,967,295: of this FURL and all that derive from it, together.
   *
   * @default as many as the FURL it is derived from
   */
  readonly uses?: number | undefined;
  /**
   * The TubID of the only Tub that may get the object by it, and call it.
   *
   * @default every Tub
   */
  readonly forTub?: string | undefined;
  /**
   * What it is for, in at most 100 bytes. It takes nothing away, and is no secret: whoever has the FURL can read it. FURLs
   * that were derived alike are one FURL, with one count and one revocation; a label makes them two.
   *
   * @default none
   */
  readonly label?: string | undefined;
}

const NAMES: Readonly<Record<keyof FurlCaveats, true>> = {
  methods: true,
  until: true,
  uses: true,
  forTub: true,
  label: true,
};

/**
 * A weaker FURL of the same object: its holder can do what the caveats allow, and nothing that the FURL which it was derived
 * from does not. It can be weakened further in the same way, and never be made stronger: from it nobody finds the FURL it
 * comes of. It is worth as much as that one: when the object loses its name it leads nowhere, and
 * {@linkcode CapabilityRegistry.revokeFurl} ends it and all that derive from it.
 *
 * Nobody is asked, and nothing is kept: the same FURL with the same caveats gives the same text. The object has to live in a
 * Tub of this module, which is not checked: a Python Tub has no object of such a name. Python programs can hold, use and pass
 * on what was derived here.
 *
 * @param furl A FURL, attenuated or not.
 * @param caveats What to take away.
 * @throws {FurlError} If it is not a FURL, or it would have more than 64 caveats or 4,096 bytes of them, or get too long.
 * @throws {TypeError} If there is no caveat, one of another name, or one of a wrong type.
 * @throws {RangeError} If `until` or `uses` is out of its range, or a text is empty or too long.
 *
 * @example
 * ```ts
 * import { attenuateFurl, describeFurl } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const furl = "pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:localhost:4501/nayr47ezh6bxqdnn3gwj6n5tqqfhgbtr";
 * const readOnly = attenuateFurl(furl, { methods: ["list", "read"] });
 * const once = attenuateFurl(readOnly, { uses: 1, label: "for Bob" });
 * assert.deepEqual(describeFurl(once).methods, ["list", "read"]);
 * assert.equal(describeFurl(once).uses, 1);
 * ```
 */
export function attenuateFurl(furl: string | Uint8Array | SturdyRef, caveats: FurlCaveats): string {
  const { tubId, hints, name } = partsOf(furl, "attenuate");
  return formatFurl({ tubId, hints, name: deriveName(name, caveatsOf(caveats)) });
}

/**
 * The parts of a FURL.
 *
 * @throws {FurlError} If it is none.
 */
export function partsOf(furl: string | Uint8Array | SturdyRef, action: string): FurlParts {
  const text = furl instanceof SturdyRef ? furl.getURL() : furl;
  if (text === undefined) throw new FurlError(`Cannot ${action} FURL: the SturdyRef points nowhere`);
  if (typeof text !== "string" && !(text instanceof Uint8Array)) {
    throw new TypeError(`Cannot ${action} FURL: it is neither a text nor a SturdyRef`);
  }
  return parseFurl(text);
}

/** The caveats in their order: `uses` comes last, so that what else was said makes its count another one. */
function caveatsOf(options: FurlCaveats): Caveat[] {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot attenuate FURL: the caveats are not an object");
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(NAMES, name)) continue;
    throw new TypeError(
      `Cannot attenuate FURL: there is no caveat ${quoteForeign(name, 64)}; it is one of ${
        Object.keys(NAMES).join(", ")
      }`,
    );
  }
  const { label, forTub, methods, until, uses } = options;
  const caveats: Caveat[] = [];
  if (label !== undefined) caveats.push({ type: "label", label: checkLabel(label) });
  if (forTub !== undefined) caveats.push({ type: "forTub", tubId: checkTubId(forTub) });
  if (methods !== undefined) caveats.push({ type: "methods", methods: checkMethods(methods) });
  if (until !== undefined) caveats.push({ type: "until", until: checkUntil(until) });
  if (uses !== undefined) caveats.push({ type: "uses", uses: checkUses(uses) });
  if (caveats.length === 0) {
    throw new TypeError(
      `Cannot attenuate FURL: there is no caveat; give one of ${Object.keys(NAMES).join(", ")}`,
    );
  }
  return caveats;
}

function checkText(text: unknown, what: string, maxBytes: number): asserts text is string {
  if (typeof text !== "string" || !text.isWellFormed()) {
    throw new TypeError(`Cannot attenuate FURL: ${what} is not a text`);
  }
  if (text === "" || text.length > maxBytes || encodeText(text).length > maxBytes) {
    throw new RangeError(`Cannot attenuate FURL: ${what} is empty or has more than ${maxBytes} bytes`);
  }
}

function checkLabel(label: string): string {
  checkText(label, "the label", MAX_CAVEAT_LABEL_BYTES);
  return label;
}

function checkTubId(tubId: string): string {
  if (typeof tubId === "string" && isTubId(tubId)) return tubId;
  throw new TypeError(
    `Cannot attenuate FURL: forTub is not a TubID, which has ${TUB_ID_LENGTH} characters of a-z and 2-7`,
  );
}

function checkMethods(methods: readonly string[]): readonly string[] {
  if (!Array.isArray(methods)) throw new TypeError("Cannot attenuate FURL: methods is not a list of names");
  // More than fit: no use in looking at each.
  if (methods.length > MAX_CAVEAT_BYTES) {
    throw new FurlError(`Cannot attenuate FURL: its caveats would have more than ${MAX_CAVEAT_BYTES} bytes`);
  }
  const names: readonly unknown[] = methods;
  for (const name of names) checkText(name, "the name of a method", MAX_NAME_BYTES);
  const bytes = methods.reduce((sum, name) => sum + 2 + encodeText(name).length, 0);
  if (bytes > MAX_CAVEAT_BYTES) {
    throw new FurlError(
      `Cannot attenuate FURL: its methods would have ${bytes} bytes, more than ${MAX_CAVEAT_BYTES}`,
    );
  }
  return methods;
}

function checkUntil(until: NonNullable<FurlCaveats["until"]>): number {
  const ms = typeof until === "number"
    ? until
    : until instanceof Date
    ? until.getTime()
    : (until as { epochMilliseconds?: unknown } | null)?.epochMilliseconds;
  if (typeof ms !== "number") {
    throw new TypeError(
      "Cannot attenuate FURL: until is not a Date, a Temporal.Instant or a number of milliseconds",
    );
  }
  if (!(ms >= 0 && ms <= MAX_UNTIL)) {
    throw new RangeError("Cannot attenuate FURL: until is not a time from the year 1970 to 10889");
  }
  // Never later than what was asked for.
  return Math.floor(ms);
}

function checkUses(uses: number): number {
  if (typeof uses !== "number") throw new TypeError("Cannot attenuate FURL: uses is not a number");
  if (Number.isInteger(uses) && uses >= 0 && uses <= MAX_USES) return uses;
  throw new RangeError(`Cannot attenuate FURL: uses is not a whole number from 0 to ${MAX_USES}`);
}
