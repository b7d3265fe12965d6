/**
 * The objects that the two ends of a connection have given each other: what we gave, what we got, and gifts of third
 * Tubs' objects in both directions.
 *
 * Source: Foolscap `broker.py`, the tables of `Broker`; `referenceable.py`.
 *
 * @module
 */

import { DeadReferenceError, ProtocolError, Violation } from "../errors.ts";
import type { Pending } from "../graph/pending.ts";
import type { Limits } from "../limits.ts";
import { parseFurl } from "../names/furl.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import { inLaterTurn } from "../util/eventual.ts";
import { Callable, type Publishable } from "./callable.ts";
import { type Export, ExportTable, type Given } from "./export_table.ts";
import { forwarderFor } from "./forwarder.ts";
import { GiftFetcher } from "./gift_fetcher.ts";
import { GiftTable } from "./gifts.ts";
import { type HandleToken, ImportTable, type Tracker } from "./import_table.ts";
import type { BrokerHost } from "./interface.ts";
import type { ReferenceHost } from "./references.ts";
import { type HandleOwner, RemoteHandle } from "./remote_handle.ts";
import { RemoteFunction, RemoteReference } from "./remote_reference.ts";

/** What an {@linkcode ObjectSpace} needs of its broker. */
export interface ObjectSpaceOptions {
  /** What the handles live on. */
  readonly owner: HandleOwner;
  readonly host: BrokerHost;
  readonly limits: Limits;
  readonly clock: Clock;
  /** See {@linkcode ReferenceHost}. */
  readonly takesFunctionsHome: boolean;
  /** @throws {ProtocolError} If the connection has ended. */
  checkOpen(): void;
  /** Tells the peer that we give back `count` receivings of its object; settles with its answer. Never rejects. */
  decref(clid: number, count: number): Promise<void>;
  /** Tells the peer that we have fetched a gift, or given up. Must not throw. */
  decgift(giftId: number): void;
}

/** The objects of one connection. */
export class ObjectSpace implements ReferenceHost {
  readonly #options: ObjectSpaceOptions;
  readonly #exports: ExportTable<Publishable>;
  readonly #imports: ImportTable<RemoteHandle>;
  readonly #gifts: GiftTable;
  // What the message that is being written has taken, to be given back if it is not sent.
  #given: Export<Publishable>[] = [];
  #givenGifts: number[] = [];
  readonly #fetcher: GiftFetcher;
  #isClosed = false;

