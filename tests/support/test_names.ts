/**
 * The names of tests, read from the source of a test file.
 *
 * @module
 */

/** Calls that begin with a name, after arguments such as `t, peer`. */
const CALL =
  /(?:\btest|Test|\bstep\w*)\(\s*(?:\{\s*name:\s*)?(?:[\w.]+,\s*)*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;
/** Rows of a table of tests. */
const ROW = /\bname:\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;
/** One name, which may have parts that are put in. */
export class TestName {
  readonly #parts: readonly string[];

  /** The name as it is written, with `${...}` where something is put in. */
  constructor(written: string) {
    this.#parts = split(written);
  }

  /** Whether this is the name or its beginning, or a part as it is written. What is put in has to occur in `texts`. */
  isNamed(name: string, texts: string): boolean {
    const [first, ...others] = this.#parts;
    if (this.#parts.some((part) => part.includes(name))) return true;
    return first !== undefined && name.startsWith(first) && goesOn(name.slice(first.length), others, texts);
  }
}

/** Whether the rest of a name is something that is put in, the next part, and so on. */
function goesOn(rest: string, [next, ...others]: readonly string[], texts: string): boolean {
  if (rest === "") return true;
  if (next === undefined) return false;
  for (let end = 1; end <= rest.length; end++) {
    const after = rest.slice(end);
    const isNext = after.startsWith(next)
      ? goesOn(after.slice(next.length), others, texts)
      : next.startsWith(after);
    if (isNext && texts.includes(rest.slice(0, end))) return true;
  }
  return false;
}

/** The names of all tests, steps and rows of a file. */
export function testNames(code: string): TestName[] {
  return [CALL, ROW].flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, , written]) => new TestName(written!))
  );
}

function split(written: string): string[] {
  const parts = [""];
  for (let at = 0; at < written.length; at++) {
    if (written.startsWith("${", at)) {
      let depth = 0;
      for (; at < written.length; at++) {
        if (written[at] === "{") depth++;
        else if (written[at] === "}" && --depth === 0) break;
      }
      parts.push("");
    } else {
      if (written[at] === "\\") at++;
      parts[parts.length - 1] += written[at] ?? "";
    }
  }
  return parts;
}
