/**
 * A place in front of a Tub that holds connections up, or cuts them.
 *
 * @module
 */

/** What becomes of a connection to the proxy. */
export type ProxyMode = "pass" | "hold" | "cut";

/** Forwards connections to a port of 127.0.0.1, now, later or never. */
export class StallingProxy implements AsyncDisposable {
  /** What becomes of the next connections. */
  mode: ProxyMode = "pass";
  /** How many came while they were held up. */
  held = 0;
  readonly #listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  readonly #gate = Promise.withResolvers<void>();
  readonly #conns = new Set<Deno.Conn>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #target = 0;
  #isClosed = false;

  /** Takes connections from here on. */
  constructor() {
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Where connections are forwarded to. */
  forwardTo(port: number): void {
    this.#target = port;
  }

  /** Forwards those that are held up. */
  release(): void {
    this.mode = "pass";
    this.#gate.resolve();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      const task: Promise<void> = this.#serve(conn).catch(() => {}).finally(() => this.#tasks.delete(task));
      this.#tasks.add(task);
    }
  }

  async #serve(near: Deno.Conn): Promise<void> {
    this.#conns.add(near);
    if (this.mode === "cut") return this.#close(near);
    if (this.mode === "hold") {
      this.held++;
      await this.#gate.promise;
    }
    if (this.#isClosed) return;
    const far = await Deno.connect({ port: this.#target, hostname: "127.0.0.1" });
    this.#conns.add(far);
    await Promise.allSettled([
      near.readable.pipeTo(far.writable),
      far.readable.pipeTo(near.writable),
    ]);
  }

  #close(conn: Deno.Conn): void {
    try {
      conn.close();
    } catch {
      // It is closed already.
    }
    this.#conns.delete(conn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#listener.close();
    this.#gate.resolve();
    for (const conn of this.#conns) this.#close(conn);
    await this.#accepting;
    await Promise.allSettled(this.#tasks);
  }
}
