/**
 * What can be said when a Tub is made.
 *
 * @module
 */

import type { KeepaliveTimes } from "../broker/keepalive.ts";
import { type Limits, MIN_AUDIT_FILE_BYTES, MIN_AUDIT_PERIOD_MS, resolveLimits } from "../limits.ts";
import type { Factory } from "../registry/factories.ts";
import type { Clock } from "../util/clock.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import type { AuditOptions } from "./audit_file.ts";
import type { AuditRotation } from "./audit_rotation.ts";
import type { GiftPolicy } from "./gifts.ts";
import type { StoreOptions } from "./store_options.ts";

/** The options that are about files of the registry. */
interface DurableTubOptions {
  readonly certFile?: unknown;
  readonly certData?: unknown;
  readonly store?: string | URL | StoreOptions | undefined;
  readonly factories?: Readonly<Record<string, Factory>> | undefined;
  readonly auditFile?: string | URL | AuditOptions | undefined;
}

const STORE = { file: true, survives: true, countAhead: true } satisfies Record<keyof StoreOptions, true>;
const AUDIT = { file: true, onFailure: true, rotate: true } satisfies Record<keyof AuditOptions, true>;
const ROTATION = {
  maxBytes: MIN_AUDIT_FILE_BYTES,
  everyMs: MIN_AUDIT_PERIOD_MS,
} satisfies Record<keyof AuditRotation, number>;

/**
 * Checks them, before any file is touched.
 *
 * @throws {TypeError} If one is unknown or of a wrong type, or a store would be one of an identity that nobody keeps.
 * @throws {RangeError} If `countAhead` cannot be.
 */
function checkDurable({ certFile, certData, store, factories, auditFile }: DurableTubOptions): void {
  if (store !== undefined) {
    const { survives, countAhead } = checkFile("store", store, STORE) as Partial<StoreOptions>;
    checkChoice("store.survives", survives, ["power-loss", "crash"]);
    if (countAhead !== undefined && !(Number.isSafeInteger(countAhead) && countAhead >= 1)) {
      throw new RangeError("Cannot create Tub: store.countAhead is not a number of calls, at least 1");
    }
    if (certFile === undefined && certData === undefined) {
      throw new TypeError(
        "Cannot create Tub: a store is opened by the key of the Tub, which would be another one next time; give certFile or certData",
      );
    }
  }
  if (auditFile !== undefined) {
    const { onFailure, rotate } = checkFile("auditFile", auditFile, AUDIT) as Partial<AuditOptions>;
    checkChoice("auditFile.onFailure", onFailure, ["refuse", "continue"]);
    if (rotate !== undefined) checkRotation(rotate);
  }
  for (const [name, factory] of Object.entries(factories ?? {})) {
    if (typeof factory === "function") continue;
    throw new TypeError(`Cannot create Tub: the factory ${quoteForeign(name, 64)} is not a function`);
  }
}

function checkRotation(rotate: unknown): void {
  if (typeof rotate !== "object" || rotate === null) {
    throw new TypeError("Cannot create Tub: auditFile.rotate is not { maxBytes, everyMs }");
  }
  const least: Readonly<Record<string, number>> = ROTATION;
  for (const [name, value] of Object.entries(rotate)) {
    if (!Object.hasOwn(least, name)) {
      throw new TypeError(
        `Cannot create Tub: auditFile.rotate has no option ${quoteForeign(name, 64)}; it is one of ${
          Object.keys(least).join(", ")
        }`,
      );
    }
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least[name]!)) {
      throw new RangeError(
        `Cannot create Tub: auditFile.rotate.${name} is not a whole number, at least ${least[name]}`,
      );
    }
  }
}

