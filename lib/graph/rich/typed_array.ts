/**
 * Memory with its type: typed arrays, DataViews, ArrayBuffers. A Uint8Array goes as bytes, as it does to Python.
 *
 * `OPEN typed-array STRING(kind) STRING(bytes) CLOSE`, numbers with their lowest byte first.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { decodeText, quoteForeign } from "../../util/text.ts";
import { STRING, VOCAB } from "../../wire/tokens.ts";
import { BYTES_COST } from "../unslicer.ts";
import type { Slicer, Slicing } from "../slicing.ts";
import { ObjectLeaf } from "./leaves.ts";

/** What makes a view, or the memory itself, of memory. */
interface Kind {
  readonly prototype: object;
  /** Bytes of one element. */
  readonly size: number;
  make(buffer: ArrayBuffer): object;
}

interface ViewClass {
  readonly name: string;
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer): object;
}

const VIEWS: readonly ViewClass[] = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float16Array,
  Float32Array,
  Float64Array,
  DataView,
];

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...VIEWS.map((construct): [string, Kind] => [construct.name, {
    prototype: construct.prototype,
    size: construct.BYTES_PER_ELEMENT ?? 1,
    make: (buffer) => new construct(buffer),
  }]),
  ["ArrayBuffer", { prototype: ArrayBuffer.prototype, size: 1, make: (buffer) => buffer }],
]);
/** Longer than any kind's name, in bytes. */
const MAX_KIND = 32;

function sliceMemory(kind: string, value: ArrayBufferView | ArrayBuffer, out: Slicing): void {
  const number = out.beginShared(value, "typed-array");
  if (number < 0) return;
  out.encoder.word(kind);
  out.encoder.bytes(
    ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value),
  );
  out.end(number);
}

/** The slicers of all kinds. */
export const MEMORY_SLICERS: readonly (readonly [object, Slicer])[] = Array.from(
  KINDS,
  ([kind, { prototype }]) => [
    prototype,
    (value: ArrayBufferView | ArrayBuffer, out: Slicing) => sliceMemory(kind, value, out),
  ],
);

/** Takes the kind and the bytes, and gives memory of its own. */
export class TypedArrayUnslicer extends ObjectLeaf {
  protected override readonly cost = BYTES_COST;
  #kind: Kind | undefined;
  #bytes: Uint8Array | undefined;

  override start(objectNumber: number): void {
    this.#kind = undefined;
    this.#bytes = undefined;
    super.start(objectNumber);
  }
  override checkToken(type: number, size: number): void {
    if (this.count > 1 || (type !== STRING && type !== VOCAB)) {
      throw new Violation("A typed-array takes its kind and its bytes, and nothing else");
    }
    if (this.count === 0) {
      if (size > MAX_KIND) throw new Violation("The kind of a typed-array is too long");
    } else if (type === STRING && size % this.#kind!.size !== 0) {
      throw new Violation(`A typed-array of ${size} bytes, not a multiple of ${this.#kind!.size}`);
    }
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (this.count > 0) {
      // All of its memory, so that nobody sees more through `buffer`.
      const isWhole = owned && bytes.byteLength === bytes.buffer.byteLength;
      this.#bytes = isWhole ? bytes : bytes.slice(start, end);
      return;
    }
    let kind = "";
    try {
      kind = decodeText(bytes, start, end);
    } catch {
      // It is none of those that there are.
    }
    this.#kind = KINDS.get(kind);
    if (this.#kind === undefined) {
      throw new Violation(`A typed-array is of an unknown kind: ${quoteForeign(kind, 64)}`);
    }
  }
  override receive(): void {}
  override violated(violation: Violation): Violation {
    this.#bytes = undefined;
    return violation;
  }
  override close(): object {
    const kind = this.#kind;
    const bytes = this.#bytes;
    this.#bytes = undefined; // this unslicer is kept, and the bytes shall not be
    if (kind === undefined || bytes === undefined) {
      throw new Violation("Sequence of a typed-array ended too early");
    }
    // A word of the vocabulary has been looked at by nobody.
    if (bytes.length % kind.size !== 0) {
      throw new Violation(`A typed-array of ${bytes.length} bytes, not a multiple of ${kind.size}`);
    }
    return this.made(kind.make(bytes.buffer as ArrayBuffer));
  }
}
