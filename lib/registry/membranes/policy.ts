/**
 * What a program can say about the calls that cross a membrane.
 *
 * @module
 */

import { quoteForeign } from "../../util/text.ts";
import { cannotCall } from "../limits.ts";

/** A call that wants to cross a membrane. */
export interface MembraneCall {
  /** `inward`: somebody outside calls what is inside. `outward`: the inside calls what it was given. */
  readonly direction: "inward" | "outward";
  /** The method's name, without `remote_`; empty for a function. */
  readonly method: string;
  /** What the program calls the membrane. */
  readonly label: string | undefined;
  /** The TubID that the caller has proved; `undefined` if none has, or the call comes from this process. */
  readonly caller: string | undefined;
}

/** What a program can say about the calls that cross a membrane. */
export interface MembranePolicy {
  /**
   * Is asked about every call, after the limits. It decides at once: anything but `true` refuses, and a text says why, to the
   * caller. What it throws refuses too.
   *
   * @default all may pass
   */
  readonly allow?: ((call: MembraneCall) => boolean | string) | undefined;
  /** Is told of every call that passes. What it throws refuses the call; a promise of its is not waited for. */
  readonly onCall?: ((call: MembraneCall) => void) | undefined;
}

/** Is told of what the program's own code throws. Must not throw. */
export type PolicyFailed = (error: unknown) => void;

/** Why a policy refuses a call; `undefined` if it does not. */
export function refusal(
  { allow, onCall }: MembranePolicy,
  call: MembraneCall,
  failed: PolicyFailed,
): string | undefined {
  try {
    const answer: unknown = allow === undefined ? true : allow(call);
    if (answer === true) {
      const told: unknown = onCall?.(call);
      // It comes too late to refuse the call.
      if (told instanceof Promise) told.catch(failed);
      return undefined;
    }
    // No promise is `true`, so it refuses, whatever comes of it.
    if (answer instanceof Promise) answer.catch(failed);
    const why = typeof answer === "string" ? `: ${quoteForeign(answer)}` : "";
    return `${cannotCall(call.method)}: the policy of this membrane does not allow it${why}`;
  } catch (error) {
    failed(error);
    return `${cannotCall(call.method)}: the policy of this membrane does not allow it`;
  }
}

/** @throws {TypeError} If the program's callbacks are no functions. */
export function checkPolicy({ allow, onCall }: MembranePolicy): void {
  for (const [name, callback] of [["allow", allow], ["onCall", onCall]] as const) {
    if (callback !== undefined && typeof callback !== "function") {
      throw new TypeError(`Cannot make a membrane: ${name} is not a function`);
    }
  }
}
