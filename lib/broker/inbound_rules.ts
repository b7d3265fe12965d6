/**
 * What a RemoteInterface says about a call of the peer: checked once more when all of it is there, and its result
 * before that is sent.
 *
 * Source: Foolscap `call.py`, `CallUnslicer`; `broker.py`, `_doCall`, `_callFinished`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { checkValue } from "../graph/schema/constraint.ts";
import { type InterfaceRules, isMethodRules, type MethodRules } from "../graph/schema/method_schema.ts";
import { Kwargs } from "../values/kwargs.ts";
import { quoteForeign } from "../util/text.ts";
import { RIBroker } from "./broker_object.ts";
import type { InboundCall } from "./call.ts";

/**
 * The rules of a method of what a call is for.
 *
 * @throws {Violation} If its RemoteInterface has no such method.
 */
export function rulesOf(target: InboundCall["target"], method: string): MethodRules | undefined {
  if (typeof target === "function") return undefined;
  let name: string;
  try {
    // Code of the program's, and what it gives need not be what its type says.
    const provided: InterfaceRules | undefined = target === undefined ? RIBroker : target.getInterface();
    if (provided === undefined) return undefined;
    const rules = provided.method(method);
    if (isMethodRules(rules)) return rules;
    if (rules !== undefined) throw new TypeError("The rules of a method are not from schema.method(...)");
    name = String(provided.name);
  } catch (cause) {
    throw new Violation("The object cannot say which RemoteInterface it provides", { cause });
  }
  throw new Violation(`method ${quoteForeign(method, 100)} not defined in ${name}`);
}

/**
 * The call with its arguments in the order of their declaration.
 *
 * @throws {Violation} If one breaks its rule, or is missing.
 */
export function checkArguments(call: InboundCall): InboundCall {
  const { args, rules } = call;
  const last = args.at(-1);
  const checked = last instanceof Kwargs
    ? rules!.checkInbound(args.slice(0, -1), last.values as Readonly<Record<string, unknown>>)
    : rules!.checkInbound(args, undefined);
  return { ...call, args: checked };
}

/**
 * A method's result as it may be sent.
 *
 * @throws {Violation} If it breaks the method's rule.
 */
export function checkResult({ method, rules }: InboundCall, result: unknown): unknown {
  try {
    return checkValue(rules!.response!, result, "outbound", "result");
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(`in return value of ${quoteForeign(method, 100)}: ${error.message}`, {
      cause: error,
    });
  }
}
