/**
 * Object 0 of every connection: the broker itself, through which names are looked up and references given back.
 *
 * Source: Foolscap `remoteinterface.py`, `RIBroker`; `broker.py`, `remote_getReferenceByName` and its kin.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { method } from "../graph/schema/method.ts";
import type { InterfaceRules } from "../graph/schema/method_schema.ts";
import { RemoteInterfaceRules } from "../graph/schema/remote_interface.ts";
import { decodeText } from "../util/text.ts";
import type { Publishable } from "./callable.ts";
import { nameErrors } from "./remote_errors.ts";

/** The methods of object 0. */
export const RIBroker: InterfaceRules = new RemoteInterfaceRules("RIBroker", {
  getReferenceByName: method([["name", Uint8Array]]),
  decref: method([["clid", BigInt], ["count", BigInt]], null),
  decgift: method([["giftID", BigInt], ["count", BigInt]], null),
});

/** What object 0 does for a peer. */
export interface BrokerObject {
  lookup(name: string): Publishable | undefined | Promise<Publishable | undefined>;
  /** @returns How many the peer has, if it gives back another number than that or fewer. */
  decref(clid: number, count: number): number | undefined;
  decgift(giftId: number, count: number): void;
}

/** No object has the name that a peer asked for. Python knows it as a KeyError, with this text. */
class UnknownNameError extends Error {
  override name = "UnknownNameError";
}
nameErrors(UnknownNameError, "builtins.KeyError", "builtins.LookupError");

/** A peer gave back more than it was given. Python knows it as an AssertionError. */
class CountError extends Error {
  override name = "CountError";
}
nameErrors(CountError, "builtins.AssertionError");

type Method = (object: BrokerObject, args: unknown[]) => unknown;

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["getReferenceByName", getReferenceByName],
  ["decref", decref],
  ["decgift", decgift],
]);

/** Calls a method of object 0, which {@linkcode RIBroker} has, with its arguments in order. */
export function callBrokerObject(object: BrokerObject, method: string, args: unknown[]): unknown {
  return METHODS.get(method)!(object, args);
}

async function getReferenceByName(object: BrokerObject, [name]: unknown[]): Promise<Publishable> {
  const bytes = name as Uint8Array;
  let text: string;
  try {
    text = decodeText(bytes, 0, bytes.length);
  } catch (cause) {
    throw new Violation("name is not UTF-8", { cause });
  }
  const found = await object.lookup(text);
  if (found !== undefined) return found;
  // Python's repr of a KeyError's text, and no more of the name than Foolscap tells.
  const start = [...text.slice(0, 4)].slice(0, 2).join("").replace(/[^\x21-\x7e]|["'\\]/g, "?");
  throw new UnknownNameError(`"unable to find reference for name starting with '${start}'"`);
}

/** No number of ours needs a bigint. */
function integers(args: readonly unknown[]): number[] {
  if (!args.every(Number.isSafeInteger)) throw new Violation("number too large");
  return args as number[];
}

function decref(object: BrokerObject, args: unknown[]): null {
  const [clid, count] = integers(args) as [number, number];
  if (clid === 0) throw new CountError("decref of object 0, which is the broker itself");
  const refcount = object.decref(Math.abs(clid), count);
  // Python's words.
  if (refcount !== undefined) throw new CountError(`decref(${count}) but refcount was ${refcount}`);
  return null;
}

function decgift(object: BrokerObject, args: unknown[]): null {
  const [giftId, count] = integers(args) as [number, number];
  if (count > 0) object.decgift(giftId, count);
  return null;
}
