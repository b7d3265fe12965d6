/**
 * The handler of hints that are reached by Tor.
 *
 * Source: Foolscap `connections/tor.py`.
 *
 * @module
 */

import { InvalidHintError, PermissionDenied, ProxyError, toError, UnreachableError } from "../errors.ts";
import { MAX_COOKIE_BYTES } from "../limits.ts";
import { hostPortOf } from "../names/hints.ts";
import { isNonPublicAddress } from "../names/ip_address.ts";
import { systemRandomBytes } from "../util/random_bytes.ts";
import type { SocksLogin } from "../transport/socks_login.ts";
import type { UpgradableConnection } from "../transport/transport.ts";
import { SharedTask } from "../util/shared_task.ts";
import {
  type ConnectionHintHandler,
  handOver,
  type HintConnectOptions,
  withContext,
} from "./hint_handler.ts";
import { requirePermission } from "./permissions.ts";
import { parseProxyPlace, type ProxyPlace } from "./proxy_place.ts";
import { dialForSocks, loginOf } from "./socks_handler.ts";
import type { LaunchedTor, TorLaunchOptions } from "./tor_launch.ts";

/** Options of {@linkcode tor}: where Tor is. At most one of `socks`, `control` and `launch`. */
export interface TorOptions {
  /**
   * Tor's SOCKS port: `tcp:127.0.0.1:9050` or `unix:/run/tor/socks`. Foolscap: `socks_endpoint`.
   *
   * @default 9050 on this machine, and 9150 (Tor Browser) if nobody listens there; Foolscap: `default_socks`
   */
  readonly socks?: string | undefined;
  /**
   * Tor's control port, which is asked for the SOCKS port: `tcp:127.0.0.1:9051`, or a function that finds out, asked once.
   * It takes `--allow-read` for Tor's cookie file, unless Tor wants a password or nothing. Foolscap: `control_endpoint`,
   * `control_endpoint_maker`.
   */
  readonly control?:
    | string
    | ((updateStatus: (text: string) => void) => string | PromiseLike<string>)
    | undefined;
  /** The password of the control port. */
  readonly controlPassword?: string | undefined;
  /**
   * Starts a Tor of the program's own when it is first needed, which ends when no Tub uses the handler any more. It takes
   * `--allow-run=tor`, and `--allow-write` for its folder. Foolscap: `launch`, which waits until Tor has found its network;
   * this one lets Tor keep the requests until then.
   */
  readonly launch?: boolean | TorLaunchOptions | undefined;
  /** With a password: connections of different usernames take different ways through the network. */
  readonly username?: string | undefined;
  /** See `username`. */
  readonly password?: string | undefined;
}

const DEFAULT_SOCKS = ["tcp:127.0.0.1:9050", "tcp:127.0.0.1:9150"];

/**
 * Makes a handler of hints of the form `TYPE:HOST:PORT`, such as `tor:example.onion:4501`, that connects by Tor. Added for
 * `tcp`, it sends all connections of the Tub through Tor.
 *
 * Addresses that Tor cannot reach, which are those of private networks and of IPv6, are bad hints.
 *
 * @throws {TypeError} If a place cannot be read, or options contradict each other.
 * @throws {RangeError} If the username or the password is empty or has more than 255 bytes.
 *
 * @example
 * ```ts
 * import { tor, Tub } from "../../mod.ts";
 *
 * await using tub = await Tub.create();
 * tub.removeAllConnectionHintHandlers(); // nothing goes out but by Tor
 * tub.addConnectionHintHandler("tor", tor());
 * tub.addConnectionHintHandler("tcp", tor());
 * ```
 */
export function tor(options: TorOptions = {}): ConnectionHintHandler {
  const { socks, control, launch } = options;
  const isLaunched = launch !== undefined && launch !== false;
  if ([socks !== undefined, control !== undefined, isLaunched].filter(Boolean).length > 1) {
    throw new TypeError("Cannot use Tor: give one of socks, control and launch");
  }
  const login = loginOf(options.username, options.password);
  if (isLaunched) return new LaunchingHandler(launch === true ? {} : launch, login);
  if (control !== undefined) {
    if (typeof control === "string") parseProxyPlace(control, "Tor's control port");
    return new ControlledHandler(control, options.controlPassword, login);
  }
  const places = (socks === undefined ? DEFAULT_SOCKS : [socks]).map((text) => parseProxyPlace(text, "Tor"));
  return new TorHandler(() => Promise.resolve(places), login);
}

type FindPlaces = (options: HintConnectOptions) => Promise<readonly ProxyPlace[]>;

