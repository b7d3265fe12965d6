/**
 * What a value is that goes to a peer and comes back: another one of the same contents, with the same references.
 *
 * A result that is named as an argument never left, and yet the method that gets it must not share it with the one that
 * gave it, nor see it otherwise than if it had crossed twice.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import type { Slicer, SlicerTable, Slicing } from "../graph/slicing.ts";
import { serializeBy, unserializeAtOnce } from "../graph/storage.ts";
import { type Receiving, Unslicer, type UnslicerTable } from "../graph/unslicer.ts";
import type { Limits } from "../limits.ts";
import { Callable } from "./callable.ts";
import { Referenceable } from "./referenceable.ts";
import { RemoteHandle } from "./remote_handle.ts";
import { adaptedBy } from "./remotely_callable.ts";
import { RemoteFunction, RemoteReference } from "./remote_reference.ts";

/** What {@linkcode Homecoming} needs: the tables of the connection. */
export interface HomecomingOptions {
  readonly slicers: SlicerTable;
  readonly unslicers: UnslicerTable;
  readonly limits: Limits;
}

/** The word of an object that stays where it is; no peer can send it. */
const HELD = "held";

/** Lets values come home that were to go out on one connection. */
export class Homecoming {
  readonly #slicers: SlicerTable;
  readonly #unslicers: UnslicerTable;
  readonly #limits: Limits;
  #held: unknown[] = [];

  /** By the tables of a connection. */
  constructor({ slicers, unslicers, limits }: HomecomingOptions) {
    const hold = (object: object, out: Slicing) => this.#hold(object, out);
    this.#slicers = slicers.extend([
      Referenceable.prototype,
      Callable.prototype,
      RemoteReference.prototype,
      RemoteFunction.prototype,
    ].map((prototype): [object, Slicer] => [prototype, hold]));
    const find = (index: number) => this.#held[index];
    this.#unslicers = unslicers.extend([[HELD, { make: (receiver) => new HeldUnslicer(receiver, find) }]]);
    this.#limits = limits;
  }

  /**
   * A value as it comes home.
   *
   * @returns It, and the memory that it takes, in bytes.
   * @throws {Violation} If it cannot go, or cannot come back.
   */
  copy(value: unknown): { readonly value: unknown; readonly memory: number } {
    switch (typeof value) {
      case "string":
      case "boolean":
      case "number":
        return { value, memory: 0 };
      case "object":
        if (value === null) return { value, memory: 0 };
        if (value instanceof Referenceable || value instanceof RemoteHandle) {
          return { value: home(value), memory: 0 };
        }
    }
    try {
      return unserializeAtOnce(this.#unslicers, serializeBy(this.#slicers, value), { limits: this.#limits });
    } finally {
      this.#held = [];
    }
  }

  #hold(object: object, out: Slicing): void {
    const number = out.encoder.open(HELD);
    out.encoder.integer(this.#held.push(home(object)) - 1);
    out.encoder.close(number);
  }
}

function home(object: object): object {
  if (object instanceof RemoteHandle && RemoteHandle.isReleased(object)) {
    throw new Violation("Cannot use a reference that was released");
  }
  // What an adapter stands for is what comes home.
  return adaptedBy(object) ?? object;
}

class HeldUnslicer extends Unslicer {
  readonly #find: (index: number) => unknown;
  #index = -1;

  constructor(receiver: Receiving, find: (index: number) => unknown) {
    super(receiver);
    this.#find = find;
  }
  override receive(value: unknown): void {
    this.#index = value as number;
  }
  override close(): unknown {
    return this.#find(this.#index);
  }
}
