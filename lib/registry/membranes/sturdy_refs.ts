/**
 * SturdyRefs that pass a membrane.
 *
 * @module
 */

import type { CallContext } from "../../broker/call_context.ts";
import type { Publishable } from "../../broker/callable.ts";
import { Referenceable } from "../../broker/referenceable.ts";
import { RemoteHandle } from "../../broker/remote_handle.ts";
import { NoLocationError, Violation } from "../../errors.ts";
import { MAX_MEMBRANE_STURDY_REFS } from "../../limits.ts";
import { SturdyRef } from "../../names/sturdy_ref.ts";
import type { NameTable } from "../name_table.ts";
import type { CapabilityRegistryOptions } from "../registry_options.ts";

/** What {@linkcode sturdyHostOf} needs of a registry. */
interface SturdyHostParts {
  readonly table: NameTable<Publishable>;
  readonly follow: CapabilityRegistryOptions["follow"];
  /** The object of a name. */
  find(name: string): Publishable | undefined;
  /** The FURL of an object that has a name. */
  furlOf(object: Publishable): string;
}

/** The host of all membranes of one registry. */
export function sturdyHostOf({ table, follow, find, furlOf }: SturdyHostParts): SturdyHost {
  return {
    find: ({ tubId, name }) => name === undefined || tubId !== follow?.tubId ? undefined : find(name),
    getReference(furl) {
      if (follow !== undefined) return follow.getReference(furl);
      return Promise.reject(new TypeError("Cannot follow a FURL: this registry has no Tub"));
    },
    publish(object) {
      if (table.has(object)) table.keep(object);
      else table.addUnnamed(object, true);
      return furlOf(object);
    },
    retire: (object) => table.retire(object, "revoked"),
  };
}

/** What a membrane needs of its Tub where FURLs cross. */
export interface SturdyHost {
  /** The object of this Tub that a FURL leads to; `undefined` if it is none of its own. */
  find(ref: SturdyRef): Publishable | undefined;
  /** Gets a reference. */
  getReference(furl: string): Promise<RemoteHandle>;
  /** Gives an object a FURL, and keeps it. */
  publish(object: Publishable): string;
  /** Takes that back. */
  retire(object: Publishable): void;
}

/** Passes calls on to whatever a FURL leads to, which is looked for at the first one. */
class Stored extends Referenceable {
  readonly #find: () => Promise<RemoteHandle>;
  #found: Promise<RemoteHandle> | undefined;

  constructor(find: () => Promise<RemoteHandle>) {
    super();
    this.#find = find;
  }
  override async doRemoteCall(name: string, args: unknown[], _context: CallContext): Promise<unknown> {
    const found = this.#found ??= this.#find();
    let handle: RemoteHandle;
    try {
      handle = await found;
    } catch (error) {
      this.#found = undefined;
      throw error;
    }
    if (!handle.isConnected()) {
      handle = await (this.#found = this.#find());
    }
    return await RemoteHandle.send(handle, name, args, {});
  }
}

interface Passed {
  readonly from: SturdyRef;
  readonly to: SturdyRef;
  /** What was given a FURL for it, if it is the membrane's own. */
  readonly wrapped: Publishable | undefined;
}

/** Those that have crossed one membrane. */
export class SturdyRefs {
  readonly #host: SturdyHost | undefined;
  readonly #passed = new Map<string, Passed>();
  readonly #home = new Map<string, SturdyRef>();

  /** Without a host, none can cross. */
  constructor(host: SturdyHost | undefined) {
    this.#host = host;
  }

  /**
   * What the other side gets for one.
   *
   * @param wrap Lets an object cross; `isOwn` if what comes of it is a stand-in of the membrane's.
   * @throws {Violation} If none can cross, or too many have.
   */
  across(
    ref: SturdyRef,
    to: string,
    wrap: (object: Publishable) => { readonly object: Publishable; readonly isOwn: boolean },
  ): SturdyRef {
    const home = this.#home.get(keyOf(ref, to));
    if (home !== undefined) return home;
    const known = this.#passed.get(keyOf(ref, to));
    if (known !== undefined) return known.to;
    const host = this.#host;
    if (host === undefined) {
      throw new Violation(
        "Cannot pass a SturdyRef through a membrane of no Tub: make it by tub.registry.membrane",
      );
    }
    if (this.#passed.size >= MAX_MEMBRANE_STURDY_REFS) {
      throw new Violation(
        `Cannot pass a SturdyRef through a membrane: ${MAX_MEMBRANE_STURDY_REFS} have crossed it`,
      );
    }
    const furl = ref.url!;
    const { object, isOwn } = wrap(host.find(ref) ?? new Stored(() => host.getReference(furl)));
    const published = publish(host, object);
    const passed: Passed = { from: ref, to: published, wrapped: isOwn ? object : undefined };
    this.#passed.set(keyOf(ref, to), passed);
    this.#home.set(keyOf(passed.to, to === "inside" ? "outside" : "inside"), ref);
    return passed.to;
  }

  /** Takes the FURLs back that were given. */
  clear(): void {
    for (const { wrapped } of this.#passed.values()) {
      if (wrapped !== undefined) this.#host?.retire(wrapped);
    }
    this.#passed.clear();
    this.#home.clear();
  }
}

function publish(host: SturdyHost, object: Publishable): SturdyRef {
  try {
    return new SturdyRef(host.publish(object));
  } catch (cause) {
    const why = cause instanceof NoLocationError ? "the Tub has no location" : "it cannot be given a FURL";
    throw new Violation(`Cannot pass a SturdyRef through a membrane: ${why}`, { cause });
  }
}

function keyOf(ref: SturdyRef, to: string): string {
  return `${to}/${ref.tubId}/${ref.name}`;
}
