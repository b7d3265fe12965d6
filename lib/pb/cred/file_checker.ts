/**
 * The checker for users and passwords in a text file, a line a user, in the formats that Twisted reads.
 *
 * Source: Twisted `cred/checkers.py`, `FilePasswordDB`.
 *
 * @module
 */

import { FileError } from "../../errors.ts";
import { decodeText } from "../../util/text.ts";
import { UnauthorizedLogin } from "../errors.ts";
import { MAX_PASSWORD_FILE_BYTES } from "../limits.ts";
import { type CredentialsChecker, NOBODYS_PASSWORD } from "./checker.ts";
import {
  bytesOf,
  isSame,
  IUsernameHashedPassword,
  IUsernamePassword,
  type Password,
  type UsernameHashedPassword,
} from "./credentials.ts";
import type { UsernamePassword } from "./client_logins.ts";

/** How the lines are made up. */
interface PasswordFileFormat {
  readonly delimiter: Uint8Array;
  readonly usernameField: number;
  readonly passwordField: number;
  readonly caseSensitive: boolean;
}

const LINE_FEED = 0x0a;
/** What Python's `bytes.rstrip` takes away. */
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);

/** The users and their passwords. Where a name stands twice, the first line counts. */
function readPasswords(file: Uint8Array, format: PasswordFileFormat): Map<string, Uint8Array> {
  const { delimiter, usernameField, passwordField, caseSensitive } = format;
  const users = new Map<string, Uint8Array>();
  // The whole file is looked at for each login: one pass, and nothing is made for a line but what is kept of it.
  for (let start = 0; start < file.length;) {
    const found = file.indexOf(LINE_FEED, start);
    const next = found < 0 ? file.length : found + 1;
    let end = next;
    while (end > start && SPACES.has(file[end - 1]!)) end--;
    const name = fieldOf(file, start, end, delimiter, usernameField);
    const password = fieldOf(file, start, end, delimiter, passwordField);
    start = next;
    if (name === undefined || password === undefined) continue;
    const text = nameOf(file, name, caseSensitive);
    if (text !== undefined && !users.has(text)) users.set(text, file.slice(password.start, password.end));
  }
  return users;
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Where a field of the line from `start` to `end` is; `undefined` if it has not so many. */
function fieldOf(
  file: Uint8Array,
  start: number,
  end: number,
  delimiter: Uint8Array,
  field: number,
): Piece | undefined {
  const { length } = delimiter;
  let at = start;
  for (let passed = 0;;) {
    let same = 0;
    while (same < length && at + same < end && file[at + same] === delimiter[same]) same++;
    if (same < length) {
      if (at++ < end) continue;
      return passed === field ? { start, end } : undefined;
    }
    if (passed++ === field) return { start, end: at };
    start = at += length;
  }
}

function nameOf(file: Uint8Array, { start, end }: Piece, caseSensitive: boolean): string | undefined {
  try {
    if (caseSensitive) return decodeText(file, start, end);
    return decodeText(file.subarray(start, end).map(lower), 0, end - start);
  } catch {
    return undefined;
  }
}

const lower = (byte: number) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;

/** Options of {@linkcode FilePasswordDB}. */
export interface FilePasswordOptions {
  /**
   * What stands between the fields of a line. Twisted: `delim`.
   * @default ":"
   */
  readonly delimiter?: Password | undefined;
  /**
   * The place of the user's name among the fields, from 0.
   * @default 0
   */
  readonly usernameField?: number | undefined;
  /**
   * The place of the password.
   * @default 1
   */
  readonly passwordField?: number | undefined;
  /**
   * Whether `Alice` is another user than `alice`. If not, letters of ASCII are the same in both cases, as in Twisted, and the
   * avatar id is the name in lower case.
   * @default true
   */
  readonly caseSensitive?: boolean | undefined;
  /**
   * Makes of a user's name, the password they gave, and what is in the file, what should be in the file: for files without
   * plain passwords. Logins by Perspective Broker send no password that could be hashed, so such a file cannot serve them: it is
   * for programs that log in by `portal.login(new pb.UsernamePassword(...))`.
   */
  readonly hash?:
    | ((username: string, password: Uint8Array, stored: Uint8Array) => Password | PromiseLike<Password>)
    | undefined;
  /**
   * Whether the file is only read again when its time of change or its size is another.
   * @default false, it is read for each login
   */
  readonly cache?: boolean | undefined;
}

/**
 * Users in a text file, one on each line: `alice:wonderland`. Twisted: `FilePasswordDB`.
 *
 * Where a name stands twice, the first line counts. Lines that have too few fields, or a name that is not UTF-8, are left out.
 * A file that cannot be read, or is larger than 64 MiB, lets nobody in; the trace says why.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * const checker = new pb.FilePasswordDB("passwords.txt", { cache: true });
 * checker.credentialInterfaces;
 * ```
 */
export class FilePasswordDB implements CredentialsChecker {
  /** Passwords, and proofs of them; passwords only, if there is a hash. */
  readonly credentialInterfaces: readonly string[];
  readonly #file: string | URL;
  readonly #format: PasswordFileFormat;
  readonly #hash: FilePasswordOptions["hash"];
  readonly #caches: boolean;
  #cached: { readonly users: ReadonlyMap<string, Uint8Array>; readonly state: string } | undefined;
  #reading: Promise<ReadonlyMap<string, Uint8Array>> | undefined;
  #next: Promise<ReadonlyMap<string, Uint8Array>> | undefined;

  /**
   * Reads nothing yet.
   *
   * @throws {TypeError} If the delimiter is empty.
   * @throws {RangeError} If a place is not a whole number of 0 or more.
   */
  constructor(file: string | URL, options: FilePasswordOptions = {}) {
    const { delimiter = ":", usernameField = 0, passwordField = 1, caseSensitive = true } = options;
    for (const place of [usernameField, passwordField]) {
      if (!Number.isSafeInteger(place) || place < 0) {
        throw new RangeError(`Cannot use the field ${place}: it is not a whole number of 0 or more`);
      }
    }
    const between = bytesOf(delimiter, "a delimiter");
    if (between.length === 0) throw new TypeError("Cannot use a delimiter: it is empty");
    this.#file = file;
    this.#format = { delimiter: between, usernameField, passwordField, caseSensitive };
    this.#hash = options.hash;
    this.#caches = options.cache === true;
    this.credentialInterfaces = this.#hash === undefined
      ? [IUsernamePassword, IUsernameHashedPassword]
      : [IUsernamePassword];
  }

  /**
   * What the file has of a user.
   *
   * @returns The name, in lower case unless case counts, and the password; `undefined` if there is none.
   * @throws {Error} If the file cannot be read.
   */
  async getUser(username: string): Promise<[username: string, password: Uint8Array] | undefined> {
    const users = await this.#users();
    const name = this.#nameOf(username);
    const password = users.get(name);
    return password === undefined ? undefined : [name, password];
  }

  /**
   * The user's name, if the password is right.
   *
   * @throws {UnauthorizedLogin} If it is not, there is no such user, or the file cannot be read.
   */
  async requestAvatarId(credentials: UsernameHashedPassword | UsernamePassword): Promise<string> {
    let known: [string, Uint8Array] | undefined;
    try {
      known = await this.getUser(credentials.username);
    } catch (cause) {
      throw new UnauthorizedLogin("", { cause });
    }
    const [name, password] = known ?? [this.#nameOf(credentials.username), NOBODYS_PASSWORD];
    const isRight = await this.#check(credentials, name, password);
    if (known === undefined || isRight !== true) throw new UnauthorizedLogin();
    return name;
  }

  async #check(
    credentials: UsernameHashedPassword | UsernamePassword,
    name: string,
    stored: Uint8Array,
  ): Promise<boolean> {
    if (this.#hash === undefined) return await credentials.checkPassword(stored);
    if (!("password" in credentials)) return false;
    return isSame(bytesOf(await this.#hash(name, credentials.password, stored)), stored);
  }

  #nameOf(username: string): string {
    return this.#format.caseSensitive ? username : lowerAscii(username);
  }

  async #users(): Promise<ReadonlyMap<string, Uint8Array>> {
    if (!this.#caches) return await this.#read();
    const { mtime, size } = await Deno.stat(this.#file);
    const state = `${mtime?.getTime()} ${size}`;
    if (this.#cached?.state !== state) this.#cached = { users: await this.#read(), state };
    return this.#cached.users;
  }

  /**
   * What the file has now. Logins that come while it is being read share the next reading: what one that has begun will see
   * may be older than they are.
   */
  #read(): Promise<ReadonlyMap<string, Uint8Array>> {
    if (this.#reading === undefined) return this.#begin();
    return this.#next ??= this.#reading.catch(() => {}).then(() => {
      this.#next = undefined;
      return this.#begin();
    });
  }

  #begin(): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#reading = readWhole(this.#file)
      .then((bytes) => readPasswords(bytes, this.#format))
      .finally(() => this.#reading = undefined);
  }
}

/** A pipe would keep all logins waiting, and a device has no end. */
async function readWhole(file: string | URL): Promise<Uint8Array> {
  const { isFile, size } = await Deno.stat(file);
  if (!isFile) throw new FileError(`Cannot read passwords from ${file}: it is no file`);
  if (size > MAX_PASSWORD_FILE_BYTES) {
    throw new FileError(
      `Cannot read passwords from ${file}: it has ${size} bytes, and no more than ${MAX_PASSWORD_FILE_BYTES} are read for a login`,
    );
  }
  return await Deno.readFile(file);
}

/** As Python's `bytes.lower` does it. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
