/**
 * Tubs whose grants outlive them.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  callable,
  type CapabilityRegistry,
  localReference,
  Referenceable,
  Tub,
  type TubOptions,
} from "../../mod.ts";

/** An object that a factory makes. */
export class Files extends Referenceable {
  readonly path: string;
  constructor(path: string) {
    super();
    this.path = path;
  }
  remote_read(): string {
    return this.path;
  }
  remote_write(): void {}
}

/** What the Tubs of these tests can make anew. */
export const FACTORIES: NonNullable<TubOptions["factories"]> = {
  files: (args) => new Files((args as { path: string }).path),
  slowFiles: (args) => Promise.resolve(new Files((args as { path: string }).path)),
  bell: () => callable(() => "ding"),
  gone: () => undefined,
};
/** The `durable` of a grant of {@linkcode Files}. */
export const FILES = { factory: "files", args: { path: "/srv" } };

/** Runs a test with a folder of its own and the options of a Tub whose files are there. */
export async function inFolder(
  run: (options: TubOptions & { readonly store: string; readonly certFile: string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run({ certFile: `${folder}/cert.pem`, store: `${folder}/caps.db`, factories: FACTORIES });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A life of a Tub: what is done in it, and then it stops. */
export async function live<R>(
  options: TubOptions,
  run: (tub: Tub, registry: CapabilityRegistry) => R | Promise<R>,
): Promise<R> {
  await using tub = await Tub.create(options);
  tub.setLocation("tcp:127.0.0.1:4501");
  return await run(tub, tub.registry);
}

/** The name at the end of a FURL. */
export const nameIn = (furl: string): string => furl.slice(furl.lastIndexOf("/") + 1);
/** Calls an object of this process. */
export const call = (object: unknown, method: string): Promise<unknown> =>
  Promise.resolve(localReference(object as Files).callRemote(method as "read"));
/** The call is refused, by that limit. */
export const fails = (promise: Promise<unknown>, limit: string): Promise<void> =>
  assert.rejects(promise, { name: "PermissionDenied", limit });

/** Changes what is in a store, while no Tub has it open. */
export function edit(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}