  /** An empty space. */
  constructor(options: ObjectSpaceOptions) {
    this.#options = options;
    const { limits, owner, clock, host } = options;
    this.#exports = new ExportTable(limits.maxExports);
    this.#gifts = new GiftTable({ max: limits.maxExports, holdMs: limits.giftHoldMs, clock });
    this.#fetcher = new GiftFetcher({
      max: limits.maxPendingGifts,
      maxBytes: limits.maxMessageBytes,
      timeoutMs: limits.maxGiftMs,
      clock,
      acquire: (furl, signal) => host.acquire(furl, { from: owner.peer.tubId, signal }),
      // Also when it could not be fetched: the giver must not keep it for ever.
      onEnd: (giftId) => giftId === 0 ? undefined : options.decgift(giftId),
    });
    this.#imports = new ImportTable({
      max: limits.maxImports,
      makeHandle: (tracker) =>
        tracker.clid < 0 ? new RemoteFunction(owner, tracker) : new RemoteReference(owner, tracker),
      decref: options.decref,
      later: inLaterTurn,
    });
  }

  /** How much is held. */
  get sizes(): { exported: number; imported: number; pendingGifts: number; givenGifts: number } {
    return {
      exported: this.#exports.size,
      imported: this.#imports.size,
      pendingGifts: this.#fetcher.size,
      givenGifts: this.#gifts.size,
    };
  }

  /** Forgets everything: the connection is gone. */
  close(): void {
    this.#isClosed = true;
    this.#fetcher.close(new DeadReferenceError("The connection with the giver has ended"));
    this.#exports.clear();
    this.#imports.close();
    this.#gifts.clear();
  }

  // ---- what goes out

  /** A message is begun: what it takes from here on can be given back. */
  begin(): void {
    if (this.#given.length > 0) this.#given = [];
    if (this.#givenGifts.length > 0) this.#givenGifts = [];
  }

  /** The message is not sent: gives back what it has taken. */
  undo(): void {
    for (const entry of this.#given.splice(0).reverse()) this.#exports.undo(entry);
    for (const id of this.#givenGifts.splice(0)) this.#gifts.decgift(id, 1);
  }

  give(object: Publishable): Given<Publishable> {
    // The program's own code, which may end the connection.
    const identity = object instanceof Callable ? object : object.processUniqueID();
    this.#checkSendable();
    const given = this.#exports.give(object, identity);
    this.#given.push(given.entry);
    return given;
  }

  get takesFunctionsHome(): boolean {
    return this.#options.takesFunctionsHome;
  }

  furlOf(object: Publishable): string | undefined {
    return this.#options.host.furlOf(object, this.#options.owner.peer.tubId);
  }

  owns(handle: RemoteHandle): boolean {
    return RemoteHandle.ownerOf(handle) === this.#options.owner;
  }

  standInFor(handle: RemoteHandle): Publishable | undefined {
    return forwarderFor(handle, this.#options.owner);
  }

  giveAway(handle: RemoteHandle): number {
    this.#checkSendable();
    const id = this.#gifts.give(handle);
    this.#givenGifts.push(id);
    return id;
  }

  /** The program may end the connection while a message is written that asks it for a value. */
  #checkSendable(): void {
    if (this.#isClosed) throw new Violation("Cannot pass an object by reference: the connection has ended");
  }

  /** The peer gives back sendings: see {@linkcode ExportTable.decref}. */
  decref(clid: number, count: number): number | undefined {
    return this.#exports.decref(clid, count);
  }

  /** The peer acknowledges gifts. */
  decgift(giftId: number, count: number): void {
    this.#gifts.decgift(giftId, count);
  }

  // ---- what comes in

  exported(clid: number): Publishable | undefined {
    const object = this.#exports.get(Math.abs(clid));
    return object !== undefined && (object instanceof Callable) === (clid < 0) ? object : undefined;
  }

  imported(clid: number, interfaceName: string | undefined, furl: string | undefined): RemoteHandle {
    this.#options.checkOpen();
    const { tubId } = this.#options.owner.peer;
    // Of a peer that has proved no TubID, no FURL can be believed.
    const proved = furl === undefined || tubId === undefined ? undefined : checkFurl(furl, tubId);
    return this.#imports.receive(clid, interfaceName, proved);
  }

  fetchGift(giftId: number, furl: string, pending: Pending): void {
    this.#options.checkOpen();
    this.#fetcher.fetch(giftId, furl, pending);
  }

  // ---- handles

  /** See {@linkcode HandleOwner}. */
  watch(tracker: Tracker<RemoteHandle>, handle: RemoteHandle): HandleToken {
    return this.#imports.watch(tracker, handle);
  }

  /** See {@linkcode HandleOwner}. */
  release(tracker: Tracker<RemoteHandle>, token: HandleToken): void {
    this.#imports.release(tracker, token);
  }

  /** See {@linkcode HandleOwner}. */
  hold(tracker: Tracker<RemoteHandle>): Disposable {
    let isHeld = true;
    tracker.callsInFlight++;
    const release = () => {
      if (isHeld) this.#imports.callEnded(tracker);
      isHeld = false;
    };
    return { [Symbol.dispose]: release };
  }

  /** A call to an object has been answered or given up, which was begun by raising `callsInFlight`. */
  callEnded(tracker: Tracker<RemoteHandle>): void {
    this.#imports.callEnded(tracker);
  }
}

/**
 * A FURL, if the peer may tell it: only those of its own objects.
 *
 * @throws {ProtocolError} If it names another Tub or is no FURL.
 */
function checkFurl(furl: string, tubId: string): string {
  let claimed: string;
  try {
    claimed = parseFurl(furl).tubId;
  } catch (cause) {
    throw new ProtocolError("Inbound reference has something that is not a FURL", { cause });
  }
  if (claimed === tubId) return furl;
  throw new ProtocolError(`Inbound reference claims bad tubid, ${quoteForeign(claimed, 32)} vs ${tubId}`);
}
