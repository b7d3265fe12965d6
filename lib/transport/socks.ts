/**
 * SOCKS5, the client's side: a connection to a proxy becomes one to wherever the proxy can reach.
 *
 *     -> 05 02 00 02                           version 5; I can do without a password, or with one
 *     <- 05 00                                 without
 *     -> 05 01 00 03 07 example 11 95          CONNECT to the name "example", port 4501
 *     <- 05 00 00 01 7f 00 00 01 d4 31         done; from 127.0.0.1:54321, which nobody needs
 *
 * Source: RFC 1928, and RFC 1929 for the password; Tor's proposal 304 for its own replies.
 *
 * @module
 */

import { ProxyError } from "../errors.ts";
import { bytesOfAddress } from "../names/ip_address.ts";
import { converse, type Dialogue } from "./dialogue.ts";
import { encodeLogin, LOGIN_VERSION, type SocksLogin, withLength } from "./socks_login.ts";
import type { Connection } from "./transport.ts";

/** Options of {@linkcode connectSocks}. */
export interface SocksOptions {
  /** Where the proxy is asked to connect to: a name, which the proxy resolves, or an address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** @default the proxy is asked to do without */
  readonly login?: SocksLogin | undefined;
  /** Who the proxy is, for errors: `SOCKS proxy tcp:127.0.0.1:1080`. */
  readonly who: string;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

const VERSION = 5;
const METHOD = { none: 0, login: 2, refused: 0xff } as const;
const CONNECT = 1;
const ADDRESS = { ipv4: 1, name: 3, ipv6: 4 } as const;
const PORT_BYTES = 2;

const REPLIES: ReadonlyMap<number, string> = new Map([
  [1, "general failure"],
  [2, "its rules do not allow the connection"],
  [3, "the network is unreachable"],
  [4, "the host is unreachable"],
  [5, "the connection was refused over there"],
  [6, "the time to live expired"],
  [7, "it does not know the command"],
  [8, "it does not know this type of address"],
  [0xf0, "the onion service's descriptor was not found"],
  [0xf1, "the onion service's descriptor is invalid"],
  [0xf2, "the introduction to the onion service failed"],
  [0xf3, "the rendezvous with the onion service failed"],
  [0xf4, "the onion service wants an authorization of its clients"],
  [0xf5, "the onion service refused the authorization"],
  [0xf6, "the onion address is invalid"],
  [0xf7, "the introduction to the onion service timed out"],
]);

/**
 * Asks a proxy to connect. When it has, what the connection carries is what the other end sends and gets.
 *
 * @param connection To the proxy; nothing was sent on it. Is closed when this fails.
 * @throws {ProxyError} If the proxy refuses, with the number of its reply, or does not speak SOCKS5.
 * @throws {RangeError} If the host, the name or the password is too long, or empty.
 * @throws The reason of the signal, when it fires first.
 */
export async function connectSocks(connection: Connection, options: SocksOptions): Promise<void> {
  await converse(connection, options, async (dialogue) => {
    const request = encodeRequest(options.host, options.port);
    const login = options.login === undefined ? undefined : encodeLogin(options.login);
    await greet(dialogue, login, options.who);
    await dialogue.write(request);
    const [version, reply, , type] = await dialogue.read(4);
    if (version !== VERSION) throw notSocks(options.who, version!);
    if (reply !== 0) {
      const why = REPLIES.get(reply!) ?? `reply ${reply}, which is not known`;
      throw new ProxyError(`${options.who} did not connect: ${why}`, { reply });
    }
    // The address is the proxy's own end; what counts is where it ends.
    await dialogue.read(await addressBytes(dialogue, type!, options.who) + PORT_BYTES);
  });
}

async function greet(dialogue: Dialogue, login: Uint8Array | undefined, who: string): Promise<void> {
  const methods = login === undefined ? [METHOD.none] : [METHOD.none, METHOD.login];
  await dialogue.write(Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await dialogue.read(2);
  if (version !== VERSION) throw notSocks(who, version!);
  if (method === METHOD.none) return;
  if (method === METHOD.refused) {
    const advice = login === undefined ? "; it wants a username and a password" : "";
    throw new ProxyError(`${who} takes none of the ways to log in that are offered${advice}`, {
      reply: method,
    });
  }
  if (method !== METHOD.login || login === undefined) {
    throw new ProxyError(`${who} chose a way to log in that was not offered: ${method}`, { reply: method });
  }
  await dialogue.write(login);
  const [loginVersion, status] = await dialogue.read(2);
  if (loginVersion !== LOGIN_VERSION) throw notSocks(who, loginVersion!);
  if (status !== 0) throw new ProxyError(`${who} refused the username or the password`, { reply: status });
}

async function addressBytes(dialogue: Dialogue, type: number, who: string): Promise<number> {
  if (type === ADDRESS.ipv4) return 4;
  if (type === ADDRESS.ipv6) return 16;
  if (type === ADDRESS.name) return (await dialogue.read(1))[0]!;
  throw new ProxyError(`${who} answered with an address of the unknown type ${type}`);
}

function encodeRequest(host: string, port: number): Uint8Array {
  const address = bytesOfAddress(host);
  const [type, bytes] = address === undefined
    ? [ADDRESS.name, withLength(host, "host")]
    : [address.length === 4 ? ADDRESS.ipv4 : ADDRESS.ipv6, address];
  return Uint8Array.of(VERSION, CONNECT, 0, type, ...bytes, port >> 8, port & 0xff);
}

function notSocks(who: string, version: number): ProxyError {
  return new ProxyError(`${who} does not speak SOCKS5: its answer begins with ${version}`);
}
