/**
 * Taking what a peer sends in pages: the collectors that pages are sent to, and the calls that ask for pages.
 *
 * Source: Twisted `spread/util.py`, `CallbackPageCollector`, `getAllPages`.
 *
 * @module
 */

import { toError, Violation } from "../../errors.ts";
import { PBConnectionLost, PbError } from "../errors.ts";
import type { PbCall } from "../flavors/call.ts";
import type { AnyRemoteReference } from "../flavors/marks.ts";
import { Referenceable } from "../flavors/referenceable.ts";
import { hostOf, RemoteReference } from "../flavors/remote_reference.ts";

/**
 * An estimate in bytes: what texts and byte strings have, and 64 for each value.
 *
 * @param enough Where to stop counting.
 */
function weightOf(value: unknown, enough: number): number {
  let weight = 0;
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && weight <= enough) {
    const next = waiting.pop();
    weight += 64;
    if (typeof next === "string") weight += 2 * next.length;
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    if (ArrayBuffer.isView(next)) {
      weight += next.byteLength;
      continue;
    }
    seen.add(next);
    const parts: Iterable<unknown> = next instanceof Map
      ? [...next].flat()
      : Array.isArray(next) || next instanceof Set
      ? next
      : Object.entries(next).flat();
    for (const part of parts) waiting.push(part);
  }
  return weight;
}

/** What collectors of pages can be given. */
export interface PageOptions {
  /**
   * How much is kept of pages that nobody has taken yet, in bytes: what texts and byte strings take, and 64 for each value.
   * @default 67_108_864 (64 MiB)
   */
  readonly maxBytes?: number | undefined;
}

/** Where pages go. */
export interface PageSink {
  page(page: unknown, weight: number): void;
  /** There are no more. A promise is waited for. */
  ended(): unknown;
  failed(error: Error): void;
  /** Whoever takes the pages is behind: a sender that asks is answered when they are not. Rejects if nobody takes them. */
  whenTaken?(): Promise<void> | undefined;
}

/** The default of {@linkcode PageOptions.maxBytes}. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Takes pages until they end, or are too much. */
export class PageCollector extends Referenceable {
  readonly #sink: PageSink;
  readonly #maxBytes: number;
  #kept = 0;
  #isOver = false;

  /** @throws {RangeError} If `maxBytes` is not a whole number of 1 or more. */
  constructor(sink: PageSink, options: PageOptions = {}) {
    super();
    const { maxBytes = MAX_BYTES } = options;
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
      throw new RangeError(`Cannot collect pages: maxBytes ${maxBytes} is not a whole number of 1 or more`);
    }
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /** What comes after the end is not even read; a sender that asks about a page is told. */
  override remoteMessageReceived(message: string, call: PbCall): unknown {
    if (this.#isOver) {
      if (message === "gotPage" && call.isAnswerWanted) throw noMorePages();
      return undefined;
    }
    const result = super.remoteMessageReceived(message, call);
    return call.isAnswerWanted && !this.#isOver ? this.#sink.whenTaken?.() ?? result : result;
  }

  /** One page. */
  remote_gotPage(page: unknown): void {
    const weight = weightOf(page, this.#maxBytes);
    this.#kept += weight;
    if (this.#kept > this.#maxBytes) {
      const error = new Violation(`Cannot take a page: more than ${this.#maxBytes} bytes are kept`);
      this.end();
      this.#sink.failed(error);
      throw error;
    }
    this.#sink.page(page, weight);
  }

  /** There are no more. What fails in whoever takes the pages, at once or later, is the sender's answer. */
  remote_endedPaging(): void | Promise<void> {
    this.end();
    const taken = this.#sink.ended();
    if (taken instanceof Promise) return taken.then(() => {});
  }

  /** A page was taken out. */
  taken(weight: number): void {
    this.#kept -= weight;
  }

  /** Takes nothing any more. */
  end(): void {
    this.#isOver = true;
  }
}

/** What a sender is told that goes on. */
function noMorePages(): PbError {
  return new PbError("Cannot take a page: nobody wants more pages");
}

/**
 * Takes pages from a peer, and calls back with the list when they have all come. See {@linkcode getAllPages} for one that
 * notices as well that they will not come.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * const collector = new pb.CallbackPageCollector((pages) => pages.length);
 * // await pager.callRemote("fetch", collector);
 * ```
 */
export class CallbackPageCollector extends PageCollector {
  /**
   * @param callback Is given the pages. Never called if they are too much; then the peer's `gotPage` fails. What it throws, or
   *   rejects with, fails the peer's `endedPaging`.
   * @throws {RangeError} If `maxBytes` is not a whole number of 1 or more.
   */
  constructor(callback: (pages: unknown[]) => unknown, options: PageOptions = {}) {
    let pages: unknown[] = [];
    super({
      page: (page) => void pages.push(page),
      ended: () => callback(pages),
      failed: () => pages = [],
    }, options);
  }
}

/** A sender that asks (see `Pager`) is answered when less than this is kept, in bytes, or less than a quarter of `maxBytes`. */
const ENOUGH_BYTES = 1024 * 1024;

/**
 * The pages that a method of a peer sends to the collector which it is given as first argument.
 *
 * It is sent at once; pages are kept until they are taken. Peers of this module send no more than is taken, but for about a
 * megabyte; Twisted's cannot be told to wait. It can be iterated once.
 */
export class Pages implements AsyncIterableIterator<unknown>, AsyncDisposable {
  readonly #collector: PageCollector;
  readonly #enough: number;
  #kept: { readonly page: unknown; readonly weight: number }[] = [];
  /** How many at the beginning of `#kept` were taken: to shift an array for each page would be slow. */
  #taken = 0;
  #weight = 0;
  #isOver = false;
  /** Somebody wants all of them before they look at one. */
  #isForAll = false;
  #room: PromiseWithResolvers<void> | undefined;
  #error: Error | undefined;
  #moved: PromiseWithResolvers<void> | undefined;

