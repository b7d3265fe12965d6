/**
 * One call of a peer, on its way to its object.
 *
 * @module
 */

import { BadCall } from "../errors.ts";
import { Dict } from "../../values/dict.ts";
import { Kwargs } from "../../values/kwargs.ts";
import { decodeLossy } from "../../util/text.ts";
import type { RemoteReference } from "./remote_reference.ts";
import type { ReferenceTables } from "../broker/counts.ts";
import type { PbTraceEvent } from "../broker/options.ts";
import type { Expression } from "../banana/expression.ts";

/** An object that takes calls of peers. What a peer holds is always one of these. Twisted: `Serializable`, `Referenceable`. */
export interface MessageReceiver {
  /**
   * Serves one call.
   *
   * @param message The method's name, without prefix. Any text: a peer chooses it.
   * @param call The arguments, which are read when they are asked for, and who calls.
   * @returns The result, or a promise of it.
   */
  remoteMessageReceived(message: string, call: PbCall): unknown;
  /** What tells this object from others: those of the same value are one object to a peer. */
  processUniqueID(): unknown;
}

/** One connection, as objects and programs see it. Twisted: `pb.Broker`. */
export interface Broker {
  /** Where the other end is, for people: `tcp:127.0.0.1:4501`. */
  readonly peerAddress: string;
  /** Whether the connection is there. */
  readonly isConnected: boolean;
  /** What is held for the connection. */
  readonly tables: ReferenceTables;
  /** Publishes an object under a name, for the peer of this connection. */
  setNameForLocal(name: string, object: MessageReceiver): void;
  /**
   * A reference to what the peer has published under a name. Nothing is asked: whether there is such an object, a call
   * will tell.
   *
   * @throws {DeadReferenceError} If the connection is gone.
   */
  remoteForName(name: string): RemoteReference;
  /**
   * Calls back when the connection is lost; at once, if it is.
   *
   * @returns Disposing it takes the callback back. What the callback throws goes to the trace.
   */
  notifyOnDisconnect(callback: () => unknown): Disposable;
  /**
   * Has something done, once, when the peer gives back its last reference to an object, or the connection is lost,
   * whichever is first. Whoever asks is called, in that order.
   *
   * @param object One that the peer holds.
   */
  whenReleased(object: MessageReceiver, callback: () => unknown): void;
  /** Tells the option `trace` of what has happened. Never throws. */
  report(event: PbTraceEvent): void;
  /** Ends the connection; what was written is sent first. Never rejects. */
  close(): Promise<void>;
}

/** What a broker does for a call. */
export interface CallHost {
  readonly broker: Broker;
  unserialize(expression: Expression, perspective: object | undefined): unknown;
  /** The same for the arguments of a call: a tuple of them may be given as an array of its own. */
  unserializeArguments(expression: Expression, perspective: object | undefined): unknown;
}

/** One call of a peer. */
export class PbCall {
  readonly #host: CallHost;
  readonly #args: Expression;
  readonly #kw: Expression;
  /** Whether the caller waits for an answer. */
  readonly isAnswerWanted: boolean;
  /** Who the result is for: Viewables in it are seen through that. */
  resultPerspective: object | undefined;

  /** @ignore */
  constructor(host: CallHost, args: Expression, kw: Expression, isAnswerWanted: boolean) {
    this.#host = host;
    this.#args = args;
    this.#kw = kw;
    this.isAnswerWanted = isAnswerWanted;
  }

  /** The connection by which the call came; its `peerAddress` says from where. */
  get broker(): Broker {
    return this.#host.broker;
  }

  /**
   * Reads the arguments; a last one of class `Kwargs` has those that came by name.
   *
   * @param perspective Who calls, if that is known: references among the arguments belong to them, and so does the result.
   * @throws {Violation} If they are of a kind that was not declared, such as a class that nobody registered.
   */
  args(perspective?: object): unknown[] {
    this.resultPerspective = perspective;
    const args = this.#host.unserializeArguments(this.#args, perspective);
    const kw = this.#host.unserialize(this.#kw, perspective);
    if (!Array.isArray(args)) throw new BadCall("Cannot call: the arguments are no tuple");
    const values: unknown[] = Object.isFrozen(args) ? Array.from(args) : args;
    const named = namedArguments(kw);
    return named === undefined ? values : [...values, named];
  }
}

function namedArguments(kw: unknown): Kwargs | undefined {
  if (typeof kw !== "object" || kw === null || Array.isArray(kw)) {
    throw new BadCall("Cannot call: the keyword arguments are no dictionary");
  }
  if (!(kw instanceof Dict) && isEmpty(kw)) return undefined;
  const entries: [unknown, unknown][] = kw instanceof Dict ? [...kw.entries()] : Object.entries(kw);
  if (entries.length === 0) return undefined;
  const named: [string, unknown][] = entries.map(([key, value]) => {
    // A peer in Python 2 sends the names as bytes.
    const name = key instanceof Uint8Array ? decodeLossy(key) : key;
    if (typeof name !== "string" || name === "" || !name.isWellFormed()) {
      throw new BadCall("Cannot call: keywords must be strings");
    }
    return [name, value];
  });
  const record: Record<string, unknown> = Object.create(null);
  for (const [name, value] of named) record[name] = value;
  return new Kwargs(record);
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
