/**
 * The values that only JavaScript has, on a connection with a Tub of this library. Errors among them tell no more than a
 * failure does: no paths of this machine and no stack, unless the Tub says so, and never the name in a FURL.
 *
 * @module
 */

import { type ErrorRules, typesOf } from "../graph/rich/errors.ts";
import { withRichSlicers, withRichUnslicers } from "../graph/rich/tables.ts";
import type { SlicerTable } from "../graph/slicing.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "../graph/tables.ts";
import type { UnslicerTable } from "../graph/unslicer.ts";
import { redact, withoutPaths } from "../util/redact.ts";
import type { Trace } from "../util/trace.ts";
import type { BrokerHost } from "./interface.ts";
import { isOwnError, makeRegistered, namesOf } from "./remote_errors.ts";

/** What of the Tub above decides about errors. */
type ErrorHost = Pick<BrokerHost, "exposesTracebacks" | "exposesRemoteTypes">;

/** The tables of one connection, without its references. */
export function richTables(
  host: ErrorHost,
  trace: Trace,
): { readonly slicers: SlicerTable; readonly unslicers: UnslicerTable } {
  const errors = errorRules(host, trace);
  return {
    slicers: withRichSlicers(BASE_SLICERS, errors),
    unslicers: withRichUnslicers(BASE_UNSLICERS, errors),
  };
}

function errorRules(host: ErrorHost, trace: Trace): ErrorRules {
  const where = "registerRemoteError";
  return {
    typesOf: (error) => typesOf(error, (prototype) => namesOf(prototype)?.[0]),
    leaving: (text) => host.exposesTracebacks ? redact(text) : withoutPaths(redact(text)),
    arriving: redact,
    tellsStacks: () => host.exposesTracebacks,
    // What led to one of this library's errors is never sent: `ErrorDetails.cause` promises it.
    tellsCause: (error) => !isOwnError(error),
    make: (type, message) =>
      host.exposesRemoteTypes
        ? makeRegistered(type, message, (error) => trace({ type: "callback-failed", where, error }))
        : undefined,
  };
}
