/**
 * What to say of objects that cannot be sent.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { Kwargs } from "../values/kwargs.ts";

const TEMPORAL = /^Temporal\./;
const GENERATOR = /^(Async)?Generator$/;
const BOXES = [Number, String, Boolean, BigInt, Symbol];

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** What to do instead, for kinds of objects that people try to send. */
const ADVICE: readonly (readonly [test: (value: object) => boolean, advice: string])[] = [
  [(v) => v instanceof Promise, "a Promise: await it first"],
  [(v) => v instanceof Date, "a Date: send its getTime() or toISOString()"],
  [(v) => v instanceof ArrayBuffer, "an ArrayBuffer: send new Uint8Array(buffer)"],
  [(v) => v instanceof SharedArrayBuffer, "a SharedArrayBuffer: send a copy, new Uint8Array(buffer).slice()"],
  [(v) => v instanceof Error, "an Error: send its message, or throw it"],
  [(v) => v instanceof RegExp, "a RegExp: send its source"],
  [(v) => v instanceof URL, "a URL: send its href"],
  [(v) => v instanceof URLSearchParams, "URLSearchParams: send their toString()"],
  [(v) => TEMPORAL.test(tagOf(v)), "an object of Temporal: send its toString()"],
  [(v) => BOXES.some((box) => v instanceof box), "a primitive in a box: send its valueOf()"],
  [
    (v) => GENERATOR.test(tagOf(v)),
    "a generator: send an array of what it gives, or an object that gives it call by call",
  ],
  [
    (v) => v instanceof ReadableStream || v instanceof WritableStream,
    "a stream: send an object whose methods read or write one piece a call",
  ],
  [
    (v) => v instanceof Kwargs,
    "keyword arguments as a value: kwargs({...}) is the last argument of a call, and nothing else",
  ],
  [(v) => v instanceof WeakMap || v instanceof WeakSet || v instanceof WeakRef, "a weak collection"],
];

const ofConnections: object[] = [];
const otherAdvice: (readonly [prototype: object, advice: string])[] = [];

/** Says what to do instead of sending objects of a class that this layer does not know. */
export function adviseInstead(construct: { readonly prototype: object }, advice: string): void {
  otherAdvice.push([construct.prototype, advice]);
}

/** Says of a class that only a connection can send its objects. */
export function onlyByConnection(construct: { readonly prototype: object }): void {
  ofConnections.push(construct.prototype);
}

/** Why an object of which no slicer knows cannot be sent, and what can be. */
export function unsendable(value: object): Violation {
  if (ofConnections.some((prototype) => Object.prototype.isPrototypeOf.call(prototype, value))) {
    return new Violation(
      `Cannot serialize an instance of ${className(value)}: only a connection can send one; store its FURL`,
    );
  }
  const advice = ADVICE.find(([test]) => test(value))?.[1] ??
    otherAdvice.find(([prototype]) => Object.prototype.isPrototypeOf.call(prototype, value))?.[1];
  if (advice !== undefined) return new Violation(`Cannot serialize ${advice}`);
  const name = className(value);
  if (isOfPlatform(value)) {
    return new Violation(
      `Cannot serialize an instance of ${name}: send what it consists of, or give registerCopier a function for it`,
    );
  }
  return new Violation(
    `Cannot serialize an instance of ${name}: derive ${name} from Referenceable to pass it by reference, ` +
      "from Copyable to pass it by value, or give registerCopier a function for it",
  );
}

function className(value: object): string {
  try {
    const { constructor } = Object.getPrototypeOf(value) as { constructor?: unknown };
    if (typeof constructor === "function" && constructor.name !== "") return constructor.name;
  } catch {
    // A proxy may refuse to tell.
  }
  return "a class";
}

/** Whether nobody can give its class another parent. */
function isOfPlatform(value: object): boolean {
  try {
    const { constructor } = Object.getPrototypeOf(value) as { constructor?: unknown };
    return typeof constructor === "function" &&
      (globalThis as unknown as Record<string, unknown>)[constructor.name] === constructor;
  } catch {
    return false;
  }
}
