/**
 * From descriptions to values.
 *
 * @module
 */

import { registerRemoteCopy } from "../../lib/graph/copy_types.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import { Decimal } from "../../lib/values/decimal.ts";
import { Dict } from "../../lib/values/dict.ts";
import { Float } from "../../lib/values/float.ts";
import { freezeSet, FrozenSet, ValueSet } from "../../lib/values/value_set.ts";
import { Tuple } from "../../lib/values/tuple.ts";
import type { Description } from "./description.ts";
import { floatOf } from "./float_text.ts";
import { decodeHex } from "./hex.ts";

/** Options for {@link build}. */
export interface BuildOptions {
  /**
   * Makes an empty object for a copytype, whose attributes are set afterwards.
   *
   * @default an object of the class that `copyableClass` has for it
   */
  readonly newCopyable?: (copytype: string) => object;
  /** Makes what the library's own values do not cover, such as `{ ref: "x" }`. */
  readonly foreign?: (description: Description) => unknown;
}

/**
 * Builds the value that a description stands for. Members and entries keep the order of the description.
 *
 * @throws {TypeError} If the description is of no known kind.
 */
export function build(description: Description, options: BuildOptions = {}): unknown {
  return new Builder(options).build(description);
}

const classes = new Map<string, new () => Copyable>();

/** The class that stands for a copytype where no test has one of its own: registered, so it can be sent and received. */
export function copyableClass(copytype: string): new () => Copyable {
  let found = classes.get(copytype);
  if (found === undefined) {
    found = class extends Copyable {
      static override copytype = copytype;
    };
    registerRemoteCopy(copytype, found);
    classes.set(copytype, found);
  }
  return found;
}

class Builder {
  readonly #made = new Map<number, object>();
  readonly #options: BuildOptions;

  constructor(options: BuildOptions) {
    this.#options = options;
  }

  build(d: Description): unknown {
    if ("int" in d) return numberOrBigint(d.int);
    if ("float" in d) return floatValue(floatOf(d.float));
    if ("bytes" in d) return decodeHex(d.bytes);
    if ("str" in d) return d.str;
    if ("none" in d) return null;
    if ("bool" in d) return d.bool;
    if ("decimal" in d) return new Decimal(d.decimal);
    if ("same" in d) return this.#made.get(d.same);
    return this.#container(d);
  }

  #container(d: Description): unknown {
    if ("list" in d) return this.#fill(d, [] as unknown[], d.list, (list, v) => list.push(v));
    if ("tuple" in d) {
      return Object.freeze(this.#fill(d, new Tuple(), d.tuple, (made, v) => made.push(v)));
    }
    if ("set" in d) return this.#fill(d, new ValueSet(), d.set, (set, v) => set.add(v));
    if ("frozenset" in d) {
      return freezeSet(this.#fill(d, new FrozenSet(), d.frozenset, (set, v) => set.add(v)));
    }
    if ("dict" in d) return this.#dict(d);
    if ("copyable" in d) return this.#copyable(d);
    if (this.#options.foreign !== undefined) return this.#options.foreign(d);
    throw new TypeError(`Cannot build a value: unknown description ${JSON.stringify(d)}`);
  }

  #keep<T extends object>(d: object, value: T): T {
    if ("id" in d && typeof d.id === "number") this.#made.set(d.id, value);
    return value;
  }

  // An immutable is kept before it has its members: a list inside it may refer to it.
  #fill<T extends object>(
    d: object,
    to: T,
    from: readonly Description[],
    add: (to: T, v: unknown) => void,
  ): T {
    this.#keep(d, to);
    for (const child of from) add(to, this.build(child));
    return to;
  }

  #dict(d: { readonly dict: readonly (readonly [Description, Description])[] }): object {
    if (!d.dict.every(([key]) => "str" in key)) {
      const dict = this.#keep(d, new Dict());
      for (const [key, value] of d.dict) dict.set(this.build(key), this.build(value));
      return dict;
    }
    const made = this.#keep(d, Object.create(null) as object);
    for (const [key, value] of d.dict) define(made, "str" in key ? key.str : "", this.build(value));
    return made;
  }

  #copyable(
    d: { readonly copyable: readonly [string, readonly (readonly [string, Description])[]] },
  ): object {
    const [copytype, attributes] = d.copyable;
    const make = this.#options.newCopyable ?? ((type: string) => new (copyableClass(type))());
    const made = this.#keep(d, make(copytype));
    for (const [name, value] of attributes) define(made, name, this.build(value));
    return made;
  }
}

// Plain assignment would take "__proto__" for the prototype.
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

function numberOrBigint(text: string): number | bigint {
  const exact = BigInt(text);
  return Number.isSafeInteger(Number(text)) ? Number(exact) : exact;
}

function floatValue(value: number): number | Float {
  return Number.isInteger(value) && !Object.is(value, -0) ? new Float(value) : value;
}
