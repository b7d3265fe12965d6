/**
 * The lines of an audit file: JSON, each with the hash of the line before it, and with a MAC under a key of the Tub.
 *
 * `{"line":7,"at":...,"type":"used",...,"prev":"<SHA-256 of line 6>","mac":"<HMAC-SHA-256 of all that stands before it>"}`
 *
 * @module
 */

import { nodeBuffer, nodeCrypto } from "../util/node.ts";
import type { AuditHead } from "../registry/audit_trail.ts";

/** In the first line of a file, and of each life of the Tub. */
export const AUDIT_VERSION = 1;
/** What the first line has as the hash of the one before. */
export const NO_LINE = "";

/** The rest of a line that the process was killed in, as the next line tells of it. */
export interface TornLine {
  readonly bytes: number;
  /** SHA-256 of them, in base64. */
  readonly hash: string;
}

/** What a line may tell besides an event. */
export type AuditMark =
  /** The Tub starts; `after` is how the life before ended. */
  | {
    readonly type: "opened";
    readonly version: number;
    readonly tub: string;
    readonly after: "nothing" | "closed" | "unclosed";
    readonly torn: TornLine | undefined;
  }
  /** So many events before this one could not be written. */
  | { readonly type: "missed"; readonly count: number }
  /** The file had another length than was written: somebody else has written to it, or cut it. */
  | { readonly type: "disturbed"; readonly expected: number; readonly found: number }
  /** The Tub has stopped. */
  | { readonly type: "closed" };

/** Where the chain of an empty file is. */
export const EMPTY_HEAD: AuditHead = Object.freeze({ line: 0, hash: NO_LINE });

/** The line after `head`, without its newline. */
export function writeLine(what: object, head: AuditHead, key: Uint8Array): string {
  const body = JSON.stringify({ line: head.line + 1, ...what, prev: head.hash }).slice(0, -1);
  return `${body},"mac":"${macOf(body, key)}"}`;
}

/** The hash of a line without its newline, in base64. */
export function hashOf(line: string | Uint8Array): string {
  return nodeCrypto().createHash("sha256").update(line).digest("base64");
}

/** A line, read; nothing of it has been verified. */
export interface ReadLine {
  readonly line: number;
  readonly type: string;
  readonly prev: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const MAC = /^(\{.*),"mac":"([A-Za-z0-9+/=]{44})"\}$/s;

/** The fields of a line; `undefined` if it is none. */
export function readLine(text: string): ReadLine | undefined {
  if (!MAC.test(text)) return undefined;
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const { line, type, prev } = fields;
    if (!Number.isSafeInteger(line) || typeof type !== "string" || typeof prev !== "string") return undefined;
    return { line: line as number, type, prev, fields };
  } catch {
    return undefined;
  }
}

/** Whether a line was written with this key. */
export function isGenuine(text: string, key: Uint8Array): boolean {
  const [, body, mac] = MAC.exec(text) ?? [];
  if (body === undefined || mac === undefined) return false;
  return nodeCrypto().timingSafeEqual(nodeBuffer().from(macOf(body, key)), nodeBuffer().from(mac));
}

function macOf(body: string, key: Uint8Array): string {
  return nodeCrypto().createHmac("sha256", key).update(body).digest("base64");
}
