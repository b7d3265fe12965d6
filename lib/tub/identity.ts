/**
 * Who a Tub is: its certificate, its private key, and the TubID that follows from them.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import { tubIdOf } from "../names/tub_id.ts";
import { createKeyPair, type KeyPair, parseKeyPair } from "../transport/key_pair.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { requirePermission } from "./permissions.ts";
import { createPrivateFile, fileError, refuseDeadLink, toPath } from "./private_file.ts";

/** The identity of a Tub. */
export interface Identity extends KeyPair {
  /** The TubID: 32 characters of base32. */
  readonly tubId: string;
}

/** Options of {@linkcode loadOrCreateIdentity}: at most one of `certFile` and `certData`. */
export interface IdentityOptions {
  /** A PEM file. If it does not exist, a new identity is made and written to it. */
  readonly certFile?: string | URL | undefined;
  /** PEM of a certificate and its key, such as `getCertData()` of a Foolscap Tub. */
  readonly certData?: string | Uint8Array | undefined;
  /**
   * Where random bytes come from.
   *
   * @default the system's own source
   */
  readonly randomBytes?: RandomBytes | undefined;
  /**
   * What time it is.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined;
}

/**
 * The identity as PEM, certificate first, for a file or for `certData`: it has the private key.
 *
 * Foolscap: `Tub.getCertData`, which gives bytes.
 */
export function getCertData(identity: KeyPair): string {
  return identity.certPem + identity.keyPem;
}

async function withTubId(pair: KeyPair): Promise<Identity> {
  return { ...pair, tubId: await tubIdOf(pair.certificate) };
}

/** The text of the file; undefined if there is none. */
async function readFile(path: string, shown: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return refuseDeadLink(path, shown), undefined;
    throw fileError("read", shown, cause);
  }
}

function createFile(path: string, shown: string, text: string): boolean {
  try {
    return createPrivateFile(path, text);
  } catch (cause) {
    throw fileError("create", shown, cause);
  }
}

async function loadOrCreateFile(path: string, create: () => Promise<KeyPair>): Promise<KeyPair> {
  const shown = `the identity file ${JSON.stringify(path)}`;
  requirePermission({ name: "read", path }, `read ${shown}`);
  let text = await readFile(path, shown);
  if (text === undefined) {
    requirePermission({ name: "write", path }, `create ${shown}`);
    const pair = await create();
    if (createFile(path, shown, getCertData(pair))) return pair;
    // Another process was faster, and its identity is the one that stays.
    text = await readFile(path, shown);
    if (text === undefined) {
      throw new FileError(`Cannot create ${shown}: something else creates and removes it; try again`);
    }
  }
  return await parseKeyPair(text, { source: shown });
}

/**
 * Loads the identity of a Tub, or makes a new one.
 *
 * From a file, it is the same Tub each time. A file that is created has mode 0600 and appears
 * complete or not at all; of two processes that start at once, both end with the same identity. A
 * file that exists is never written, whatever is in it. Without file and data, the identity is new
 * and kept in memory only. Foolscap: `Tub(certData=, certFile=)`.
 *
 * @throws {CertificateError} If what is in the file or the data cannot be used.
 * @throws {FileError} If the file cannot be read or created: its folder is missing, it is no file, the system refuses.
 * @throws {PermissionDenied} If the program may not read or, for a new identity, write the file;
 *   names the flag to add. Never prompts.
 * @throws {TypeError} If both a file and data are given, or the file's name is empty.
 */
export async function loadOrCreateIdentity(options: IdentityOptions = {}): Promise<Identity> {
  const { certFile, certData, randomBytes, clock = systemClock } = options;
  const create = () => createKeyPair({ randomBytes, nowMs: clock.now() });
  if (certData !== undefined) {
    if (certFile !== undefined) {
      throw new TypeError("Cannot load identity: both certFile and certData are given; give one of them");
    }
    const pem = typeof certData === "string" ? certData : new TextDecoder().decode(certData);
    return await withTubId(await parseKeyPair(pem, { source: "certData" }));
  }
  if (certFile === undefined) return await withTubId(await create());
  return await withTubId(await loadOrCreateFile(toPath(certFile, "certFile"), create));
}
