/**
 * Objects to put behind a membrane.
 */
import { type Callable, Copyable, currentCall, Referenceable, registerRemoteCopy } from "../../mod.ts";
import { call } from "./support.ts";

/** An object that keeps, gives back and calls whatever it gets. */
export class Node extends Referenceable {
  kept: unknown;
  readonly slow = Promise.withResolvers<unknown>();
  signal: AbortSignal | undefined;
  calls = 0;

  remote_keep(...values: unknown[]): void {
    this.kept = values.length === 1 ? values[0] : values;
  }
  remote_give(): unknown {
    return this.kept;
  }
  remote_is(value: unknown): boolean {
    return value === this.kept;
  }
  remote_self(): this {
    return this;
  }
  remote_ping(): number {
    return ++this.calls;
  }
  async remote_call(object: Node | Callable, ...args: unknown[]): Promise<unknown> {
    return object instanceof Referenceable
      ? await call(object, "echo", ...args)
      : await (object.call as (...args: unknown[]) => unknown)(...args);
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_wait(): Promise<unknown> {
    this.signal = currentCall()!.signal;
    return this.slow.promise;
  }
  remote_throw(): never {
    throw this.kept;
  }
}

/** A value that holds another one. */
export class Point extends Copyable {
  static override copytype = "test.membrane/Point";
  constructor(public x: unknown = 0) {
    super();
  }
}
registerRemoteCopy(Point);
