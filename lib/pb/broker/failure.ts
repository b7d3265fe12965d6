/**
 * Errors on their way to a peer, and what comes of those that a peer sends.
 *
 * Source: Twisted `spread/pb.py`, `CopyableFailure`, `CopiedFailure`.
 *
 * @module
 */

import { RemoteException, toError } from "../../errors.ts";
import { redact, withoutPaths } from "../../util/redact.ts";
import { decodeLossy, encodeText, truncateUtf8 } from "../../util/text.ts";
import { Dict } from "../../values/dict.ts";
import type { BananaEncoder } from "../banana/encoder.ts";
import type { Expression } from "../banana/expression.ts";
import { RemoteError } from "../errors.ts";
import { copyTags, SecurityOptions } from "../jelly/security.ts";
import { typesOf } from "./error_types.ts";

/** The tag of an error that is sent as what is known of it. */
export const FAILURE_TAG = "twisted.spread.pb.CopyableFailure";
/** What stands for a traceback that is kept secret; Twisted's own words. */
const NO_TRACEBACK = "Traceback unavailable\n";
/** Longest texts, in bytes: far more than is shown, and far less than the limit of a string. */
const MAX_MESSAGE_BYTES = 8_192, MAX_TRACEBACK_BYTES = 65_536;
/** What a peer says of one error is kept up to this. */
const MAX_FOREIGN = { message: 32_768, type: 400, traceback: 262_144, parents: 200 };

/** What a peer is told of an error. */
export interface FailureFields {
  readonly type: string;
  readonly value: string;
  readonly traceback: string;
  readonly parents: readonly string[];
}

/**
 * What a peer is told of whatever was thrown. Never throws.
 *
 * @param exposes Whether it is told the stack, and paths in messages: Twisted's `unsafeTracebacks`.
 */
export function failureOf(thrown: unknown, exposes: boolean): FailureFields {
  try {
    const error = toError(thrown);
    const isForeign = error instanceof RemoteException;
    const parents = isForeign ? [...error.remoteParents] : typesOf(error);
    const type = isForeign ? error.remoteType : parents[0]!;
    // The name in a FURL is a key: nobody gets it by an error, whatever else is exposed.
    const message = textOf(redact(textOf(error.message, MAX_MESSAGE_BYTES)), MAX_MESSAGE_BYTES);
    const stack = isForeign ? error.remoteTraceback : error.stack;
    return {
      type,
      // Paths in the message of another peer are none of this machine's.
      value: exposes || isForeign ? message : withoutPaths(message),
      traceback: exposes
        ? textOf(redact(textOf(stack ?? "", MAX_TRACEBACK_BYTES)), MAX_TRACEBACK_BYTES) || NO_TRACEBACK
        : NO_TRACEBACK,
      parents: parents.includes(type) ? parents : [type, ...parents],
    };
  } catch {
    return {
      type: "javascript.Error",
      value: "",
      traceback: NO_TRACEBACK,
      parents: ["javascript.Error", "builtins.Exception"],
    };
  }
}

function textOf(value: unknown, maxBytes: number): string {
  return truncateUtf8(String(value).slice(0, maxBytes).toWellFormed(), maxBytes);
}

/**
 * Writes a failure: the ten keys of Twisted, of which its newer releases need text keys and `parents`, and all read four.
 */
export function writeFailure(failure: FailureFields, exposes: boolean, encoder: BananaEncoder): void {
  encoder.list(2);
  encoder.word(FAILURE_TAG);
  encoder.list(11);
  encoder.word("dictionary");
  key("count", encoder);
  encoder.integer(1);
  key("type", encoder);
  encoder.bytes(encodeText(failure.type));
  key("value", encoder);
  text(failure.value, encoder);
  key("captureVars", encoder);
  boolean(false, encoder);
  for (const name of ["frames", "stack"]) {
    key(name, encoder);
    encoder.list(1);
    encoder.word("list");
  }
  key("tb", encoder);
  encoder.list(1);
  encoder.word("None");
  key("parents", encoder);
  encoder.list(1 + failure.parents.length);
  encoder.word("list");
  for (const parent of failure.parents) text(parent, encoder);
  key("unsafeTracebacks", encoder);
  boolean(exposes, encoder);
  key("traceback", encoder);
  text(failure.traceback, encoder);
}

function key(name: string, encoder: BananaEncoder): void {
  encoder.list(2);
  text(name, encoder);
}

function text(value: string, encoder: BananaEncoder): void {
  encoder.list(2);
  encoder.word("unicode");
  encoder.word(value);
}

function boolean(value: boolean, encoder: BananaEncoder): void {
  encoder.list(2);
  encoder.word("boolean");
  encoder.word(value ? "true" : "false");
}

/** The error that a caller gets of the state of a failure, whatever is missing in it or of another type. */
export function errorOfState(state: unknown): RemoteError {
  const field = (name: string): unknown => {
    if (state instanceof Dict) return state.get(name) ?? state.get(encodeText(name));
    if (typeof state !== "object" || state === null || !Object.hasOwn(state, name)) return undefined;
    return (state as Record<string, unknown>)[name];
  };
  const parents = field("parents");
  const remoteParents = (Array.isArray(parents) ? parents.slice(0, MAX_FOREIGN.parents) : [])
    .map((parent) => foreign(parent, MAX_FOREIGN.type));
  const remoteType = foreign(field("type"), MAX_FOREIGN.type) || remoteParents[0] || "builtins.Exception";
  return new RemoteError(foreign(field("value"), MAX_FOREIGN.message), {
    remoteType,
    remoteParents: remoteParents.includes(remoteType) ? remoteParents : [remoteType, ...remoteParents],
    remoteTraceback: foreign(field("traceback"), MAX_FOREIGN.traceback) || NO_TRACEBACK,
  });
}

/** What a failure is made of: it can be read whatever the program has declared for values. */
export const FAILURE_FORMS: SecurityOptions = new SecurityOptions().allowBasicTypes();

/** Whether an expression is what a peer tells of an error. */
export function isFailure(expression: Expression): expression is Expression[] {
  if (!Array.isArray(expression) || expression.length < 2) return false;
  const [tag] = expression;
  return tag instanceof Uint8Array && tag.length === FAILURE_TAG.length && decodeLossy(tag) === FAILURE_TAG;
}

// A failure may also stand in a value, as an argument or a result.
copyTags.setUnjellyableForClass(FAILURE_TAG, (unjellier, expression) => {
  return errorOfState(expression[1] === undefined ? undefined : unjellier.unjelly(expression[1]));
});

/** The error that a caller gets of whatever a peer sent for one. */
export function errorOfPayload(payload: unknown): Error {
  if (payload instanceof Error) return payload;
  const told = typeof payload === "string" || payload instanceof Uint8Array;
  return new RemoteError(
    told ? foreign(payload, MAX_FOREIGN.message) : "The peer reported an error without saying which",
    {
      remoteType: "builtins.Exception",
      remoteParents: ["builtins.Exception"],
      remoteTraceback: NO_TRACEBACK,
      cause: payload,
    },
  );
}

/** Text of a peer, cut; bytes of older ones are UTF-8. */
function foreign(value: unknown, max: number): string {
  const shown = value instanceof Uint8Array ? decodeLossy(value) : typeof value === "string" ? value : "";
  return shown.length > max ? shown.slice(0, max).toWellFormed() : shown;
}
