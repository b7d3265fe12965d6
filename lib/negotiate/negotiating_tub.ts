/**
 * What a negotiation needs of the Tub, and what it gives back.
 *
 * @module
 */

import type { Limits } from "../limits.ts";
import type { Connection, TlsIdentity } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import type { ConnectionMemory, PeerOffer } from "./hello.ts";

/** A Tub, as far as the negotiation sees it. */
export interface NegotiatingTub {
  readonly tubId: string;
  /** This life of the Tub: 16 lower-case hex digits, new for each start. */
  readonly incarnation: string;
  readonly identity: TlsIdentity;
  readonly limits: Limits;
  readonly clock: Clock;
  /** More keys for our hello, by which peers of this library recognise each other; Python ignores them. */
  readonly extraHello?: Readonly<Record<string, string>>;
  /** What our hello says in `last-connection` when we dial this Tub. */
  lastConnectionTo(tubId: string): ConnectionMemory | undefined;
  /**
   * As master: settles what becomes of an existing connection with the same peer and numbers the new one.
   * Called synchronously just before the decision is written. The number is used up even if the
   * connection fails after that.
   *
   * @throws {DuplicateConnectionError} If the existing connection stays; the peer is told so.
   */
  admit(offer: PeerOffer): { seqnum: number };
  /** As slave: the master has decided for this connection; what it is called is to be remembered. */
  joined(tubId: string, master: ConnectionMemory | undefined): void;
}

/** A connection that two Tubs have agreed on. */
export interface Agreement {
  /** Its `readable` begins at the first Banana byte. */
  readonly connection: Connection;
  /** The peer, as its certificate proves. */
  readonly tubId: string;
  /** Which of our Tubs it is with. */
  readonly localTubId: string;
  /** Whether our decision counted. */
  readonly isMaster: boolean;
  /** `outbound`: we dialled. */
  readonly direction: "inbound" | "outbound";
  /**
   * Whether the peer's system may hold back what it writes until we have sent something: then an acknowledgement comes
   * with it, which the peer's system waits for.
   */
  readonly isPeerHeldBack: boolean;
  /** The vocabulary table of both directions. */
  readonly vocabTable: number;
  /** The protocol version. */
  readonly version: 3;
  /** All that the peer's hello said, by lower-case key. */
  readonly hello: ReadonlyMap<string, string>;
  /** The peer's incarnation; empty if it gave none. */
  readonly incarnation: string;
  /** The master's number of this connection; `undefined` if a master gave none. */
  readonly seqnum: number | undefined;
}
