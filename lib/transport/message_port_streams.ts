/**
 * Byte streams over a MessagePort or a Worker, with the back-pressure that `postMessage` lacks.
 *
 * Each end tells the other how many bytes it has room for, and again as its reader takes them. A message is
 * `{ foolscap: KIND, ... }`; others on the same port are left alone:
 *
 * | kind | with | meaning |
 * | --- | --- | --- |
 * | `open` | `room` | I am here, and have room for so many bytes. Sent at the beginning; may be lost if nobody listens yet |
 * | `opened` | `room` | the same, as the answer to `open` |
 * | `data` | `bytes` | a chunk, never more than there is room for |
 * | `room` | `room` | so many more bytes |
 * | `end` | | nothing more comes |
 * | `stop` | | nothing more is read: the answer is `end` |
 * | `abort` | `reason` | the stream is broken |
 *
 * @module
 */

import { DeadReferenceError, ProtocolError, toError } from "../errors.ts";
import { MESSAGE_PORT_CHUNK_BYTES, MESSAGE_PORT_WINDOW_BYTES } from "../limits.ts";
import { quoteForeign } from "../util/text.ts";
import type { ByteStreams } from "./stream_connection.ts";

/** What {@linkcode messagePortStreams} needs: a MessagePort, a Worker, or the global scope inside of one. */
export interface MessagePortLike {
  /** Sends a message, giving `transfer` away. */
  postMessage(message: unknown, transfer: Transferable[]): void;
  /** Listens to `message`, `messageerror` and `error`. */
  addEventListener(type: string, listener: (event: Event) => void): void;
  /** Ends the listening. */
  removeEventListener(type: string, listener: (event: Event) => void): void;
}

/** Streams over a message port, which can be closed. */
export interface MessagePortStreams extends ByteStreams {
  /** What arrives. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes out. Chunks are copied. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends both streams at once, and closes the port if it is a MessagePort. More than once is harmless. */
  close(): void;
}

/**
 * Makes byte streams of a MessagePort, a Worker or, inside a Worker, `self`; for {@linkcode Tub.attach} at both ends.
 *
 * Up to 1 MiB is on its way in each direction; then `write()` waits until the other end has read. A MessagePort is closed
 * when both streams are over; a Worker is not ended, which is the program's affair. Nobody is told when a Worker is
 * terminated: close the connection first.
 *
 * @param port Either end may begin; the streams wait for each other. Messages of other kinds on it are left alone.
 *
 * @example
 * ```ts
 * import { messagePortStreams } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const { port1, port2 } = new MessageChannel();
 * const [here, there] = [messagePortStreams(port1), messagePortStreams(port2)];
 * const writer = here.writable.getWriter();
 * await writer.write(Uint8Array.of(1, 2, 3));
 * const { value } = await there.readable.getReader().read();
 * assert.deepEqual(value, Uint8Array.of(1, 2, 3));
 * here.close();
 * there.close();
 * ```
 */
export function messagePortStreams(port: MessagePortLike): MessagePortStreams {
  return new PortStreams(port);
}

/** A message as it may come: every field is the other end's word. */
interface Message {
  readonly foolscap?: unknown;
  readonly room?: unknown;
  readonly bytes?: unknown;
  readonly reason?: unknown;
}

