/**
 * How collections that hide their storage are shown to people.
 *
 * @module
 */

/**
 * The text of a collection, such as `Dict(2) { 1 => "a", true => "b" }`.
 *
 * @param name The class.
 * @param size How many elements it has.
 * @param shown Its first elements in a native collection, which the runtime knows how to show.
 * @param inspect The runtime's `inspect`, as it gives it to a custom inspector.
 * @param options Its options, to be passed on.
 */
export function inspectedEntries(
  name: string,
  size: number,
  shown: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  inspect: (value: unknown, options?: unknown) => string,
  options: unknown,
): string {
  const text = inspect(shown, options).replace(/^(Map|Set)\(\d+\)/, `${name}(${size})`);
  return size > shown.size ? `${text} and ${size - shown.size} more` : text;
}
