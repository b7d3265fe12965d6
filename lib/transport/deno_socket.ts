/**
 * A socket that Deno itself has opened, as a {@linkcode Connection}.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";
import { type ByteStreams, StreamConnection } from "./stream_connection.ts";
import type { Connection } from "./transport.ts";

/** Memory that is asked for at once, and handed out in pieces as they are filled. */
const SLAB_BYTES = 64 * 1024;
/** With less room left than a TLS record has, a new slab is begun. */
const RECORD_BYTES = 16 * 1024;

/** Options of {@linkcode denoConnection}. */
export interface DenoConnectionOptions {
  /** Where the other end is, for people. */
  readonly peerAddress: string;
  /**
   * How long `close()` waits for the peer, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** A connection over an open socket, which belongs to it from here on. */
export function denoConnection(socket: Deno.Conn, options: DenoConnectionOptions): Connection {
  return new StreamConnection(streamsOf(socket), options);
}

/** `socket.readable` and `.writable` would do, but close the whole socket with either of them, and copy more. */
function streamsOf(socket: Deno.Conn): ByteStreams {
  let slab = new Uint8Array(SLAB_BYTES);
  let isOpen = true;
  return {
    readable: new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (slab.length < RECORD_BYTES) slab = new Uint8Array(SLAB_BYTES);
        const length = await socket.read(slab);
        if (length === null) return controller.close();
        controller.enqueue(slab.subarray(0, length));
        slab = slab.subarray(length);
      },
    }, { highWaterMark: 0 }),
    writable: new WritableStream<Uint8Array>({
      async write(chunk) {
        for (let at = 0; at < chunk.length;) at += await socket.write(chunk.subarray(at));
      },
      // It also flushes what TLS has not given to the system yet.
      close: () => socket.closeWrite(),
    }),
    close() {
      if (isOpen) socket.close();
      isOpen = false;
    },
  };
}
