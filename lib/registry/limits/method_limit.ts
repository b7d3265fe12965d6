/**
 * Only these methods.
 *
 * @module
 */

import { quoteForeign } from "../../util/text.ts";
import type { Limit, LimitedCall } from "../limit.ts";

/** The names are the program's own: as many as one looks through. */
const MAX_SHOWN = 20;

/** Lets calls of some methods pass. */
export class MethodLimit implements Limit {
  readonly kind = "method";
  readonly #methods: ReadonlySet<string>;

  /** @param methods Their names, without `remote_`. */
  constructor(methods: ReadonlySet<string>) {
    this.#methods = methods;
  }

  refuses({ method }: LimitedCall): string | undefined {
    if (this.#methods.has(method)) return undefined;
    return `Cannot call ${quoteForeign(method, 100)}: this capability allows ${listed(this.#methods)}`;
  }
}

/** Names of methods for people: `only list, read`. */
function listed(methods: ReadonlySet<string>): string {
  if (methods.size === 0) return "no method";
  const shown = [...methods].slice(0, MAX_SHOWN).join(", ");
  return `only ${shown}${methods.size > MAX_SHOWN ? ` and ${methods.size - MAX_SHOWN} more` : ""}`;
}
