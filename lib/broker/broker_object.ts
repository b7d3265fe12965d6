/**
 * Object 0 of every connection: the broker itself, through which names are looked up and references given back.
 *
 * Source: Foolscap `remoteinterface.py`, `RIBroker`; `broker.py`, `remote_getReferenceByName` and its kin.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { Kwargs } from "../graph/values/kwargs.ts";
import { decodeText, quoteForeign } from "../util/text.ts";
import type { Publishable } from "./callable.ts";
import { nameErrors } from "./remote_errors.ts";

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

const METHODS: ReadonlyMap<string, { readonly names: readonly string[]; readonly call: Method }> = new Map([
  ["getReferenceByName", { names: ["name"], call: getReferenceByName }],
  ["decref", { names: ["clid", "count"], call: decref }],
  ["decgift", { names: ["giftID", "count"], call: decgift }],
]);

/** Calls a method of object 0; arguments are positional or named. */
export function callBrokerObject(object: BrokerObject, method: string, args: readonly unknown[]): unknown {
  const known = METHODS.get(method);
  if (known === undefined) throw new Violation(`method ${quoteForeign(method, 64)} not defined in RIBroker`);
  return known.call(object, inOrder(args, known.names));
}

function inOrder(args: readonly unknown[], names: readonly string[]): unknown[] {
  const last = args.at(-1);
  const named: Readonly<Record<string, unknown>> = last instanceof Kwargs ? last.values : {};
  const positional = last instanceof Kwargs ? args.slice(0, -1) : args;
  if (positional.length > names.length) {
    throw new Violation(`too many positional arguments: ${positional.length} > ${names.length}`);
  }
  for (const name of Object.keys(named)) {
    const at = names.indexOf(name);
    if (at < 0) throw new Violation(`unknown argument ${quoteForeign(name, 64)}`);
    if (at < positional.length) {
      throw new Violation(`got multiple values for argument ${quoteForeign(name, 64)}`);
    }
  }
  return names.map((name, i) => {
    if (i < positional.length) return positional[i];
    if (!Object.hasOwn(named, name)) throw new Violation(`missing required argument "${name}"`);
    return named[name];
  });
}

async function getReferenceByName(object: BrokerObject, [name]: unknown[]): Promise<Publishable> {
  if (!(name instanceof Uint8Array)) throw new Violation("name must be a byte string");
  let text: string;
  try {
    text = decodeText(name, 0, name.length);
  } catch (cause) {
    throw new Violation("name is not UTF-8", { cause });
  }
  const found = await object.lookup(text);
  if (found !== undefined) return found;
  // Python's repr of a KeyError's text, and no more of the name than Foolscap tells.
  const start = [...text.slice(0, 4)].slice(0, 2).join("").replace(/[^\x21-\x7e]|["'\\]/g, "?");
  throw new UnknownNameError(`"unable to find reference for name starting with '${start}'"`);
}

function integers(args: readonly unknown[]): number[] {
  if (!args.every(Number.isSafeInteger)) throw new Violation("arguments must be integers");
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
