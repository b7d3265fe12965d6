/**
 * Taking out of a text what is not to be told: swissnums and local paths.
 *
 * @module
 */

/** What stands in the place of a path. */
const HIDDEN = "…";

/** What a path begins with: `/` of the root, `~/`, a drive's letter, the two backslashes of a share, or a file URL. */
const BEGIN = String.raw`(?:file:\/|~\/(?=\S)|\/(?=[^\s\/"'\x60])|[A-Za-z]:[\\\/]|\\\\(?=\w))`;
/** What may not stand before it: in `and/or`, `1/2`, `./x` and `https://a/b` no slash begins a path. */
const NOT_INSIDE = String.raw`(?<![\p{L}\p{N}_.\/\\~)\]}%-])`;

/** In quotes or after a bracket a path has all up to the closing one, spaces included. */
const QUOTED = new RegExp(String.raw`(["'\x60])${BEGIN}(?:(?!\1)[^\n])*(?=\1)`, "gu");
/** Bare, it ends at white space; one with backslashes goes on if the word behind that has more of them. */
const BARE = new RegExp(
  String
    .raw`(?<url>\b(?!file:)[a-z][a-z0-9+.\-]+:\/\/[^\s'"<>]*)|${NOT_INSIDE}${BEGIN}(?:[^\s'"\x60()<>,;:]|[,;:](?![\s\d]|$))*(?: [^\s\\'"\x60:]+\\[^\s'"\x60:]*)*`,
  "gu",
);

/**
 * A text without what looks like an absolute path or a file URL. Other URLs, dates, fractions and relative paths stay.
 *
 * @param text At most some thousand characters: the time is not linear for all texts.
 */
export function withoutPaths(text: string): string {
  if (!/[\/\\]/.test(text)) return text;
  return text.replace(QUOTED, `$1${HIDDEN}`).replace(
    BARE,
    (found, url) => url === undefined ? HIDDEN : found,
  );
}

const SCHEME = "pb://";

/** What stands in the place of a name. */
export const REDACTED = "…";

/** A FURL in quotes or brackets ends where they close, so that a name with spaces is hidden whole. */
const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", "`": "`", "<": ">" };

/** Punctuation behind a FURL belongs to the sentence around it. */
const TRAILING = ")]}>.,;:!?'\"`";

const WHITE_SPACE = /\s/g;

/** Where the name that begins at `start` ends. `quote` is the character in front of the FURL. */
function endOfName(text: string, start: number, quote: string): number {
  const closing = Object.hasOwn(CLOSING, quote) ? CLOSING[quote] : undefined;
  if (closing === undefined) {
    WHITE_SPACE.lastIndex = start;
    let end = WHITE_SPACE.exec(text)?.index ?? text.length;
    // At least one character is hidden, whatever it is.
    while (end > start + 1 && TRAILING.includes(text[end - 1]!)) end--;
    return end;
  }
  for (let i = start; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === closing || text[i] === "\n") return i;
  }
  return text.length;
}

/**
 * A text with `…` in the place of the name of every FURL in it.
 *
 * A FURL is whatever Foolscap would take for one. Its name goes on to the next white space or, when
 * a quote or `<` stands directly in front of `pb://`, to the matching closing one. What is unclear is
 * hidden rather than shown: of `pb://a@b/x,pb://c@d/y` everything behind the first name goes.
 *
 * Takes linear time; never throws.
 *
 * @param text Anything: a message, a traceback, JSON.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { redact } from "./redact.ts";
 *
 * assert.equal(redact("Cannot reach pb://abcd@tcp:h:1/secret: refused"), "Cannot reach pb://abcd@tcp:h:1/…: refused");
 * ```
 */
export function redact(text: string): string {
  let done = 0;
  let result = "";
  for (let start = text.indexOf(SCHEME); start >= 0; start = text.indexOf(SCHEME, done)) {
    const at = text.indexOf("@", start + SCHEME.length);
    const slash = at < 0 ? -1 : text.indexOf("/", at + 1);
    if (slash < 0) break;
    const end = endOfName(text, slash + 1, text[start - 1] ?? "");
    result += text.slice(done, slash + 1);
    if (end > slash + 1) result += REDACTED;
    done = end;
  }
  return result + text.slice(done);
}

/**
 * A text that should be a hint, for messages: whoever puts a FURL in the place of one must not read its name there.
 *
 * @returns The text as it is, or up to its last slash: no hint of a FURL has one.
 */
export function redactHint(hint: string): string {
  const shown = redact(hint);
  const slash = shown.lastIndexOf("/");
  return slash < 0 ? shown : `${shown.slice(0, slash + 1)}${REDACTED}`;
}
