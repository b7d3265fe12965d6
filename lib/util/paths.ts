/**
 * Paths of this machine in texts that leave it.
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
