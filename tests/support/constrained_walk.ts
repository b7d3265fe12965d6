/**
 * The token stage of constraints without a receiver: encoded values walked token by token, each asked of the constraint
 * that stands there, as a receiver has to do it.
 *
 * @module
 */

import type { Violation } from "../../lib/errors.ts";
import type { Constraint, Contents } from "../../lib/graph/schema/constraint.ts";
import { TokenDecoder, type TokenSink } from "../../lib/wire/decoder.ts";
import { ABORT, CLOSE, FOOLSCAP_TOKENS, OPEN, STRING, VOCAB } from "../../lib/wire/tokens.ts";
import { VOCABULARIES } from "../../lib/wire/vocabulary.ts";

/** Sequences whose type has two words. */
const DETAILED: ReadonlySet<string> = new Set(["copyable"]);

interface Level {
  /** The rule for what is inside; undefined if any will do. */
  readonly contents: Contents | undefined;
  /** Copyables have names between their values, which no constraint is asked about. */
  readonly isNamed: boolean;
  count: number;
}

/**
 * Walks the tokens of one value.
 *
 * @param attribute The rule for an attribute of a copyable, where the constraint has such.
 * @throws {Violation} If the constraint refuses a token or a sequence.
 */
export function walkTokens(bytes: Uint8Array, constraint: Constraint): void {
  const levels: Level[] = [{ contents: { maxChildren: 1, at: () => constraint }, isNamed: false, count: 0 }];
  let rule: Constraint | undefined;
  let words: string[] | undefined;

  function token(type: number, size: number, word?: string): void {
    const level = levels.at(-1)!;
    if (words !== undefined) {
      words.push(word!);
      if (words.length === 1 && DETAILED.has(word!)) return;
      const [name, detail] = words as [string, string | undefined];
      words = undefined;
      // A reference may come wherever a sequence may.
      const contents = name === "reference" ? undefined : rule?.inside(name, detail);
      levels.push({ contents, isNamed: name === "copyable", count: 0 });
      return;
    }
    const isName = level.isNamed && level.count % 2 === 0;
    rule = isName ? undefined : level.contents?.at(level.count);
    if (level.contents !== undefined && level.count >= level.contents.maxChildren) {
      throw new RangeError("at() allows more than maxChildren");
    }
    rule?.checkToken(type, size);
    if (type === OPEN) words = [];
    else level.count++;
  }

  const sink: TokenSink = {
    header(type, value) {
      if (type === CLOSE) {
        levels.pop();
        levels.at(-1)!.count++;
      } else if (type === VOCAB) token(VOCAB, 0, VOCABULARIES[1]![value]);
      else if (type !== ABORT) token(type, type === OPEN ? value : 0);
    },
    bigHeader: (type) => token(type, 0),
    double: (type) => token(type, 0),
    acceptBody(type, size) {
      // The words of a type come with their body.
      if (words === undefined) token(type, size);
      return true;
    },
    body(type, bytes, start, end) {
      if (words !== undefined && type === STRING) {
        token(type, end - start, new TextDecoder().decode(bytes.slice(start, end)));
      }
    },
  };
  new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: Infinity }).push(bytes);
}

/** As {@linkcode walkTokens}: what refused it, or undefined. */
export function refusalOf(bytes: Uint8Array, constraint: Constraint): Violation | undefined {
  try {
    walkTokens(bytes, constraint);
    return undefined;
  } catch (error) {
    return error as Violation;
  }
}
