/**
 * One thing that somebody may do: what `grant` gives to the program.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { CapabilityInfo } from "./capability_info.ts";
import type { Grant } from "./grant.ts";
import type { AttenuateOptions } from "./grant_options.ts";

/** What a {@linkcode Capability} asks of its registry. */
export interface CapabilityHost {
  /** The time, in milliseconds since 1970. */
  now(): number;
  furlOf(grant: Grant): string;
  attenuate(parent: Grant, options: AttenuateOptions): Capability;
  revoke(grant: Grant): boolean;
}

/**
 * Something that was granted: an object, with limits on its use. Whoever has its FURL, or was passed its `object`, can use
 * it within them, wherever it travels. Made by {@linkcode CapabilityRegistry.grant}.
 *
 * @typeParam T The class of what it leads to.
 *
 * @example
 * ```ts
 * import { localReference, PermissionDenied, Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Notes extends Referenceable {
 *   #text = "";
 *   remote_read() {
 *     return this.#text;
 *   }
 *   remote_write(text: string) {
 *     this.#text = text;
 *   }
 * }
 *
 * await using tub = await Tub.create();
 * const all = tub.registry.grant(new Notes(), { label: "notes" });
 * const reader = all.attenuate({ methods: ["read"], maxCalls: 2 });
 * await localReference(all.object).callRemote("write", "hello");
 * assert.equal(await localReference(reader.object).callRemote("read"), "hello");
 * assert.equal(reader.info().callsLeft, 1);
 *
 * all.revoke(); // and with it all that comes of it
 * await assert.rejects(localReference(reader.object).callRemote("read"), PermissionDenied);
 * ```
 */
export class Capability<T extends Publishable = Publishable> implements Disposable {
  /** Its number in its registry. */
  readonly id: number;
  /** What the program calls it. */
  readonly label: string | undefined;
  /**
   * What travels, to be passed in arguments and results: typed as the target, so that it can be passed where that can. It
   * has nothing of the target but what callers reach through it: here too, call it by {@linkcode localReference}.
   */
  readonly object: T;
  readonly #host: CapabilityHost;
  readonly #grant: Grant;

  /** @ignore Use {@linkcode CapabilityRegistry.grant}. */
  constructor(host: CapabilityHost, grant: Grant) {
    this.#host = host;
    this.#grant = grant;
    this.id = grant.id;
    this.label = grant.label;
    this.object = grant.facet as T;
  }

  /**
   * Its FURL: a secret, as whoever has it can use the capability.
   *
   * @throws {NoLocationError} If the Tub has no location.
   * @throws {PermissionDenied} If it was revoked or has expired.
   */
  get furl(): string {
    return this.#host.furlOf(this.#grant);
  }

  /**
   * A capability that allows less: both its own limits and all of this one's hold, and calls of it count for both.
   *
   * @throws As {@linkcode CapabilityRegistry.grant}.
   * @throws {RangeError} If it would have a method or a holder that this one has not.
   * @throws {PermissionDenied} If this one was revoked or has expired.
   */
  attenuate(options: AttenuateOptions = {}): Capability<T> {
    return this.#host.attenuate(this.#grant, options) as Capability<T>;
  }

  /**
   * Ends it and all that comes of it, at once: calls fail with a {@linkcode PermissionDenied}, also those that have begun,
   * whose results are dropped and whose `signal` fires. Other objects that it has given out before are not touched.
   *
   * @returns Whether there was something to end.
   * @throws {StoreError} If that of a durable one cannot be written, because the disk is full, say. It is over all the same,
   *   and is written as soon as that can be: only if the process ends before, it comes back at the next start.
   */
  revoke(): boolean {
    return this.#host.revoke(this.#grant);
  }

  /** What it allows, and what became of it, at this moment. Holds no secret. */
  info(): CapabilityInfo {
    return this.#grant.info(this.#host.now());
  }

  /** Revokes it. */
  [Symbol.dispose](): void {
    this.revoke();
  }

  /** Shows what `info` tells. */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: unknown) => string,
    options: unknown,
  ): string {
    return `Capability ${inspect(this.info(), options)}`;
  }
}
