/**
 * Sending in pages what is too long for one message: any pages, text and bytes, files and streams.
 *
 * A collector of the peer is called: `gotPage(page)` for each page, and `endedPaging()` after the last one. Twisted wants no
 * answers to that. Here one page in sixteen asks for one, so that a collector can make the sender wait, or refuse the rest.
 *
 * Source: Twisted `spread/util.py`, `Pager`, `StringPager`, `FilePager`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import { runCallback } from "../../util/run_callback.ts";
import { quoteForeign } from "../../util/text.ts";
import { PBConnectionLost, PbError, RemoteError } from "../errors.ts";
import type { AnyRemoteReference } from "../flavors/marks.ts";
import { hostOf, RemoteReference } from "../flavors/remote_reference.ts";

/** Each page of this number asks for an answer; at most twice as many are on their way. */
const PAGES_PER_ANSWER = 16;

/**
 * Sends pages to a collector of the peer: a page goes out when the connection has taken what was written before, so that no
 * more than one waits in memory, and pages go in between other messages. After some pages it waits until the collector
 * answers: one of this module does when its pages are being taken, one of Twisted at once.
 *
 * It begins by itself, when the code that made it has run to its next `await`. Nobody can tell a peer that the rest will not come: a
 * pager that fails gives the collector back without ending the paging. A method that returns {@linkcode Pager.done} also
 * fails its call then.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Countdown extends pb.Pager {
 *   #left = 3;
 *   nextPage(): number {
 *     if (this.#left === 1) this.stopPaging();
 *     return this.#left--;
 *   }
 * }
 * class Root extends pb.Root {
 *   remote_count(collector: pb.RemoteReference): Promise<void> {
 *     return new Countdown(collector).done;
 *   }
 * }
 * await using server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * assert.deepEqual(await pb.getAllPages(client.getRootObject(), "count"), [3, 2, 1]);
 * ```
 */
export abstract class Pager {
  readonly #collector: RemoteReference;
  readonly #done = Promise.withResolvers<void>();
  #hasBegun = false;
  #isLast = false;
  #isOver = false;

  /** @param collector The peer's object that takes the pages, such as the first argument of a method called by {@linkcode getAllPages}. */
  constructor(collector: AnyRemoteReference) {
    this.#collector = collector as RemoteReference;
    // A program that never asks for `done` must not be ended by its rejection.
    this.#done.promise.catch(() => {});
    queueMicrotask(() => this.begin());
  }

  /**
   * Resolves when everything was sent. Rejects with what {@linkcode Pager.nextPage} threw, with a TypeError if what the peer
   * sent for a collector is no reference, with a Violation if a page cannot be sent, with a `pb.Error` if the collector takes no more, or with a DeadReferenceError if the connection is lost. May be left
   * alone.
   */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /**
   * The next page, or a promise of it: any value that can be sent; `undefined` if there is none any more.
   *
   * A page of text or bytes must be shorter than `maxStringBytes`, which is 640 KiB for Twisted.
   */
  abstract nextPage(): unknown;

  /** Says that the page which is being made is the last one. */
  stopPaging(): void {
    this.#isLast = true;
  }

  /** Called once when it is over, whatever the reason: for what must be closed. By default does nothing. */
  protected pagingOver(): unknown {
    return undefined;
  }

  /** Begins now rather than in a moment. More than once is harmless. */
  protected begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    if (!(this.#collector instanceof RemoteReference)) return this.#end(noCollector());
    const host = hostOf(this.#collector);
    const lost = host.notifyOnDisconnect(() => {
      this.#end(new PBConnectionLost("Cannot send pages: the connection was lost"));
    });
    void this.#send(host.whenDrained.bind(host)).then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(toError(error)),
    ).finally(() => lost[Symbol.dispose]());
  }

  async #send(whenDrained: () => Promise<void>): Promise<void> {
    let answered: Promise<unknown> | undefined;
    for (let count = 1; !this.#isOver; count++) {
      let page = this.nextPage();
      // The first page goes out before the answer of the call that asked for it, as with Twisted.
      if (page instanceof Promise) page = await page;
      if (this.#isOver) return;
      if (page !== undefined && count % PAGES_PER_ANSWER === 0) {
        // If that failed, the paging has ended: see below.
        await answered?.catch(() => {});
        if (this.#isOver) return;
        answered = this.#collector.callRemote("gotPage", page);
        answered.catch((error: unknown) => this.#end(refusalOf(error)));
      } else if (page !== undefined) this.#collector.callRemoteOnly("gotPage", page);
      if (page === undefined || this.#isLast) return this.#collector.callRemoteOnly("endedPaging");
      await whenDrained();
    }
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error === undefined) this.#done.resolve();
    else {
      this.#done.reject(error);
      // To give the collector back is the only way to tell the peer that no more pages come.
      if (this.#collector instanceof RemoteReference) this.#collector[Symbol.dispose]();
    }
    // It fails where what it closes is closed, or was not open.
    runCallback(() => this.pagingOver(), () => {});
  }
}

/** @throws {TypeError} If what should take pages is no reference: a peer can send anything for it. */
function checkCollector(collector: unknown): void {
  if (!(collector instanceof RemoteReference)) throw noCollector();
}

function noCollector(): TypeError {
  return new TypeError("Cannot send pages: the collector is no reference to an object of the peer");
}

/** What the pager fails with when a page that asked for an answer fails. */
function refusalOf(error: unknown): Error {
  if (!(error instanceof RemoteError)) return toError(error);
  return new PbError(`Cannot send more pages: the collector refuses them: ${quoteForeign(error.message)}`, {
    cause: error,
  });
}

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
    // A page must not end between the two halves of a surrogate pair.
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
function checkChunkSize(chunkSize: number): number {
  if (!Number.isSafeInteger(chunkSize) || chunkSize < 1) {
    throw new RangeError(`Cannot page: the chunk size ${chunkSize} is not a whole number of 1 or more`);
  }
  return chunkSize;
}

/** Bytes to be read: a stream, or what has one, such as a `Deno.FsFile` or a `Response`'s `body`. */
export type PageSource = ReadableStream<Uint8Array> | { readonly readable: ReadableStream<Uint8Array> };

/**
 * Sends what a file, or another stream, holds, in pages of bytes; nothing is no page at all. It is read only as fast as the
 * peer takes it, and closed at the end, whatever the end is. A collector that never answers keeps it open until the connection
 * ends: where peers are not trusted, count how many pagers each has.
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
