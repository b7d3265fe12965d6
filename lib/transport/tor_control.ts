/**
 * Tor's control port, as far as it takes to learn where Tor's SOCKS ports are.
 *
 *     -> PROTOCOLINFO 1
 *     <- 250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="/run/tor/control.authcookie"
 *     -> AUTHCHALLENGE SAFECOOKIE <nonce>
 *     <- 250 AUTHCHALLENGE SERVERHASH=<hash> SERVERNONCE=<nonce>
 *     -> AUTHENTICATE <hash>
 *     -> GETINFO net/listeners/socks
 *     <- 250-net/listeners/socks="127.0.0.1:9050" "unix:/run/tor/socks"
 *
 * Source: https://spec.torproject.org/control-spec/
 *
 * @module
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { ProxyError } from "../errors.ts";
import { MAX_PROXY_LINES } from "../limits.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import { converse, type Dialogue } from "./dialogue.ts";
import type { Connection } from "./transport.ts";

/** Options of {@linkcode findSocksPorts}. */
export interface TorControlOptions {
  /** The password of the control port, for a Tor that wants one. */
  readonly password?: string | undefined;
  /** Reads the file that proves that this program may control Tor. */
  readCookie(path: string): Promise<Uint8Array>;
  /** Where nonces come from. */
  randomBytes(length: number): Uint8Array;
  /** Who is asked, for errors: `Tor's control port tcp:127.0.0.1:9051`. */
  readonly who: string;
  /** Ends the conversation. */
  readonly signal: AbortSignal;
}

const COOKIE_BYTES = 32;
const NONCE_BYTES = 32;
const SERVER_KEY = "Tor safe cookie authentication server-to-controller hash";
const CLIENT_KEY = "Tor safe cookie authentication controller-to-server hash";

/**
 * Asks Tor where its SOCKS ports are.
 *
 * @param connection To the control port. Is closed afterwards.
 * @returns At least one place, such as `127.0.0.1:9050` or `unix:/run/tor/socks`, in Tor's order.
 * @throws {ProxyError} If Tor refuses, has no SOCKS port, or does not speak its protocol.
 * @throws What `readCookie` throws; the reason of the signal, when it fires first.
 */
export async function findSocksPorts(connection: Connection, options: TorControlOptions): Promise<string[]> {
  const ports = await converse(connection, options, async (dialogue) => {
    await authenticate(dialogue, options);
    const [line = ""] = await ask(dialogue, "GETINFO net/listeners/socks", options.who);
    return Array.from(line.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, text]) => unescape(text!));
  });
  await connection.close();
  if (ports.length > 0) return ports;
  throw new ProxyError(`${options.who} says that there is no SOCKS port; give Tor a SocksPort`);
}

async function authenticate(dialogue: Dialogue, options: TorControlOptions): Promise<void> {
  const { who, password } = options;
  const lines = await ask(dialogue, "PROTOCOLINFO 1", who);
  const line = lines.find((each) => each.startsWith("AUTH ")) ?? "";
  const methods = /METHODS=([A-Z,]+)/.exec(line)?.[1]?.split(",") ?? [];
  if (methods.includes("NULL")) return void await ask(dialogue, "AUTHENTICATE", who);
  if (password !== undefined && methods.includes("HASHEDPASSWORD")) {
    return void await ask(dialogue, `AUTHENTICATE ${hex(encodeText(password))}`, who);
  }
  const file = /COOKIEFILE="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  // Plain COOKIE would give a file's contents to whoever says that he is Tor.
  if (methods.includes("SAFECOOKIE") && file !== undefined) {
    const cookie = await options.readCookie(unescape(file));
    return await proveCookie(dialogue, cookie, options);
  }
  throw new ProxyError(
    `${who} offers no way to log in that can be used: ${quoteForeign(methods.join(", "))}; give its password`,
  );
}

async function proveCookie(
  dialogue: Dialogue,
  cookie: Uint8Array,
  options: TorControlOptions,
): Promise<void> {
  const { who } = options;
  if (cookie.length !== COOKIE_BYTES) {
    throw new ProxyError(`${who} names a file that is no cookie of Tor: it has not ${COOKIE_BYTES} bytes`);
  }
  const nonce = options.randomBytes(NONCE_BYTES);
  const [line = ""] = await ask(dialogue, `AUTHCHALLENGE SAFECOOKIE ${hex(nonce)}`, who);
  const match = /^AUTHCHALLENGE SERVERHASH=([0-9A-Fa-f]{64}) SERVERNONCE=([0-9A-Fa-f]{64})$/.exec(line);
  if (match === null) throw notTor(who, line);
  const [theirs, serverNonce] = [unhex(match[1]!), unhex(match[2]!)];
  const proof = (key: string) =>
    createHmac("sha256", key).update(cookie).update(nonce).update(serverNonce).digest();
  if (!timingSafeEqual(proof(SERVER_KEY), theirs)) {
    throw new ProxyError(`${who} does not know the cookie that it names: it is not Tor`);
  }
  await ask(dialogue, `AUTHENTICATE ${hex(proof(CLIENT_KEY))}`, who);
}

/** The lines of an answer, without their codes; the last `OK` is left out where there is more. */
async function ask(dialogue: Dialogue, command: string, who: string): Promise<string[]> {
  await dialogue.write(`${command}\r\n`);
  const lines: string[] = [];
  for (;;) {
    const line = await dialogue.readLine();
    const [, code, separator, text] = /^(\d{3})([ -])(.*)$/.exec(line) ?? [];
    if (code === undefined || text === undefined) throw notTor(who, line);
    if (code !== "250") {
      throw new ProxyError(`${who} refused: ${quoteForeign(text)}`, { reply: Number(code) });
    }
    if (separator === " " && lines.length > 0) return lines;
    lines.push(text);
    if (separator === " ") return lines;
    if (lines.length > MAX_PROXY_LINES) {
      throw new ProxyError(`${who} sent more than ${MAX_PROXY_LINES} lines`);
    }
  }
}

function notTor(who: string, line: string): ProxyError {
  return new ProxyError(`${who} does not speak Tor's control protocol: it answered ${quoteForeign(line)}`);
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
