/**
 * Failures. Source: Foolscap `call.py`, `FailureConstraint`.
 *
 * @module
 */

import { MAX_FAILURE_BYTES } from "../../limits.ts";
import { AttributeDictRule } from "./attribute_dict.ts";
import { BytesRule } from "./bytes.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import type { Constraint, Contents } from "./constraint.ts";
import { kindOf } from "./kind_of.ts";
import { ListRule } from "./list.ts";

/** Foolscap's name for the type of a failure on the wire. */
const FAILURE_TYPE = "twisted.python.failure.Failure";
/** Python cuts texts by characters, of which each can have four bytes, and limits bytes. */
const SLACK = 4;

const bytes = (limit: number) => new BytesRule({ maxLength: limit * SLACK });

class FailureRule extends AttributeDictRule<Error, Error> {
  override readonly name = "FailureConstraint";

  constructor() {
    super([
      ["type", bytes(MAX_FAILURE_BYTES.type)],
      ["value", bytes(MAX_FAILURE_BYTES.value)],
      ["traceback", bytes(MAX_FAILURE_BYTES.traceback)],
      ["parents", new ListRule(bytes(MAX_FAILURE_BYTES.type))],
    ], bytes(MAX_FAILURE_BYTES.type));
  }

  override within(word: string, detail?: string): Contents | undefined | Refused {
    // Each attribute has its own rule: `attribute()`. And no dict with such attributes.
    return word === "copyable" && detail === FAILURE_TYPE ? undefined : REFUSED;
  }
  override fits(value: unknown): boolean {
    return value instanceof Error;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!(value instanceof Error)) {
      return checking.refuse(() => `${kindOf(value)} is not an instance of ${FAILURE_TYPE}`);
    }
    return value;
  }
}

/**
 * Takes the failure of a call, such as an `error` message carries it: an Error. Its four fields have Foolscap's limits,
 * with room for Python's counting of characters.
 */
export function FailureConstraint():
  & Constraint<Error, Error>
  & Pick<AttributeDictRule, "attribute" | "checkState"> {
  return new FailureRule();
}
