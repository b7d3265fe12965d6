/**
 * A place where a Tub accepts connections.
 *
 * @module
 */

import { formatTlsHint } from "../names/hints.ts";
import type { Destination } from "./arrivals.ts";
import type { OpenListener } from "./listen.ts";
import type { ListeningAt } from "./target.ts";

/**
 * A place where a Tub accepts connections. Made by {@linkcode Tub.listenOn}.
 *
 * Other Tubs can share it: `otherTub.listenOn(listener)`. Which of them a connection is for, its first line says.
 */
export interface Listener extends AsyncDisposable {
  /** The port, as the program named it or the system chose it; 0 for a unix socket. */
  readonly port: number;
  /**
   * A hint for {@linkcode Tub.setLocation}: `tcp:127.0.0.1:4501`. A listener on every address of the machine says
   * `localhost`, which only programs on the same machine can use. That of a unix socket, `unix:%2Frun%2Fcalc.sock`, is
   * for programs that have added {@linkcode unix}.
   */
  readonly hint: string;
  /**
   * All hints of the place, for {@linkcode Tub.setLocation}: the one above, and `tls:127.0.0.1:4501:<key>` for Tubs of this
   * module. That there is only where this Tub has opened a TCP port itself, with a certificate as this module makes it: on a
   * port of another Tub that one's certificate would be shown.
   */
  readonly hints: readonly string[];
  /**
   * Accepts no more connections; those that are there stay. The port is that of the Tub that opened it, and closes for those
   * too that share it; one of those that closes its own listener, or stops, only leaves. More than once is harmless.
   */
  close(): Promise<void>;
}

/** The listener that a Tub keeps, for a port that it has opened. */
export class TubListener implements Listener, ListeningAt {
  readonly port: number;
  readonly address: string | undefined;
  readonly hint: string;
  readonly hints: readonly string[];
  readonly isLocal: boolean;
  readonly tlsKey: Uint8Array | undefined;
  readonly #transport: OpenListener;
  readonly #onClosed: (listener: TubListener) => void;
  readonly #guests = new Map<string, SharedListener>();
  #isOpen = true;

  /**
   * @param onClosed Called when the listener is about to close.
   * @param tlsKey The key for `tls:` hints, where the Tub has one.
   */
  constructor(
    transport: OpenListener,
    onClosed: (listener: TubListener) => void,
    tlsKey: Uint8Array | undefined,
  ) {
    this.#transport = transport;
    this.#onClosed = onClosed;
    this.port = transport.port;
    this.address = transport.address;
    this.hint = transport.hint;
    this.isLocal = transport.isLocal;
    this.tlsKey = transport.isLocal ? undefined : tlsKey;
    const { address = "localhost", port } = transport;
    this.hints = Object.freeze([
      this.hint,
      ...(this.tlsKey === undefined ? [] : [formatTlsHint(address, port, this.tlsKey)]),
    ]);
  }

  /** Whether it still accepts connections. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether Tubs share the port. */
  get isShared(): boolean {
    return this.#guests.size > 0;
  }

  /** The Tub of that name, of those that share the port. */
  find(tubId: string): Destination | undefined {
    return this.#guests.get(tubId)?.tub;
  }

  /**
   * Lets another Tub share the port.
   *
   * @param onClosed Called when it is about to share it no more.
   * @throws {TypeError} If it does already.
   */
  share(tub: Destination, onClosed: (listener: TubListener | SharedListener) => void): SharedListener {
    if (this.#guests.has(tub.tubId)) {
      throw new TypeError("Cannot listen: a Tub of the same TubID shares the listener already");
    }
    const shared = new SharedListener(this, tub, () => {
      this.#guests.delete(tub.tubId);
      onClosed(shared);
    });
    this.#guests.set(tub.tubId, shared);
    return shared;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#onClosed(this);
    for (const guest of this.#guests.values()) void guest.close();
    await this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The listener of a Tub that shares the port of another one. */
export class SharedListener implements Listener, ListeningAt {
  readonly port: number;
  readonly address: string | undefined;
  readonly hint: string;
  readonly hints: readonly string[];
  readonly isLocal: boolean;
  readonly tlsKey = undefined;
  /** The Tub that opened the port. */
  readonly owner: TubListener;
  /** The Tub that shares it. */
  readonly tub: Destination;
  readonly #leave: () => void;

  /** Made by {@linkcode TubListener.share}. */
  constructor(owner: TubListener, tub: Destination, leave: () => void) {
    this.owner = owner;
    this.tub = tub;
    this.#leave = leave;
    this.port = owner.port;
    this.address = owner.address;
    this.hint = owner.hint;
    this.hints = Object.freeze([owner.hint]);
    this.isLocal = owner.isLocal;
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    this.#leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
