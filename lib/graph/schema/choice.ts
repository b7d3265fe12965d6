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
import { type Checking, kindOf, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { NOTHING } from "./tasters.ts";
import { WrappingRule } from "./wrapping.ts";

/** Values that keep at least one rule. */
export class ChoiceRule extends Constraint {
  override readonly name = "PolyConstraint";
  protected override readonly taster = NOTHING; // never asked: the alternatives' are
  readonly #declared: readonly Constraint[];
  #flat: readonly Constraint[] | undefined;
  #union: Union | undefined;

  /** Of several alternatives that fit, the first one counts. */
  constructor(alternatives: readonly Constraint[]) {
    super();
    this.#declared = alternatives;
  }

  /** The alternatives in order, in the place of those that are choices themselves theirs: each once. */
  get alternatives(): readonly Constraint[] {
    if (this.#flat !== undefined) return this.#flat;
    const flat = new Set<Constraint>();
    const seen = new Set<Constraint>([this]);
    const left = [...this.#declared].reverse();
    for (let declared = left.pop(); declared !== undefined; declared = left.pop()) {
      if (declared instanceof ChoiceRule || declared instanceof WrappingRule) {
        if (seen.has(declared)) continue;
        seen.add(declared);
        if (declared instanceof WrappingRule) left.push(declared.inner);
        else left.push(...[...declared.#declared].reverse());
      } else flat.add(declared);
    }
    return this.#flat = [...flat];
  }

  override accepts(type: number, size: number): boolean {
    for (const alternative of this.alternatives) if (alternative.accepts(type, size)) return true;
    return false;
  }
  override checkToken(type: number, size: number): void {
    if (this.accepts(type, size)) return;
    throw new Violation(`typebyte ${tokenName(type)} does not satisfy any of ${this.#names()}`);
  }

  override within(word: string, detail: string | undefined): Contents | undefined | Refused {
    let first: Contents | undefined;
    let more: Contents[] | undefined;
    for (const alternative of this.alternatives) {
      const contents = alternative.within(word, detail);
      if (contents === REFUSED) continue;
      // Nothing more is said about the inside by one that holds.
      if (contents === undefined) return undefined;
      if (first === undefined) first = contents;
      else (more ??= [first]).push(contents);
    }
    if (first === undefined) return REFUSED;
    if (more === undefined) return first;
    // A million lists may come where this is the rule: their inside is worked out once.
    if (this.#union?.isOf(more) !== true) this.#union = new Union(more);
    return this.#union;
  }

  override fits(value: unknown): boolean {
    for (const alternative of this.alternatives) if (alternative.fits(value)) return true;
    return false;
  }
  override check(value: unknown, checking: Checking): unknown {
    const fitting = this.alternatives.filter((alternative) => alternative.fits(value));
    // The only one that could hold knows best what is wrong.
    if (fitting.length === 1) return fitting[0]!.check(value, checking);
    let converted: unknown = REFUSED;
    for (const alternative of fitting) {
      const result = checking.attempt(() => alternative.check(value, checking));
      if (result === REFUSED) continue;
      // What is sent as it is goes before what is converted: a list is rather a list than a tuple.
      if (checking.direction === "inbound" || Object.is(result, value)) return result;
      if (converted === REFUSED) converted = result;
    }
    if (converted !== REFUSED) return converted;
    const cause = fitting.length > 0
      ? checking.explain((explanation) => fitting[0]!.check(value, explanation))
      : undefined;
    const message = () => `object type ${kindOf(value)} does not satisfy any of ${this.#names()}`;
    if (cause === undefined) return checking.refuse(message);
    throw new Violation(message(), { cause });
  }

  #names(): string {
    return `(${this.alternatives.map(({ name }) => name).join(", ")})`;
  }
}

/** How many different places of one sequence are remembered: a dict has two, only a tuple has many. */
const MAX_KNOWN = 32;

/** What may stand in a sequence that is one of several. */
class Union implements Contents {
  readonly maxChildren: number;
  readonly #all: readonly Contents[];
  /** What was found for some children before. */
  readonly #known: { readonly rules: readonly Constraint[]; readonly choice: ChoiceRule }[] = [];

  constructor(all: readonly Contents[]) {
    this.#all = all;
    this.maxChildren = all.reduce((most, { maxChildren }) => Math.max(most, maxChildren), 0);
  }

  isOf(all: readonly Contents[]): boolean {
    return isSame(all, this.#all);
  }

  at(index: number): Constraint | undefined {
    const rules: Constraint[] = [];
    for (const contents of this.#all) {
      if (index >= contents.maxChildren) continue; // this one is full
      const rule = contents.at(index);
      if (rule === undefined) return undefined;
      if (!rules.includes(rule)) rules.push(rule);
    }
    // All of them are full: any of them says so.
    if (rules.length === 0) return this.#all[0]!.at(index);
    if (rules.length === 1) return rules[0];
    // Nearly always the same as for another child.
    const known = this.#known.find((known) => isSame(rules, known.rules));
    if (known !== undefined) return known.choice;
    const choice = new ChoiceRule(rules);
    if (this.#known.length < MAX_KNOWN) this.#known.push({ rules, choice });
    return choice;
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((element, i) => element === b[i]);
}
