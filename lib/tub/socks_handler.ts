/**
 * The handler of hints that are reached by a SOCKS5 proxy.
 *
 * @module
 */

import { hostPortOf, joinHostPort } from "../names/hints.ts";
import { checkLogin, type SocksLogin } from "../transport/socks_login.ts";
import type { UpgradableConnection } from "../transport/transport.ts";
import { type ConnectionHintHandler, handOver, type HintConnectOptions } from "./hint_handler.ts";
import { parseProxyPlace, type ProxyPlace } from "./proxy_place.ts";

/** Options of {@linkcode socks}. */
export interface SocksHandlerOptions {
  /** Where the proxy listens: `tcp:127.0.0.1:1080`, or `unix:/run/socks`. */
  readonly proxy: string;
  /** For a proxy that wants one; 1 to 255 bytes. With a password only. */
  readonly username?: string | undefined;
  /** For a proxy that wants one; 1 to 255 bytes. It is sent in clear. */
  readonly password?: string | undefined;
}

/**
 * Makes a handler of hints of the form `TYPE:HOST:PORT`, such as `socks:example.org:4501`, that connects by a SOCKS5 proxy
 * (RFC 1928). Names are resolved by the proxy. Added for `tcp`, it sends all connections of the Tub through the proxy.
 *
 * @throws {TypeError} If the proxy's place cannot be read, or there is a username without a password or the reverse.
 * @throws {RangeError} If one of these is empty or has more than 255 bytes.
 *
 * @example
 * ```ts
 * import { socks, Tub } from "../../mod.ts";
 *
 * await using tub = await Tub.create();
 * tub.addConnectionHintHandler("tcp", socks({ proxy: "tcp:127.0.0.1:1080" }));
 * ```
 */
export function socks(options: SocksHandlerOptions): ConnectionHintHandler {
  const proxy = parseProxyPlace(options.proxy, "a SOCKS proxy");
  const login = loginOf(options.username, options.password);
  return {
    async connect(hint, connectOptions) {
      const { host, port } = hostPortOf(hint, "TCP/SOCKS");
      connectOptions.updateStatus("connecting");
      const { connectSocks } = await import("../transport/socks.ts");
      const connection = await dialForSocks(proxy, host, port, connectOptions);
      await connectSocks(connection, {
        host,
        port,
        login,
        who: `SOCKS proxy ${proxy.text}`,
        ...connectOptions,
      });
      return handOver(connection, host);
    },
    describe: () => "socks",
    followsPeers: true,
  };
}

/** Connects to a proxy that will be asked to lead to a host. */
export function dialForSocks(
  proxy: ProxyPlace,
  host: string,
  port: number,
  { signal, clock }: HintConnectOptions,
): Promise<UpgradableConnection> {
  const peerAddress = `tcp:${joinHostPort(host, port)} by ${proxy.text}`;
  return proxy.dial({ signal, clock, peerAddress });
}

/**
 * The login that options name.
 *
 * @throws {TypeError} If one half is missing.
 * @throws {RangeError} If one is too long, or empty.
 */
export function loginOf(username: string | undefined, password: string | undefined): SocksLogin | undefined {
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || password === undefined) {
    throw new TypeError("Cannot log in to a SOCKS proxy: give both username and password, or neither");
  }
  const login = { username, password };
  checkLogin(login);
  return login;
}
