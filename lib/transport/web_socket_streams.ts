/**
 * Byte streams over a WebSocket: binary frames, whose borders mean nothing.
 *
 * @module
 */

import { DeadReferenceError, ProtocolError } from "../errors.ts";
import { WEB_SOCKET_BUFFER_BYTES, WEB_SOCKET_UNREAD_BYTES } from "../limits.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import type { ByteStreams } from "./stream_connection.ts";

/** Options of {@linkcode webSocketStreams}. */
export interface WebSocketStreamsOptions {
  /**
   * Bytes that may wait to be read. A WebSocket cannot be told to wait, so a peer that sends more is cut off.
   *
   * @default 64 MiB
   */
  readonly maxUnreadBytes?: number | undefined;
  /**
   * The timers.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined;
}

/** Streams over a WebSocket, which can be closed. */
export interface WebSocketStreams extends ByteStreams {
  /** What arrives. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes out; a binary frame for each chunk. */
  readonly writable: WritableStream<Uint8Array>;
  /** Closes the WebSocket. Resolves when it is closed; never rejects. */
  close(): Promise<void>;
}

/** How long a writer waits before it looks again whether the WebSocket has sent what it has; there is no event for it. */
const LOOK_AGAIN_MS = 5;
/** The ends of a WebSocket that are not failures: the normal one, going away, and one without a code. */
const GOOD_CODES: readonly number[] = [1000, 1001, 1005];

/**
 * Makes byte streams of a WebSocket, for {@linkcode Tub.attach}. It may be connecting still.
 *
 * A WebSocket has no half-closed state: when one stream is closed, both are over. A text frame is a breach of the protocol.
 *
 * @param socket Belongs to the streams: its `binaryType` is set to `arraybuffer`.
 * @throws {TypeError} If it is closing or closed.
 *
 * @example
 * ```ts
 * import { Tub, webSocketStreams } from "../../mod.ts";
 *
 * async function reach(tub: Tub, url: string, furl: string) {
 *   return await tub.attach(webSocketStreams(new WebSocket(url)), { target: furl, address: url });
 * }
 * reach;
 * ```
 */
export function webSocketStreams(socket: WebSocket, options: WebSocketStreamsOptions = {}): WebSocketStreams {
  const { maxUnreadBytes = WEB_SOCKET_UNREAD_BYTES, clock = systemClock } = options;
  if (socket.readyState > WebSocket.OPEN) {
    throw new TypeError("Cannot make streams of the WebSocket: it is closed; open another one");
  }
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let failure: Error | undefined;
  let isOver = false;
  let isDeaf = false;
  let isWriterClosing = false;
  let readController!: ReadableStreamDefaultController<Uint8Array>;
  let writeController!: WritableStreamDefaultController;

  const fail = (code: number, error: Error) => {
    failure ??= error;
    if (socket.readyState < WebSocket.CLOSING) socket.close(code);
  };
  const end = () => {
    if (socket.readyState < WebSocket.CLOSING) socket.close(1000);
    return closed.promise;
  };
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => {
      readController = controller;
    },
    cancel: () => {
      isDeaf = true;
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: maxUnreadBytes }));
  const writable = new WritableStream<Uint8Array>({
    start: (controller) => {
      writeController = controller;
    },
    async write(chunk) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("Cannot write: the chunk is not a Uint8Array");
      if (socket.readyState === WebSocket.CONNECTING) await opened.promise;
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(new Uint8Array(chunk));
      while (socket.bufferedAmount > WEB_SOCKET_BUFFER_BYTES && !isOver) {
        const { promise, resolve } = Promise.withResolvers<void>();
        using _timer = clock.setTimer(LOOK_AGAIN_MS, resolve);
        await Promise.race([promise, closed.promise]);
      }
    },
    async close() {
      // What was sent goes before the end. A WebSocket that connects is closed only then, or the other end hears nothing.
      if (socket.readyState === WebSocket.CONNECTING) await opened.promise;
      isWriterClosing = true;
      await end();
      if (failure !== undefined) throw failure;
    },
    abort: () => fail(4000, new DeadReferenceError("The WebSocket's stream was aborted")),
  });

  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (isDeaf || failure !== undefined || isOver) return;
    if (!(data instanceof ArrayBuffer)) {
      return fail(
        4000,
        new ProtocolError("The other end of the WebSocket sent a text frame, not a binary one"),
      );
    }
    if (data.byteLength === 0) return;
    if (data.byteLength > (readController.desiredSize ?? 0)) {
      return fail(4000, new ProtocolError(`More than ${maxUnreadBytes} bytes came by the WebSocket unread`));
    }
    readController.enqueue(new Uint8Array(data));
  });
  socket.addEventListener("error", (event) => {
    const why = event instanceof ErrorEvent ? quoteForeign(event.message) : "no reason is known";
    failure ??= new DeadReferenceError(`The WebSocket failed: ${why}`);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    isOver = true;
    const isGood = failure === undefined && GOOD_CODES.includes(code);
    const why = reason === "" ? "" : `: ${quoteForeign(reason)}`;
    const error = failure ?? new DeadReferenceError(`The WebSocket was closed with code ${code}${why}`);
    try {
      if (isGood || isDeaf) readController.close();
      else readController.error(error);
    } catch {
      // The reader cancelled the stream itself.
    }
    if (!isWriterClosing) writeController.error(error);
    opened.resolve();
    closed.resolve();
  });
  if (socket.readyState === WebSocket.OPEN) opened.resolve();
  return { readable, writable, close: end };
}
