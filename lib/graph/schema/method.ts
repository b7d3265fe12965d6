/**
 * Constraints for the arguments and the result of one method.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { MAX_NAME_BYTES } from "../../limits.ts";
import { encodeText } from "../../util/text.ts";
import { Kwargs } from "../../values/kwargs.ts";
import { segmentOf, violationAt } from "../path.ts";
import type { UnknownOptions } from "./attribute_dict.ts";
import { Checking, quoteName } from "./checking.ts";
import { checkPart, type Constraint } from "./constraint.ts";
import { constraintOf } from "./make_constraint.ts";
import type { argumentTypes, unconstrained } from "./marks.ts";
import type { Keywords, MethodRules } from "./method_schema.ts";
import type { Shortcut } from "./shortcuts.ts";
import { OptionalRule } from "./wrapping.ts";

/** A RemoteInterface, or one of its methods, is not declared as it should be. Foolscap: `InvalidRemoteInterface`. */
export class InvalidRemoteInterface extends TypeError {
  /** The name of the class, also where minifying took it. */
  override name = "InvalidRemoteInterface";
  /** Foolscap's name for it. */
  static readonly wireType = "foolscap.tokens.InvalidRemoteInterface";
}

/** An argument: its name and the rule for its value. */
export type ArgumentDeclaration = readonly [name: string, constraint: Shortcut];

/** Options of a method. */
export interface MethodOptions extends UnknownOptions {
  /** Keyword arguments that are not declared are dropped. Default: they are a Violation. */
  readonly ignoreUnknown?: boolean | undefined;
  /** Keyword arguments that are not declared are given to the method as a last one of class `Kwargs`. */
  readonly acceptUnknown?: boolean | undefined;
}

/** Names that callers of Python give options of a call. */
const RESERVED: ReadonlySet<string> = new Set(["_useSchema", "_methodConstraint", "_resultConstraint"]);

/** An argument and its rule. */
interface Argument {
  readonly name: string;
  readonly rule: Constraint;
}

/** What the types need to know of a method's declaration. */
export interface MethodTypes<A, R, O> {
  /** Only the types need it. */
  readonly [argumentTypes]: readonly [arguments: A, result: R, options: O];
}

/**
 * The rules of one method. Made by {@linkcode method}.
 *
 * @typeParam A The declared arguments.
 * @typeParam R The declared result.
 * @typeParam O The options.
 */
