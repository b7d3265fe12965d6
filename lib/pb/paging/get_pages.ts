/**
 * Asking a peer for pages.
 *
 * Source: Twisted `spread/util.py`, `getAllPages`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import { PBConnectionLost } from "../errors.ts";
import type { AnyRemoteReference } from "../flavors/marks.ts";
import { hostOf, type RemoteReference } from "../flavors/remote_reference.ts";
import { noMorePages, PageCollector, type PageOptions } from "./page_collector.ts";

/** A sender that asks goes on when less than this is kept, or a quarter of what may be, in bytes. */
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
  /** How many of those were taken: many would take long to be moved up each time. */
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
    // A method that has failed may have let go of the collector before its error is sent: the error says more.
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
 * @throws {RemoteError} If the method failed.
 * @throws {Violation} If it is too much.
 * @throws {PBConnectionLost} If the connection was lost, or the peer gave up.
 */
export function getAllPages(
  reference: AnyRemoteReference,
  method: string,
  ...args: unknown[]
): Promise<unknown[]> {
  return new Pages(reference, method, args, {}).toArray();
}
