/**
 * References as they travel: `my-reference` (an object of the sender), `your-reference` (one of the receiver),
 * `their-reference` (one of a third Tub: a gift).
 *
 * Source: Foolscap `referenceable.py`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { refuseAdapters } from "../graph/adapters.ts";
import { Pending, PendingResult } from "../graph/pending.ts";
import type { Slicer, Slicing } from "../graph/slicing.ts";
import { onlyByConnection } from "../graph/unsendable.ts";
import { type Receiving, Unslicer, type UnslicerType } from "../graph/unslicer.ts";
import { MAX_FURL_BYTES, MAX_NAME_BYTES } from "../limits.ts";
import { decodeText } from "../util/text.ts";
import { INT, NEG, STRING, VOCAB } from "../wire/tokens.ts";
import { Callable, type Publishable } from "./callable.ts";
import { identifier } from "./call_slicing.ts";
import type { Given } from "./export_table.ts";
import { Forwarder } from "./forwarder.ts";
import { OnlyReferenceable, Referenceable } from "./referenceable.ts";
import { adaptedBy } from "./remotely_callable.ts";
import { RemoteHandle } from "./remote_handle.ts";
import { RemoteFunction, RemoteReference } from "./remote_reference.ts";

for (const construct of [OnlyReferenceable, Callable, RemoteHandle]) onlyByConnection(construct);
for (
  const construct of [
    OnlyReferenceable,
    Referenceable,
    Callable,
    RemoteHandle,
    RemoteReference,
    RemoteFunction,
  ]
) {
  refuseAdapters([construct.prototype]);
}

/** What the references do to the broker. */
export interface ReferenceHost {
  /** Counts one more sending of an object of ours; taken back if the message is. */
  give(object: Publishable): Given<Publishable>;
  /** The FURL of an object of ours. */
  furlOf(object: Publishable): string | undefined;
  /** Whether the peer takes a function of its own back. Python Foolscap does not: it drops the connection. */
  readonly takesFunctionsHome: boolean;
  /** Whether a handle lives on this connection. */
  owns(handle: RemoteHandle): boolean;
  /** The object of ours that goes in the place of a handle of another connection; `undefined` if it goes as a gift. */
  standInFor(handle: RemoteHandle): Publishable | undefined;
  /** Counts one more gift of a third Tub's object; taken back if the message is. */
  giveAway(handle: RemoteHandle): number;
  /** An object of ours that the peer names. */
  exported(clid: number): Publishable | undefined;
  /** An object of the peer came. */
  imported(clid: number, interfaceName: string | undefined, furl: string | undefined): RemoteHandle;
  /** A gift came: fetches it into `pending`, and acknowledges it. */
  fetchGift(giftId: number, furl: string, pending: Pending): void;
}

function sliceMine(object: Publishable, out: Slicing, host: ReferenceHost): void {
  if (object instanceof Forwarder) {
    const { target } = object;
    if (target !== undefined && host.owns(target)) return sliceTheirs(target, out, host);
  }
  const isFunction = object instanceof Callable;
  const { entry, isNew } = host.give(object);
  const encoder = out.encoder;
  const number = encoder.open("my-reference");
  encoder.integer(isFunction ? -entry.clid : entry.clid);
  if (isNew) {
    out.word(isFunction ? "" : object.getInterfaceName() ?? "");
    const furl = host.furlOf(object);
    if (furl !== undefined) encoder.word(furl);
  }
  encoder.close(number);
}

function sliceTheirs(handle: RemoteHandle, out: Slicing, host: ReferenceHost): void {
  const { clid, furl } = RemoteHandle.trackerOf(handle);
  const encoder = out.encoder;
  if (RemoteHandle.isReleased(handle)) {
    throw new Violation("Cannot serialize a reference that was released");
  }
  const crossed = RemoteHandle.standInOf(handle);
  if (crossed !== undefined) return sliceMine(crossed, out, host);
  if (host.owns(handle)) {
    if (clid < 0 && !host.takesFunctionsHome) {
      throw new Violation("Cannot send a function back home: Python Foolscap drops the connection");
    }
    const number = encoder.open("your-reference");
    if (clid < 0) encoder.integer(clid);
    else identifier(encoder, clid);
    encoder.close(number);
    return;
  }
  const standIn = host.standInFor(handle);
  if (standIn !== undefined) return sliceMine(standIn, out, host);
  if (furl === undefined) {
    throw new Violation(
      "Cannot give a third Tub's object away: it has no FURL, for its Tub has no location or has proved no TubID",
    );
  }
  if (out.copyableDepth > 0) {
    throw new Violation(
      "Cannot give a third Tub's object away inside a Copyable: Python Foolscap drops the connection",
    );
  }
  const giftId = host.giveAway(handle);
  const number = encoder.open("their-reference");
  encoder.integer(giftId);
  encoder.word(furl);
  encoder.close(number);
}

