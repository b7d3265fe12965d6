/**
 * A place where a Tub accepts connections.
 *
 * @module
 */

import type { OpenListener } from "./listen.ts";
import type { ListeningAt } from "./location.ts";

/** A place where a Tub accepts connections. Made by {@linkcode Tub.listenOn}. */
export interface Listener extends AsyncDisposable {
  /** The port, as the program named it or the system chose it; 0 for a unix socket. */
  readonly port: number;
  /**
   * A hint for {@linkcode Tub.setLocation}: `tcp:127.0.0.1:4501`. A listener on every address of the machine says
   * `localhost`, which only programs on the same machine can use. That of a unix socket, `unix:%2Frun%2Fcalc.sock`, is
   * for programs that have added {@linkcode unix}.
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
  readonly isLocal: boolean;
  readonly #transport: OpenListener;
  readonly #onClosed: (listener: TubListener) => void;

  /** @param onClosed Called when the listener is about to close. */
  constructor(transport: OpenListener, onClosed: (listener: TubListener) => void) {
    this.#transport = transport;
    this.#onClosed = onClosed;
    this.port = transport.port;
    this.address = transport.address;
    this.hint = transport.hint;
    this.isLocal = transport.isLocal;
  }

  async close(): Promise<void> {
    this.#onClosed(this);
    await this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
