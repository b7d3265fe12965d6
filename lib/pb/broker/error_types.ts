/**
 * The names under which errors of this process are known to peers.
 *
 * In Python the name of a class is its name on the wire, and `check` compares those. Errors of JavaScript are
 * `javascript.<Name>`, with what means the same in Python among their parents.
 *
 * @module
 */

import { DeadReferenceError, ProtocolError, Violation } from "../../errors.ts";
import {
  BadCall,
  BananaError,
  InsecureJelly,
  LoginDenied,
  LoginFailed,
  NoSuchMethod,
  PBConnectionLost,
  PbError,
  UnauthorizedLogin,
  UnhandledCredentials,
} from "../errors.ts";

/** A class of errors. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Names are cut at this many characters. */
const MAX_NAME = 200;
/** No more classes than this are told of one error. */
const MAX_PARENTS = 64;
/** What every error of Python derives from. */
const EVERY = ["builtins.Exception", "builtins.BaseException", "builtins.object"];

const names = new Map<object, readonly string[]>();

/**
 * Gives errors of a class a name for peers.
 *
 * By default it is `javascript.` and the name of the class.
 *
 * @param construct The class. What derives from it has it among its parents.
 * @param types The name, and after it names of Python classes that mean the same.
 * @throws {TypeError} If there is no name, or one is not text.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * class OutOfStock extends pb.Error {}
 * pb.nameError(OutOfStock, "shop.errors.OutOfStock");
 * ```
 */
export function nameError(construct: ErrorClass, ...types: string[]): void {
  const isText = (type: unknown) => typeof type === "string" && type !== "" && type.isWellFormed();
  if (types.length === 0 || !types.every(isText)) {
    throw new TypeError("Cannot name errors: give a name such as shop.errors.OutOfStock");
  }
  names.set(construct.prototype, types);
}

nameError(PbError, "twisted.spread.pb.Error");
nameError(NoSuchMethod, "twisted.spread.flavors.NoSuchMethod", "builtins.AttributeError");
nameError(BadCall, "builtins.TypeError");
nameError(InsecureJelly, "twisted.spread.jelly.InsecureJelly");
nameError(BananaError, "twisted.spread.banana.BananaError");
nameError(ProtocolError, "twisted.spread.pb.ProtocolError");
nameError(DeadReferenceError, "twisted.spread.pb.DeadReferenceError", "twisted.spread.pb.ProtocolError");
nameError(PBConnectionLost, "twisted.spread.pb.PBConnectionLost");
nameError(LoginFailed, "twisted.cred.error.LoginFailed");
nameError(UnhandledCredentials, "twisted.cred.error.UnhandledCredentials");
nameError(LoginDenied, "twisted.cred.error.LoginDenied");
nameError(
  UnauthorizedLogin,
  "twisted.cred.error.UnauthorizedLogin",
  "twisted.cred.error.LoginFailed",
  "twisted.cred.error.Unauthorized",
);
nameError(Violation, "javascript.Violation", "builtins.ValueError");
nameError(TypeError, "javascript.TypeError", "builtins.TypeError");
nameError(RangeError, "javascript.RangeError", "builtins.ValueError");
nameError(SyntaxError, "javascript.SyntaxError", "builtins.ValueError");
nameError(ReferenceError, "javascript.ReferenceError", "builtins.NameError");

/** The type of an error and all that it derives from, most specific first, ending with those of Python. */
export function typesOf(error: Error): string[] {
  const types: string[] = [];
  const add = (type: string) => {
    const cut = type.slice(0, MAX_NAME).toWellFormed();
    if (types.length < MAX_PARENTS && !types.includes(cut)) types.push(cut);
  };
  let owner: object | null = Object.getPrototypeOf(error);
  for (let depth = 0; owner !== null && owner !== Object.prototype && depth < MAX_PARENTS; depth++) {
    const known = names.get(owner);
    if (known !== undefined) known.forEach(add);
    else add(`javascript.${nameOf(owner, error)}`);
    owner = Object.getPrototypeOf(owner);
  }
  if (types.length === 0) add("javascript.Error");
  return [...types.filter((type) => !EVERY.includes(type)), ...EVERY];
}

function nameOf(prototype: object, error: Error): string {
  const construct: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof construct === "function" && construct.name !== "") return construct.name;
  return typeof error.name === "string" && error.name !== "" ? error.name : "Error";
}
