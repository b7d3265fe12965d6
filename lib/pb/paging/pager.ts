/**
 * Sending something large in pages.
 *
 * `gotPage(page)` for each, and `endedPaging()`, to a collector of the peer. Twisted asks for no answers. Here one page of
 * a few does, so that a collector can say that there is too much at the moment, or that it wants no more.
 *
 * Source: Twisted `spread/util.py`, `Pager`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import { PBConnectionLost, PbError, RemoteError } from "../errors.ts";
import type { AnyRemoteReference } from "../flavors/marks.ts";
import { hostOf, RemoteReference } from "../flavors/remote_reference.ts";
import { quoteForeign } from "../../util/text.ts";

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
    // Who does not ask for it is not to be ended by its failure.
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
        // Its failure has ended the paging.
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
      // The only way to say it.
      if (this.#collector instanceof RemoteReference) this.#collector[Symbol.dispose]();
    }
    try {
      const result = this.pagingOver();
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // What it closes is closed or was not open.
    }
  }
}

/** @throws {TypeError} If what should take pages is no reference: a peer can send anything for it. */
export function checkCollector(collector: unknown): void {
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
