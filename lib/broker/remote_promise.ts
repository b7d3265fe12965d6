/**
 * The promise of a remote call.
 *
 * @module
 */

/** What `callRemote` returns: a promise that settles when the peer has answered, or the connection is gone. */
export class RemotePromise<T> extends Promise<T> {
  /** What `then` and its kin return are plain promises. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }
}

// `await` takes a promise as it is only if its constructor is Promise; else it makes another one around it and
// needs three more steps for each call.
Object.defineProperty(RemotePromise.prototype, "constructor", { value: Promise });

/** A promise that is rejected already, and given to the caller. */
export function rejected(error: Error): RemotePromise<never> {
  return new RemotePromise<never>((_resolve, reject) => reject(error));
}
