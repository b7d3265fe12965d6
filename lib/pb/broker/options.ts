/**
 * What connections of Perspective Broker can be given.
 *
 * @module
 */

import { type Clock, systemClock } from "../../util/clock.ts";
import { type CopyRegistry, copyTags } from "../jelly/registry.ts";
import { globalSecurity, type SecurityOptions } from "../jelly/security.ts";
import { type PbLimits, resolvePbLimits } from "../limits.ts";
import { type Dialect, DIALECTS } from "./dialect.ts";
import { type PbBrokerLimits, resolveBrokerLimits } from "./limits.ts";
import { type PbTrace, safePbTrace } from "./trace.ts";

/** What both {@linkcode connect} and {@linkcode serve} take. */
export interface PbConnectionOptions {
  /**
   * What the peer may send: forms and classes.
   * @default globalSecurity
   */
  readonly security?: SecurityOptions | undefined;
  /**
   * What is made of copies that arrive.
   * @default copyTags, which all connections share
   */
  readonly registry?: CopyRegistry | undefined;
  /**
   * Whether the peer is told the stack of errors, and paths in their messages.
   * @default false
   */
  readonly unsafeTracebacks?: boolean | undefined;
  /** Limits of values and of the connection. Of those of values both ends need the same. */
  readonly limits?: Partial<PbLimits & PbBrokerLimits> | undefined;
  /**
   * The dialects that are spoken, the preferred one first; a server's order counts.
   * @default ["pb", "none"]
   */
  readonly dialects?: readonly Dialect[] | undefined;
  /**
   * What becomes of a value that cannot be sent: `"refuse"` fails the call; `"send"` tells the peer so in its place, as
   * Twisted does.
   * @default "refuse"
   */
  readonly unpersistable?: "refuse" | "send" | undefined;
  /**
   * After how long without a byte the system asks a TCP peer whether it is there, in milliseconds.
   * @default 60_000
   */
  readonly keepAliveMs?: number | undefined;
  /** Is told what happens. */
  readonly trace?: PbTrace | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** The same, with nothing missing. */
export interface Settings {
  readonly security: SecurityOptions;
  readonly registry: CopyRegistry;
  readonly unsafeTracebacks: boolean;
  readonly limits: PbLimits;
  readonly brokerLimits: PbBrokerLimits;
  readonly dialects: readonly Dialect[];
  readonly unpersistable: "refuse" | "send";
  readonly keepAliveMs: number;
  /** Must not throw. */
  readonly trace: PbTrace;
  readonly clock: Clock;
}

/** The names of the limits that a broker has beside those of values. */
const BROKER_LIMITS: ReadonlySet<string> = new Set(Object.keys(resolveBrokerLimits()));

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} If a limit or dialect is unknown.
 * @throws {RangeError} If a number is out of its range.
 */
export function resolveSettings(options: PbConnectionOptions): Settings {
  const ofBroker: [string, number | undefined][] = [];
  const ofValues: [string, number | undefined][] = [];
  for (const entry of Object.entries(options.limits ?? {})) {
    (BROKER_LIMITS.has(entry[0]) ? ofBroker : ofValues).push(entry);
  }
  const { dialects = DIALECTS, keepAliveMs = 60_000 } = options;
  const unknown = dialects.find((dialect) => !DIALECTS.includes(dialect));
  if (dialects.length === 0 || unknown !== undefined) {
    throw new TypeError(
      `Cannot speak ${String(unknown ?? "no dialect")}: dialects are ${DIALECTS.join(", ")}`,
    );
  }
  if (!Number.isSafeInteger(keepAliveMs) || keepAliveMs < 1) {
    throw new RangeError("Cannot use keepAliveMs: it is not a whole number of 1 or more");
  }
  return {
    security: options.security ?? globalSecurity,
    registry: options.registry ?? copyTags,
    unsafeTracebacks: options.unsafeTracebacks === true,
    limits: resolvePbLimits(Object.fromEntries(ofValues)),
    brokerLimits: resolveBrokerLimits(Object.fromEntries(ofBroker)),
    dialects,
    unpersistable: options.unpersistable ?? "refuse",
    keepAliveMs,
    trace: safePbTrace(options.trace),
    clock: options.clock ?? systemClock,
  };
}
