/**
 * From the description of a place to an open listener there.
 *
 * @module
 */

import { formatUnixHint, joinHostPort } from "../names/hints.ts";
import type { PlainSocketOptions } from "../transport/plain_socket.ts";
import { listenTcp } from "../transport/tcp.ts";
import type { UpgradableConnection } from "../transport/transport.ts";
import { listenUnix } from "../transport/unix.ts";
import { type Endpoint, isWildcard } from "./endpoint.ts";
import { netPermission, requirePermission } from "./permissions.ts";
import { checkUnixPermissions } from "./proxy_place.ts";

/** Options of {@linkcode openListener}. */
export interface OpenListenerOptions extends PlainSocketOptions {
  /** Is given each accepted connection; see `listenTcp`. */
  onConnection(connection: UpgradableConnection): void;
}

/** An open listener of any kind. */
export interface OpenListener {
  /** 0 for a unix socket. */
  readonly port: number;
  /** The address that it is bound to; `undefined` for every one of the machine, and for a unix socket. */
  readonly address: string | undefined;
  /** Where others on this machine find it. */
  readonly hint: string;
  /** Whether only this machine can reach it, in whatever way. */
  readonly isLocal: boolean;
  /** Stops accepting. */
  close(): Promise<void>;
}

/**
 * Makes sure of the permissions to listen.
 *
 * @throws {PermissionDenied} If one is missing; names the flag.
 */
export function checkListenPermission(endpoint: Endpoint): void {
  if ("path" in endpoint) return checkUnixPermissions(endpoint.path, "listen on");
  const { address, port } = endpoint;
  requirePermission(netPermission(address, port), `listen on tcp:${joinHostPort(address, port)}`);
}

/**
 * Begins to listen.
 *
 * @throws {UnreachableError} If it cannot: the port is in use, say.
 * @throws {PermissionDenied} If the system does not allow it.
 */
export async function openListener(endpoint: Endpoint, options: OpenListenerOptions): Promise<OpenListener> {
  if ("path" in endpoint) {
    const { path, close } = await listenUnix({ ...options, ...endpoint });
    return { port: 0, address: undefined, hint: formatUnixHint(path), isLocal: true, close };
  }
  const { port, address: bound, close } = await listenTcp({ ...options, ...endpoint });
  const address = isWildcard(bound) ? undefined : bound;
  const hint = `tcp:${joinHostPort(address ?? "localhost", port)}`;
  return { port, address, hint, isLocal: false, close };
}
