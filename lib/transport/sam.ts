/**
 * SAM, the text protocol by which programs use an I2P router (version 3), the client's side.
 *
 * A session is a connection to the bridge that stays open; each stream is another one, which turns into the stream:
 *
 *     -> HELLO VERSION MIN=3.0 MAX=3.3
 *     <- HELLO REPLY RESULT=OK VERSION=3.1
 *     -> SESSION CREATE STYLE=STREAM ID=... DESTINATION=TRANSIENT SIGNATURE_TYPE=7
 *     <- SESSION STATUS RESULT=OK DESTINATION=...
 *
 *     -> HELLO ...
 *     -> NAMING LOOKUP NAME=example.i2p
 *     <- NAMING REPLY RESULT=OK NAME=example.i2p VALUE=...
 *     -> STREAM CONNECT ID=... DESTINATION=... SILENT=false TO_PORT=4501
 *     <- STREAM STATUS RESULT=OK
 *
 * Source: https://geti2p.net/en/docs/api/samv3
 *
 * @module
 */

import { ProxyError } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";
import { converse, Dialogue } from "./dialogue.ts";
import type { Connection } from "./transport.ts";

/** A line of the bridge. */
export interface SamReply {
  /** The first two words, or the only one: `STREAM STATUS`, `PING`. */
  readonly topic: string;
  /** The `KEY=VALUE` pairs; a key without a value has an empty one. */
  readonly fields: ReadonlyMap<string, string>;
}

