/**
 * Token streams written for people: `OPEN list 1 "a" CLOSE`.
 *
 * @module
 */

import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { ABORT, CLOSE, INT, NEG, OPEN, PING, STRING } from "../../lib/wire/tokens.ts";
import { joinBytes } from "./graph_receiver.ts";

/** A piece of a stream: a word for `tokens`, an int, bytes of a STRING, or raw bytes in an array. */
export type Piece = string | number | Uint8Array | readonly number[];

/**
 * The bytes of a stream. `OPEN x` is written as `"(x"`, and `)` closes; `!` is an ABORT of the innermost sequence;
 * `~` a PING of 5; another text is a STRING, a number an INT or NEG, an array raw bytes.
 *
 * OPENs are counted from `first`.
 */
export function tokens(pieces: readonly Piece[], first = 0): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const open: number[] = [];
  let next = first;
  for (const piece of pieces) {
    if (typeof piece === "number") {
      parts.push(piece < 0 ? header(-piece, NEG) : header(piece, INT));
    } else if (piece instanceof Uint8Array) {
      parts.push(header(piece.length, STRING), piece);
    } else if (typeof piece !== "string") {
      parts.push(Uint8Array.from(piece));
    } else if (piece === ")") {
      parts.push(header(open.pop()!, CLOSE));
    } else if (piece === "!") {
      parts.push(header(open.at(-1) ?? 0, ABORT));
    } else if (piece === "~") {
      parts.push(header(5, PING));
    } else if (piece.startsWith("(")) {
      open.push(next);
      parts.push(header(next++, OPEN), text(piece.slice(1)));
    } else {
      parts.push(text(piece));
    }
  }
  return joinBytes(parts);
}

/** Header and type byte of a token. */
export function header(value: number, type: number): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest % 128);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Uint8Array.from([...bytes, type]);
}

function text(word: string): Uint8Array {
  const encoder = new TokenEncoder();
  encoder.word(word);
  return joinBytes(encoder.take());
}
