/**
 * Sending something large in pages.
 *
 * `gotPage(page)` for each, and `endedPaging()`, to a collector of the peer; no answer is asked for.
 *
 * Source: Twisted `spread/util.py`, `Pager`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import { PBConnectionLost } from "../errors.ts";
import { hostOf, type RemoteReference } from "../flavors/remote_reference.ts";

/**
 * Sends pages to a collector of the peer: a page goes out when the connection has taken what was written before, so that no
 * more than one waits in memory, and pages go in between other messages.
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
  constructor(collector: RemoteReference) {
    this.#collector = collector;
    // Who does not ask for it is not to be ended by its failure.
    this.#done.promise.catch(() => {});
    queueMicrotask(() => this.begin());
  }

  /**
   * Resolves when everything was sent. Rejects with what {@linkcode Pager.nextPage} threw, with a Violation if a page cannot be
   * sent, or with a DeadReferenceError if the connection is lost. May be left alone.
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
    while (!this.#isOver) {
      let page = this.nextPage();
      // The first page goes out before the answer of the call that asked for it, as with Twisted.
      if (page instanceof Promise) page = await page;
      if (this.#isOver) return;
      if (page !== undefined) this.#collector.callRemoteOnly("gotPage", page);
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
      // The only way to say it.
      this.#collector[Symbol.dispose]();
    }
    try {
      const result = this.pagingOver();
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // What it closes is closed or was not open.
    }
  }
}
