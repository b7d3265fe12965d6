/**
 * What a regular expression takes to be made, beyond its length: the engine expands each property of Unicode (`\p{L}`) into its
 * ranges, and those of texts (`\p{RGI_Emoji}`) into thousands of alternatives. 16,384 bytes of them take two seconds.
 *
 * @module
 */

/** For a property of characters, which takes 0.1 ms: so much of what a message may take, in bytes. */
const PROPERTY_COST = 32 * 1024;
/** For one of texts, 2 ms. */
const TEXTS_COST = 1024 * 1024;

/** The cost of a source with these flags. */
export function regexpCost(source: string, flags: string): number {
  if (!/[uv]/.test(flags)) return 0;
  let cost = 0;
  // A backslash before it may be one that stands for itself; then it costs too much.
  for (const [property] of source.matchAll(/\\[pP]\{[^}]{0,100}/g)) {
    const isOfTexts = flags.includes("v") && /RGI_|Basic_Emoji|Keycap/.test(property);
    cost += isOfTexts ? TEXTS_COST : PROPERTY_COST;
  }
  return cost;
}
