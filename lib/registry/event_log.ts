/**
 * Tells what happens to capabilities to all who listen. With nobody there it only counts.
 *
 * @module
 */

import { PermissionDenied, toError } from "../errors.ts";
import { MAX_EVENT_CAPACITY, MAX_EVENT_METHOD } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import { redact } from "../util/redact.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import type { AuditTrail } from "./audit_trail.ts";
import type { CapabilityEvent, CapabilityHappening, LimitKind } from "./capability_event.ts";
import { CapabilityEvents, type EventOptions } from "./capability_events.ts";

const NAMES = { capacity: true, label: true, capability: true } satisfies Record<keyof EventOptions, true>;
const DEFAULT_CAPACITY = 1_000;
/** What does not happen if it cannot be taken down. */
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
    if (this.#isHeard()) this.#tell(subject, { type: "used", caller, method: told(method) });
  }

  /** A call was refused. */
  denied(subject: Subject, caller: string | undefined, method: string, limit: LimitKind): void {
    if (this.#isHeard()) this.#tell(subject, { type: "denied", caller, method: told(method), limit });
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
   * Something else, that happens seldom.
   *
   * @throws {FileError} If the audit trail cannot take it down, and it is something that gives access: an end happens
   *   whatever the disk does.
   */
  record(subject: Subject, what: CapabilityHappening): void {
    if (this.#isHeard()) this.#tell(subject, what);
  }

  /** Ends all readers, when they have read what there is. */
  end(): void {
    this.#isEnded = true;
    for (const { events } of [...this.#readers]) events.end();
  }

  #isHeard(): boolean {
    this.#sequence++;
    return this.#readers.size > 0 || this.#sinks.length > 0 || this.#audit !== undefined;
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
      // What was cleared can still be called and refuses: the trail has had its last line, and takes nothing that gives access.
      if (!this.#isEnded || GIVES.has(what.type)) this.#audit?.take(event);
    } catch (error) {
      if (GIVES.has(what.type)) throw error;
      // The trail knows that it has missed one, and says so when it can write again.
      this.#trace({ type: "callback-failed", where: "audit file", error: toError(error) });
    }
    for (const reader of this.#readers) {
      if (reader.label !== undefined && reader.label !== label) continue;
      if (reader.capability === undefined || reader.capability === id) reader.events.push(event);
    }
    for (const sink of this.#sinks) {
      try {
        sink(event);
      } catch (thrown) {
        this.#trace({ type: "callback-failed", where: "capability events", error: toError(thrown) });
      }
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
