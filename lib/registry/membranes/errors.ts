/**
 * How what a method throws crosses a membrane: as another error of the same class and words, with what hangs on it wrapped.
 *
 * @module
 */

import { rememberRemote } from "../../broker/remote_errors.ts";
import { NegotiationError } from "../../errors.ts";
import { MAX_ERROR_CAUSES } from "../../limits.ts";

/**
 * An error on the other side. What cannot cross of what hangs on it is left out. Never throws.
 *
 * @param cross Lets a value cross, or throws.
 */
export function errorAcross(error: Error, cross: (value: unknown) => unknown, depth: number = 0): Error {
  try {
    if (error instanceof DOMException) return new DOMException(error.message, error.name);
    const copy = new Error(undefined);
    Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
      if (!("value" in descriptor)) continue;
      const passed = passedOn(descriptor.value, cross, depth);
      if (passed !== undefined) Object.defineProperty(copy, key, { ...descriptor, value: passed.value });
    }
    // It tells of hints and of peers; its class keeps it where a copy has nothing.
    if (error instanceof NegotiationError) {
      Object.defineProperty(copy, "connectionInfo", { value: undefined });
    }
    rememberRemote(copy, error);
    return copy;
  } catch {
    return new Error("The method failed, with an error that cannot be told");
  }
}

function passedOn(
  value: unknown,
  cross: (value: unknown) => unknown,
  depth: number,
): { readonly value: unknown } | undefined {
  if (value instanceof Error) {
    return depth >= MAX_ERROR_CAUSES ? undefined : { value: errorAcross(value, cross, depth + 1) };
  }
  try {
    return { value: cross(value) };
  } catch {
    return undefined;
  }
}
