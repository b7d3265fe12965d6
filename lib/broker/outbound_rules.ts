/**
 * What a RemoteInterface says about a call that is about to be sent.
 *
 * Source: Foolscap `referenceable.py`, `RemoteReference._callRemote`, with its options `_useSchema`,
 * `_methodConstraint` and `_resultConstraint`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import type { Constraint } from "../graph/schema/constraint.ts";
import { findRemoteInterface } from "../graph/schema/provided.ts";
import type { MethodRules } from "../graph/schema/method_schema.ts";
import { quoteForeign } from "../util/text.ts";
import type { CheckedOptions } from "./call.ts";

/** A call as it may be sent. */
export interface CheckedCall {
  readonly args: readonly unknown[];
  /** The rule for the result; `undefined` if any will do. */
  readonly response: Constraint | undefined;
}

/**
 * Checks a call by the rules of the object's RemoteInterface, if this process knows it, or by those of its options.
 *
 * @param interfaceName As the peer told it; empty for none.
 * @throws {Violation} If the interface has no such method, or an argument breaks its rule.
 */
export function checkOutboundCall(
  interfaceName: string,
  method: string,
  args: readonly unknown[],
  options: CheckedOptions,
): CheckedCall {
  const rules = rulesFor(interfaceName, method, options);
  const response = "resultConstraint" in options ? options.resultConstraint : rules?.response;
  return { args: rules === undefined ? args : rules.checkOutbound(args), response };
}

function rulesFor(interfaceName: string, method: string, options: CheckedOptions): MethodRules | undefined {
  if (options.methodConstraint !== undefined) return options.methodConstraint;
  if (interfaceName === "" || options.useSchema === false) return undefined;
  const known = findRemoteInterface(interfaceName);
  if (known === undefined) return undefined;
  const rules = known.method(method);
  if (rules !== undefined) return rules;
  throw new Violation(`${quoteForeign(interfaceName, 100)} does not offer ${quoteForeign(method, 100)}`);
}
