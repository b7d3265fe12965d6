/**
 * Which class of errors has which name on the wire, in both directions. One table for the process.
 *
 * Foolscap has nothing like it: there the name of a Python class is its name on the wire, and what arrives is no
 * instance of anything.
 *
 * @module
 */

import {
  CertificateError,
  DeadReferenceError,
  DuplicateConnectionError,
  FileError,
  FurlError,
  NegotiationError,
  NoLocationError,
  NoLocationHintsError,
  PermissionDenied,
  ProtocolError,
  RemoteException,
  RemoteNegotiationError,
  SandboxError,
  StoreError,
  toError,
  UnreachableError,
  Violation,
  WrongNameError,
  WrongTubIdError,
} from "../errors.ts";
import { promised, type Settled } from "../graph/schema/constraint.ts";
import { MAX_FAILURE_BYTES } from "../limits.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import { RESULT_GIVEN_UP } from "./kept_answers.ts";

/** A class of errors, abstract or not. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** By prototype: the name on the wire, and other types that mean the same. */
const names = new Map<object, readonly string[]>();
/** By name on the wire: what makes an error of this process of one that arrived. */
const makers = new Map<string, (remote: RemoteException) => Error>();
/** What each error that was so made was made of: passed on, it is still the peer's. */
const remotes = new WeakMap<Error, RemoteException>();

/**
 * Gives errors of a class a name on the wire, only on their way out.
 *
 * @param types The name, and after it other types that mean the same.
 */
export function nameErrors(construct: ErrorClass, ...types: string[]): void {
  names.set(construct.prototype, types);
}

/** The names that errors with this very prototype have been given. */
export function namesOf(prototype: object): readonly string[] | undefined {
  return names.get(prototype);
}

nameErrors(Violation, "foolscap.tokens.Violation");
nameErrors(DeadReferenceError, "foolscap.ipb.DeadReferenceError");
nameErrors(ProtocolError, "foolscap.tokens.BananaError");
nameErrors(NegotiationError, "foolscap.tokens.NegotiationError");
nameErrors(DuplicateConnectionError, "foolscap.tokens.DuplicateConnection");
nameErrors(RemoteNegotiationError, "foolscap.tokens.RemoteNegotiationError");
nameErrors(NoLocationError, "foolscap.tokens.NoLocationError");
nameErrors(WrongTubIdError, "foolscap.tokens.WrongTubIdError");
nameErrors(WrongNameError, "foolscap.tokens.WrongNameError");
nameErrors(NoLocationHintsError, "foolscap.tokens.NoLocationHintsError");
nameErrors(FileError, "javascript.FileError", "builtins.OSError");
nameErrors(StoreError, "javascript.StoreError");
nameErrors(FurlError, "foolscap.furl.BadFURLError", "builtins.ValueError");
nameErrors(UnreachableError, "javascript.UnreachableError", "builtins.ConnectionError", "builtins.OSError");
nameErrors(SandboxError, "javascript.SandboxError", "builtins.OSError");
nameErrors(CertificateError, "javascript.CertificateError", "builtins.ValueError");

/** What stands before the limit of a capability, in a type of its own. */
const DENIED = "javascript.PermissionDenied";

/** The type that says which limit of a capability refused a call; `undefined` if none did. */
export function denialType({ limit }: PermissionDenied): string | undefined {
  return typeof limit === "string" && /^[A-Za-z]{1,64}$/.test(limit) ? `${DENIED}.${limit}` : undefined;
}

/** A capability of the peer's refused: who calls handles it like a denial here, and the cause says whose it is. */
function denialOf({ remoteType, remoteParents, message }: RemoteException): PermissionDenied | undefined {
  if (remoteType !== DENIED) return undefined;
  const named = remoteParents.find((type) => /^javascript\.PermissionDenied\.[A-Za-z]{1,64}$/.test(type));
  return named === undefined
    ? undefined
    : new PermissionDenied(message, { limit: named.slice(DENIED.length + 1) });
}

/** Errors of these say what happened on this side: no peer makes one, but for the refusal of a capability. */
const OWN: readonly ErrorClass[] = [
  Violation,
  DeadReferenceError,
  ProtocolError,
  NegotiationError,
  NoLocationError,
  FurlError,
  UnreachableError,
  CertificateError,
  FileError,
  PermissionDenied,
  SandboxError,
];