export class RemoteMethodSchema<A = unknown, R = unknown, O = unknown>
  implements MethodRules, MethodTypes<A, R, O> {
  /** Only the types need it. */
  declare readonly [argumentTypes]: readonly [arguments: A, result: R, options: O];
  /** The rule for the result; `undefined` if any will do. */
  readonly response: Constraint | undefined;
  readonly #arguments: readonly Argument[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #ignores: boolean;
  readonly #accepts: boolean;

  /**
   * Use {@linkcode method}.
   *
   * @throws {InvalidRemoteInterface} If a name is empty, reserved or there twice.
   * @throws {UnknownSchemaType} If something is no constraint.
   */
  constructor(
    declared: readonly ArgumentDeclaration[],
    result: Shortcut | undefined,
    { ignoreUnknown, acceptUnknown }: MethodOptions = {},
  ) {
    const places = new Map<string, number>();
    this.#arguments = declared.map((pair, index) => {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new InvalidRemoteInterface(
          "Cannot declare a method: an argument is a pair of a name and a constraint",
        );
      }
      const [name, shortcut] = pair;
      checkArgumentName(name, index);
      if (places.has(name)) {
        throw new InvalidRemoteInterface(
          `Cannot declare a method: argument ${quoteName(name)} is there twice`,
        );
      }
      places.set(name, index);
      return { name, rule: constraintOf(shortcut) };
    });
    this.#places = places;
    this.#ignores = ignoreUnknown === true;
    this.#accepts = acceptUnknown === true;
    this.response = result === undefined ? undefined : constraintOf(result);
  }

  /** The names of the arguments, in order. */
  get argumentNames(): readonly string[] {
    return this.#arguments.map(({ name }) => name);
  }

  /** The rule for a positional argument that is about to come. */
  positional(index: number): Constraint {
    const argument = this.#arguments[index];
    if (argument === undefined) {
      throw new Violation(`too many positional arguments: ${index} >= ${this.#arguments.length}`);
    }
    return argument.rule;
  }

  /** The rule for a keyword argument whose name has come. */
  keyword(name: string, positional: number): Constraint | undefined {
    const place = this.#places.get(name);
    if (place === undefined) {
      if (this.#ignores || this.#accepts) return undefined;
      throw new Violation(`unknown argument ${quoteName(name)}`);
    }
    if (place < positional) {
      throw new Violation(`got multiple values for keyword argument ${quoteName(name)}`);
    }
    return this.#arguments[place]!.rule;
  }

  /** Checks the arguments of a call that is complete: see {@linkcode MethodRules}. */
  checkInbound(args: readonly unknown[], keywords: Keywords | undefined): unknown[] {
    const checking = new Checking("inbound");
    const checked = this.#check(args, keywords ?? {}, checking);
    const unknown = Object.create(null) as Record<string, unknown>;
    for (const name of Object.keys(keywords ?? {})) {
      if (!this.#places.has(name)) unknown[name] = keywords![name];
    }
    const inOrder: unknown[] = [];
    this.#arguments.forEach(({ name, rule }, i) => {
      if (checked.has(name)) inOrder[i] = checked.get(name);
      else inOrder[i] = rule instanceof OptionalRule ? rule.otherwise?.value : undefined;
    });
    if (this.#accepts && Object.keys(unknown).length > 0) {
      inOrder.push(new Kwargs(unknown));
      return inOrder;
    }
    while (inOrder.length > args.length && inOrder.at(-1) === undefined) inOrder.pop();
    return inOrder;
  }

  /** Checks the arguments of a call that is about to be sent: see {@linkcode MethodRules}. */
  checkOutbound(args: readonly unknown[]): readonly unknown[] {
    const last = args.at(-1);
    const named = last instanceof Kwargs ? last : undefined;
    let count = named === undefined ? args.length : args.length - 1;
    // JavaScript's way to leave out the last ones.
    while (
      count > 0 && args[count - 1] === undefined && this.#arguments[count - 1]?.rule instanceof OptionalRule
    ) {
      count--;
    }
    const positional = count === args.length ? args : args.slice(0, count);
    const keywords = this.#given(named);
    const checked = this.#check(positional, keywords, new Checking("outbound"));
    const sent = positional.map((_, i) => checked.get(this.#arguments[i]!.name));
    const names = Object.keys(keywords);
    if (names.length === 0) return sent;
    const values = Object.create(null) as Record<string, unknown>;
    for (const name of names) values[name] = checked.has(name) ? checked.get(name) : keywords[name];
    return [...sent, new Kwargs(values)];
  }

  /** Keyword arguments without the optional ones that are `undefined`. */
  #given(named: Kwargs | undefined): Keywords {
    const given = Object.create(null) as Record<string, unknown>;
    for (const [name, value] of Object.entries(named?.values ?? {})) {
      const place = this.#places.get(name);
      const isLeftOut = value === undefined && place !== undefined &&
        this.#arguments[place]!.rule instanceof OptionalRule;
      if (!isLeftOut) given[name] = value;
    }
    return given;
  }

  /** Checks all arguments. What goes on in the place of those that are declared, by name. */
  #check(args: readonly unknown[], keywords: Keywords, checking: Checking): Map<string, unknown> {
    const { length } = this.#arguments;
    if (args.length > length) {
      throw new Violation(`method takes ${length} positional arguments (${args.length} given)`);
    }
    const checked = new Map<string, unknown>();
    args.forEach((value, i) => {
      const { name, rule } = this.#arguments[i]!;
      checked.set(name, checkArgument(rule, value, `arguments[${i}]`, checking));
    });
    for (const name of Object.keys(keywords)) {
      const rule = this.keyword(name, args.length);
      if (rule === undefined) continue;
      checked.set(name, checkArgument(rule, keywords[name], `arguments${segmentOf(name)}`, checking));
    }
    for (const { name, rule } of this.#arguments) {
      if (!checked.has(name) && !(rule instanceof OptionalRule)) {
        throw new Violation(`missing required argument ${quoteName(name)}`);
      }
    }
    return checked;
  }
}

function checkArgument(rule: Constraint, value: unknown, where: string, checking: Checking): unknown {
  try {
    return checkPart(rule, value, checking);
  } catch (error) {
    throw error instanceof Violation ? violationAt(error, where) : error;
  }
}

function checkArgumentName(name: unknown, index: number): asserts name is string {
  if (
    typeof name !== "string" || name === "" || !name.isWellFormed() ||
    encodeText(name).length > MAX_NAME_BYTES
  ) {
    throw new InvalidRemoteInterface(
      "Cannot declare a method: the name of an argument is empty, too long or no text",
    );
  }
  if (index === 0 && name === "self") {
    throw new InvalidRemoteInterface(
      "RemoteInterface methods should not have 'self' in their argument list",
    );
  }
  if (RESERVED.has(name)) {
    throw new InvalidRemoteInterface(
      `Cannot declare a method: ${quoteName(name)} is an option of Foolscap's calls`,
    );
  }
}

/**
 * The rules of one method: of a RemoteInterface, or by itself for a single call.
 *
 * @param args The arguments in order, each a pair of its name and a constraint (or what stands for one). Any of them can
 * be given by position or by name; an `Optional` one can be left out.
 * @param result The rule for the result; `null` if there is none. Left out: any.
 * @param options What happens to keyword arguments that are not declared.
 * @throws {InvalidRemoteInterface} If a name is empty, reserved or there twice.
 * @throws {UnknownSchemaType} If something is no constraint.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["a", Number], ["b", schema.Optional(Number, 1)]], Number);
 * ```
 */
export function method<
  const A extends readonly ArgumentDeclaration[],
  const R extends Shortcut | undefined = undefined,
  const O extends MethodOptions = Record<never, never>,
>(args: A, result?: R, options?: O): RemoteMethodSchema<A, R, O> {
  return new RemoteMethodSchema<A, R, O>(args, result, options);
}

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
