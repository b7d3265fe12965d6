/**
 * Which methods of an object a peer can reach.
 *
 * @module
 */

type Method = (...args: unknown[]) => unknown;

/**
 * The method of an object that a peer may call: the nearest one that a class below `base` declares under this key. A
 * field, an accessor or another value that hides it there hides it from peers as well.
 *
 * @param base Where the search ends: nothing that it or what is above it declares is found.
 */
export function findMethod(object: object, key: string, base: object): Method | undefined {
  let owner: object | null = object;
  while (owner !== null && owner !== base && !Object.hasOwn(owner, key)) {
    owner = Object.getPrototypeOf(owner);
  }
  if (owner === null || owner === object || owner === base || owner === Object.prototype) return undefined;
  const method: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
  return typeof method === "function" ? method as Method : undefined;
}
