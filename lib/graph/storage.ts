/**
 * Values as bytes without a connection: Foolscap's storage, "Banana as pickle".
 *
 * The same tokens as on a connection, with an empty vocabulary, to which the bytes may add; one top-level value;
 * `reference` reaches the whole of it.
 *
 * Source: Foolscap `storage.py`, `serialize` and `unserialize`.
 *
 * @module
 */

import { ProtocolError, type Violation } from "../errors.ts";
import { DEFAULT_LIMITS, type Limits, resolveLimits } from "../limits.ts";
import { TokenEncoder } from "../wire/encoder.ts";
import { FOOLSCAP_TOKENS } from "../wire/tokens.ts";
import type { Pending } from "./pending.ts";
import { Receiver } from "./receiver.ts";
import { RICH_SLICERS, RICH_UNSLICERS } from "./rich/tables.ts";
import { type SlicerTable, Slicing } from "./slicing.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "./tables.ts";
import { type Receiving, Unslicer, type UnslicerTable } from "./unslicer.ts";
import { StreamVocabulary, VOCABULARY_CHANGED } from "./vocabulary_unslicers.ts";

/** Options of {@linkcode serialize}. */
export interface SerializeOptions {
  /**
   * Whether values that only JavaScript has are stored as such: `undefined`, Dates, Maps, Sets, Errors, URLs, RegExps, typed
   * arrays. Python cannot read the bytes then, and {@linkcode unserialize} needs the same option.
   *
   * @default {false}
   */
  readonly rich?: boolean | undefined;
}

/**
 * Turns a value into bytes that Python Foolscap's `unserialize`, and ours, turn back into it.
 *
 * Cycles and shared parts are kept. Objects that live in a Tub cannot be stored: store their FURL or a SturdyRef.
 *
 * @param value Any value of the value table, without references.
 * @param options Whether more than Python's values are stored as what they are.
 * @returns The bytes; nothing marks their beginning or their format.
 * @throws {Violation} If some part cannot be serialized; `where` names it.
 *
 * @example
 * ```ts
 * import { serialize, tuple, unserialize } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const bytes = serialize([1, "two", tuple(3, null)]);
 * assert.deepEqual(unserialize(bytes), [1, "two", tuple(3, null)]);
 *
 * const kept = serialize(new Map([["since", new Date(0)]]), { rich: true });
 * assert.deepEqual(unserialize(kept, { rich: true }), new Map([["since", new Date(0)]]));
 * ```
 */
export function serialize(value: unknown, options: SerializeOptions = {}): Uint8Array {
  return serializeBy(options.rich === true ? RICH_SLICERS : BASE_SLICERS, value);
}

/** The same with slicers for more kinds of values. */
export function serializeBy(slicers: SlicerTable, value: unknown): Uint8Array {
  const encoder = new TokenEncoder();
  const slicing = new Slicing(encoder, slicers, DEFAULT_LIMITS.maxDepth);
  try {
    slicing.slice(value);
  } catch (error) {
    throw slicing.violation(error);
  }
  const parts = encoder.take();
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Options of {@linkcode unserialize}. */
export interface UnserializeOptions {
  /**
   * `"wrap"` gives an integral double as a {@linkcode Float}, so that it is a double again when it is serialized;
   * `"number"` gives every double as a number.
   *
   * @default {"number"}
   */
  readonly floats?: "number" | "wrap";
  /**
   * Whether the bytes may hold what {@linkcode serialize} stores with `rich`.
   *
   * @default {false}
   */
  readonly rich?: boolean | undefined;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>;
}

/**
 * Turns bytes made by {@linkcode serialize}, here or in Python, back into the value.
 *
 * @throws {Violation} If a part is of an unknown type, breaks a limit, or does not make sense.
 * @throws {ProtocolError} If the bytes are not Banana, are cut off, or hold more than one value.
 */
export function unserialize(bytes: Uint8Array, options: UnserializeOptions = {}): unknown {
  return unserializeAtOnce(options.rich === true ? RICH_UNSLICERS : BASE_UNSLICERS, bytes, options).value;
}

/**
 * The same with unslicers for more kinds of values.
 *
 * @returns The value, and the memory that it takes by the receiver's estimate, in bytes.
 */
export function unserializeAtOnce(
  unslicers: UnslicerTable,
  bytes: Uint8Array,
  options: UnserializeOptions = {},
): { readonly value: unknown; readonly memory: number } {
  const root = receive(bytes, unslicers, options);
  return { value: root.result(), memory: root.receiver.messageBytes };
}

/**
 * The same where some values have to be waited for.
 *
 * @returns Rejects as {@linkcode unserialize} throws, and with the failure of a value that does not come.
 */
export async function unserializeBy(
  unslicers: UnslicerTable,
  bytes: Uint8Array,
  options: UnserializeOptions = {},
): Promise<unknown> {
  const root = receive(bytes, unslicers, options);
  root.check();
  const scope = root.receiver.pendingScope;
  // What waits for nothing but itself is found out by `result`.
  if (scope !== undefined) await new Promise<void>((resolve) => scope.whenComplete(() => resolve()));
  return root.result();
}

function receive(bytes: Uint8Array, unslicers: UnslicerTable, options: UnserializeOptions): StorageRoot {
  let root: StorageRoot | undefined;
  const receiver = new Receiver(
    (receiver) => root = new StorageRoot(receiver, new StreamVocabulary(receiver)),
    {
      limits: resolveLimits(options.limits),
      tokens: FOOLSCAP_TOKENS,
      vocabulary: [],
      unslicers,
      bareTopLevel: true,
      wrapFloats: options.floats === "wrap",
    },
  );
  receiver.push(bytes);
  root!.isCut = receiver.inMessage;
  return root!;
}

/** Takes one value of any kind; a bare number or byte string too, which Python's root takes as well. */
class StorageRoot extends Unslicer {
  readonly #vocabulary: StreamVocabulary;
  #value: unknown;
  #hasValue = false;
  #violation: Violation | undefined;
  /** Whether the bytes end within a value. */
  isCut = false;

  constructor(receiver: Receiving, vocabulary: StreamVocabulary) {
    super(receiver);
    this.#vocabulary = vocabulary;
  }

  override open(word: string, detail: string | undefined): Unslicer | undefined {
    return this.#vocabulary.unslicerFor(word, this.receiver) ?? super.open(word, detail);
  }
  override receive(value: unknown): void {
    if (value === VOCABULARY_CHANGED) return;
    if (this.#hasValue) throw new ProtocolError("Cannot unserialize: there is more than one value");
    this.#hasValue = true;
    this.#value = value;
  }
  override receivePending(pending: Pending): void {
    this.receive(undefined);
    pending.whenSettled((value) => this.#value = value);
  }
  override violated(violation: Violation): undefined {
    this.#violation ??= violation;
  }
  override close(): void {}

  /** Throws if there is no value. */
  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
    if (this.isCut || !this.#hasValue) {
      throw new ProtocolError("Cannot unserialize: the bytes end too early");
    }
  }

  result(): unknown {
    this.check();
    const scope = this.receiver.pendingScope;
    if (scope !== undefined) {
      if (scope.failure !== undefined) throw scope.failure;
      if (!scope.isComplete) throw new ProtocolError("Cannot unserialize: a value is never completed");
    }
    return this.#value;
  }
}
