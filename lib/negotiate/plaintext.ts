/**
 * The plaintext phase: a GET that names the Tub, and the answer, after which TLS starts.
 *
 * Source: Foolscap `negotiate.py`, `sendPlaintextClient()`, `handlePLAINTEXTServer()`,
 * `handlePLAINTEXTClient()`.
 *
 * @module
 */

import { encodeText, quoteForeign } from "../util/text.ts";
import { decodeLines } from "./blocks.ts";
import { openRefusal, Refusal, refusalOf } from "./refusal.ts";

/** The server's consent. After it both sides start TLS. */
export const SWITCHING_PROTOCOLS: Uint8Array = encodeText(
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, PB/1.0\r\nConnection: Upgrade\r\n\r\n",
);

/**
 * Writes the client's first bytes. They are exact: proxies of others recognise `GET /id/`.
 *
 * @param tubId The Tub that the client wants to reach.
 * @param host The host of the hint, without port and brackets.
 */
export function encodeGet(tubId: string, host: string): Uint8Array {
  const hostname = host.replace(/[\r\n]/g, "");
  return encodeText(
    `GET /id/${tubId} HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n`,
  );
}

/**
 * Reads a client's GET. Headers are not looked at, a missing `Upgrade` neither.
 *
 * @returns The TubID that the client asks for, not checked in any way.
 * @throws {Refusal} If it is something else.
 */
export function decodeGet(block: Uint8Array): string {
  const line = decodeLines(block)[0] ?? "";
  const fields = line.split(/[ \t\n\r\v\f]+/).filter((field) => field !== "");
  const path = fields[1] ?? "";
  if (!line.startsWith("GET ") || fields.length !== 3 || !path.startsWith("/id/")) {
    throw refusalOf("The client sent something else than GET /id/<TubID> HTTP/1.1", line);
  }
  const tubId = path.slice("/id/".length);
  if (tubId === "") throw openRefusal("secure Tubs require encryption");
  return tubId;
}

/** The refusal of a TubID that is not ours. The peer gets its own words back, at most 200 of them. */
export function unknownTubId(tubId: string): Refusal {
  return new Refusal(
    `The client asked for unknown TubID ${quoteForeign(tubId)}`,
    `unknown TubID ${tubId.slice(0, 200)}`,
  );
}

/**
 * Reads the server's answer.
 *
 * @throws {Refusal} If it is not a 101 that goes on with TLS; the message has the server's reason.
 */
export function checkSwitching(block: Uint8Array): void {
  const lines = decodeLines(block);
  const status = (lines[0] ?? "").split(/[ \t\n\r\v\f]+/).filter((field) => field !== "")[1];
  if (status !== "101") {
    throw refusalOf("The server did not answer 101 Switching Protocols", lines[0] ?? "");
  }
  if (!lines.join("\r\n").includes("Upgrade: TLS/1.0")) {
    throw refusalOf("The server's answer has no upgrade to TLS", lines.join(" "));
  }
}
