/**
 * Errors as they travel: a `copyable` of type `twisted.python.failure.Failure`, all of whose fields are byte
 * strings.
 *
 * A peer learns an error's type and message, no paths of this machine, and its stack only if the Tub says so.
 *
 * Source: Foolscap `call.py`, `FailureSlicer` and `CopiedFailure`. Unlike there, texts are cut by bytes: Python
 * counts characters, and its receiver refuses what is then too long.
 *
 * @module
 */

import { RemoteException, toError, Violation } from "../errors.ts";
import { addCopyType } from "../graph/copy_types.ts";
import type { Slicing } from "../graph/slicing.ts";
import { MAX_FAILURE_BYTES } from "../limits.ts";
import { redact } from "../names/redact.ts";
import { encodeText, truncateUtf8 } from "../util/text.ts";
import { STRING } from "../wire/tokens.ts";
import { wireTypesOf } from "./wire_types.ts";

/** The type of a failure on the wire. */
export const FAILURE_TYPE = "twisted.python.failure.Failure";

/** What stands for a traceback that is kept secret; Foolscap's own words. */
const NO_TRACEBACK = "Traceback unavailable\n";

/** The four fields of a failure, in the order in which Python sends them. */
export interface FailureFields {
  readonly value: string;
  readonly type: string;
  readonly traceback: string;
  readonly parents: readonly string[];
}

/**
 * What a peer is told of an error.
 *
 * @param exposes Whether it is told the stack, and paths in messages.
 */
export function failureOf(thrown: unknown, exposes: boolean): FailureFields {
  const error = toError(thrown);
  const types = wireTypesOf(error);
  const [type = "javascript.Error"] = types;
  const isRelayed = error instanceof RemoteException;
  const message = redact(textOf(() => isRelayed ? error.message : error.message));
  return {
    value: cut(exposes || isRelayed ? message : withoutPaths(message), MAX_FAILURE_BYTES.value),
    type: cut(type, MAX_FAILURE_BYTES.type),
    traceback: exposes ? cutMiddle(redact(tracebackOf(error))) : NO_TRACEBACK,
    parents: types.slice(0, MAX_FAILURE_BYTES.parents).map((parent) => cut(parent, MAX_FAILURE_BYTES.type)),
  };
}

function tracebackOf(error: Error): string {
  if (error instanceof RemoteException) return error.remoteTraceback;
  return textOf(() => error.stack ?? "") || NO_TRACEBACK;
}

/** Text that the program's own code gives, which may throw or not be text at all. */
function textOf(get: () => unknown): string {
  try {
    return String(get()).toWellFormed();
  } catch {
    return "";
  }
}

/** Hides what looks like an absolute path or a file URL. */
export function withoutPaths(text: string): string {
  return text
    .replace(/file:\/\/[^\s'"`)>\]]+/g, "…")
    .replace(/(^|[\s'"`(<[=,:])(?:\/(?!\/)[^\s'"`()<>,:]+|[A-Za-z]:\\[^\s'"`()<>,]+)/g, "$1…");
}

function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || encodeText(text).length <= maxBytes) return text;
  return `${truncateUtf8(text, maxBytes - 3)}..`;
}

/** The beginning and the end of a text that is too long, as Foolscap does it. */
function cutMiddle(text: string): string {
  const max = MAX_FAILURE_BYTES.traceback;
  if (encodeText(text).length <= max - 100) return text;
  const bytes = encodeText(text);
  const end = new TextDecoder().decode(bytes.subarray(bytes.length - 1150)).replace(/^\ufffd+/, "");
  return `${truncateUtf8(text, 700)}\n\n-- TRACEBACK ELIDED --\n\n${end}`;
}

/** Writes a failure. */
export function sliceFailure(failure: FailureFields, out: Slicing): void {
  const encoder = out.encoder;
  const number = encoder.open("copyable");
  encoder.word(FAILURE_TYPE);
  encoder.word("value");
  encoder.word(failure.value);
  encoder.word("type");
  encoder.word(failure.type);
  encoder.word("traceback");
  encoder.word(failure.traceback);
  encoder.word("parents");
  const list = encoder.open("list");
  for (const parent of failure.parents) encoder.word(parent);
  encoder.close(list);
  encoder.close(number);
}

/** Python cuts by characters, of which each can have four bytes. */
const SLACK = 4;

addCopyType(FAILURE_TYPE, {
  kind: "factory",
  cyclic: false,
  checkToken(name, type, size) {
    if (type !== STRING) return;
    const limit = (name === "traceback" || name === "value" || name === "type"
      ? MAX_FAILURE_BYTES[name]
      : MAX_FAILURE_BYTES.type) * SLACK;
    if (size > limit) {
      throw new Violation(`STRING token too large: ${size} > ${limit}`);
    }
  },
  make(state) {
    const { parents } = state;
    return new RemoteException(foreignText(state["value"]), {
      remoteType: foreignText(state["type"]),
      remoteTraceback: foreignText(state["traceback"]),
      remoteParents: Array.isArray(parents)
        ? parents.slice(0, MAX_FAILURE_BYTES.parents).map(foreignText)
        : [],
    });
  },
});

function foreignText(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : "";
}
