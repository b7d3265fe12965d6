/**
 * Only while the process has some Deno permissions.
 *
 * @module
 */

import { atEndOfTurn } from "../../util/turn.ts";
import type { Limit, LimitedCall } from "../limit.ts";
import type { PermissionQuery } from "../permission_query.ts";
import { cannotCall } from "./cannot_call.ts";

/** Lets calls pass while the permissions are there. Which ones they are is not told: they name paths and hosts. */
export class PermissionLimit implements Limit {
  readonly kind = "requires";
  readonly #descriptors: readonly Deno.PermissionDescriptor[];
  readonly #permissions: PermissionQuery;
  /** To ask costs a third of a call, and nothing changes in a turn but by the program's own doing. */
  #isKnown = false;

  /** @param descriptors As they were checked. */
  constructor(descriptors: readonly Deno.PermissionDescriptor[], permissions: PermissionQuery) {
    this.#descriptors = descriptors;
    this.#permissions = permissions;
  }

  refuses({ method }: LimitedCall): string | undefined {
    if (this.#isKnown) return undefined;
    if (!this.#areThere()) {
      return `${cannotCall(method)}: the process lacks a Deno permission that it requires`;
    }
    this.#isKnown = true;
    atEndOfTurn(this.#forget);
    return undefined;
  }

  readonly #forget = (): void => {
    this.#isKnown = false;
  };

  #areThere(): boolean {
    try {
      return this.#descriptors.every((descriptor) => this.#permissions.query(descriptor) === "granted");
    } catch {
      // It was fine at the grant; a permission that cannot even be asked for is none.
      return false;
    }
  }
}