class TorHandler implements ConnectionHintHandler {
  readonly followsPeers = true;
  readonly #find: FindPlaces;
  readonly #login: SocksLogin | undefined;

  constructor(find: FindPlaces, login: SocksLogin | undefined) {
    this.#find = find;
    this.#login = login;
  }

  async connect(hint: string, options: HintConnectOptions) {
    const { host, port } = hostPortOf(hint, "TCP/Tor");
    if (isNonPublicAddress(host)) throw new InvalidHintError(`ignoring non-Tor-able ipaddr ${host}`);
    const { connectSocks } = await import("../transport/socks.ts");
    const [connection, who] = await withContext(options, "connecting to a Tor", async () => {
      return await dialFirst(await this.#find(options), host, port, options);
    });
    options.updateStatus("connecting");
    await connectSocks(connection, { host, port, login: this.#login, who, signal: options.signal });
    return handOver(connection, host);
  }

  describe(): string {
    return "tor";
  }
}

/** The first place where somebody listens. */
async function dialFirst(
  places: readonly ProxyPlace[],
  host: string,
  port: number,
  options: HintConnectOptions,
): Promise<[connection: UpgradableConnection, who: string]> {
  let failure: unknown;
  for (const place of places) {
    try {
      return [await dialForSocks(place, host, port, options), `Tor at ${place.text}`];
    } catch (error) {
      // What the first one says is what the program should hear of.
      failure ??= error;
      if (!(error instanceof UnreachableError)) break;
    }
  }
  throw failure;
}

/** Asks a control port once where Tor is. */
class ControlledHandler extends TorHandler {
  constructor(control: NonNullable<TorOptions["control"]>, password: string | undefined, login?: SocksLogin) {
    // The status of whoever asked first; the others wait for the same answer.
    let first: HintConnectOptions | undefined;
    const places = new SharedTask(async (signal) => {
      const options = { ...first!, signal };
      const { updateStatus } = options;
      const text = typeof control === "string"
        ? control
        : await withContext(options, "making Tor control endpoint", async () => await control(updateStatus));
      const place = parseProxyPlace(text, "Tor's control port");
      const { findSocksPorts } = await import("../transport/tor_control.ts");
      const connection = await withContext(options, "connecting to Tor", () => place.dial(options));
      const who = `Tor's control port ${place.text}`;
      const more = { who, signal, password, readCookie, randomBytes: systemRandomBytes };
      const ports = await withContext(
        options,
        "asking Tor for its SOCKS port",
        () => findSocksPorts(connection, more),
      );
      return ports.map((port) => parseProxyPlace(port, "the SOCKS port of Tor"));
    });
    super((options) => {
      first = options;
      return places.get(options.signal);
    }, login);
  }
}

async function readCookie(path: string): Promise<Uint8Array> {
  requirePermission({ name: "read", path }, "log in to Tor with its cookie");
  try {
    // Whoever listens there names the file: a pipe, or one without an end, would hold this up for ever.
    if (!(await Deno.stat(path)).isFile) throw new TypeError("it is no regular file");
    using file = await Deno.open(path);
    const bytes = new Uint8Array(MAX_COOKIE_BYTES);
    return bytes.subarray(0, await file.read(bytes) ?? 0);
  } catch (error) {
    const cause = toError(error);
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new PermissionDenied("Cannot log in to Tor: this user may not read its cookie", { cause });
    }
    throw new ProxyError("Cannot log in to Tor: its cookie cannot be read", { cause });
  }
}

/** Starts Tor when it is first needed. */
class LaunchingHandler extends TorHandler {
  readonly #launched: SharedTask<LaunchedTor>;

  constructor(launch: TorLaunchOptions, login: SocksLogin | undefined) {
    let first: HintConnectOptions | undefined;
    const launched = new SharedTask<LaunchedTor>(async (signal, expire) => {
      const { launchTor } = await import("./tor_launch.ts");
      const process = await withContext(
        { ...first!, signal },
        "launching Tor",
        () => launchTor(launch, signal),
      );
      // One that has ended is started anew by whoever needs it next.
      void process.ended.then(expire);
      signal.addEventListener("abort", () => void process.close());
      return process;
    });
    super(async (options) => {
      first = options;
      const { socks } = await launched.get(options.signal);
      return [parseProxyPlace(socks, "Tor")];
    }, login);
    this.#launched = launched;
  }

  hold(): AsyncDisposable {
    return this.#launched.hold(new ProxyError("Tor is not used any more"), (process) => process.close());
  }
}
