/**
 * Which methods of an object a peer can reach.
 *
 * @module
 */

type Method = (...args: unknown[]) => unknown;

/** What was found before, for each class: looking through a class takes longer than most methods. */
const found = new WeakMap<object, Map<string, Method>>();

/**
 * The method of an object that a peer may call: the nearest one that a class below `base` declares under this key. A
 * field, an accessor or another value that hides it there hides it from peers as well.
 *
 * @param base Where the search ends: nothing that it or what is above it declares is found.
 */
export function findMethod(object: object, key: string, base: object): Method | undefined {
  const own: object | null = Object.getPrototypeOf(object);
  if (own === null) return undefined;
  const known = found.get(own)?.get(key);
  // A class may be changed, and an object may hide what its class has: then it is looked for again.
  if (
    known !== undefined && (object as Record<string, unknown>)[key] === known && !Object.hasOwn(object, key)
  ) return known;
  let owner: object | null = object;
  while (owner !== null && owner !== base && !Object.hasOwn(owner, key)) {
    owner = Object.getPrototypeOf(owner);
  }
  if (owner === null || owner === object || owner === base || owner === Object.prototype) return undefined;
  const method: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
  if (typeof method !== "function") return undefined;
  let methods = found.get(own);
  if (methods === undefined) found.set(own, methods = new Map());
  methods.set(key, method as Method);
  return method as Method;
}