/** Whether an error is of a class of this library's own. */
export function isOwnError(error: Error): boolean {
  return OWN.some((type) => error instanceof type);
}

/** Options of {@linkcode registerRemoteError}. */
export interface RemoteErrorOptions<E extends Error> {
  /**
   * Other types that mean the same, such as `builtins.LookupError`: Python's `failure.check` and `trap` match them. The
   * names of the class's own base classes, and `builtins.Exception`, are added.
   *
   * @default none
   */
  readonly parents?: readonly string[] | undefined;
  /**
   * Makes the error of what the peer told. What it throws goes to the Tub's trace, and the caller gets the
   * RemoteException itself.
   *
   * @default the class's constructor is called with the message
   */
  readonly make?: ((message: string, remote: RemoteException) => E) | undefined;
}

/**
 * Gives a class of errors a name on the wire, in both directions and for the whole process.
 *
 * A method that throws one fails at the caller with that type; subclasses have it too, unless they are given a name of
 * their own. A call that fails over there with that type, or with one derived from it, is rejected with an instance of
 * the class: the nearest of the failure's parents that has a class decides. Its `cause` is the
 * {@linkcode RemoteException} with all that the peer told; passed on to a third Tub, it goes as what it was.
 *
 * Peers so choose among the classes that were registered, and their texts; they choose no code. A Tub with
 * `exposeRemoteExceptionTypes: false` makes nothing but RemoteExceptions.
 *
 * @param wireType The full name, as Python writes it: `module.Class`.
 * @param construct The class. None of this library's own: a {@linkcode Violation} says that something failed here.
 * @throws {TypeError} If the class is not one of errors, `make` is no function, or the name or one of `parents` has no dot
 *   or is longer than 200 bytes.
 * @throws {RangeError} If the class or the name is registered otherwise, or the name is one of Foolscap's own.
 *
 * @example
 * ```ts
 * import { Referenceable, registerRemoteError, RemoteException, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class NotFound extends Error {}
 * registerRemoteError("example.errors.NotFound", NotFound, { parents: ["builtins.LookupError"] });
 *
 * class Shelf extends Referenceable {
 *   remote_take(title: string): never {
 *     throw new NotFound(`no ${title} here`);
 *   }
 * }
 *
 * await using tub = await Tub.create();
 * tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
 * await using client = await Tub.create();
 * const shelf = await client.getReference<Shelf>(tub.registerReference(new Shelf()));
 * await assert.rejects(shelf.callRemote("take", "Ulysses"), (error) => {
 *   assert.ok(error instanceof NotFound && error.cause instanceof RemoteException);
 *   assert.equal(error.message, "no Ulysses here");
 *   return error.cause.check("builtins.LookupError") !== undefined;
 * });
 * ```
 */
export function registerRemoteError<E extends Error>(
  wireType: string,
  construct: new (message: string) => E,
  options?: RemoteErrorOptions<E>,
): void;
/** The same for a class whose constructor takes something else: `make` makes its errors. */
export function registerRemoteError<E extends Error>(
  wireType: string,
  construct: abstract new (...args: never[]) => E,
  options: RemoteErrorOptions<E> & { readonly make: (message: string, remote: RemoteException) => E },
): void;
export function registerRemoteError(
  wireType: string,
  construct: ErrorClass,
  options: RemoteErrorOptions<Error> = {},
): void {
  checkClass(construct);
  checkType(wireType);
  const { parents = [] } = options;
  checkParents(parents);
  if (options.make !== undefined && typeof options.make !== "function") {
    throw new TypeError(`Cannot register ${construct.name}: its "make" is not a function`);
  }
  const make = options.make ?? ((message) => new (construct as new (message: string) => Error)(message));
  if (names.has(construct.prototype)) {
    throw new RangeError(`Cannot register ${construct.name}: it has a name on the wire already`);
  }
  if (makers.has(wireType)) {
    throw new RangeError(`Cannot register ${construct.name}: another class has the name "${wireType}"`);
  }
  nameErrors(construct, wireType, ...parents);
  makers.set(wireType, (remote) => {
    const made = make(remote.message, remote);
    if (!(made instanceof construct)) throw new TypeError(`What was made is not a ${construct.name}`);
    return made;
  });
}

