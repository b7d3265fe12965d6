/**
 * A method without rules. Source: Foolscap `remoteinterface.py`, `UnconstrainedMethod`.
 *
 * @module
 */

import { Kwargs } from "../../values/kwargs.ts";
import type { unconstrained } from "./marks.ts";
import type { Keywords, MethodRules } from "./method_schema.ts";

/** The rules of a method that has none. */
export interface Unconstrained extends MethodRules {
  /** Only the types need it. */
  readonly [unconstrained]: true;
}

const RULES: MethodRules = Object.freeze({
  response: undefined,
  positional: () => undefined,
  keyword: () => undefined,
  checkInbound: (args: readonly unknown[], keywords: Keywords | undefined) =>
    keywords === undefined || Object.keys(keywords).length === 0
      ? [...args]
      : [...args, new Kwargs(keywords)],
  checkOutbound: (args: readonly unknown[]) => args,
});

/**
 * The rules of a method that takes any arguments and gives any result.
 *
 * @example
 * ```ts
 * import { RemoteInterface, schema } from "../../../mod.ts";
 *
 * RemoteInterface("RIAnything.example.com", { anything: schema.UnconstrainedMethod() });
 * ```
 */
export function UnconstrainedMethod(): Unconstrained {
  return RULES as Unconstrained;
}
