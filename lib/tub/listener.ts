/**
 * A place where a Tub accepts connections.
 *
 * @module
 */

import { joinHostPort } from "../names/hints.ts";
import type { TransportListener } from "../transport/transport.ts";
import { isWildcard } from "./endpoint.ts";
import type { ListeningAt } from "./location.ts";

/** A place where a Tub accepts connections. Made by {@linkcode Tub.listenOn}. */
export interface Listener extends AsyncDisposable {
  /** The port, as the program named it or the system chose it. */
  readonly port: number;
  /**
   * A hint for {@linkcode Tub.setLocation}: `tcp:127.0.0.1:4501`. A listener on every address of the machine says
   * `localhost`, which only programs on the same machine can use.
   */
  readonly hint: string;
  /** Accepts no more connections; those that are there stay. More than once is harmless. */
  close(): Promise<void>;
}

/** The listener that a Tub keeps. */
export class TubListener implements Listener, ListeningAt {
  readonly port: number;
  readonly address: string | undefined;
  readonly hint: string;
  readonly #transport: TransportListener;
  readonly #onClosed: (listener: TubListener) => void;

  /** @param onClosed Called when the listener is about to close. */
  constructor(transport: TransportListener, onClosed: (listener: TubListener) => void) {
    this.#transport = transport;
    this.#onClosed = onClosed;
    this.port = transport.port;
    this.address = isWildcard(transport.address) ? undefined : transport.address;
    this.hint = `tcp:${joinHostPort(this.address ?? "localhost", this.port)}`;
  }

  async close(): Promise<void> {
    this.#onClosed(this);
    await this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
