/**
 * What takes the pages of a peer.
 *
 * Source: Twisted `spread/util.py`, `CallbackPageCollector`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { PbError } from "../errors.ts";
import type { PbCall } from "../flavors/call.ts";
import { Referenceable } from "../flavors/referenceable.ts";
import { weightOf } from "./weight.ts";

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
  ended(): void;
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

  /** There are no more. */
  remote_endedPaging(): void {
    this.end();
    this.#sink.ended();
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
export function noMorePages(): PbError {
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
   * @param callback Is given the pages. Never called if they are too much; then the peer's `gotPage` fails.
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
