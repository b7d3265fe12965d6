/**
 * Every number that bounds what a peer can make this process spend, with its unit and its reason.
 *
 * @module
 */

/** Limits of one Tub. Give any of them to `Tub.create({ limits })`. */
export interface Limits {
  /** Longest byte string or text, in bytes on the wire. A longer one is a Violation, skipped unbuffered. */
  readonly maxStringBytes: number;
  /** Longest LONGINT or LONGNEG, in bytes: conversion costs more than linear time. */
  readonly maxIntegerBytes: number;
  /** Memory that one decoded message may take, in bytes, by the estimate of `lib/graph/receiver.ts`. */
  readonly maxMessageBytes: number;
  /** Sequences inside each other, sent or received. */
  readonly maxDepth: number;
  /** Elements of one container. */
  readonly maxElements: number;
  /** Bytes of refused values that are skipped in one message before the connection ends. */
  readonly maxSkippedBytes: number;
  /** Objects of ours that one connection may hold references to. */
  readonly maxExports: number;
  /** Objects of the peer that one connection may hold references to. */
  readonly maxImports: number;
  /** Inbound calls of one connection that have not been answered yet. */
  readonly maxPendingCalls: number;
  /** Answers to one connection's calls that are kept until the peer has seen them, for pipelined calls. */
  readonly maxKeptAnswers: number;
  /** Their length together, in bytes on the wire. */
  readonly maxKeptAnswerBytes: number;
  /** Bytes of one header block of the negotiation (Foolscap's own number). */
  readonly maxHeaderBlockBytes: number;
  /** Time from the first byte of a connection to its first token, in milliseconds (Foolscap's own number). */
  readonly negotiationTimeoutMs: number;
  /**
   * Connections of one Tub that have been accepted and not negotiated yet; and, counted apart, streams that were attached for the
   * other end to begin. One more, and the oldest of its kind makes way.
   */
  readonly maxUnnegotiated: number;
  /** A message that has begun must go on within this time of its last byte, in milliseconds. */
  readonly messageStallMs: number;
  /** Above this many bytes waiting to be written, nothing more is read from that peer. */
  readonly pauseReadingBytes: number;
  /** Above this many bytes waiting to be written, the connection ends. */
  readonly maxQueuedBytes: number;
  /** A write that makes no progress for this long ends the connection, in milliseconds. */
  readonly writeStallMs: number;
  /** Connections of one Tub; whoever connects beyond that is turned away. Certificates cost nothing to make. */
  readonly maxConnections: number;
  /** Tubs whose last connection is remembered, for the duplicate rules; a forgotten one is met like a new one. */
  readonly maxRememberedTubs: number;
  /** Hints of peers' gifts that one Tub dials at once; further ones wait. The program's own dials do not count. */
  readonly maxPeerDials: number;
  /** Tubs that one Tub is trying to reach while it still begins to try another one for a peer's gift. */
  readonly maxPeerEfforts: number;
  /**
   * Gifts of one connection that are being fetched at once; further ones wait, within their time. When all of them take
   * more memory than a message may, the connection ends.
   */
  readonly maxPendingGifts: number;
  /**
   * Time to fetch one gift, in milliseconds, from its arrival to the reference: a third Tub that says nothing holds up
   * the calls behind the gift for so long (Foolscap's number, there for connecting alone).
   */
  readonly maxGiftMs: number;
  /**
   * Time for which a gift that the recipient does not acknowledge is kept for it, in milliseconds: several times what a
   * recipient needs to fetch it. Python Tubs that refuse gifts never acknowledge them.
   */
  readonly giftHoldMs: number;
}

const MiB = 1024 * 1024;

/** The limits of a Tub that was given none. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxStringBytes: 64 * MiB,
  maxIntegerBytes: 65_536,
  maxMessageBytes: 128 * MiB,
  maxDepth: 1_000,
  maxElements: 1_000_000,
  maxSkippedBytes: 256 * MiB,
  maxExports: 200_000,
  maxImports: 200_000,
  maxPendingCalls: 50_000,
  maxKeptAnswers: 10_000,
  maxKeptAnswerBytes: 64 * MiB,
  maxHeaderBlockBytes: 4_096,
  negotiationTimeoutMs: 120_000,
  maxUnnegotiated: 200,
  messageStallMs: 600_000,
  pauseReadingBytes: 1 * MiB,
  maxQueuedBytes: 64 * MiB,
  writeStallMs: 60_000,
  maxConnections: 10_000,
  maxRememberedTubs: 10_000,
  maxPeerDials: 200,
  maxPeerEfforts: 1_000,
  maxPendingGifts: 1_000,
  maxGiftMs: 120_000,
  giftHoldMs: 600_000,
});

/**
 * The defaults with some of them replaced.
 *
 * @param limits The ones to replace; each a positive, finite number.
 * @throws {RangeError} If a name is unknown or a number is not positive.
 */
export function resolveLimits(limits: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new RangeError(`Unknown limit "${name}": it is one of ${Object.keys(DEFAULT_LIMITS).join(", ")}`);
    }
    if (typeof value !== "number" || !(value > 0) || value === Infinity) {
      throw new RangeError(`Limit "${name}" is not a positive, finite number`);
    }
  }
  return Object.freeze({ ...DEFAULT_LIMITS, ...limits });
}

