/**
 * Files and streams in pages.
 *
 * Source: Twisted `spread/util.py`, `FilePager`.
 *
 * @module
 */

import type { AnyRemoteReference } from "../flavors/marks.ts";
import { Pager } from "./pager.ts";
import { checkChunkSize, type ChunkOptions } from "./string_pager.ts";

/** Bytes to be read: a stream, or what has one, such as a `Deno.FsFile` or a `Response`'s `body`. */
export type PageSource = ReadableStream<Uint8Array> | { readonly readable: ReadableStream<Uint8Array> };

/**
 * Sends what a file, or another stream, holds, in pages of bytes; nothing is no page at all. It is read only as fast as the
 * peer takes it, and closed at the end, whatever the end is.
 *
 * @example
 * ```ts ignore
 * import { pb } from "https://example.org/foolscap/mod.ts";
 *
 * class Archive extends pb.Root {
 *   async remote_fetch(collector: pb.RemoteReference): Promise<void> {
 *     await new pb.FilePager(collector, await Deno.open("archive.tar")).done;
 *   }
 * }
 * ```
 */
export class FilePager extends Pager {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunkSize: number;
  #rest = new Uint8Array();

  /**
   * @throws {RangeError} If `chunkSize` is not a whole number of 1 or more.
   * @throws {TypeError} If somebody else reads the stream.
   */
  constructor(collector: AnyRemoteReference, source: PageSource, options: ChunkOptions = {}) {
    const chunkSize = checkChunkSize(options.chunkSize ?? 16_384);
    const reader = ("readable" in source ? source.readable : source).getReader();
    super(collector);
    this.#chunkSize = chunkSize;
    this.#reader = reader;
  }

  /** The next bytes. */
  async nextPage(): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#rest = value as Uint8Array<ArrayBuffer>;
    }
    const page = this.#rest.subarray(0, this.#chunkSize);
    this.#rest = this.#rest.subarray(page.length);
    return page;
  }

  /** Closes the stream. */
  protected override pagingOver(): Promise<void> {
    return this.#reader.cancel();
  }
}
