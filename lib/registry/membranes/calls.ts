/**
 * Calls that pass a membrane.
 *
 * @module
 */

import { type CallContext, runInCall } from "../../broker/call_context.ts";
import { Callable, type Publishable } from "../../broker/callable.ts";
import { contextualCallable } from "../../broker/invoke.ts";
import { Referenceable } from "../../broker/referenceable.ts";
import { RemoteHandle } from "../../broker/remote_handle.ts";
import { RemoteFunction } from "../../broker/remote_reference.ts";
import type { InterfaceRules } from "../../graph/schema/method_schema.ts";

/** What a call through a membrane consists of. */
interface Passing {
  /** Whose call it serves. */
  readonly context: CallContext;
  /** Whether something else is called for it, that ends with it. */
  readonly isForwarded: boolean;
  /** Makes the call, in a context of its own. */
  make(context: CallContext): unknown;
  /** The result on the other side. Throws if it cannot cross, or the membrane was cut. */
  result(value: unknown): unknown;
  /** What it failed with, on the other side. */
  failure(error: unknown): unknown;
  /** What it fails with because the membrane was cut; `undefined` if it was not. */
  cut(): Error | undefined;
}

interface Running {
  readonly context: CallContext;
  readonly method: string;
  readonly reject: (error: unknown) => void;
}

/** The calls of one membrane. */
export class RunningCalls {
  readonly #running = new Set<Running>();

  /** How many have begun and not ended. */
  get size(): number {
    return this.#running.size;
  }

  /** Makes a call. Gives its result, or throws, or gives a promise. */
  make(call: Passing): unknown {
    const { context } = call;
    const derived = call.isForwarded ? context.derive(true) : context.derive();
    let result: unknown;
    try {
      result = runInCall(derived, call.make, derived);
    } catch (error) {
      derived.end();
      throw call.failure(error);
    }
    if (isThenable(result)) return this.#wait(result, call, derived);
    derived.end();
    return call.result(result);
  }

  /** Fails all of them: their results are dropped when they come. */
  end(errorOf: (method: string) => Error): void {
    const calls = [...this.#running];
    this.#running.clear();
    for (const { context, method, reject } of calls) {
      const error = errorOf(method);
      reject(error);
      context.abort(error);
      context.end();
    }
  }

  #wait(result: PromiseLike<unknown>, call: Passing, derived: CallContext): Promise<unknown> {
    const { context } = call;
    const cut = call.cut();
    if (cut !== undefined) {
      // The method itself has cut the membrane before it returned its promise.
      result.then(undefined, () => {});
      derived.abort(cut);
      derived.end();
      throw cut;
    }
    return new Promise((resolve, reject) => {
      const running: Running = { context: derived, method: context.method, reject };
      const leave = context.whenAborted((reason) => derived.abort(reason));
      if (context.abortReason !== undefined) derived.abort(context.abortReason);
      this.#running.add(running);
      const end = (): boolean => {
        leave();
        derived.end();
        return this.#running.delete(running);
      };
      Promise.resolve(result).then((value) => {
        if (end()) resolve(call.result(value));
      }).catch((error) => {
        // Once more, harmlessly, if it was the result that could not cross.
        end();
        reject(call.failure(error));
      });
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Promise || typeof (value as { then?: unknown }).then === "function";
}

/** What stands behind a shell. */
export interface Behind {
  /** What calls go to; `undefined` when the membrane was cut. */
  target(shell: object): object | undefined;
  /** Lets a call pass. */
  pass(shell: object, method: string, args: readonly unknown[], context: CallContext): unknown;
}

class Shell extends Referenceable {
  readonly #behind: Behind;

  constructor(behind: Behind) {
    super();
    this.#behind = behind;
  }
  override doRemoteCall(name: string, args: unknown[], context: CallContext): unknown {
    return this.#behind.pass(this, name, args, context);
  }
  override getInterface(): InterfaceRules | undefined {
    const target = this.#behind.target(this);
    return target instanceof Referenceable ? target.getInterface() : undefined;
  }
  override getInterfaceName(): string | undefined {
    const target = this.#behind.target(this);
    if (target instanceof Referenceable) return target.getInterfaceName();
    return target instanceof RemoteHandle
      ? RemoteHandle.trackerOf(target).interfaceName || undefined
      : undefined;
  }
}

/** The shell of an object, or of a function. */
export function shellOf(target: object, behind: Behind): Publishable {
  if (!(target instanceof Callable || target instanceof RemoteFunction)) return new Shell(behind);
  const shell: Callable = contextualCallable((args, context) => behind.pass(shell, "", args, context));
  return shell;
}
