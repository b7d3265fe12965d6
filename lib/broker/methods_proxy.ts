/**
 * Proxies whose every property is a method of an object elsewhere.
 *
 * @module
 */

/** What such a proxy is: not a plain object, which would travel as an empty dict. */
class MethodsProxy {}

/**
 * A proxy whose every property is a method; `then` is none, so that `await` does not call it.
 *
 * @param call Calls a method of that name.
 */
export function methodsProxy(call: (name: string, args: readonly unknown[]) => Promise<unknown>): object {
  const methods = new Map<string, unknown>();
  return new Proxy(Object.freeze(new MethodsProxy()), {
    get(_target, name) {
      if (typeof name !== "string" || name === "then") return undefined;
      let method = methods.get(name);
      if (method === undefined) methods.set(name, method = (...args: unknown[]) => call(name, args));
      return method;
    },
  });
}
