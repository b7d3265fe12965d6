/**
 * Asking a peer for pages.
 *
 * Source: Twisted `spread/util.py`, `getAllPages`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import { PBConnectionLost } from "../errors.ts";
import { hostOf, type RemoteReference } from "../flavors/remote_reference.ts";
import { PageCollector, type PageOptions } from "./page_collector.ts";

/**
 * The pages that a method of a peer sends to the collector which it is given as first argument.
 *
 * It is sent at once; pages are kept until they are taken. It can be iterated once.
 */
export class Pages implements AsyncIterableIterator<unknown>, AsyncDisposable {
  readonly #collector: PageCollector;
  readonly #kept: { readonly page: unknown; readonly weight: number }[] = [];
  #isOver = false;
  #error: Error | undefined;
  #moved: PromiseWithResolvers<void> | undefined;

  /** @ignore */
  constructor(reference: RemoteReference, method: string, args: readonly unknown[], options: PageOptions) {
    const collector = this.#collector = new PageCollector({
      page: (page, weight) => {
        this.#kept.push({ page, weight });
        this.#move();
      },
      ended: () => this.#end(undefined),
      failed: (error) => this.#end(error),
    }, options);
    // A method that has failed may have let go of the collector before its error is sent: the error says more.
    const answered = reference.callRemote(method, collector, ...args);
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
      const first = this.#kept.shift();
      if (first !== undefined) {
        this.#collector.taken(first.weight);
        return { done: false, value: first.page };
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#isOver) return { done: true, value: undefined };
      this.#moved ??= Promise.withResolvers();
      await this.#moved.promise;
    }
  }

  /** Gives up: pages that still come are thrown away. A peer cannot be told to send no more. */
  // deno-lint-ignore require-await -- an iterator's is asynchronous
  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#collector.end();
    this.#kept.length = 0;
    this.#error = undefined;
    this.#isOver = true;
    this.#move();
    return { done: true, value: undefined };
  }

  /** All pages, when the last one has come. @throws As {@linkcode Pages.next}. */
  async toArray(): Promise<unknown[]> {
    while (!this.#isOver) {
      this.#moved ??= Promise.withResolvers();
      await this.#moved.promise;
    }
    if (this.#error !== undefined) throw this.#error;
    return this.#kept.splice(0).map(({ page }) => page);
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
  }

  #move(): void {
    this.#moved?.resolve();
    this.#moved = undefined;
  }
}

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
  reference: RemoteReference,
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
  reference: RemoteReference,
  method: string,
  ...args: unknown[]
): Promise<unknown[]> {
  return new Pages(reference, method, args, {}).toArray();
}