function checkFile(name: string, option: unknown, names: object): object {
  if (typeof option === "string" || option instanceof URL) return {};
  const { file } = (option ?? {}) as { file?: unknown };
  if (typeof option !== "object" || !(typeof file === "string" || file instanceof URL)) {
    throw new TypeError(`Cannot create Tub: ${name} is neither a path or file: URL, nor has it one as file`);
  }
  for (const key of Object.keys(option as object)) {
    if (Object.hasOwn(names, key)) continue;
    throw new TypeError(
      `Cannot create Tub: ${name} has no option ${quoteForeign(key, 64)}; it is one of ${
        Object.keys(names).join(", ")
      }`,
    );
  }
  return option as object;
}

function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  throw new TypeError(
    `Cannot create Tub: ${name} is not one of ${choices.map((c) => JSON.stringify(c)).join(", ")}`,
  );
}

/** Options of {@linkcode Tub.create}. */
export interface TubOptions {
  /**
   * A PEM file with the Tub's certificate and private key. If there is none, it is made: the Tub is the same one, and
   * its FURLs stay good, each time that it starts from that file.
   *
   * @default a new identity, kept in memory
   */
  readonly certFile?: string | URL | undefined;
  /** The same as PEM, instead of a file: what {@linkcode Tub.getCertData} gave. */
  readonly certData?: string | Uint8Array | undefined;
  /**
   * What peers may make this process spend; those that are left out have their defaults.
   *
   * @default DEFAULT_LIMITS
   */
  readonly limits?: Partial<Limits> | undefined;
  /**
   * Is told what happens inside the Tub. What it throws is ignored.
   *
   * @default nobody is told
   */
  readonly trace?: Trace | undefined;
  /**
   * The time and the timers.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined;
  /**
   * Where names, keys and numbers come from. They are only as good as this is.
   *
   * @default the system's own source
   */
  readonly randomBytes?: RandomBytes | undefined;
  /**
   * Whether peers see tracebacks, and with them paths of this machine, when a method fails. Foolscap: `unsafeTracebacks`.
   *
   * @default false
   */
  readonly unsafeTracebacks?: boolean | undefined;
  /**
   * Whether a peer's failure becomes an instance of the class that {@linkcode registerRemoteError} has for its type; if not,
   * every one is a plain `RemoteException`. Foolscap: option `expose-remote-exception-types`.
   *
   * @default true
   */
  readonly exposeRemoteExceptionTypes?: boolean | undefined;
  /**
   * Whether references to objects of third Tubs are taken from peers: this Tub connects to where the peer says. Foolscap:
   * option `accept-gifts`.
   *
   * @default true
   */
  readonly acceptGifts?: boolean | undefined;
  /**
   * Decides, gift by gift, whether a reference to an object of a third Tub is taken, and where that Tub may be looked for.
   * It is also asked where no connection has to be made. While it thinks, calls behind the gift wait, at most
   * `limits.maxGiftMs`. What it throws refuses the gift and goes to the trace.
   *
   * @default every gift is taken, and hints of the types `tcp`, `tls`, `tor`, `i2p` and `socks` are dialled
   */
  readonly giftPolicy?: GiftPolicy | undefined;
  /**
   * Lets a peer that does not say which connection it had before replace one that is at least this old, in milliseconds;
   * `true` is 60,000. Foolscap: option `handle-old-duplicate-connections`, in seconds there.
   *
   * @default false
   */
  readonly handleOldDuplicateConnections?: boolean | number | undefined;
  /**
   * After how many milliseconds of silence a peer is asked for a sign of life; 0 or `false`: never. So a connection that
   * a router has forgotten is noticed. Connections have what was said when they were made, and a Tub's connection with
   * itself has none. Foolscap: option `keepaliveTimeout`, in seconds there.
   *
   * @default 240_000
   */
  readonly keepaliveTimeoutMs?: number | false | undefined;
  /**
   * After how many milliseconds of silence a connection ends; 0 or `false`: never. To be more than
   * `keepaliveTimeoutMs` and the time that an answer takes: several seconds, where large values are sent on slow lines,
   * as what the systems of both ends hold counts for nothing. Time in which this end does not read, or does not run,
   * does not count; a message that comes or goes slowly is no silence. Foolscap: option `disconnectTimeout`, in seconds
   * there.
   *
   * @default never
   */
  readonly disconnectTimeoutMs?: number | false | undefined;
  /**
   * An SQLite file that keeps durable grants, and what is remembered of attenuated FURLs, for the next start; or more about
   * it. Needs the same `certFile` or `certData` each time: the Tub's key opens it.
   *
   * @default they end with the Tub
   */
  readonly store?: string | URL | StoreOptions | undefined;
  /**
   * What makes the objects of durable grants again, by name. All that are in the store are made before `Tub.create` is
   * done.
   *
   * @default none
   */
  readonly factories?: Readonly<Record<string, Factory>> | undefined;
  /**
   * A file that takes down all that happens to capabilities, line by line; or more about it. See
   * {@linkcode verifyAuditFile}.
   *
   * @default nothing is taken down
   */
  readonly auditFile?: string | URL | AuditOptions | undefined;
}

