/**
 * Errors on their way from one protocol to the other: type, parents and message stay what they are.
 *
 * @module
 */

import { failureOf } from "../broker/failure.ts";
import { NoSuchMethodError } from "../broker/referenceable.ts";
import { DeadReferenceError, RemoteException, toError } from "../errors.ts";
import { FAILURE_TAG, failureOf as pbFailureOf } from "../pb/broker/failure.ts";
import { NoSuchMethod, PbError, RemoteError } from "../pb/errors.ts";
import { encodeText } from "../util/text.ts";
import { pbCopy } from "./copies.ts";

/** What a client of Perspective Broker is told of an error of a Foolscap object. */
export function errorForPb(thrown: unknown): Error {
  const error = toError(thrown);
  // Both have names of their own there, and the first is not reported as a failure.
  if (error instanceof PbError || error instanceof RemoteError) return error;
  if (error instanceof DeadReferenceError) return error;
  if (error instanceof NoSuchMethodError) return new NoSuchMethod(error.message, { cause: error });
  const told = failureOf(error, false);
  return new RemoteError(told.value, {
    remoteType: told.type,
    remoteParents: told.parents,
    // Sent only if the option unsafeTracebacks says so.
    remoteTraceback: failureOf(error, true).traceback,
    cause: error,
  });
}

/** What a Foolscap caller is told of an error of an object of Perspective Broker. */
export function errorForFoolscap(thrown: unknown): Error {
  const error = toError(thrown);
  if (!(error instanceof PbError || error instanceof NoSuchMethod)) return error;
  const { type, value, parents } = pbFailureOf(error, false);
  return new RemoteException(value, {
    remoteType: type,
    remoteParents: parents,
    remoteTraceback: error.stack ?? "",
    cause: error,
  });
}

/** An error that is passed on as a value. */
export function failureValueForPb(error: RemoteException): object {
  const { type, value, parents, traceback } = pbFailureOf(error, false);
  return pbCopy(FAILURE_TAG, { type: encodeText(type), value, traceback, parents: [...parents] });
}

/** The same for Foolscap, which knows it by its very class. */
export function failureValueForFoolscap(error: RemoteException): RemoteException {
  const { message, remoteType, remoteParents, remoteTraceback } = error;
  return new RemoteException(message, { remoteType, remoteParents, remoteTraceback });
}
