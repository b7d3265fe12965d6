/**
 * Where copies of published objects are kept between runs.
 *
 * @module
 */

/** Keeps the files of {@linkcode RemotePublished} objects, by their names. */
export interface PublishedStorage {
  /** What was kept under a name; undefined if there is nothing. */
  load(name: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Keeps something under a name; what was there is replaced. */
  save(name: string, bytes: Uint8Array): unknown;
}

/** A longer file is not read. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;

/**
 * Keeps them as files of a folder, as Twisted does in the working directory. Needs the permissions to read and to write it.
 *
 * Servers name what they publish as they like, so a folder is for one server, or for those that trust each other.
 *
 * @example
 * ```ts ignore
 * import { pb } from "https://example.org/foolscap/mod.ts";
 *
 * class RemoteNews extends pb.RemotePublished {
 *   static override storage = new pb.FolderStorage("cache/news.example.org");
 * }
 * pb.setUnjellyableForClass("news.Bulletin", RemoteNews);
 * ```
 */
export class FolderStorage implements PublishedStorage {
  readonly #folder: string;

  /** @param folder Its path; it must be there. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads a file; undefined if there is none. @throws {Error} If it cannot be read. */
  async load(name: string): Promise<Uint8Array | undefined> {
    const path = `${this.#folder}/${fileNameOf(name)}`;
    try {
      const { size } = await Deno.stat(path);
      return size > MAX_FILE_BYTES ? undefined : await Deno.readFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Writes a file, whole or not at all. @throws {Error} If it cannot be written. */
  async save(name: string, bytes: Uint8Array): Promise<void> {
    const path = `${this.#folder}/${fileNameOf(name)}`;
    const draft = `${path}.${crypto.randomUUID()}`;
    await Deno.writeFile(draft, bytes, { createNew: true, mode: 0o600 });
    try {
      await Deno.rename(draft, path);
    } catch (error) {
      await Deno.remove(draft).catch(() => {});
      throw error;
    }
  }
}

/**
 * The name of a file for a name that a peer has chosen: the same where it is harmless, so that Twisted finds it too; what could lead
 * out of the folder, or is not allowed everywhere, is percent-encoded, and what is too long is cut and marked.
 */
export function fileNameOf(name: string): string {
  const safe = encodeURIComponent(name.toWellFormed())
    .replace(/^\./, "%2E")
    .replace(/[*'()!~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", " ")
    .replaceAll("%40", "@")
    .replaceAll("%2B", "+");
  if (safe.length <= 200) return safe;
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return `${safe.slice(0, 160)}%${hash.toString(16).padStart(16, "0")}.pub`;
}
