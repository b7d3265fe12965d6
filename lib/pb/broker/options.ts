/**
 * What a program can say of a connection: its dialects, its limits, and who is told what happens on it.
 *
 * @module
 */

import { MAX_TIMER_MS } from "../../limits.ts";
import { type Clock, systemClock } from "../../util/clock.ts";
import { runCallback } from "../../util/run_callback.ts";
import { type CopyRegistry, copyTags, globalSecurity, type SecurityOptions } from "../jelly/security.ts";
import {
  checkDepths,
  DEFAULT_BROKER_LIMITS,
  DEFAULT_PB_LIMITS,
  type PbBrokerLimits,
  type PbLimits,
} from "../limits.ts";
import { resolveNumbers } from "../resolve_numbers.ts";

/** `pb` sends frequent words as numbers; `none` sends all as they are. */
export type Dialect = "pb" | "none";

/** All dialects, the preferred one first. */
const DIALECTS: readonly Dialect[] = Object.freeze(["pb", "none"]);

/** What is reported to the option `trace`. No event carries a value that a call carried. */
export type PbTraceEvent =
  /** A connection was agreed on. */
  | { readonly type: "connected"; readonly peer: string; readonly dialect: string }
  /** A connection ended before or after that; `error` says why. */
  | { readonly type: "disconnected"; readonly peer: string; readonly error: Error }
  /** The peer broke the protocol; `disconnected` follows. */
  | { readonly type: "protocol-error"; readonly peer: string; readonly error: Error }
  /**
   * A call of the peer failed here by something else than a {@linkcode PbError}; `error` is what the method threw, before
   * anything was hidden from the peer.
   */
  | { readonly type: "call-failed"; readonly peer: string; readonly method: string; readonly error: Error }
  /** A login of the peer failed here; the `cause` of `error` says what nobody else is told. */
  | { readonly type: "login-failed"; readonly peer: string; readonly error: Error }
  /** Something that the peer sent was dropped without harm, such as an answer to no call. */
  | { readonly type: "dropped"; readonly peer: string; readonly reason: string }
  /** A connection that is kept up has failed or was lost, and is tried again in `delayMs`. */
  | { readonly type: "reconnect-waiting"; readonly delayMs: number; readonly error: Error | undefined }
  /** A callback of the program threw; nothing else is affected. */
  | { readonly type: "callback-failed"; readonly where: string; readonly error: Error };

/** Receives what happens. What it throws, or rejects with, is ignored. */
export type PbTrace = (event: PbTraceEvent) => void;

/** A trace that throws nothing, whatever the program's own does. */
export function safePbTrace(trace: PbTrace | undefined): PbTrace {
  if (trace === undefined) return () => {};
  return (event) => {
    // The hook of last resort: when it fails, there is nobody left to tell.
    runCallback(() => trace(event), () => {});
  };
}

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

/** Those of values and of the connection are one option. */
const DEFAULT_LIMITS: PbLimits & PbBrokerLimits = { ...DEFAULT_PB_LIMITS, ...DEFAULT_BROKER_LIMITS };

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} If a limit or dialect is unknown.
 * @throws {RangeError} If a number is out of its range.
 */
export function resolveSettings(options: PbConnectionOptions): Settings {
  const limits = checkDepths(resolveNumbers(DEFAULT_LIMITS, options.limits));
  const { dialects = DIALECTS, keepAliveMs = 60_000 } = options;
  const unknown = dialects.find((dialect) => !DIALECTS.includes(dialect));
  if (dialects.length === 0 || unknown !== undefined) {
    throw new TypeError(
      `Cannot speak ${String(unknown ?? "no dialect")}: dialects are ${DIALECTS.join(", ")}`,
    );
  }
  if (!Number.isSafeInteger(keepAliveMs) || keepAliveMs < 1 || keepAliveMs > MAX_TIMER_MS) {
    throw new RangeError(`Cannot use keepAliveMs: it is not a whole number from 1 to ${MAX_TIMER_MS}`);
  }
  return {
    security: options.security ?? globalSecurity,
    registry: options.registry ?? copyTags,
    unsafeTracebacks: options.unsafeTracebacks === true,
    limits,
    brokerLimits: limits,
    dialects,
    unpersistable: options.unpersistable ?? "refuse",
    keepAliveMs,
    trace: safePbTrace(options.trace),
    clock: options.clock ?? systemClock,
  };
}
