/**
 * What belongs to a Tub and ends with it, though the Tub knows nothing of its kind: a child process, say.
 *
 * @module
 */

const owned = new WeakMap<object, Set<AsyncDisposable>>();

/**
 * Ends something when a Tub stops, at the latest.
 *
 * @param thing Its end must not reject. It is waited for by whoever stops the Tub.
 * @returns Disposing it takes that back: the thing has ended.
 */
export function endWith(tub: object, thing: AsyncDisposable): Disposable {
  let things = owned.get(tub);
  if (things === undefined) owned.set(tub, things = new Set());
  things.add(thing);
  return { [Symbol.dispose]: () => void things.delete(thing) };
}

/** Ends what belongs to a Tub. Never rejects. */
export async function endOwned(tub: object): Promise<void> {
  const things = [...owned.get(tub) ?? []];
  owned.delete(tub);
  await Promise.allSettled(things.map(async (thing) => await thing[Symbol.asyncDispose]()));
}