class PortStreams implements MessagePortStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #port: MessagePortLike;
  #readable!: ReadableStreamDefaultController<Uint8Array>;
  #writable!: WritableStreamDefaultController;
  #isOpen = false;
  // What the other end has room for, and what we have told it that we have.
  #credit = 0;
  #promised = MESSAGE_PORT_WINDOW_BYTES;
  #taken = 0;
  #queue: Uint8Array[] = [];
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;
  #isDeaf = false;
  #isReadOver = false;
  #isWriteOver = false;

  constructor(port: MessagePortLike) {
    this.#port = port;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#readable = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#deafen(),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writable = controller;
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#endWriting({ foolscap: "end" }),
      abort: (reason) => this.#endWriting({ foolscap: "abort", reason: toError(reason).message }),
    });
    port.addEventListener("message", this.#onMessage);
    port.addEventListener("messageerror", this.#onError);
    port.addEventListener("error", this.#onError);
    if (port instanceof MessagePort) port.start();
    this.#post({ foolscap: "open", room: MESSAGE_PORT_WINDOW_BYTES });
  }

  close(): void {
    this.#fail(new DeadReferenceError("The streams of the port have been closed"));
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("Cannot write: the chunk is not a Uint8Array");
    for (let at = 0; at < chunk.byteLength;) {
      while (this.#credit === 0 && !this.#isWriteOver) {
        await new Promise<void>((resolve) => this.#wakeWriter = resolve);
      }
      if (this.#isWriteOver) return;
      const length = Math.min(chunk.byteLength - at, this.#credit, MESSAGE_PORT_CHUNK_BYTES);
      this.#credit -= length;
      // A copy, which is given away: of the chunk itself others may have kept a view.
      const bytes = new Uint8Array(chunk.subarray(at, at += length));
      this.#post({ foolscap: "data", bytes }, [bytes.buffer]);
    }
  }

  async #pull(): Promise<void> {
    while (this.#queue.length === 0 && !this.#isReadOver) {
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    if (this.#isDeaf) return;
    const chunk = this.#queue.shift();
    if (chunk === undefined) return this.#readable.close();
    this.#readable.enqueue(chunk);
    this.#take(chunk.byteLength);
  }

  /** Tells the other end about the room that its bytes have left, a good part of the window at a time. */
  #take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < MESSAGE_PORT_WINDOW_BYTES / 4 || this.#isReadOver) return;
    this.#post({ foolscap: "room", room: this.#taken });
    this.#promised += this.#taken;
    this.#taken = 0;
  }

  #deafen(): void {
    this.#isDeaf = true;
    this.#queue = [];
    this.#wakeReader?.();
    if (!this.#isReadOver) this.#post({ foolscap: "stop" });
  }

  readonly #onMessage = (event: Event) => {
    const data: unknown = event instanceof MessageEvent ? event.data : undefined;
    if (typeof data !== "object" || data === null || !("foolscap" in data)) return;
    try {
      this.#receive(data);
    } catch (error) {
      this.#fail(toError(error));
    }
  };

  readonly #onError = (event: Event) => {
    const why = event instanceof ErrorEvent ? `: ${quoteForeign(event.message)}` : "";
    this.#fail(new DeadReferenceError(`The Worker or the port has failed${why}`));
  };

  #receive({ foolscap: kind, room, bytes, reason }: Message): void {
    switch (kind) {
      case "open":
      case "opened":
        if (kind === "open") this.#post({ foolscap: "opened", room: MESSAGE_PORT_WINDOW_BYTES });
        if (!this.#isOpen) this.#giveRoom(room);
        this.#isOpen = true;
        return;
      case "room":
        return this.#giveRoom(room);
      case "data":
        return this.#accept(bytes);
      case "end":
        return this.#endReading();
      case "stop":
        this.#writable.error(new DeadReferenceError("The other end of the port reads no more"));
        return this.#endWriting({ foolscap: "end" });
      case "abort":
        return this.#fail(
          new DeadReferenceError(`The other end broke the stream: ${quoteForeign(String(reason))}`),
        );
      default:
        throw new ProtocolError("The other end of the port sent a message of an unknown kind");
    }
  }

  #giveRoom(room: unknown): void {
    if (!Number.isSafeInteger(room) || Number(room) < 1) {
      throw new ProtocolError("The other end of the port has room for something that is no number of bytes");
    }
    // More than our own window is never on its way, whatever the other end says that it can take.
    this.#credit = Math.min(this.#credit + Number(room), MESSAGE_PORT_WINDOW_BYTES);
    this.#wakeWriter?.();
    this.#wakeWriter = undefined;
  }

  #accept(bytes: unknown): void {
    if (this.#isReadOver) return;
    if (!(bytes instanceof Uint8Array) || bytes.byteLength === 0) {
      throw new ProtocolError("The other end of the port sent a chunk that is not bytes");
    }
    if (bytes.byteLength > this.#promised) {
      throw new ProtocolError("The other end of the port sent more than there is room for");
    }
    this.#promised -= bytes.byteLength;
    if (this.#isDeaf) return;
    this.#queue.push(bytes);
    this.#wakeReader?.();
  }

  #endReading(): void {
    this.#isReadOver = true;
    this.#wakeReader?.();
    this.#checkOver();
  }

  #endWriting(message: Message): void {
    if (this.#isWriteOver) return;
    this.#isWriteOver = true;
    this.#post(message);
    this.#wakeWriter?.();
    this.#checkOver();
  }

  #fail(error: Error): void {
    if (this.#isReadOver && this.#isWriteOver) return;
    if (!this.#isDeaf) this.#readable.error(error);
    this.#writable.error(error);
    this.#isDeaf = true;
    this.#queue = [];
    this.#endReading();
    this.#endWriting({ foolscap: "abort", reason: error.message });
  }

  #checkOver(): void {
    if (!this.#isWriteOver || !this.#isReadOver) return;
    this.#port.removeEventListener("message", this.#onMessage);
    this.#port.removeEventListener("messageerror", this.#onError);
    this.#port.removeEventListener("error", this.#onError);
    // `close` of a Worker's global scope would end the Worker.
    if (this.#port instanceof MessagePort) this.#port.close();
  }

  #post(message: Message, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
