/**
 * Messages compared without the count of OPENs, which goes on through a whole connection.
 */
import { decodeHex, encodeHex } from "../support/hex.ts";

const INT = 0x81, STRING = 0x82, FLOAT = 0x84, LONGINT = 0x85, LONGNEG = 0x86, VOCAB = 0x87, OPEN = 0x88;
const CLOSE = 0x89, ABORT = 0x8a, ERROR = 0x8d;
/** `reference` in vocabulary table 1. */
const REFERENCE = 2;

interface Token {
  readonly type: number;
  value: number;
  readonly body: Uint8Array;
}

function tokensOf(bytes: Uint8Array): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < bytes.length;) {
    let value = 0;
    for (let scale = 1; bytes[at]! < 0x80; scale *= 128) value += bytes[at++]! * scale;
    const type = bytes[at++]!;
    const hasBody = type === STRING || type === LONGINT || type === LONGNEG || type === ERROR;
    const size = type === FLOAT ? 8 : hasBody ? value : 0;
    tokens.push({ type, value, body: bytes.subarray(at, at + size) });
    at += size;
  }
  return tokens;
}

function headerOf(value: number): number[] {
  const header: number[] = [];
  for (let rest = value; rest > 0 || header.length === 0; rest = Math.floor(rest / 128)) {
    header.push(rest % 128);
  }
  return header;
}

/** The messages in some bytes, each as the hex that it would be as the first of its connection. */
export function messagesIn(hex: string): string[] {
  const messages: string[] = [];
  let depth = 0;
  let first = 0;
  let current: number[] = [];
  const tokens = tokensOf(decodeHex(hex));
  for (const [i, { type, value, body }] of tokens.entries()) {
    if (type === OPEN && depth++ === 0) first = value;
    const isNumber = type === OPEN || type === CLOSE || type === ABORT;
    const before = tokens[i - 1], opening = tokens[i - 2];
    const isReference = type === INT && before?.type === VOCAB && before.value === REFERENCE &&
      opening?.type === OPEN;
    if (type !== FLOAT) current.push(...headerOf(isNumber || isReference ? value - first : value));
    current.push(type, ...body);
    if (type === CLOSE) depth--;
    if (depth === 0) {
      messages.push(encodeHex(new Uint8Array(current)));
      current = [];
    }
  }
  if (current.length > 0) throw new RangeError("a message is not complete");
  return messages;
}
