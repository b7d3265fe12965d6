/**
 * Getting the platform ready for the first TLS handshake of a process.
 *
 * Deno's TLS takes its randomness from a generator that, when it is first asked, measures the machine's timing until it
 * has entropy of its own: 35 ms of work, on the thread that does the handshake. A key pair of the same library, made on
 * another thread, asks it just as well, and in the meantime the program can load what it connects with.
 *
 * @module
 */

let ready: Promise<void> | undefined;

/**
 * Begins, once a process, to get TLS ready on another thread. Nothing has to wait for it: a handshake that comes too early
 * does the rest itself. On a platform whose TLS needs none of this it is a key made in vain.
 *
 * @returns When it is ready: to wait for by whoever must not leave an operation of the platform behind. Never rejects.
 */
export function readyTls(): Promise<void> {
  return ready ??= crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"])
    .then(() => {}, () => {});
}