const FIELD = /\s+([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?/y;

/**
 * Reads a line of the bridge.
 *
 * @returns `undefined` if it has no such form.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseSamReply } from "./sam.ts";
 *
 * const reply = parseSamReply('STREAM STATUS RESULT=I2P_ERROR MESSAGE="no \\"luck\\""');
 * assert.equal(reply?.topic, "STREAM STATUS");
 * assert.equal(reply?.fields.get("MESSAGE"), 'no "luck"');
 * ```
 */
export function parseSamReply(line: string): SamReply | undefined {
  const topic = /^[A-Z]+(?: [A-Z]+)?(?=\s|$)/.exec(line)?.[0];
  if (topic === undefined) return undefined;
  const fields = new Map<string, string>();
  let at = topic.length;
  while (line.slice(at).trim() !== "") {
    FIELD.lastIndex = at;
    const match = FIELD.exec(line);
    if (match === null) return undefined;
    const value = match[2] ?? "";
    fields.set(match[1]!, value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value);
    at = FIELD.lastIndex;
  }
  return { topic, fields };
}

/** What a session is made with. */
export interface SamSessionOptions {
  /** Its name at the bridge, which no other session may have. */
  readonly id: string;
  /** The private keys of a destination in I2P's base64, or `TRANSIENT` for a new one. */
  readonly destination: string;
  /** Options of the router for the session, such as `inbound.length`. */
  readonly options: Readonly<Record<string, string>>;
  /** Who the bridge is, for errors. */
  readonly who: string;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** An open session. It lasts as long as its connection to the bridge. */
export interface SamSession {
  /** Resolves when the session is over, whoever ended it. */
  readonly ended: Promise<void>;
  /** Ends the session, and with it every stream of it. */
  close(): Promise<void>;
}

/** Ed25519; without it the router takes an old kind of key that others no longer take. */
const SIGNATURE_TYPE = 7;

/**
 * Makes a session on a fresh connection to the bridge. The router may take a minute for it.
 *
 * @param connection Belongs to the session; is closed when this fails.
 * @throws {ProxyError} If the bridge refuses, with its result, or does not speak SAM.
 * @throws The reason of the signal, when it fires first.
 */
export async function createSamSession(
  connection: Connection,
  options: SamSessionOptions,
): Promise<SamSession> {
  const { who, id, destination } = options;
  await converse(connection, options, async (dialogue) => {
    await greet(dialogue, who);
    const kind = destination === "TRANSIENT" ? ` SIGNATURE_TYPE=${SIGNATURE_TYPE}` : "";
    const more = Object.entries(options.options).map(([name, value]) => ` ${name}=${value}`).join("");
    await dialogue.write(
      `SESSION CREATE STYLE=STREAM ID=${id} DESTINATION=${destination}${kind}${more}\n`,
    );
    await expect(dialogue, "SESSION STATUS", `${who} made no session`, who);
  });
  const ended = tend(connection, who).then(() => connection.close());
  return { ended, close: () => connection.close().then(() => ended) };
}

/** Answers the bridge, which asks from time to time whether the session is wanted, until either ends it. */
async function tend(connection: Connection, who: string): Promise<void> {
  const dialogue = new Dialogue(connection, who);
  try {
    for (;;) {
      const line = await dialogue.readLine();
      if (/^PING( |$)/.test(line)) await dialogue.write(`PONG${line.slice(4)}\n`);
    }
  } catch {
    // The end of the connection is the end of the session.
  } finally {
    dialogue.release();
  }
}

/** Where a stream is to lead. */
export interface SamStreamOptions {
  /** The name of the session. */
  readonly id: string;
  /** An I2P name, `....b32.i2p`, or a destination. */
  readonly name: string;
  /** The port over there; bridges below 3.2 know of none, and then it is left out. */
  readonly port: number | undefined;
  /** Who the bridge is, for errors. */
  readonly who: string;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/**
 * Turns a fresh connection to the bridge into a stream of a session.
 *
 * @param connection Is closed when this fails.
 * @throws {ProxyError} If the name is not found or cannot be reached, with the bridge's result.
 * @throws The reason of the signal, when it fires first.
 */
export async function connectSam(connection: Connection, options: SamStreamOptions): Promise<void> {
  const { who, id, name, port } = options;
  await converse(connection, options, async (dialogue) => {
    const version = await greet(dialogue, who);
    await dialogue.write(`NAMING LOOKUP NAME=${name}\n`);
    const found = await expect(dialogue, "NAMING REPLY", `${who} did not find ${quoteForeign(name)}`, who);
    const destination = found.get("VALUE") ?? "";
    // It goes into the next line as it is.
    if (!/^[A-Za-z0-9+/~=.-]+$/.test(destination)) {
      throw new ProxyError(`${who} found no destination for ${quoteForeign(name)}`);
    }
    const toPort = port === undefined || version < 3.2 ? "" : ` TO_PORT=${port}`;
    await dialogue.write(`STREAM CONNECT ID=${id} DESTINATION=${destination} SILENT=false${toPort}\n`);
    await expect(dialogue, "STREAM STATUS", `${who} did not connect to ${quoteForeign(name)}`, who);
  });
}

/** Agrees on a version, and tells it. */
async function greet(dialogue: Dialogue, who: string): Promise<number> {
  await dialogue.write("HELLO VERSION MIN=3.0 MAX=3.3\n");
  const fields = await expect(dialogue, "HELLO REPLY", `${who} speaks no version 3 of SAM`, who);
  const version = Number(fields.get("VERSION"));
  if (version >= 3 && version < 4) return version;
  throw new ProxyError(`${who} chose the version ${quoteForeign(fields.get("VERSION") ?? "")} of SAM`);
}

/** The fields of the next line, which must have this topic and be about a success. */
async function expect(
  dialogue: Dialogue,
  topic: string,
  failure: string,
  who: string,
): Promise<ReadonlyMap<string, string>> {
  const line = await dialogue.readLine();
  const reply = parseSamReply(line);
  if (reply?.topic !== topic) {
    throw new ProxyError(`${who} does not speak SAM: it answered ${quoteForeign(line)}`);
  }
  const result = reply.fields.get("RESULT") ?? "";
  if (result === "OK") return reply.fields;
  const said = reply.fields.get("MESSAGE");
  const why = said === undefined ? "" : `, ${quoteForeign(said)}`;
  throw new ProxyError(`${failure}: ${quoteForeign(result, 64).slice(1, -1)}${why}`, {
    reply: result.slice(0, 64),
  });
}
