/**
 * Keyword arguments of a call.
 *
 * @module
 */

/**
 * Keyword arguments: the last argument of `callRemote`, or what a method gets last when its peer named arguments
 * that no RemoteInterface puts in order.
 */
export class Kwargs<T extends object = Record<string, unknown>> {
  /** Only the types need it: names that a method does not declare are found out by it. */
  declare readonly [argumentNames]: keyof T;
  /** The arguments by name: frozen, and without a prototype, so that every name is only a name. */
  readonly values: Readonly<T>;

  /**
   * Keyword arguments, copied from an object's own enumerable properties.
   *
   * @param values Arguments by name.
   * @throws {TypeError} If `values` is no object, or one that is gone through, such as an array or a Map, or a name is empty
   *   or has a lone surrogate.
   */
  constructor(values: T) {
    if (typeof values !== "object" || values === null) {
      throw new TypeError(
        `Cannot take keyword arguments: got ${values === null ? "null" : typeof values}, not an object`,
      );
    }
    if (Symbol.iterator in values) {
      const kind = Array.isArray(values) ? "an array" : "something iterable";
      throw new TypeError(
        `Cannot take keyword arguments: got ${kind}, whose elements have no names; give an object, such as { b: 2 }`,
      );
    }
    const record: Record<string, unknown> = Object.create(null);
    for (const [name, value] of Object.entries(values)) {
      if (name === "" || !name.isWellFormed()) {
        throw new TypeError("Cannot take keyword arguments: a name is empty or not well-formed text");
      }
      record[name] = value;
    }
    this.values = Object.freeze(record) as Readonly<T>;
    Object.freeze(this);
  }

  /** How `Deno.inspect` and `console.log` show it. */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: unknown) => string,
    options: unknown,
  ): string {
    return `Kwargs ${inspect({ ...this.values }, options)}`;
  }
}

/** Only the types need it: there is no such property. */
export declare const argumentNames: unique symbol;

/** Keyword arguments of any names. */
export interface AnyKwargs {
  /** Only the types need it. */
  readonly [argumentNames]: PropertyKey;
  /** The arguments by name. */
  readonly values: object;
}

/** What has names, unlike an array or a Map. */
export interface NamedValues {
  /** Only the types need it: there is no such property. */
  readonly [Symbol.iterator]?: never;
}

/**
 * Gives arguments by name: `ref.callRemote("add", 1, kwargs({ b: 2 }))`.
 *
 * @param values Arguments by name.
 * @throws {TypeError} If `values` is no object, or one that is gone through, such as an array or a Map, or a name is empty
 *   or has a lone surrogate.
 */
export function kwargs<T extends object & NamedValues>(values: T): Kwargs<T> {
  return new Kwargs(values);
}
