/**
 * Text and bytes in pages.
 *
 * Source: Twisted `spread/util.py`, `StringPager`.
 *
 * @module
 */

import type { AnyRemoteReference } from "../flavors/marks.ts";
import { checkCollector, Pager } from "./pager.ts";

/** What pagers of text, bytes and files take. */
export interface ChunkOptions {
  /**
   * How long a page is, in bytes; of text in UTF-16 units.
   * @default 8192 for text and bytes, 16_384 for files
   */
  readonly chunkSize?: number | undefined;
}

/**
 * Sends a text, or bytes, in pages of the same kind; nothing is one empty page.
 *
 * The first page goes out at once: before the answer, if it is made in a method that is not `async`.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Root extends pb.Root {
 *   remote_poem(collector: pb.RemoteReference): void {
 *     new pb.StringPager(collector, "an old silent pond", { chunkSize: 7 });
 *   }
 * }
 * await using server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * assert.deepEqual(await pb.getAllPages(client.getRootObject(), "poem"), ["an old ", "silent ", "pond"]);
 * ```
 */
export class StringPager extends Pager {
  readonly #data: string | Uint8Array;
  readonly #chunkSize: number;
  #at = 0;

  /**
   * @throws {RangeError} If `chunkSize` is not a whole number of 1 or more.
   * @throws {TypeError} If `collector` is no reference: a peer can send anything for it.
   */
  constructor(collector: AnyRemoteReference, data: string | Uint8Array, options: ChunkOptions = {}) {
    const chunkSize = checkChunkSize(options.chunkSize ?? 8_192);
    checkCollector(collector);
    super(collector);
    this.#data = data;
    this.#chunkSize = chunkSize;
    this.begin();
  }

  /** The next piece. */
  nextPage(): string | Uint8Array {
    const start = this.#at;
    const data = this.#data;
    let end = start + this.#chunkSize;
    // Half a character cannot be sent.
    if (typeof data === "string" && isHigh(data.charCodeAt(end - 1)) && end < data.length) end++;
    this.#at = end;
    if (end >= data.length) this.stopPaging();
    return data.slice(start, end);
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** @throws {RangeError} If it is not a whole number of 1 or more. */
export function checkChunkSize(chunkSize: number): number {
  if (!Number.isSafeInteger(chunkSize) || chunkSize < 1) {
    throw new RangeError(`Cannot page: the chunk size ${chunkSize} is not a whole number of 1 or more`);
  }
  return chunkSize;
}