const NAMES: Readonly<Record<keyof TubOptions, true>> = {
  certFile: true,
  certData: true,
  limits: true,
  trace: true,
  clock: true,
  randomBytes: true,
  unsafeTracebacks: true,
  exposeRemoteExceptionTypes: true,
  acceptGifts: true,
  giftPolicy: true,
  handleOldDuplicateConnections: true,
  keepaliveTimeoutMs: true,
  disconnectTimeoutMs: true,
  store: true,
  factories: true,
  auditFile: true,
};

/**
 * Makes sure of options before anything is made: a wrong limit must not leave a new identity behind, `certfile` would quietly
 * make another one at each start, and nothing would ask a policy that is no function.
 *
 * @throws {TypeError} If there is one of another name, or it is no object, or the policy is no function.
 * @throws {RangeError} If a limit is unknown or no positive number, or a timeout is none.
 */
export function checkOptions(options: TubOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot create Tub: the options are not an object");
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(NAMES, name)) continue;
    throw new TypeError(
      `Cannot create Tub: there is no option ${quoteForeign(name, 64)}; it is one of ${
        Object.keys(NAMES).join(", ")
      }`,
    );
  }
  if (options.giftPolicy !== undefined && typeof options.giftPolicy !== "function") {
    throw new TypeError("Cannot create Tub: giftPolicy is not a function");
  }
  resolveLimits(options.limits);
  oldPeerThresholdMs(options.handleOldDuplicateConnections);
  keepaliveTimes(options);
  checkDurable(options);
}

const OLD_CONNECTION_MS = 60_000;

/**
 * The age at which a connection may be replaced by a peer that remembers nothing, in milliseconds; `undefined` for never.
 *
 * @throws {RangeError} If it is a number that is no time.
 */
export function oldPeerThresholdMs(option: boolean | number | undefined): number | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true) return OLD_CONNECTION_MS;
  if (!(option >= 0)) {
    throw new RangeError("Cannot create Tub: handleOldDuplicateConnections is not a number of milliseconds");
  }
  return option;
}

const KEEPALIVE_MS = 240_000;
/** The longest time that a timer can wait. */
const MAX_TIMER_MS = 0x7fffffff;

/**
 * After how much silence something is done on a connection.
 *
 * @throws {RangeError} If one is not a number of milliseconds from 0 to 2,147,483,647, nor `false`.
 */
export function keepaliveTimes(options: TubOptions): KeepaliveTimes {
  const { keepaliveTimeoutMs = KEEPALIVE_MS, disconnectTimeoutMs = false } = options;
  return {
    keepaliveMs: timeoutOf("keepaliveTimeoutMs", keepaliveTimeoutMs),
    disconnectMs: timeoutOf("disconnectTimeoutMs", disconnectTimeoutMs),
  };
}

function timeoutOf(name: string, option: number | false): number | undefined {
  if (option === false) return undefined;
  if (typeof option !== "number" || !(option >= 0 && option <= MAX_TIMER_MS)) {
    throw new RangeError(
      `Cannot create Tub: ${name} is not a number of milliseconds from 0 to ${MAX_TIMER_MS}, nor false`,
    );
  }
  return option === 0 ? undefined : option;
}