  /** @ignore */
  constructor(reference: AnyRemoteReference, method: string, args: readonly unknown[], options: PageOptions) {
    const given: unknown = reference;
    if (!(given instanceof RemoteReference)) {
      throw new TypeError("Cannot get pages: what should send them is no reference to an object of the peer");
    }
    const collector = this.#collector = new PageCollector({
      page: (page, weight) => {
        this.#kept.push({ page, weight });
        this.#weight += weight;
        this.#move();
      },
      ended: () => this.#end(undefined),
      failed: (error) => this.#end(error),
      whenTaken: () => this.#whenTaken(),
    }, options);
    this.#enough = Math.min(ENOUGH_BYTES, (options.maxBytes ?? Infinity) / 4);
    // When the method has failed, its error may come after the collector was given back. The error says more, so it is awaited.
    const answered = (reference as RemoteReference).callRemote(method, collector, ...args);
    answered.catch((error: unknown) => this.#end(toError(error)));
    const gaveUp = () => {
      this.#end(new PBConnectionLost("The peer gave up, or was lost, before the last page"));
    };
    hostOf(reference).whenReleased(collector, () => void answered.then(gaveUp, () => {}));
  }

  /**
   * The next page.
   *
   * @throws {RemoteError} If the method failed before the last page.
   * @throws {Violation} If a page, or all that nobody takes, is too much.
   * @throws {PBConnectionLost} If the connection was lost, or the peer gave up.
   */
  async next(): Promise<IteratorResult<unknown, undefined>> {
    for (;;) {
      if (this.#taken < this.#kept.length) return { done: false, value: this.#take() };
      if (this.#error !== undefined) throw this.#error;
      if (this.#isOver) return { done: true, value: undefined };
      this.#moved ??= Promise.withResolvers();
      await this.#moved.promise;
    }
  }

  /** Gives up: pages that still come are thrown away. A peer of this module is told; Twisted's would send them all. */
  // deno-lint-ignore require-await -- an iterator's is asynchronous
  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#collector.end();
    this.#kept = [];
    this.#taken = 0;
    this.#error = undefined;
    this.#isOver = true;
    this.#move();
    this.#makeRoom(noMorePages());
    return { done: true, value: undefined };
  }

  /** All pages, when the last one has come. @throws As {@linkcode Pages.next}. */
  async toArray(): Promise<unknown[]> {
    this.#isForAll = true;
    this.#makeRoom();
    while (!this.#isOver) {
      this.#moved ??= Promise.withResolvers();
      await this.#moved.promise;
    }
    if (this.#error !== undefined) throw this.#error;
    const pages = this.#kept.slice(this.#taken).map(({ page }) => page);
    this.#kept = [];
    this.#taken = 0;
    return pages;
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Gives up, if it is not over. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#collector.end();
    // What is not whole is of no use to who wants all of it; who takes one after the other gets what came before.
    this.#move();
    this.#makeRoom(error);
  }

  #take(): unknown {
    const { page, weight } = this.#kept[this.#taken]!;
    this.#kept[this.#taken++] = NOTHING;
    if (this.#taken * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#taken);
      this.#taken = 0;
    }
    this.#weight -= weight;
    this.#collector.taken(weight);
    if (this.#weight < this.#enough) this.#makeRoom();
    return page;
  }

  #whenTaken(): Promise<void> | undefined {
    if (this.#isForAll || this.#weight < this.#enough) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  #makeRoom(error?: Error): void {
    if (error === undefined) this.#room?.resolve();
    else this.#room?.reject(error);
    this.#room = undefined;
  }

  #move(): void {
    this.#moved?.resolve();
    this.#moved = undefined;
  }
}

/** In the place of a page that was taken. */
const NOTHING = { page: undefined, weight: 0 };

/**
 * Asks for pages: calls a method with a collector before the other arguments.
 *
 * @param options How much is kept of what nobody has taken yet.
 * @throws {TypeError} If `reference` is none: a peer can send anything for it.
 * @throws {RangeError} If `maxBytes` is not a whole number of 1 or more.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Root extends pb.Root {
 *   remote_lines(collector: pb.RemoteReference, text: string): void {
 *     new pb.StringPager(collector, text, { chunkSize: 3 });
 *   }
 * }
 * await using server = await pb.serve(new Root(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * let text = "";
 * for await (const page of pb.getPages(client.getRootObject(), "lines", ["abcdefg"])) text += page;
 * assert.equal(text, "abcdefg");
 * ```
 */
export function getPages(
  reference: AnyRemoteReference,
  method: string,
  args: readonly unknown[] = [],
  options: PageOptions = {},
): Pages {
  return new Pages(reference, method, args, options);
}

/**
 * Calls a method with a collector before the other arguments, and waits for all pages: up to 64 MiB of them; see
 * {@linkcode getPages} for more.
 *
 * Unlike Twisted's it fails if the method does, if the connection is lost, and if the peer lets go of the collector without having
 * said that the paging has ended.
 *
 * @throws {TypeError} If `reference` is none.
 * @throws {RemoteError} If the method failed.
 * @throws {Violation} If it is too much.
 * @throws {PBConnectionLost} If the connection was lost, or the peer gave up.
 */
export function getAllPages(
  reference: AnyRemoteReference,
  method: string,
  ...args: unknown[]
): Promise<unknown[]> {
  return Promise.try(() => new Pages(reference, method, args, {}).toArray());
}
