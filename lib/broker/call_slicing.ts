/**
 * The messages of a connection as they are written: `call`, `answer`, `error`.
 *
 * Source: Foolscap `call.py`, `CallSlicer`, `ArgumentSlicer`, `AnswerSlicer`, `ErrorSlicer`.
 *
 * @module
 */

import type { Slicing } from "../graph/slicing.ts";
import { Kwargs } from "../values/kwargs.ts";
import { sortedKeys } from "../values/sort_keys.ts";
import type { TokenEncoder } from "../wire/encoder.ts";
import { INT, NEG } from "../wire/tokens.ts";
import { type FailureFields, sliceFailure } from "./failure.ts";
import { PROMISED, type ResultPlace } from "./promise_link.ts";

/** A number that names something: an INT or NEG however large it is, where a LONGINT would end the connection. */
export function identifier(encoder: TokenEncoder, value: number): void {
  if (value >= -0x80000000 && value <= 0x7fffffff) encoder.integer(value);
  else encoder.bare(value < 0 ? NEG : INT, Math.abs(value));
}

/** What is called: an object by its number, or a result that only the peer has. */
export type CallTarget = number | ResultPlace;

/** `OPEN promised INT(request) (STRING(key) | INT(index))* CLOSE` */
export function slicePlace({ requestId, path }: ResultPlace, out: Slicing): void {
  const { encoder } = out;
  const number = encoder.open(PROMISED);
  encoder.integer(requestId);
  for (const key of path) {
    if (typeof key === "number") identifier(encoder, key);
    else out.word(key);
  }
  encoder.close(number);
}

/**
 * `OPEN call INT(request) INT(object)|OPEN(promised) STRING(method) OPEN arguments ... CLOSE [INT(milliseconds)] CLOSE`
 *
 * Python ends the connection at the last number: it is only for peers that have agreed to it.
 */
export function sliceCall(
  out: Slicing,
  call: {
    readonly requestId: number;
    readonly target: CallTarget;
    readonly method: string;
    readonly args: readonly unknown[];
    /**
     * How long the caller still waits, in milliseconds: an integer below 2^31, whose highest value is for as long as it is
     * not given up. `undefined`: it is never given up.
     */
    readonly waitMs: number | undefined;
  },
): void {
  const encoder = out.encoder;
  const number = encoder.open("call");
  encoder.integer(call.requestId);
  if (typeof call.target === "number") identifier(encoder, call.target);
  else slicePlace(call.target, out);
  out.word(call.method);
  const inside = encoder.open("arguments");
  sliceArguments(call.args, out);
  encoder.close(inside);
  if (call.waitMs !== undefined) encoder.integer(call.waitMs);
  encoder.close(number);
}

/** `INT(n) value*n (STRING(name) value)*`, the names in order. */
function sliceArguments(args: readonly unknown[], out: Slicing): void {
  const last = args.at(-1);
  const count = last instanceof Kwargs ? args.length - 1 : args.length;
  out.encoder.integer(count);
  let i = 0;
  try {
    for (; i < count; i++) out.slice(args[i]);
  } catch (error) {
    throw out.under(error, `arguments[${i}]`);
  }
  if (!(last instanceof Kwargs)) return;
  const named = last.values as Readonly<Record<string, unknown>>;
  for (const name of sortedKeys(Object.keys(named))) {
    try {
      out.word(name);
      out.slice(named[name]);
    } catch (error) {
      throw out.under(error, `arguments.${name}`);
    }
  }
}

/** `OPEN answer INT(request) value CLOSE` */
export function sliceAnswer(out: Slicing, requestId: number, result: unknown): void {
  const encoder = out.encoder;
  const number = encoder.open("answer");
  identifier(encoder, requestId);
  try {
    out.slice(result);
  } catch (error) {
    throw out.under(error, "result");
  }
  encoder.close(number);
}

/** `OPEN error INT(request) <failure> CLOSE` */
export function sliceError(out: Slicing, requestId: number, failure: FailureFields): void {
  const encoder = out.encoder;
  const number = encoder.open("error");
  identifier(encoder, requestId);
  sliceFailure(failure, out);
  encoder.close(number);
}
