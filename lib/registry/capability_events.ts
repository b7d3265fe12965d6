/**
 * What happened to capabilities, kept and told.
 *
 * @module
 */

import { PermissionDenied, toError } from "../errors.ts";
import { MAX_EVENT_CAPACITY, MAX_EVENT_METHOD } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import { redact } from "../util/redact.ts";
import { runCallback } from "../util/run_callback.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import type { AuditTrail } from "./audit_trail.ts";
import type { CapabilityEvent, CapabilityHappening, LimitKind } from "./capability_event.ts";

/** Options of {@linkcode CapabilityRegistry.events}. */
export interface EventOptions {
  /**
   * How many events wait to be read; the oldest one makes room for one more, and is counted as dropped.
   *
   * @default 1_000
   */
  readonly capacity?: number | undefined;
  /**
   * Only those of capabilities with this label.
   *
   * @default all
   */
  readonly label?: string | undefined;
  /**
   * Only those of this capability: it, or its `id`.
   *
   * @default all
   */
  readonly capability?: number | { readonly id: number } | undefined;
}

/**
 * The events of a registry from here on, for one reader: `for await (const event of registry.events())`. It ends with the
 * registry, when what is left has been read, and by being disposed.
 */
export class CapabilityEvents implements AsyncIterableIterator<CapabilityEvent, undefined>, Disposable {
  readonly #ring: (CapabilityEvent | undefined)[] = [];
  readonly #capacity: number;
  readonly #onClosed: (events: CapabilityEvents) => void;
  #first = 0;
  #size = 0;
  #dropped = 0;
  #isClosed = false;
  readonly #waiting = new Set<(result: IteratorResult<CapabilityEvent, undefined>) => void>();

  /** Use {@linkcode CapabilityRegistry.events}. */
  constructor(capacity: number, onClosed: (events: CapabilityEvents) => void) {
    this.#capacity = capacity;
    this.#onClosed = onClosed;
  }

  /** How many events had to go before they were read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many events wait to be read. */
  get size(): number {
    return this.#size;
  }

  /** One more event. Called by the registry. */
  push(event: CapabilityEvent): void {
    if (this.#isClosed) return;
    for (const reader of this.#waiting) {
      this.#waiting.delete(reader);
      return reader({ value: event, done: false });
    }
    if (this.#size === this.#capacity) {
      this.#ring[this.#first] = event;
      this.#first = (this.#first + 1) % this.#capacity;
      this.#dropped++;
      return;
    }
    this.#ring[(this.#first + this.#size++) % this.#capacity] = event;
  }

  /** No more events come; those that wait can still be read. */
  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const reader of this.#waiting) reader({ value: undefined, done: true });
    this.#waiting.clear();
    this.#onClosed(this);
  }