function refuseIdentity(): never {
  throw new Violation(
    "Cannot serialize an OnlyReferenceable: it has an identity and no methods; derive from Referenceable",
  );
}

/** The slicers of references on one connection. */
export function referenceSlicers(host: ReferenceHost): readonly (readonly [object, Slicer])[] {
  const mine = (object: Publishable, out: Slicing) => sliceMine(object, out, host);
  const theirs = (handle: RemoteHandle, out: Slicing) => sliceTheirs(handle, out, host);
  return [
    [Referenceable.prototype, mine],
    [Callable.prototype, mine],
    [OnlyReferenceable.prototype, refuseIdentity],
    [RemoteReference.prototype, theirs],
    [RemoteFunction.prototype, theirs],
  ];
}

/** The unslicers of references on one connection. */
export function referenceUnslicers(host: ReferenceHost): readonly (readonly [string, UnslicerType])[] {
  return [
    ["my-reference", { make: (receiver) => new MyReferenceUnslicer(receiver, host) }],
    ["your-reference", { make: (receiver) => new YourReferenceUnslicer(receiver, host) }],
    ["their-reference", { make: (receiver) => new TheirReferenceUnslicer(receiver, host) }],
  ];
}

abstract class ReferenceTokens extends Unslicer {
  protected id = 0;
  protected readonly words: string[] = [];

  protected checkId(type: number, kind: string, mayBeNegative: boolean): void {
    if (type !== INT && !(mayBeNegative && type === NEG)) {
      throw new ProtocolError(`${kind} ID must be an INT${mayBeNegative ? " or NEG" : ""}`);
    }
  }
  protected checkWord(type: number, size: number, limit: number): void {
    if (type !== STRING && type !== VOCAB) throw new Violation("A reference takes STRINGs after its ID");
    if (size > limit) throw new Violation(`STRING token too large: ${size} > ${limit} bytes`);
  }
  override receive(value: unknown): void {
    if (typeof value !== "number") throw new ProtocolError("Reference ID is too large");
    this.id = value;
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.words.push(decodeText(bytes, start, end));
    } catch (cause) {
      throw new Violation("Text of a reference is not UTF-8", { cause });
    }
  }
  protected checkComplete(least: number): void {
    if (this.count < least) throw new ProtocolError("Sequence of a reference ended too early");
  }
}

/** `OPEN my-reference INT(clid) [STRING(interface) [STRING(furl)]] CLOSE`; NEG for a function. */
class MyReferenceUnslicer extends ReferenceTokens {
  readonly #host: ReferenceHost;

  constructor(receiver: Receiving, host: ReferenceHost) {
    super(receiver);
    this.#host = host;
  }
  override checkToken(type: number, size: number): void {
    if (this.count === 0) return this.checkId(type, "Reference", true);
    if (this.count > 2) throw new Violation("Too many parameters in my-reference");
    this.checkWord(type, size, this.count === 1 ? MAX_NAME_BYTES : MAX_FURL_BYTES);
  }
  override close(): RemoteHandle {
    this.checkComplete(1);
    if (this.id === 0) throw new ProtocolError("Reference ID must not be 0");
    return this.#host.imported(this.id, this.words[0], this.words[1]);
  }
}

/** `OPEN your-reference INT(clid) CLOSE`; NEG is taken too, though Python refuses it. */
class YourReferenceUnslicer extends ReferenceTokens {
  readonly #host: ReferenceHost;

  constructor(receiver: Receiving, host: ReferenceHost) {
    super(receiver);
    this.#host = host;
  }
  override checkToken(type: number): void {
    if (this.count > 0) throw new ProtocolError("your-reference takes one ID");
    this.checkId(type, "your-reference", true);
  }
  override close(): unknown {
    this.checkComplete(1);
    const object = this.#host.exported(this.id);
    if (object === undefined) throw new Violation(`your-reference names an unknown object: ${this.id}`);
    // What an adapter stands for is what comes home.
    return adaptedBy(object) ?? object;
  }
}

/** `OPEN their-reference INT(gift) STRING(furl) CLOSE` */
export class TheirReferenceUnslicer extends ReferenceTokens {
  readonly #host: Pick<ReferenceHost, "fetchGift">;

  /** @param host Fetches what it names. */
  constructor(receiver: Receiving, host: Pick<ReferenceHost, "fetchGift">) {
    super(receiver);
    this.#host = host;
  }
  override checkToken(type: number, size: number): void {
    if (this.count === 0) return this.checkId(type, "their-reference gift", false);
    if (this.count > 1) throw new Violation("Too many parameters in their-reference");
    this.checkWord(type, size, MAX_FURL_BYTES);
  }
  override close(): PendingResult {
    this.checkComplete(2);
    const pending = new Pending(this.receiver.scope);
    this.#host.fetchGift(this.id, this.words[0]!, pending);
    return new PendingResult(pending);
  }
}