function checkClass(construct: unknown): asserts construct is ErrorClass {
  if (typeof construct !== "function" || !(construct.prototype instanceof Error)) {
    throw new TypeError("Cannot register a remote error: it is not a class derived from Error");
  }
  const own = OWN.find((type) => construct === type || construct.prototype instanceof type);
  if (own === undefined && construct !== RemoteException) return;
  throw new RangeError(
    `Cannot register ${construct.name}: a ${own?.name ?? "RemoteException"} is made by this library alone`,
  );
}

function checkType(wireType: unknown): asserts wireType is string {
  if (typeof wireType !== "string" || !isTypeName(wireType)) {
    throw new TypeError(
      `Cannot register a remote error: ${
        quoteForeign(String(wireType), 64)
      } is not of the form module.Class, ` +
        `or has more than ${MAX_FAILURE_BYTES.type} bytes`,
    );
  }
  if (wireType.startsWith("foolscap.")) {
    throw new RangeError(`Cannot register a remote error: "${wireType}" is a name of Foolscap's own`);
  }
}

function checkParents(parents: unknown): void {
  const isFine = Array.isArray(parents) && parents.length < MAX_FAILURE_BYTES.parents &&
    parents.every((parent) => typeof parent === "string" && isTypeName(parent));
  if (isFine) return;
  throw new TypeError(
    "Cannot register a remote error: its parents are not a list of names such as builtins.LookupError",
  );
}

function isTypeName(name: string): boolean {
  return /^[^\s.]+(?:\.[^\s.]+)+$/u.test(name) && name.isWellFormed() &&
    encodeText(name).length <= MAX_FAILURE_BYTES.type;
}

/**
 * The error that a failure of a peer is here: an instance of the class that is registered for its type or the nearest of
 * its parents, else the RemoteException itself.
 *
 * @param onFailure Is told what the program's own code threw.
 */
export function localErrorOf(remote: RemoteException, onFailure: (error: Error) => void): Error {
  const make = makerFor(remote);
  const denial = make === undefined ? denialOf(remote) : undefined;
  if (make === undefined && denial === undefined) return remote;
  try {
    const error = denial ?? make!(remote);
    remotes.set(error, remote);
    if (error !== remote && error.cause === undefined) {
      Object.defineProperty(error, "cause", { value: remote, writable: true, configurable: true });
    }
    return error;
  } catch (thrown) {
    onFailure(toError(thrown));
    return remote;
  }
}

/**
 * An error of the class that is registered for a type, of what a peer told of it when it passed it as a value.
 *
 * @param onFailure Is told what the program's own code threw; then there is none.
 */
export function makeRegistered(
  type: string,
  message: string,
  onFailure: (error: Error) => void,
): Error | undefined {
  const make = makers.get(type);
  if (make === undefined) return undefined;
  try {
    const details = { remoteType: type, remoteParents: [type], remoteTraceback: "" };
    return make(new RemoteException(message, details));
  } catch (thrown) {
    onFailure(toError(thrown));
    return undefined;
  }
}

function isRemote(reason: unknown): boolean {
  return reason instanceof Error && remoteOf(reason) !== undefined;
}

/** What a call depended on. */
interface Dependent {
  readonly dependsOn: readonly { [promised](): Settled | undefined }[] | undefined;
}

/**
 * The error of the promise that a call was sent with, if the call failed with it: so that all that depends on one call fails
 * with the same error.
 */
export function originalOf({ dependsOn }: Dependent, failure: RemoteException): unknown {
  for (const promise of dependsOn ?? []) {
    const settled = promise[promised]();
    // One that was given up here: the peer does not know why.
    if (settled?.isRejected === true && failure.message === RESULT_GIVEN_UP && !isRemote(settled.value)) {
      return settled.value;
    }
    const known = settled?.isRejected === true && settled.value instanceof Error
      ? remoteOf(settled.value)
      : undefined;
    if (known?.remoteType === failure.remoteType && known.message === failure.message) return settled!.value;
  }
  return undefined;
}

function makerFor({ remoteType, remoteParents }: RemoteException) {
  for (const type of [remoteType, ...remoteParents]) {
    const make = makers.get(type);
    if (make !== undefined) return make;
  }
  return undefined;
}

/** Of a copy of an error it is known as well what a peer told. */
export function rememberRemote(copy: Error, original: Error): void {
  const remote = remotes.get(original);
  if (remote !== undefined) remotes.set(copy, remote);
}

/** What a peer told, if the error is, or was made of, a RemoteException. */
export function remoteOf(error: Error): RemoteException | undefined {
  return error instanceof RemoteException ? error : remotes.get(error);
}
