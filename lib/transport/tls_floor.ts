/**
 * What TLS runs on: a node stream of our own between the plain stream and `node:tls`.
 *
 * Given a socket itself, Deno 2.9's `node:tls` takes any amount of data from a writer whose peer reads nothing,
 * and sometimes loses the peer's ClientHello to the plain reader. Over a stream like these two it waits for
 * each write, and no byte can go astray. Only pausing doesn't reach through it, so that has a switch here.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { toError } from "../errors.ts";
import type { FirstFlight } from "./first_flight.ts";
import type { Connection } from "./transport.ts";

/** The stream below TLS, and what TLS cannot tell it. */
export interface TlsFloor {
  /** For `node:tls`. */
  readonly stream: Duplex;
  /** Lets bytes come up, or keeps them below: the network's own back-pressure then reaches the peer. */
  setReading(isOn: boolean): void;
}

/**
 * A floor on a node socket that nobody reads; what the socket has buffered comes first.
 *
 * @param flight The server's first messages, if they are to be sent in two steps.
 */
export function floorOnSocket(socket: Duplex, flight?: FirstFlight): TlsFloor {
  let isWanted = false;
  let isAllowed = true;
  const stream = new Duplex({
    read() {
      isWanted = true;
      if (isAllowed) socket.resume();
    },
    write(chunk: Uint8Array, _encoding, callback) {
      const write = (bytes: Uint8Array) => {
        if (socket.write(bytes)) callback();
        else socket.once("drain", callback);
      };
      if (flight === undefined) write(chunk);
      else flight.send(chunk, (hello) => socket.write(hello), write);
    },
    final(callback) {
      socket.end(() => callback());
    },
    destroy(error, callback) {
      flight?.[Symbol.dispose]();
      socket.destroy();
      callback(error);
    },
  });
  socket.on("data", (chunk: Uint8Array) => {
    flight?.answered();
    if (stream.push(chunk)) return;
    isWanted = false;
    socket.pause();
  });
  socket.on("end", () => stream.push(null));
  socket.on("error", (error: Error) => stream.destroy(error));
  socket.on("close", () => stream.destroy());
  // A listener makes a stream flow; TLS says when it wants the first bytes.
  socket.pause();
  return {
    stream,
    setReading(isOn) {
      isAllowed = isOn;
      if (!isOn) socket.pause();
      else if (isWanted) socket.resume();
    },
  };
}

/** A floor on a pair of web streams, which it locks. */
export function floorOnStreams(connection: Connection): TlsFloor {
  const reader = connection.readable.getReader();
  const writer = connection.writable.getWriter();
  let isWanted = false;
  let isAllowed = true;
  let isReading = false;
  const pull = () => {
    if (!isWanted || !isAllowed || isReading) return;
    isReading = true;
    reader.read().then(({ value, done }) => {
      isReading = false;
      isWanted = stream.push(done ? null : value) && !done;
      pull();
    }, (error) => stream.destroy(toError(error)));
  };
  const stream = new Duplex({
    read() {
      isWanted = true;
      pull();
    },
    write(chunk: Uint8Array, _encoding, callback) {
      writer.write(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)).then(
        () => callback(),
        (error) => callback(toError(error)),
      );
    },
    final(callback) {
      writer.close().then(() => callback(), () => callback());
    },
    destroy(error, callback) {
      connection.close().then(() => callback(error));
    },
  });
  return {
    stream,
    setReading(isOn) {
      isAllowed = isOn;
      pull();
    },
  };
}
