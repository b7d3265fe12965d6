/**
 * Errors of Perspective Broker that the rest of the library does not have.
 *
 * A value that may not cross is a `Violation`, and a connection that is gone a `DeadReferenceError`, as everywhere.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";

/**
 * What came is not Banana as Perspective Broker speaks it, or exceeds a limit that is looked at before anything is
 * kept. Destroys: the connection.
 *
 * Source: `twisted.spread.banana.BananaError`.
 */
export class BananaError extends ProtocolError {
  /** The name of the class, also where minifying took it. */
  override name = "BananaError";
}

/**
 * What came names a form, or a class, that this side has not declared. Destroys: one call.
 *
 * Source: `twisted.spread.jelly.InsecureJelly`.
 */
export class InsecureJelly extends Violation {
  /** The name of the class, also where minifying took it. */
  override name = "InsecureJelly";
}
