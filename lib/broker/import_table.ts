/**
 * Objects of the peer that we hold: counted, one RemoteReference each, given back when nobody holds it.
 *
 * Source: Foolscap `referenceable.py`, `RemoteReferenceTracker`; `broker.py`, `freeYourReference`.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";

/** What is known of one object of the peer. `H` is the handle that the program holds. */
export class Tracker<H extends object> {
  /** The handle that everybody in the process shares, while somebody holds it. */
  shared: WeakRef<H> | undefined;
  /** How many times the object came since it was last given back. */
  received = 0;
  /** Handles that have neither been disposed nor collected: the shared one and its duplicates. */
  handles = 0;
  /** What keeps it from being given back: calls to it that have not been answered, gifts of it on their way. */
  callsInFlight = 0;
  /** Whether it will be looked at in a later turn, whether it is to be given back. */
  isReleasing = false;
  /** Decrefs for it that the peer has not answered. */
  decrefsInFlight = 0;
  /** The object's FURL, where the peer told one. */
  furl: string | undefined;
  /** The name of its RemoteInterface, empty for none. */
  interfaceName = "";

  /** A tracker for the object that the peer numbers so: negative for a function. */
  constructor(readonly clid: number) {}
}

/** What an {@linkcode ImportTable} needs of its broker. */
export interface ImportTableOptions<H extends object> {
  readonly max: number;
  /** Makes the handle of an object. */
  makeHandle(tracker: Tracker<H>): H;
  /** Gives back `count` receivings; settles when the peer has answered. Never rejects. */
  decref(clid: number, count: number): Promise<void>;
  /** Runs something in a later turn. */
  later(run: () => void): void;
}

/** Marks one handle as given up exactly once, whether it was disposed or collected. */
export interface HandleToken {
  isReleased: boolean;
}

/** The imports of one connection. */
export class ImportTable<H extends object> {
  // By text: the peer chooses the numbers, and numbers can be chosen to collide in a Map.
  readonly #trackers = new Map<string, Tracker<H>>();
  readonly #options: ImportTableOptions<H>;
  readonly #collected: FinalizationRegistry<{ tracker: Tracker<H>; token: HandleToken }>;
  #isClosed = false;

  /** An empty table. */
  constructor(options: ImportTableOptions<H>) {
    this.#options = options;
    this.#collected = new FinalizationRegistry(({ tracker, token }) => this.release(tracker, token));
  }

  /** How many objects of the peer are known. */
  get size(): number {
    return this.#trackers.size;
  }

  /**
   * An object came. The first time, and every time after it was given back, the peer tells its interface and FURL.
   *
   * @throws {ProtocolError} If the peer makes us hold more objects than it may.
   */
  receive(clid: number, interfaceName: string | undefined, furl: string | undefined): H {
    const key = `#${clid}`;
    let tracker = this.#trackers.get(key);
    if (tracker === undefined) {
      if (this.#trackers.size >= this.#options.max) {
        throw new ProtocolError(`The peer sent more than ${this.#options.max} references`);
      }
      tracker = new Tracker<H>(clid);
      this.#trackers.set(key, tracker);
    }
    // As in Foolscap: what the peer said first holds.
    if (tracker.interfaceName === "" && interfaceName !== undefined) tracker.interfaceName = interfaceName;
    tracker.furl ??= furl;
    tracker.received++;
    const shared = tracker.shared?.deref();
    if (shared !== undefined) return shared;
    const handle = this.#options.makeHandle(tracker);
    tracker.shared = new WeakRef(handle);
    return handle;
  }

  /** Counts a handle of an object, and watches for the day when nobody holds it. */
  watch(tracker: Tracker<H>, handle: H): HandleToken {
    const token: HandleToken = { isReleased: false };
    tracker.handles++;
    this.#collected.register(handle, { tracker, token }, token);
    return token;
  }

  /** A handle is given up. The object is given back when it was the last one and no call to it is in flight. */
  release(tracker: Tracker<H>, token: HandleToken): void {
    if (token.isReleased) return;
    token.isReleased = true;
    this.#collected.unregister(token);
    tracker.handles--;
    this.#giveBackIfIdle(tracker);
  }

  /** A call to the object has been answered, or a gift of it acknowledged. */
  callEnded(tracker: Tracker<H>): void {
    tracker.callsInFlight--;
    if (tracker.handles === 0) this.#giveBackIfIdle(tracker);
  }

  /** Forgets everything: the connection is gone. */
  close(): void {
    this.#isClosed = true;
    this.#trackers.clear();
  }

  #giveBackIfIdle(tracker: Tracker<H>): void {
    if (this.#isClosed || tracker.handles > 0 || tracker.callsInFlight > 0 || tracker.isReleasing) return;
    tracker.isReleasing = true;
    // In a later turn: a message that is being read may bring the object once more.
    this.#options.later(() => this.#giveBack(tracker));
  }

  #giveBack(tracker: Tracker<H>): void {
    tracker.isReleasing = false;
    if (this.#isClosed || tracker.handles > 0 || tracker.callsInFlight > 0 || tracker.received === 0) return;
    const count = tracker.received;
    tracker.received = 0;
    tracker.decrefsInFlight++;
    // Until the peer has answered the last of them, the object may still come in its short form: the tracker stays.
    this.#options.decref(tracker.clid, count).then(() => {
      tracker.decrefsInFlight--;
      const isNeeded = tracker.received > 0 || tracker.handles > 0 || tracker.decrefsInFlight > 0;
      if (!isNeeded) this.#trackers.delete(`#${tracker.clid}`);
    });
  }
}