  /** The next event, as soon as there is one. */
  next(): Promise<IteratorResult<CapabilityEvent, undefined>> {
    if (this.#size > 0) {
      const value = this.#ring[this.#first]!;
      this.#ring[this.#first] = undefined;
      this.#first = (this.#first + 1) % this.#capacity;
      this.#size--;
      return Promise.resolve({ value, done: false });
    }
    if (this.#isClosed) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => void this.#waiting.add(resolve));
  }

  /** Reads no more. */
  return(): Promise<IteratorResult<CapabilityEvent, undefined>> {
    this[Symbol.dispose]();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Itself: several loops share what comes. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Reads no more, and lets go of what was not read. */
  [Symbol.dispose](): void {
    this.#ring.length = this.#size = this.#first = 0;
    this.end();
  }
}

const NAMES = { capacity: true, label: true, capability: true } satisfies Record<keyof EventOptions, true>;
const DEFAULT_CAPACITY = 1_000;
/** Events that give access: what they tell of does not happen if the audit trail cannot take them down. */
const GIVES: ReadonlySet<CapabilityHappening["type"]> = new Set(["granted", "used", "introduced"]);

/** Gets every event, at once and in order. What it throws goes to the Tub's trace. */
export type EventSink = (event: CapabilityEvent) => void;

interface Reader {
  readonly events: CapabilityEvents;
  readonly label: string | undefined;
  readonly capability: number | undefined;
}

/** Whom an event is about. */
export interface Subject {
  readonly id: number;
  readonly label: string | undefined;
}

/** The events of one registry. */
export class EventLog {
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #sinks: readonly EventSink[];
  readonly #audit: AuditTrail | undefined;
  readonly #readers = new Set<Reader>();
  #isEnded = false;
  #sequence = 0;

  /**
   * @param sinks Get all events.
   * @param audit Gets them before anybody else, and before they happen.
   */
  constructor(clock: Clock, trace: Trace, sinks: readonly EventSink[], audit?: AuditTrail) {
    this.#audit = audit;
    this.#clock = clock;
    this.#trace = trace;
    this.#sinks = sinks;
  }

  /** A new reader, of what happens from here on. */
  open(options: EventOptions): CapabilityEvents {
    const { capacity = DEFAULT_CAPACITY, label, capability } = checkEventOptions(options);
    const events = new CapabilityEvents(capacity, () => void this.#readers.delete(reader));
    const id = typeof capability === "object" ? capability.id : capability;
    const reader: Reader = { events, label, capability: id };
    this.#readers.add(reader);
    return events;
  }

  /**
   * A call passes.
   *
   * @throws {FileError} If the audit trail cannot take it down.
   */
  used(subject: Subject, caller: string | undefined, method: string): void {
    if (this.#count()) this.#tell(subject, { type: "used", caller, method: told(method) });
  }

  /** A call was refused. */
  denied(subject: Subject, caller: string | undefined, method: string, limit: LimitKind): void {
    if (this.#count()) this.#tell(subject, { type: "denied", caller, method: told(method), limit });
  }

  /**
   * A reference goes to a peer.
   *
   * @throws {PermissionDenied} If the audit trail cannot take it down.
   */
  introduced(subject: Subject, to: string | undefined): void {
    try {
      this.record(subject, { type: "introduced", to });
    } catch (cause) {
      throw new PermissionDenied(
        "Cannot give a reference: that cannot be recorded at the moment; try again later",
        { limit: "record", cause },
      );
    }
  }

  /**
   * Any other event.
   *
   * @throws {FileError} If the audit trail cannot take it down, and it is something that gives access: an end happens
   *   whatever the disk does.
   */
  record(subject: Subject, what: CapabilityHappening): void {
    if (this.#count()) this.#tell(subject, what);
  }

  /** Ends all readers, when they have read what there is. */
  end(): void {
    this.#isEnded = true;
    for (const { events } of [...this.#readers]) events.end();
  }

  /** Whether anybody is told. */
  get isHeard(): boolean {
    return this.#readers.size > 0 || this.#sinks.length > 0 || this.#audit !== undefined;
  }

  #count(): boolean {
    this.#sequence++;
    return this.isHeard;
  }

  #tell({ id, label }: Subject, what: CapabilityHappening): void {
    const at = this.#clock.now();
    const event: CapabilityEvent = Object.freeze({
      at,
      sequence: this.#sequence,
      capability: id,
      label,
      ...what,
    });
    try {
      // After the end nothing more is written of grants that were cleared: their refusals, their ends. What would give access is
      // left to the trail, which is closed and refuses it.
      if (!this.#isEnded || GIVES.has(what.type)) this.#audit?.take(event);
    } catch (error) {
      if (GIVES.has(what.type)) throw error;
      // The trail counts what it has missed, and says so when it can write again.
      this.#trace({ type: "callback-failed", where: "audit file", error: toError(error) });
    }
    for (const reader of this.#readers) {
      if (reader.label !== undefined && reader.label !== label) continue;
      if (reader.capability === undefined || reader.capability === id) reader.events.push(event);
    }
    for (const sink of this.#sinks) {
      runCallback(
        () => sink(event),
        (error) => this.#trace({ type: "callback-failed", where: "capability events", error }),
      );
    }
  }
}

/** A peer chooses the name of a method that does not exist: it may be long, and a FURL. */
function told(method: string): string {
  const text = method.includes("://") ? redact(method) : method;
  return text.length > MAX_EVENT_METHOD ? `${text.slice(0, MAX_EVENT_METHOD)}…`.toWellFormed() : text;
}

function checkEventOptions(options: EventOptions): EventOptions {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(NAMES, name)) continue;
    throw new TypeError(
      `Cannot give events: there is no option ${quoteForeign(name, 64)}; it is one of ${
        Object.keys(NAMES).join(", ")
      }`,
    );
  }
  const { capacity } = options;
  if (
    capacity !== undefined &&
    !(Number.isSafeInteger(capacity) && capacity >= 1 && capacity <= MAX_EVENT_CAPACITY)
  ) {
    throw new RangeError(`Cannot give events: capacity is not a number from 1 to ${MAX_EVENT_CAPACITY}`);
  }
  return options;
}
