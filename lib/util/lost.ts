/**
 * Why a connection is gone, in words for who calls on it: what ended it is known here, by the error that did, and its own
 * text is not repeated, since an error of a call may be passed on to other peers.
 *
 * @module
 */

/** What ends connections. */
export type LostBy = "peer" | "network" | "silence" | "stop" | "close" | "replacement" | "protocol";

const AGAIN = "get a new reference by its FURL with tub.getReference(), or let tub.connectTo() keep one";
const TEXTS: Readonly<Record<LostBy, string>> = {
  peer: `since the peer closed it: ${AGAIN}`,
  network: `since the network failed: ${AGAIN}`,
  silence: `since nothing came from the peer for so long that the keepalive gave it up: ${AGAIN}`,
  stop: "since this Tub was stopped: create another Tub, or stop it after its last call",
  close: "since this program closed it: attach the peer again, or close it after the last call",
  replacement: `since the same peer has connected anew: ${AGAIN}`,
  protocol: `since the peer broke the protocol, see the cause: ${AGAIN}`,
};

const known = new WeakMap<Error, LostBy>();

/** Says of an error why it ends connections, if nobody has said so before. */
export function lostBy<E extends Error>(by: LostBy, error: E): E {
  if (!known.has(error)) known.set(error, by);
  return error;
}

/** Why the connection that an error has ended is gone, where that is known, and what the program can do. */
export function whyLost(ended: Error): string {
  const by = known.get(ended);
  return by === undefined ? AGAIN : TEXTS[by];
}
