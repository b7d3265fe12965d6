/**
 * The handler of hints that are reached by I2P.
 *
 * Source: Foolscap `connections/i2p.py`.
 *
 * @module
 */

import { InvalidHintError, ProxyError } from "../errors.ts";
import { systemRandomBytes } from "../util/random_bytes.ts";
import type { SamSession } from "../transport/sam.ts";
import { SharedTask } from "../util/shared_task.ts";
import { quoteForeign } from "../util/text.ts";
import {
  type ConnectionHintHandler,
  handOver,
  type HintConnectOptions,
  withContext,
} from "./hint_handler.ts";
import { parseProxyPlace, type ProxyPlace } from "./proxy_place.ts";

/** Options of {@linkcode i2p}. */
export interface I2pOptions {
  /**
   * Where the SAM bridge of the I2P router listens. Foolscap: `sam_endpoint`.
   * @default "tcp:127.0.0.1:7656"
   */
  readonly sam?: string | undefined;
  /**
   * The port for hints without one.
   * @default none: the port that the other end listens on by default
   */
  readonly port?: number | undefined;
  /**
   * The private keys of a destination, in I2P's base64, by which others know this program: a secret.
   * @default a new destination for each session
   */
  readonly destination?: string | undefined;
  /**
   * Options of the router for the session, such as `{ "inbound.length": "2" }`.
   * @default the router's own
   */
  readonly options?: Readonly<Record<string, string>> | undefined;
}

const HINT = /^[^:]*:([A-Za-z.0-9-]+)(?::(\d{1,5}))?$/;

/**
 * Makes a handler of hints that name a place in the I2P network, `i2p:ADDRESS` or `i2p:ADDRESS:PORT`, where the address is
 * an I2P name or `....b32.i2p`. It uses a router that runs already, by its SAM bridge (version 3).
 *
 * All connections share one session, which is made when it is first needed and ends when no Tub uses the handler any more.
 *
 * @throws {TypeError} If the bridge's place cannot be read, or an option has blanks or quotes.
 *
 * @example
 * ```ts
 * import { i2p, Tub } from "../../mod.ts";
 *
 * await using tub = await Tub.create();
 * tub.addConnectionHintHandler("i2p", i2p());
 * ```
 */
export function i2p(options: I2pOptions = {}): ConnectionHintHandler {
  const { sam = "tcp:127.0.0.1:7656", destination = "TRANSIENT", options: more = {} } = options;
  for (const word of [destination, ...Object.entries(more).flat()]) {
    // A blank or a newline would begin another option or another command.
    if (!/^[\x21-\x7e]+$/.test(word) || word.includes('"')) {
      throw new TypeError(
        "Cannot use I2P: an option is empty, or has blanks, quotes or characters beyond ASCII",
      );
    }
  }
  return new I2pHandler(parseProxyPlace(sam, "the SAM bridge of I2P"), options.port, destination, {
    ...more,
  });
}

interface NamedSession extends SamSession {
  readonly id: string;
}

class I2pHandler implements ConnectionHintHandler {
  readonly followsPeers = true;
  readonly #bridge: ProxyPlace;
  readonly #who: string;
  readonly #defaultPort: number | undefined;
  readonly #session: SharedTask<NamedSession>;
  #asking: HintConnectOptions | undefined;

  constructor(
    bridge: ProxyPlace,
    defaultPort: number | undefined,
    destination: string,
    options: Readonly<Record<string, string>>,
  ) {
    this.#bridge = bridge;
    this.#who = `SAM bridge ${bridge.text}`;
    this.#defaultPort = defaultPort;
    this.#session = new SharedTask(async (signal, expire) => {
      const id = newId();
      const asking = { ...this.#asking!, signal };
      const { createSamSession } = await import("../transport/sam.ts");
      const session = await withContext(asking, "making an I2P session", async () => {
        const connection = await bridge.dial(asking);
        return await createSamSession(connection, { id, destination, options, who: this.#who, signal });
      });
      // A session that the router ended is made anew by whoever needs it next.
      void session.ended.then(expire);
      signal.addEventListener("abort", () => void session.close());
      return { ...session, id };
    });
  }

  async connect(hint: string, options: HintConnectOptions) {
    const [, name, digits] = HINT.exec(hint) ?? [];
    if (name === undefined) throw new InvalidHintError("unrecognized I2P hint");
    const port = Number(digits ?? 0) || this.#defaultPort;
    if (port !== undefined && port > 65_535) throw new InvalidHintError(`port ${port} is none`);
    this.#asking = options;
    const { id } = await this.#session.get(options.signal);
    options.updateStatus("connecting");
    const { signal, clock } = options;
    const peerAddress = `i2p:${quoteForeign(name, 100).slice(1, -1)} by ${this.#bridge.text}`;
    const { connectSam } = await import("../transport/sam.ts");
    const connection = await this.#bridge.dial({ signal, clock, peerAddress });
    await connectSam(connection, { id, name, port, who: this.#who, signal });
    return handOver(connection, name);
  }

  describe(): string {
    return "i2p";
  }

  hold(): AsyncDisposable {
    return this.#session.hold(new ProxyError("The I2P session is not used any more"), ({ close }) => close());
  }
}

function newId(): string {
  return `foolscap-${
    Array.from(systemRandomBytes(8), (byte) => byte.toString(16).padStart(2, "0")).join("")
  }`;
}
