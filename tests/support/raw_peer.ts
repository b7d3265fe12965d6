/**
 * A peer that says on one end of a connection exactly what a test tells it to.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Connection, TlsIdentity, UpgradableConnection } from "../../lib/transport/transport.ts";

/** Reads and writes text on a connection, plain or TLS. */
export class RawPeer {
  #connection: Connection;
  readonly #plain: UpgradableConnection;
  #rest = "";

  constructor(connection: UpgradableConnection) {
    this.#connection = this.#plain = connection;
  }

  /** Writes text as one chunk. */
  async send(text: string): Promise<void> {
    const writer = this.#connection.writable.getWriter();
    try {
      await writer.write(Uint8Array.from(text, (char) => char.charCodeAt(0)));
    } finally {
      writer.releaseLock();
    }
  }

  /** Reads up to the end of a header block, which is left out. */
  async block(): Promise<string> {
    const reader = this.#connection.readable.getReader();
    try {
      for (;;) {
        const end = this.#rest.indexOf("\r\n\r\n");
        if (end >= 0) {
          const block = this.#rest.slice(0, end);
          this.#rest = this.#rest.slice(end + 4);
          return block;
        }
        const { value, done } = await reader.read();
        assert(!done, `the stream ended after ${JSON.stringify(this.#rest)}`);
        this.#rest += String.fromCharCode(...value);
      }
    } finally {
      reader.releaseLock();
    }
  }

  /** Reads what comes next; `undefined` at the end of the stream. */
  async chunk(): Promise<string | undefined> {
    if (this.#rest !== "") {
      const rest = this.#rest;
      this.#rest = "";
      return rest;
    }
    const reader = this.#connection.readable.getReader();
    try {
      const { value, done } = await reader.read();
      return done ? undefined : String.fromCharCode(...value);
    } finally {
      reader.releaseLock();
    }
  }

  /** Reads all up to the end of the stream. */
  async rest(): Promise<string> {
    for await (const chunk of this.#connection.readable) this.#rest += String.fromCharCode(...chunk);
    return this.#rest;
  }

  /** Goes on in TLS. */
  async startTls(role: "client" | "server", identity: TlsIdentity): Promise<void> {
    assert.equal(this.#rest, "");
    this.#connection = await this.#plain.startTls({ role, identity });
  }

  async close(): Promise<void> {
    await this.#connection.close();
    await this.#plain.close();
  }
}
