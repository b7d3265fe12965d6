/**
 * Values to bytes and back without a broker: a root that takes any sequence and keeps what arrives.
 *
 * @module
 */

import { ProtocolError, type Violation } from "../../lib/errors.ts";
import { type Limits, resolveLimits } from "../../lib/limits.ts";
import { Receiver } from "../../lib/graph/receiver.ts";
import type { ReceiverOptions } from "../../lib/graph/receiver_options.ts";
import { type SlicerTable, Slicing } from "../../lib/graph/slicing.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "../../lib/graph/tables.ts";
import { Unslicer } from "../../lib/graph/unslicer.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { FOOLSCAP_TOKENS } from "../../lib/wire/tokens.ts";
import { VOCABULARIES } from "../../lib/wire/vocabulary.ts";

/** What a root saw, in order. */
export type Arrival = { readonly value: unknown } | { readonly violation: Violation };

/** Keeps every value, and absorbs every Violation. */
class KeepingRoot extends Unslicer {
  readonly arrivals: Arrival[] = [];
  override receive(value: unknown): void {
    const arrival = { value };
    this.arrivals.push(arrival);
  }
  override violated(violation: Violation): undefined {
    this.arrivals.push({ violation });
  }
  override close(): void {}
}

/** A receiver with what came out of it. */
export class TestReceiver {
  readonly receiver: Receiver;
  /** Numbers of PINGs. */
  readonly pings: (number | bigint)[] = [];
  /** Texts of ERROR tokens. */
  readonly errors: string[] = [];
  #root: KeepingRoot | undefined;

  /** A receiver of vocabulary table 1 that also takes values without a sequence at the top. */
  constructor(options: Partial<Omit<ReceiverOptions, "limits">> & { limits?: Partial<Limits> } = {}) {
    this.receiver = new Receiver((receiver) => this.#root = new KeepingRoot(receiver), {
      tokens: FOOLSCAP_TOKENS,
      vocabulary: VOCABULARIES[1]!,
      unslicers: BASE_UNSLICERS,
      bareTopLevel: true,
      onPing: (value) => this.pings.push(value),
      onError: (text) => this.errors.push(text),
      ...options,
      limits: resolveLimits(options.limits),
    });
  }

  /** All that arrived so far. */
  get arrivals(): readonly Arrival[] {
    return this.#root!.arrivals;
  }

  /** The values among them. */
  get values(): unknown[] {
    return this.arrivals.flatMap((arrival) => "value" in arrival ? [arrival.value] : []);
  }

  /** The Violations among them. */
  get violations(): Violation[] {
    return this.arrivals.flatMap((arrival) => "violation" in arrival ? [arrival.violation] : []);
  }

  /** Takes bytes in chunks of these sizes, the last one repeated; 0 for one piece. */
  push(bytes: Uint8Array, ...sizes: number[]): this {
    if (sizes.length === 0 || sizes.at(-1) === 0) {
      this.receiver.push(bytes);
      return this;
    }
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[Math.min(i, sizes.length - 1)]!;
      this.receiver.push(bytes.slice(at, at + size));
      at += size;
    }
    return this;
  }

  /** As `push`, but a ProtocolError is returned. */
  tryPush(bytes: Uint8Array, ...sizes: number[]): ProtocolError | undefined {
    try {
      this.push(bytes, ...sizes);
    } catch (error) {
      if (error instanceof ProtocolError) return error;
      throw error;
    }
    return undefined;
  }
}

/** The bytes of some values, one after another in one encoder. */
export function encodeValues(
  values: readonly unknown[],
  vocabulary = 1,
  slicers: SlicerTable = BASE_SLICERS,
): Uint8Array<ArrayBuffer> {
  const encoder = new TokenEncoder(VOCABULARIES[vocabulary]);
  for (const value of values) encodeInto(encoder, value, 1_000, slicers);
  return takeAll(encoder);
}

/** Writes a value, or throws the Violation that names its place. */
export function encodeInto(
  encoder: TokenEncoder,
  value: unknown,
  maxDepth = 1_000,
  slicers: SlicerTable = BASE_SLICERS,
): void {
  const slicing = new Slicing(encoder, slicers, maxDepth);
  try {
    slicing.slice(value);
  } catch (error) {
    throw slicing.violation(error);
  }
}

/** Everything that an encoder has gathered, in one piece. */
export function takeAll(encoder: TokenEncoder): Uint8Array<ArrayBuffer> {
  return joinBytes(encoder.take());
}

/** Bytes behind each other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
