/**
 * What a program may name an object by.
 *
 * @module
 */

import { FurlError } from "../errors.ts";
import { type FurlParts, parseFurl } from "../names/furl.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";

/**
 * The parts of a FURL, given as such or as a SturdyRef.
 *
 * @throws {FurlError} If it is not a FURL.
 * @throws {TypeError} If it is neither.
 */
export function partsOf(target: string | SturdyRef): FurlParts {
  if (typeof target === "string") return parseFurl(target);
  if (!(target instanceof SturdyRef)) {
    throw new TypeError("Cannot get reference: it is neither a FURL, which is a text, nor a SturdyRef");
  }
  if (target.url !== undefined) return parseFurl(target.url);
  throw new FurlError("Cannot get reference: the SturdyRef points nowhere");
}