/** The longest time that a timer can wait, in milliseconds: what a caller may say that it waits. */
export const MAX_TIMER_MS = 0x7fffffff;
/** Bytes of a token's header (Foolscap's own number). Not an option: Python refuses the 65th. */
export const MAX_TOKEN_HEADER_BYTES = 64;
/** Bytes of an ERROR token's text (Foolscap's `SIZE_LIMIT`). */
export const MAX_ERROR_BYTES = 1_000;
/** Bytes of the first index token of a sequence; the longest known name has 15, longer ones are refused. */
export const MAX_OPENTYPE_BYTES = 64;
/** Bytes of names: methods, arguments, attributes, Copyable types, interfaces. */
export const MAX_NAME_BYTES = 1_000;
/** Keys on the way from a result to a part of it. */
export const MAX_PART_PATH = 64;
/** Words of a vocabulary table that stored bytes bring themselves. */
export const MAX_VOCABULARY_WORDS = 10_000;
/** Bytes of one of its words (Foolscap's own number). */
export const MAX_VOCABULARY_WORD_BYTES = 100;
/** Bytes of a FURL on the wire. */
export const MAX_FURL_BYTES = 8_192;
/** Caveats of one attenuated FURL: each costs its Tub a hash. */
export const MAX_CAVEATS = 64;
/** Bytes of its caveats together: in base64 there is room for them and for hints in a FURL. */
export const MAX_CAVEAT_BYTES = 4_096;
/** Bytes of a label in an attenuated FURL. */
export const MAX_CAVEAT_LABEL_BYTES = 100;
/** Counts of attenuated FURLs that a Tub keeps: 200 bytes each. Beyond that new ones are refused. */
export const MAX_CAVEAT_COUNTS = 100_000;
/** Of them, for FURLs that derive from one name: who has that cannot use up those of others. */
export const MAX_CAVEAT_COUNTS_OF_NAME = 10_000;
/** Revocations of attenuated FURLs that a Tub keeps. The program makes them, no peer. */
export const MAX_CAVEAT_REVOCATIONS = 100_000;
/** Connection hints of one FURL that are tried. */
export const MAX_HINTS = 16;
/** Bytes of one line that an I2P bridge or Tor's control port sends; a destination with its private keys has 2,000. */
export const MAX_PROXY_LINE_BYTES = 8_192;
/** Lines of one answer of Tor's control port; those that are asked for have a handful. */
export const MAX_PROXY_LINES = 100;
/** Bytes that are read of the file that Tor's control port names as its cookie, which has 32. */
export const MAX_COOKIE_BYTES = 64;
/** Bytes of a remote failure's fields: type, value, traceback (Foolscap's `FailureConstraint`). */
export const MAX_FAILURE_BYTES = { type: 200, value: 1_000, traceback: 2_000, parents: 100 } as const;
/** Bytes of a URL that is sent as one. */
export const MAX_URL_BYTES = 65_536;
/** Bytes of the source of a RegExp that is sent as one: to compile it takes time. */
export const MAX_REGEXP_BYTES = 16_384;
/** Bytes of the texts of an Error that is sent as a value: no more is looked through for what must not leave. */
export const MAX_ERROR_VALUE_BYTES = { type: 200, name: 1_000, message: 32_768, stack: 32_768 } as const;
/** Bytes that are on their way by a message port in one direction, and that its receiver so may have to keep. */
export const MESSAGE_PORT_WINDOW_BYTES = 1 * MiB;
/** Bytes of one message of a message port: the two ends can take turns. */
export const MESSAGE_PORT_CHUNK_BYTES = 256 * 1024;
/** Bytes that a WebSocket has not sent yet, above which a writer waits. */
export const WEB_SOCKET_BUFFER_BYTES = 1 * MiB;
/** Bytes that came by a WebSocket and were not read, above which it is cut off: it cannot be told to wait. */
export const WEB_SOCKET_UNREAD_BYTES = 64 * MiB;
/** Names of capabilities that were revoked or have expired, for which it is remembered why they lead nowhere. */
export const MAX_RETIRED_NAMES = 10_000;
/** After how many milliseconds a store writes how often capabilities without `maxCalls` were used. */
export const STORE_FLUSH_MS = 1_000;
/** After how many milliseconds the lines of an audit file are forced to the disk. */
export const AUDIT_SYNC_MS = 1_000;
/** Bytes of one line of an audit file. The program's labels are in it. */
export const MAX_AUDIT_LINE_BYTES = 1_048_576;
/** Bytes that an audit file may be limited to, at least. */
export const MIN_AUDIT_FILE_BYTES = 4_096;
/** The shortest period for which there is an audit file, in milliseconds. */
export const MIN_AUDIT_PERIOD_MS = 1_000;
/** After how many milliseconds a rotation of an audit file that has failed is tried again: it costs a look at the disk. */
export const AUDIT_RETRY_MS = 1_000;
/** How often in a row what was attenuated may be attenuated: a method can do that for its callers. */
export const MAX_ATTENUATIONS = 1_000;
/** SturdyRefs that have crossed one membrane, each of which it keeps an object for. */
export const MAX_MEMBRANE_STURDY_REFS = 10_000;
/** Errors that led to one another, of which a membrane passes on so many. */
export const MAX_ERROR_CAUSES = 16;
/** Events that a reader who does not keep up may leave unread, at most. */
export const MAX_EVENT_CAPACITY = 1_000_000;
/** Characters of a peer's method name that are kept in an event. */
export const MAX_EVENT_METHOD = 200;
/** Characters of one line of what a sandbox prints; the rest of a longer one is dropped. */
export const MAX_SANDBOX_LINE = 2_000;
/** Lines that a sandbox has printed last, kept to tell why it ended. */
export const MAX_SANDBOX_LAST_LINES = 20;
/** Lines in one second that are handed to the program; the rest are read and dropped. */
export const MAX_SANDBOX_LINES_PER_SECOND = 1_000;
/** Calls that wait for a sandbox to be started again. */
export const MAX_SANDBOX_WAITING = 1_000;
/** Calls of Perspective Broker's clients that wait for the object of a FURL to be reached again. */
export const MAX_BRIDGE_WAITING = 1_000;
