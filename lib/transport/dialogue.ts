/**
 * A short conversation with a proxy over a connection, which then carries the bytes of two Tubs.
 *
 * @module
 */

import { ProxyError, toError } from "../errors.ts";
import { MAX_PROXY_LINE_BYTES } from "../limits.ts";
import type { Connection } from "./transport.ts";

/** Options of {@linkcode converse}. */
export interface DialogueOptions {
  /** Who is asked, for errors: `SOCKS proxy tcp:127.0.0.1:1080`. */
  readonly who: string;
  /** Ends the conversation, and the connection with it. */
  readonly signal: AbortSignal;
}

/**
 * Has a conversation. Afterwards the streams of the connection are unlocked, and nothing but the answers was taken from them.
 *
 * @param connection Is closed when the conversation fails.
 * @returns What `talk` returns.
 * @throws {ProxyError} If the other end breaks off, or says more than it was asked.
 * @throws What `talk` throws; the reason of the signal, when it fires first.
 */
export async function converse<T>(
  connection: Connection,
  options: DialogueOptions,
  talk: (dialogue: Dialogue) => Promise<T>,
): Promise<T> {
  const { signal } = options;
  const dialogue = new Dialogue(connection, options.who);
  const onAbort = () => void connection.close({ isAbrupt: true });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const result = await talk(dialogue);
    signal.throwIfAborted();
    dialogue.finish();
    return result;
  } catch (error) {
    dialogue.release();
    // Nothing that was said to the proxy is worth waiting for.
    await connection.close({ isAbrupt: true });
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Exact reads and writes on a connection. */
export class Dialogue {
  readonly #who: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** What has arrived and was not asked for yet. */
  #rest: Uint8Array = new Uint8Array();

  /** Locks both streams of the connection. */
  constructor(connection: Connection, who: string) {
    this.#who = who;
    this.#reader = connection.readable.getReader();
    this.#writer = connection.writable.getWriter();
  }

  /** Sends bytes, or a text as UTF-8. */
  async write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    try {
      await this.#writer.write(bytes);
    } catch (error) {
      throw this.#brokenOff(error);
    }
  }

  /** The next `length` bytes. */
  async read(length: number): Promise<Uint8Array> {
    while (this.#rest.length < length) await this.#more();
    return this.#take(length);
  }

  /**
   * The next line without its end, which is `\n` or `\r\n`, as Latin-1.
   *
   * @throws {ProxyError} If it has more than {@linkcode MAX_PROXY_LINE_BYTES}.
   */
  async readLine(): Promise<string> {
    for (let from = 0;;) {
      const at = this.#rest.indexOf(10, from);
      if (at > MAX_PROXY_LINE_BYTES || (at < 0 && this.#rest.length > MAX_PROXY_LINE_BYTES)) {
        throw new ProxyError(`${this.#who} sent a line of more than ${MAX_PROXY_LINE_BYTES} bytes`);
      }
      if (at >= 0) {
        const line = this.#take(at + 1).subarray(0, at);
        return String.fromCharCode(...line).replace(/\r$/, "");
      }
      from = this.#rest.length;
      await this.#more();
    }
  }

  /**
   * Gives the streams back.
   *
   * @throws {ProxyError} If there are bytes that nobody asked for: a Tub never speaks before it is spoken to.
   */
  finish(): void {
    if (this.#rest.length > 0) {
      throw new ProxyError(`${this.#who} sent ${this.#rest.length} bytes behind its answer`);
    }
    this.release();
  }

  /** Gives the streams back as they are. */
  release(): void {
    this.#reader.releaseLock();
    this.#writer.releaseLock();
  }

  #take(length: number): Uint8Array {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  async #more(): Promise<void> {
    let result: ReadableStreamReadResult<Uint8Array>;
    try {
      result = await this.#reader.read();
    } catch (error) {
      throw this.#brokenOff(error);
    }
    if (result.done) throw this.#brokenOff(undefined);
    if (this.#rest.length === 0) {
      this.#rest = result.value;
      return;
    }
    const joined = new Uint8Array(this.#rest.length + result.value.length);
    joined.set(this.#rest);
    joined.set(result.value, this.#rest.length);
    this.#rest = joined;
  }

  #brokenOff(thrown: unknown): ProxyError {
    return new ProxyError(`${this.#who} closed the connection before it answered`, {
      cause: thrown === undefined ? undefined : toError(thrown),
    });
  }
}
