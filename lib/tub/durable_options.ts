/**
 * What can be wrong with what a program says about the files of a Tub's registry.
 *
 * @module
 */

import type { Factory } from "../registry/factories.ts";
import { quoteForeign } from "../util/text.ts";
import type { AuditOptions } from "./audit_file.ts";
import type { StoreOptions } from "./store_options.ts";

/** The options that are about files of the registry. */
export interface DurableTubOptions {
  readonly certFile?: unknown;
  readonly certData?: unknown;
  readonly store?: string | URL | StoreOptions | undefined;
  readonly factories?: Readonly<Record<string, Factory>> | undefined;
  readonly auditFile?: string | URL | AuditOptions | undefined;
}

const STORE = { file: true, survives: true, countAhead: true } satisfies Record<keyof StoreOptions, true>;
const AUDIT = { file: true, onFailure: true } satisfies Record<keyof AuditOptions, true>;

/**
 * Checks them, before any file is touched.
 *
 * @throws {TypeError} If one is unknown or of a wrong type, or a store would be one of an identity that nobody keeps.
 * @throws {RangeError} If `countAhead` cannot be.
 */
export function checkDurable({ certFile, certData, store, factories, auditFile }: DurableTubOptions): void {
  if (store !== undefined) {
    const { survives, countAhead } = checkFile("store", store, STORE) as Partial<StoreOptions>;
    checkChoice("store.survives", survives, ["power-loss", "crash"]);
    if (countAhead !== undefined && !(Number.isSafeInteger(countAhead) && countAhead >= 1)) {
      throw new RangeError("Cannot create Tub: store.countAhead is not a number of calls, at least 1");
    }
    if (certFile === undefined && certData === undefined) {
      throw new TypeError(
        "Cannot create Tub: a store is opened by the key of the Tub, which would be another one next time; give certFile or certData",
      );
    }
  }
  if (auditFile !== undefined) {
    const { onFailure } = checkFile("auditFile", auditFile, AUDIT) as Partial<AuditOptions>;
    checkChoice("auditFile.onFailure", onFailure, ["refuse", "continue"]);
  }
  for (const [name, factory] of Object.entries(factories ?? {})) {
    if (typeof factory === "function") continue;
    throw new TypeError(`Cannot create Tub: the factory ${quoteForeign(name, 64)} is not a function`);
  }
}

function checkFile(name: string, option: unknown, names: object): object {
  if (typeof option === "string" || option instanceof URL) return {};
  const { file } = (option ?? {}) as { file?: unknown };
  if (typeof option !== "object" || !(typeof file === "string" || file instanceof URL)) {
    throw new TypeError(`Cannot create Tub: ${name} is neither a path or file: URL, nor has it one as file`);
  }
  for (const key of Object.keys(option as object)) {
    if (Object.hasOwn(names, key)) continue;
    throw new TypeError(
      `Cannot create Tub: ${name} has no option ${quoteForeign(key, 64)}; it is one of ${
        Object.keys(names).join(", ")
      }`,
    );
  }
  return option as object;
}

function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  throw new TypeError(
    `Cannot create Tub: ${name} is not one of ${choices.map((c) => JSON.stringify(c)).join(", ")}`,
  );
}
