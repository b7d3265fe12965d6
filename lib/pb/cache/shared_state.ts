/**
 * Objects whose properties outlive them.
 *
 * A copy of a peer's object must be there until the peer says that it will not be referred to any more, and it must be noticed
 * when the program has no use for it. So the program is given a handle, which can be collected, and the properties are
 * those of a core, which is kept. A handle is a Proxy without traps, made in the constructor before those of derived classes run:
 * private fields are its own. Twisted does the same with two objects that have one `__dict__`.
 *
 * @module
 */

/** The cores, by their handles. */
const cores = new WeakMap<object, object>();
/** The core that the next handle is made for, and its class. */
let adopting: { readonly core: object; readonly construct: unknown } | undefined;

/**
 * Makes the handle of an object that is being constructed, to be returned by the constructor.
 *
 * @param fresh The object: its core, unless a handle for another core was asked for.
 * @param construct The class that is being constructed: `new.target`.
 */
export function makeHandle<T extends object>(fresh: T, construct: unknown): T {
  let core = fresh;
  if (adopting !== undefined && adopting.construct === construct) {
    core = adopting.core as T;
    adopting = undefined;
  }
  const handle = new Proxy(core, {});
  cores.set(handle, core);
  return handle;
}

/** What keeps the properties of a handle. */
export function coreOf(handle: object): object {
  return cores.get(handle) ?? handle;
}

/**
 * A new handle for a core. The class's constructor is run; what it does to properties is undone, and private fields begin as it
 * leaves them.
 *
 * What the constructor throws goes to the caller.
 */
export function newHandle(core: object): object {
  const construct = Object.getPrototypeOf(core).constructor as new () => object;
  const properties = Object.getOwnPropertyDescriptors(core);
  adopting = { core, construct };
  try {
    return new construct();
  } finally {
    adopting = undefined;
    for (const key of Reflect.ownKeys(core)) {
      if (!Object.hasOwn(properties, key)) Reflect.deleteProperty(core, key);
    }
    Object.defineProperties(core, properties);
  }
}
