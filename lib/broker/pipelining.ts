/**
 * What a connection has on both of its sides if calls may name results of others: a negotiated feature.
 *
 * @module
 */

import type { SlicerTable } from "../graph/slicing.ts";
import type { Receiving, Unslicer, UnslicerTable } from "../graph/unslicer.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import type { TokenEncoder } from "../wire/encoder.ts";
import type { Deliveries } from "./deliveries.ts";
import { InboundPipeline } from "./inbound_pipeline.ts";
import { PROMISED } from "./promise_link.ts";
import { PromisedUnslicer, SeenUnslicer } from "./promised.ts";
import type { HandleOwner } from "./remote_handle.ts";
import { SeenAnswers } from "./seen_answers.ts";

/** What {@linkcode Pipelining} needs of the broker. */
export interface PipeliningOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** The slicers and unslicers of the connection. */
  readonly slicers: SlicerTable;
  readonly unslicers: UnslicerTable;
  /** The connection, as its handles know it. */
  readonly owner: HandleOwner;
  /** The calls of the peer; asked for when the first one has come. */
  deliveries(): Deliveries;
  /** Sends a message of ours. Must not throw. */
  send(write: (encoder: TokenEncoder) => void): void;
}

/** The pipelining of one connection. */
export class Pipelining {
  /** The calls of the peer. */
  readonly inbound: InboundPipeline;
  /** The answers of the peer. */
  readonly seen: SeenAnswers;
  /** The unslicers of the connection, and that of results that calls name. */
  readonly unslicers: UnslicerTable;
  /** What may stand in the place of any value. */
  readonly standing: ReadonlySet<string> = new Set([PROMISED]);

  /** Nothing yet. */
  constructor(options: PipeliningOptions) {
    this.inbound = new InboundPipeline(options);
    this.unslicers = options.unslicers.extend([
      [PROMISED, { make: (receiver) => new PromisedUnslicer(receiver, this.inbound, false) }],
    ]);
    this.seen = new SeenAnswers({
      clock: options.clock,
      send: (count) =>
        options.send((encoder) => {
          const number = encoder.open("seen");
          encoder.integer(count);
          encoder.close(number);
        }),
    });
  }

  /** The messages of the connection, and those of this feature. */
  extend(messages: UnslicerTable): UnslicerTable {
    const seen = (count: number) => this.inbound.answers.seen(count);
    return messages.extend([["seen", { make: (receiver) => new SeenUnslicer(receiver, seen) }]]);
  }

  /** Takes in a result that a call names in the place of its object; `undefined` if it is something else. */
  target(receiver: Receiving, word: string): Unslicer | undefined {
    return word === PROMISED ? new PromisedUnslicer(receiver, this.inbound, true) : undefined;
  }

  /** Forgets everything: the connection is gone. */
  close(): void {
    this.inbound.close();
    this.seen.close();
  }
}
