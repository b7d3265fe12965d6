/**
 * What a connection holds, in numbers.
 *
 * @module
 */

/** How much one connection holds. */
export interface BrokerTables {
  /** Objects of ours that the peer holds. */
  readonly exported: number;
  /** Objects of the peer that we hold. */
  readonly imported: number;
  /** Calls of ours that wait for their answer. */
  readonly pendingCalls: number;
  /** Calls of the peer that have not been answered, and those that it has given up whose method still runs. */
  readonly activeCalls: number;
  /** Gifts that are being fetched. */
  readonly pendingGifts: number;
  /** Gifts of ours that have not been acknowledged. */
  readonly givenGifts: number;
  /** Answers of ours that are kept until the peer has seen them, for pipelined calls. */
  readonly keptAnswers: number;
}
