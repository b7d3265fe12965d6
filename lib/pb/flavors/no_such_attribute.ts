/**
 * What a peer is told of a method that is not there.
 *
 * @module
 */

import { quoteForeign } from "../../util/text.ts";
import { NoSuchMethod } from "../errors.ts";

/** What Python says of an attribute that an object does not have. */
export function noSuchAttribute(object: object, key: string): NoSuchMethod {
  const name: unknown = Object.getPrototypeOf(object)?.constructor?.name;
  return new NoSuchMethod(`'${String(name)}' object has no attribute ${quoteForeign(key, 100)}`);
}
