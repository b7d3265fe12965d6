/**
 * A choice of constraints. Source: Foolscap `schema.py`, `PolyConstraint`.
 *
 * There, only alternatives that are single tokens work while a value comes: text or a container ends the connection.
 * Here every alternative is asked that could still hold, and the whole value decides.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { tokenName } from "../../wire/tokens.ts";
import type { Checking } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { kindOf } from "./kind_of.ts";
import { NOTHING } from "./tasters.ts";
import { LazyRule, WrappingRule } from "./wrapping.ts";

/** Values that keep at least one rule. */
export class ChoiceRule extends Constraint {
  override readonly name = "PolyConstraint";
  protected override readonly taster = NOTHING; // never asked: the alternatives' are
  readonly #declared: readonly Constraint[];
  #flat: readonly Constraint[] | undefined;

  /** Of several alternatives that fit, the first one counts. */
  constructor(alternatives: readonly Constraint[]) {
    super();
    this.#declared = alternatives;
  }

  /** The alternatives, and for those that are choices themselves theirs: each once. */
  get alternatives(): readonly Constraint[] {
    if (this.#flat !== undefined) return this.#flat;
    const flat = new Set<Constraint>();
    const choices = new Set<ChoiceRule>([this]);
    for (const choice of choices) {
      for (const declared of choice.#declared) {
        const alternative = declared instanceof LazyRule ? declared.inner : declared;
        if (alternative instanceof ChoiceRule) choices.add(alternative);
        else flat.add(alternative);
      }
    }
    return this.#flat = [...flat];
  }

  override accepts(type: number, size: number): boolean {
    return this.alternatives.some((alternative) => alternative.accepts(type, size));
  }
  override checkToken(type: number, size: number): void {
    if (this.accepts(type, size)) return;
    throw new Violation(`typebyte ${tokenName(type)} does not satisfy any of ${this.#names()}`);
  }

  override inside(word: string, detail: string | undefined): Contents | undefined {
    const all: Contents[] = [];
    let isRefused = true;
    for (const alternative of this.alternatives) {
      const contents = tried(() => alternative.inside(word, detail));
      if (contents === REFUSED) continue;
      isRefused = false;
      // Nothing more is said about the inside by one that holds.
      if (contents === undefined) return undefined;
      all.push(contents);
    }
    if (isRefused) return super.inside(word, detail);
    return all.length === 1 ? all[0] : unionOf(all);
  }

  override fits(value: unknown): boolean {
    return this.alternatives.some((alternative) => alternative.fits(value));
  }
  override check(value: unknown, checking: Checking): unknown {
    const fitting = this.alternatives.filter((alternative) => alternative.fits(value));
    // The only one that could hold knows best what is wrong.
    if (fitting.length === 1) return fitting[0]!.check(value, checking);
    let converted: { result: unknown } | undefined;
    let cause: Violation | undefined;
    for (const alternative of fitting) {
      const result = tried(() => alternative.check(value, checking), (violation) => cause ??= violation);
      if (result === REFUSED) continue;
      // What is sent as it is goes before what is converted: a list is rather a list than a tuple.
      if (checking.direction === "inbound" || Object.is(result, value)) return result;
      converted ??= { result };
    }
    if (converted !== undefined) return converted.result;
    throw new Violation(`object type ${kindOf(value)} does not satisfy any of ${this.#names()}`, { cause });
  }

  #names(): string {
    return `(${this.alternatives.map((c) => c instanceof WrappingRule ? c.inner.name : c.name).join(", ")})`;
  }
}

const REFUSED: unique symbol = Symbol("refused");

function tried<T>(attempt: () => T, refused?: (violation: Violation) => void): T | typeof REFUSED {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    refused?.(error);
    return REFUSED;
  }
}

/** What may stand in a sequence that is one of several. */
function unionOf(all: readonly Contents[]): Contents {
  let known: readonly Constraint[] = [];
  let choice: ChoiceRule | undefined;
  return {
    maxChildren: Math.max(...all.map(({ maxChildren }) => maxChildren)),
    at(index) {
      const rules = new Set<Constraint>();
      let refusal: Violation | undefined;
      for (const contents of all) {
        const rule = tried(() => contents.at(index), (violation) => refusal ??= violation);
        if (rule === undefined) return undefined;
        if (rule !== REFUSED) rules.add(rule);
      }
      if (rules.size === 0) throw refusal!;
      const [first] = rules;
      if (rules.size === 1) return first;
      // Nearly always the same as for the last child.
      const isKnown = choice !== undefined && known.length === rules.size &&
        known.every((rule) => rules.has(rule));
      if (!isKnown) choice = new ChoiceRule(known = [...rules]);
      return choice;
    },
  };
}
