/**
 * The object that the Deno side serves in the interop tests: what `served.py` is on the other side.
 *
 * @module
 */

import {
  type Callable,
  callable,
  Copyable,
  Kwargs,
  kwargs,
  Referenceable,
  registerRemoteCopy,
  type RemoteFunction,
  RemoteReference,
  Violation,
} from "../../mod.ts";
import { build, describe, type Description } from "../support/described.ts";

/** Crosses by value in both directions; `served.py` has its twin. */
export class Point extends Copyable {
  static override copytype = "tests.Point";
  constructor(public x: unknown = 0, public y: unknown = 0) {
    super();
  }
}
registerRemoteCopy(Point);

/** An error of the program's own. */
export class PeerError extends Error {
  override name = "PeerError";
}

/** An object with nothing but a number. */
export class Item extends Referenceable {
  constructor(readonly number: number) {
    super();
  }
  remote_number(): number {
    return this.number;
  }
}

const ERRORS: Record<string, new (text: string) => Error> = {
  TypeError,
  RangeError,
  SyntaxError,
  Error,
  PeerError,
  Violation,
};

/** What Python is given first. */
export class Root extends Referenceable {
  /** What `hold` was given. */
  held: unknown;
  /** What `record` was given. */
  marks: unknown[] = [];
  /** Calls of `wait` that wait. */
  readonly waiting = new Map<string, PromiseWithResolvers<unknown>>();
  readonly kept = new Item(-1);
  #function: Callable | undefined;

  // Values

  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_describe(value: unknown): string {
    return JSON.stringify(describe(value));
  }
  remote_build(text: string): unknown {
    return build(JSON.parse(text) as Description);
  }
  remote_add(a: number, b: number): number {
    return a + b;
  }
  remote_length(data: { length: number }): number {
    return data.length;
  }
  /** What the method was given: positions, then names. */
  remote_arguments(...args: unknown[]): unknown {
    const last = args.at(-1);
    return last instanceof Kwargs ? [args.slice(0, -1), { ...last.values }] : [args, {}];
  }
  remote_flip(point: Point): Point {
    if (!(point instanceof Point)) throw new TypeError("Not a Point");
    return new Point(point.y, point.x);
  }

  // Order and time

  remote_record(mark: unknown): void {
    this.marks.push(mark);
  }
  remote_wait(name: string): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    this.waiting.set(name, waiting);
    return waiting.promise;
  }
  remote_release(name: string, result: unknown = null): void {
    this.waiting.get(name)!.resolve(result);
    this.waiting.delete(name);
  }

  // Failures

  remote_fail(kind: string, text: string): never {
    throw new ERRORS[kind]!(text);
  }
  async remote_fail_later(kind: string, text: string): Promise<never> {
    await Promise.resolve();
    throw new ERRORS[kind]!(text);
  }
  remote_fail_oddly(): never {
    // deno-lint-ignore no-throw-literal
    throw "a text";
  }
  remote_unsendable(): unknown {
    return [1, { a: Symbol("not for the wire") }];
  }
  remote_send_unsendable(ref: RemoteReference): Promise<unknown> {
    return Promise.resolve(ref.callRemote("echo", Symbol("not for the wire")));
  }

  // References

  remote_hold(value: unknown): void {
    this.held = value;
  }
  remote_held(): unknown {
    return this.held;
  }
  remote_drop(): void {
    this.held = undefined;
  }
  remote_call_back(method: string, ...args: unknown[]): Promise<unknown> {
    return Promise.resolve((this.held as RemoteReference).callRemote(method, ...args));
  }
  remote_call(ref: RemoteReference, method: string, ...args: unknown[]): Promise<unknown> {
    return Promise.resolve(ref.callRemote(method, ...args));
  }
  /** The number of the first reference in a container, which has been given away. */
  remote_use(container: unknown): Promise<unknown> {
    return Promise.resolve(findReference(container)!.callRemote("number"));
  }
  remote_call_function(f: RemoteFunction, ...args: unknown[]): Promise<unknown> {
    return Promise.resolve(f.callRemote(...args));
  }
  remote_function(): Callable {
    return this.#function ??= callable((a: number, b: number) => a + b);
  }
  /** A function that takes names, and tells them. */
  remote_named_function(): Callable {
    return callable((named: Kwargs) => kwargsText(named));
  }
  remote_is_held(value: unknown): boolean {
    return value === this.held;
  }
  remote_same(one: unknown, other: unknown): boolean {
    return one === other;
  }
  remote_give(): Item {
    return new Item(0);
  }
  remote_give_many(count: number): Item[] {
    return Array.from({ length: count }, (_, i) => new Item(i));
  }
  remote_give_kept(): Item {
    return this.kept;
  }
  remote_is_kept(value: unknown): boolean {
    return value === this.kept;
  }
  remote_is_root(value: unknown): boolean {
    return value === this;
  }
}

function findReference(value: unknown): RemoteReference | undefined {
  if (value instanceof RemoteReference) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const members = value instanceof Map
    ? value.values()
    : value instanceof Set || Array.isArray(value)
    ? value
    : Object.values(value);
  for (const member of members) {
    const found = findReference(member);
    if (found !== undefined) return found;
  }
  return undefined;
}

function kwargsText(named: Kwargs): string {
  return JSON.stringify(named instanceof Kwargs ? named.values : kwargs({}).values);
}
