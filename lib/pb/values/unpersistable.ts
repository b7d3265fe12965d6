/**
 * What stands in for a value that its sender could not send.
 *
 * @module
 */

/**
 * What stands in a message for a value that the peer's Twisted could not send: Python says so to nobody, and
 * the call succeeds. It cannot be sent on.
 */
export class Unpersistable {
  /** Why, in the peer's words: `instance of class __main__.Avatar deemed insecure`. Text of a stranger. */
  readonly reason: string;

  /** A placeholder. */
  constructor(reason: string) {
    this.reason = reason;
    Object.freeze(this);
  }

  /** The reason. */
  toString(): string {
    return `Unpersistable(${this.reason})`;
  }
}
