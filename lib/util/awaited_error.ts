/**
 * Errors of answers, which are made where the answer is read: their stacks would have no line of the program in them.
 *
 * V8 writes down who awaits, all the way up, where an error gets its stack in a turn of a promise that somebody awaits. So an
 * error of an answer gets its stack anew in such a turn. A call that succeeds pays nothing for it.
 *
 * @module
 */

/** Errors that came with an answer, or for want of one; `true` if their stack has been taken. */
const ofAnswers = new WeakMap<Error, boolean>();

const over: Promise<void> = Promise.resolve();
const aTurn = () => {};

/** Says that an error is to be traced to who awaits it, and not to where it was made. */
export function ofAnswer<E extends Error>(error: E): E {
  if (!ofAnswers.has(error)) ofAnswers.set(error, false);
  return error;
}

/**
 * Rejects a promise, three microtasks later if the reason is an error of an answer: its stack then names the functions that
 * await the promise, where nothing else was asked of it.
 *
 * @param resolve What resolves the promise.
 * @param reject What rejects it.
 */
export function rejectAwaited(
  resolve: (value: PromiseLike<never>) => void,
  reject: (reason: unknown) => void,
  reason: unknown,
): void {
  const isTraced = reason instanceof Error ? ofAnswers.get(reason) : undefined;
  if (isTraced === undefined) return reject(reason);
  const error = reason as Error;
  const fail = (): never => {
    trace(error, fail, isTraced);
    throw error;
  };
  // The first turn is needed for the promise to be tied to what is resolved here, before that fails.
  resolve(over.then(aTurn).then(fail));
}

function trace(error: Error, hidden: () => void, isTraced: boolean): void {
  try {
    // Several calls may fail with the same error: what is known of one of them stays.
    if (isTraced && error.stack?.includes("\n    at async ") === true) return;
    ofAnswers.set(error, true);
    Error.captureStackTrace(error, hidden);
  } catch {
    // The program may have frozen an error of its own class; then it keeps the stack that it has.
  }
}
