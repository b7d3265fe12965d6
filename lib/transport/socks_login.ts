/**
 * Who a program says it is to a SOCKS proxy (RFC 1929): apart from the conversation, because it is checked before there is one.
 *
 * @module
 */

import { encodeText } from "../util/text.ts";

/** The version of this part of the conversation, with which it begins. */
export const LOGIN_VERSION = 1;

/** A name and a password for a SOCKS proxy; Tor keeps those of different names on different circuits. */
export interface SocksLogin {
  /** 1 to 255 bytes of UTF-8. */
  readonly username: string;
  /** 1 to 255 bytes of UTF-8. */
  readonly password: string;
}

/**
 * Makes sure of a name and a password.
 *
 * @throws {RangeError} If one is empty or has more than 255 bytes.
 */
export function checkLogin(login: SocksLogin | undefined): void {
  if (login !== undefined) encodeLogin(login);
}

/** The message with both. */
export function encodeLogin({ username, password }: SocksLogin): Uint8Array {
  return Uint8Array.of(
    LOGIN_VERSION,
    ...withLength(username, "username"),
    ...withLength(password, "password"),
  );
}

/**
 * A text with its length before it, as the protocol has it. Errors do not show the text: it may be a secret.
 *
 * @throws {RangeError} If it is empty or has more than 255 bytes.
 */
export function withLength(text: string, what: string): Uint8Array {
  const bytes = encodeText(text);
  if (bytes.length >= 1 && bytes.length <= 255) return Uint8Array.of(bytes.length, ...bytes);
  throw new RangeError(`Cannot ask a SOCKS proxy: the ${what} has ${bytes.length} bytes; it takes 1 to 255`);
}
