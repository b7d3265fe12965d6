/**
 * Where a proxy or a control port is, as text.
 *
 * @module
 */

import { joinHostPort, problemOfUnixPath, splitHostPort } from "../names/hints.ts";
import type { UpgradableConnection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import { requirePermission } from "./permissions.ts";
import { checkNetPermission } from "./tcp_handler.ts";

/**
 * Makes sure that the program may use a unix socket, which takes three permissions.
 *
 * @param action Such as `listen on`.
 * @throws {PermissionDenied} If it may not; names the flag.
 */
export function checkUnixPermissions(path: string, action: string): void {
  const what = `${action} unix:${path}`;
  requirePermission({ name: "net", host: `unix:${path}` }, what);
  requirePermission({ name: "read", path }, what);
  requirePermission({ name: "write", path }, what);
}

/** Options of {@linkcode ProxyPlace.dial}. */
interface DialProxyOptions {
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /**
   * Where the connection leads behind the proxy, for people.
   * @default the proxy
   */
  readonly peerAddress?: string | undefined;
}

/** Where a proxy listens. */
export interface ProxyPlace {
  /** For people: `tcp:127.0.0.1:1080`. */
  readonly text: string;
  /**
   * Connects to it.
   *
   * @throws {UnreachableError} If nobody listens there.
   * @throws {PermissionDenied} If the program may not; names the flag.
   * @throws The reason of the signal, when it fires first.
   */
  dial(options: DialProxyOptions): Promise<UpgradableConnection>;
}

/**
 * Parses the place of a proxy.
 *
 * @param what What listens there, for the error: `a SOCKS proxy`.
 * @throws {TypeError} If it is none.
 */
export function parseProxyPlace(text: string, what: string): ProxyPlace {
  const path = /^(?:unix:)?(\/.*)$/s.exec(text)?.[1];
  if (path !== undefined && problemOfUnixPath(path) === undefined) {
    return {
      text: `unix:${path}`,
      async dial(options) {
        checkUnixPermissions(path, "connect to");
        const { dialUnix } = await import("../transport/unix.ts");
        return await dialUnix({ path, ...options });
      },
    };
  }
  const address = splitHostPort(String(text).replace(/^tcp:/, ""));
  if (address === undefined || address.port < 1 || address.port > 65_535) {
    throw new TypeError(
      `Cannot use ${what} at ${quoteForeign(String(text))}: write "tcp:HOST:PORT" or "unix:/PATH"`,
    );
  }
  const { host, port } = address;
  return {
    text: `tcp:${joinHostPort(host, port)}`,
    async dial(options) {
      checkNetPermission(host, port);
      const { dialTcp } = await import("../transport/tcp.ts");
      return await dialTcp({ host, port, ...options });
    },
  };
}
