/**
 * The one way to an object by its name: everything that a FURL leads to stands here.
 *
 * @module
 */

import { MAX_FURL_BYTES } from "../limits.ts";
import { checkOwnName, isReservedName } from "../names/derived_name.ts";
import type { SturdyRef } from "../names/sturdy_ref.ts";
import type { Publishable } from "../broker/callable.ts";
import { forwarderOf } from "../broker/forwarder.ts";
import { RemoteHandle } from "../broker/remote_handle.ts";
import { systemClock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import type { AuditHead, AuditTrail } from "./audit_trail.ts";
import type { Capability } from "./capability.ts";
import { type CapabilityEvents, EventLog, type EventOptions, type Subject } from "./capability_events.ts";
import { CaveatNames } from "./caveat_names.ts";
import { forgetQuietly, MemoryCaveatState } from "./caveat_state.ts";
import { DurableGrants } from "./durable_grants.ts";
import { Endings, journalOf } from "./endings.ts";
import type { GrantOptions } from "./grant_options.ts";
import { notPublishable } from "./grant_rules.ts";
import { type DerivedFacets, furlGiver, Grants } from "./grants.ts";
import { type CapabilityNode, type Listed, listOf, treeOf } from "./tree.ts";
import { isPublishable, type NameLookupHandler, NameLookups, refusedAsGone } from "./name_lookups.ts";
import type { MembraneOptions } from "./membrane.ts";
import { sturdyHostOf } from "./membranes/sturdy_refs.ts";
import { NameTable } from "./name_table.ts";
import { type InboundGuard, PermissionGuard } from "./permission_guard.ts";
import type { PermissionQuery } from "./permission_query.ts";
import type { CapabilityRegistryOptions, RegistryEntry } from "./registry_options.ts";
import { checkPermissions, requiredBy, requiredForCalls, requirementsOf } from "./requirements.ts";
import type { StoredRegistry } from "./store.ts";

export type { NameLookupHandler } from "./name_lookups.ts";

/**
 * What can be reached in a Tub: its objects' names, and the grants that limit their use. Every Tub has one, `tub.registry`.
 *
 * A name is a secret, 160 random bits unless the program chose one. The registry finds it by a hash under a key of its
 * own and keeps it sealed, so that neither printing nor dumping it shows a name.
 *
 * @example
 * ```ts
 * import { Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * await using tub = await Tub.create();
 * tub.setLocation("tcp:localhost:4501");
 * tub.registerReference(new Referenceable());
 * assert.deepEqual(tub.registry.list().map(({ isImplicit }) => isImplicit), [false]);
 * ```
 */
export class CapabilityRegistry {
  readonly #table: NameTable<Publishable>;
  readonly #lookups: NameLookups;
  readonly #trace: Trace;
  readonly #permissions: PermissionQuery | undefined;
  readonly #log: EventLog;
  readonly #grants: Grants;
  readonly #caveats: CaveatNames;
  readonly #guard: PermissionGuard;
  /** What events say of objects that were registered, and not granted. */
  readonly #plain = new WeakMap<Publishable, Subject>();
  readonly #durable: DurableGrants | undefined;
  readonly #audit: AuditTrail | undefined;
  /** What the store has kept, until {@linkcode CapabilityRegistry.restore} has made it again. */
  #kept: StoredRegistry | undefined;
  #lastId: number;
  #isCleared = false;

  /** An empty registry. A Tub makes its own. */
  constructor(options: CapabilityRegistryOptions) {
    const { trace, permissions, clock = systemClock, onEvent = [], store, audit, factories = {} } = options;
    const kept = this.#kept = store?.load();
    const endings = store && new Endings(store, clock, trace);
    const { caveatState: state = new MemoryCaveatState({}, store && journalOf(store, endings!), kept) } =
      options;
    this.#audit = audit;
    this.#trace = trace;
    this.#permissions = permissions;
    const table = this.#table = new NameTable(
      options.randomBytes,
      forgetQuietly(state, trace),
      store?.keys.nameKey,
    );
    for (const { nameHash, why } of kept?.retired ?? []) table.addRetired(nameHash, why);
    this.#lastId = kept?.lastId ?? 0;
    const durable = this.#durable = store &&
      new DurableGrants({ store, endings: endings!, factories, table, clock, trace });
    this.#lookups = new NameLookups(table, trace);
    const log = this.#log = new EventLog(clock, trace, onEvent, audit);
    const base = { clock, table, log, nextId: () => ++this.#lastId };
    const furlOf = furlGiver(table, options.furlOf);
    const sturdy = sturdyHostOf({ table, follow: options.follow, find: (name) => this.find(name), furlOf });
    const derived: DerivedFacets = {
      shutDerived: (grants) => this.#caveats.shutDerived(grants),
      isBusy: (grant) => this.#caveats.isBusy(grant),
    };
    const more = { sturdy, derived, durable, furlOf };
    const grants = this.#grants = new Grants({ ...base, ...more, trace, permissions });
    const grantOf = (object: Publishable) => (grants.find(object) ?? grants.reachedBy(object))?.grant;
    this.#caveats = new CaveatNames({
      ...base,
      state,
      idOf: (object) => this.#subjectOf(object)?.id,
      grantOf: (object) => grantOf(object)?.id,
      endOf: (object) => grantOf(object)?.end,
      isDeep: (object) => grants.isDeep(object),
      limitsOf: (object) => grants.limitsOf(object),
      membrane: { trace, sturdy },
    });
    this.#guard = new PermissionGuard(log, (object) => this.#plain.get(object));
  }

  /** How many objects have a name. */
  get size(): number {
    return this.#table.size;
  }

  /** What can be reached, in the order in which it got its name. */
  list(): RegistryEntry[] {
    return listOf(this.#listed);
  }

  /**
   * What can be reached, and what was attenuated from what; {@linkcode formatTree} makes text of it.
   *
   * @returns What was granted, registered or passed to a peer, in that order among its like.
   */
  tree(): CapabilityNode[] {
    return treeOf(this.#listed);
  }

  /**
   * The Deno permissions without which something of what can be reached cannot work: those that grants name, and those that
   * classes declare (`static requires`), each once. {@linkcode denoRunCommand} makes a command line of them.
   *
   * @example
   * ```ts
   * import { Referenceable, Tub } from "../../mod.ts";
   * import assert from "node:assert/strict";
   *
   * class Clock extends Referenceable {
   *   static override requires = [{ name: "env" as const, variable: "TZ" }];
   * }
   * await using tub = await Tub.create();
   * tub.registry.grant(new Clock());
   * assert.deepEqual(tub.registry.requirements(), [{ name: "env", variable: "TZ" }]);
   * ```
   */
  requirements(): Deno.PermissionDescriptor[] {
    return requirementsOf(this.list());
  }

  /**
   * Grants the use of an object, or of a function that {@linkcode callable} was given, within limits. The limits live in an
   * object of their own, the capability's `object`, that stands in the place of yours: whoever gets hold of it, by its
   * FURL, in an argument, or from somebody who passed it on, has no more than they allow.
   *
   * A method that returns its own object returns that stand-in. Other objects that methods return are not limited, nor is its
   * own inside of something else, unless the grant is `deep`: what a method gives out is the method's affair.
   *
   * Granting the `object` of a capability attenuates that.
   *
   * Also what is a reference to an object of a peer can be granted: calls go through this process then, and fail with a
   * {@linkcode DeadReferenceError} when the connection with that peer has ended. The peer sees who you are, not who calls you.
   * Its `methods` cannot be checked here.
   *
   * @returns The capability: it lasts until it is revoked or expires, or the Tub stops.
   * @throws {TypeError} If it is neither a Referenceable nor a Callable, an option is unknown or of a wrong type, or the Tub
   *   has stopped.
   * @throws {RangeError} If the object has not one of the methods, a number, time or TubID cannot be, or another object has
   *   the name.
   * @throws {PermissionDenied} If the process lacks a permission that it requires; the message has the flags to add.
   * @throws {FurlError} If the name cannot stand in a FURL.
   *
   * @example
   * ```ts
   * import { Referenceable, Tub } from "../../mod.ts";
   * import assert from "node:assert/strict";
   *
   * class Files extends Referenceable {
   *   remote_list() {
   *     return ["a.txt"];
   *   }
   *   remote_remove(_name: string) {}
   * }
   *
   * await using tub = await Tub.create();
   * tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
   * using files = tub.registry.grant(new Files(), {
   *   methods: ["list"],
   *   expires: "PT1H",
   *   maxCalls: 100,
   *   label: "files, list only",
   * });
   *
   * await using client = await Tub.create();
   * const remote = await client.getReference<Files>(files.furl);
   * assert.deepEqual(await remote.callRemote("list"), ["a.txt"]);
   * await assert.rejects(Promise.resolve(remote.callRemote("remove", "a.txt")), {
   *   name: "PermissionDenied",
   *   limit: "method",
   *   message: 'Cannot call "remove": this capability allows only list',
   * });
   * ```
   */
  grant<T extends Publishable>(object: T, options?: GrantOptions): Capability<T>;
  /** Grants the use of an object of a peer. */
  grant(reference: RemoteHandle, options?: GrantOptions): Capability;
  grant(given: Publishable | RemoteHandle, options: GrantOptions = {}): Capability {
    const object = given instanceof RemoteHandle ? forwarderOf(given) : given;
    if (!isPublishable(object)) throw notPublishable(object, "grant");
    return this.#grants.grant(object, options);
  }

  /** @ignore Makes the grants again that the store has kept. @throws {StoreError} If a factory is missing or fails. */
  async restore(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) await this.#grants.restore(kept.grants);
  }

  /**
   * Runs something that makes, or revokes, many durable capabilities, and writes them to the store in one go at its end:
   * one by one they take some milliseconds each. If it is killed meanwhile, none of it has happened.
   *
   * @param run Is not to wait for anything. What it throws undoes nothing.
   * @throws {StoreError} If it cannot be written: what was granted in it is revoked then.
   * @throws {TypeError} If there is no store, or it runs in another one; or it gave a promise.
   */
  batch(run: () => void): void {
    this.#grants.batch(run);
  }

  /**
   * The last line of the audit file, by which lines that are cut off are noticed if you keep it somewhere else; `undefined`
   * without such a file.
   */
  get auditHead(): AuditHead | undefined {
    return this.#audit?.head;
  }

  /**
   * Grants the use of an object and of all that is reached through it: {@linkcode membrane}, with a FURL, a place in
   * lists, trees and events, and FURLs that may cross. The same as a grant that is `deep`.
   *
   * @returns Its `revoke` cuts all that was reached through it, in both directions.
   * @throws As {@linkcode CapabilityRegistry.grant}.
   */
  membrane<T extends Publishable>(object: T, options: MembraneOptions = {}): Capability<T> {
    const { label, allow, onCall, limits } = options;
    return this.grant(object, { ...limits, label, deep: { allow, onCall } });
  }

  /** The capability whose `object` this is; `undefined` if it is none of this registry. */
  capabilityOf<T extends Publishable>(object: T): Capability<T> | undefined {
    return this.#grants.find(object)?.capability as Capability<T> | undefined;
  }

  /**
   * What the `object` of a capability of this registry leads to: for the owner alone, no peer can ask.
   *
   * @returns `undefined` if it is none of this registry's, or the capability was revoked or has expired.
   */
  unwrap<T extends Publishable>(object: T): T | undefined {
    return this.#grants.find(object)?.grant.object as T | undefined;
  }

  /**
   * What happens from here on: grants, uses, denials, expiries, revocations, introductions. Never a name, an argument or a
   * result. Uses of what was registered, and not granted, are not told: nothing stands before it.
   *
   * @throws {TypeError} If an option is unknown.
   * @throws {RangeError} If the capacity is not from 1 to 1,000,000.
   *
   * @example
   * ```ts
   * import { localReference, Referenceable, Tub } from "../../mod.ts";
   * import assert from "node:assert/strict";
   *
   * class Bell extends Referenceable {
   *   remote_ring() {}
   * }
   * await using tub = await Tub.create();
   * using events = tub.registry.events();
   * const bell = tub.registry.grant(new Bell(), { label: "bell" });
   * await localReference(bell.object).callRemote("ring");
   * bell.revoke();
   *
   * const types: string[] = [];
   * for await (const event of events) {
   *   types.push(event.type);
   *   if (event.type === "revoked") break;
   * }
   * assert.deepEqual(types, ["granted", "used", "revoked"]);
   * ```
   */
  events(options: EventOptions = {}): CapabilityEvents {
    return this.#log.open(options);
  }

  /** @ignore What every call of a peer has to pass; `undefined` while there is nothing to ask. */
  get guard(): InboundGuard | undefined {
    return this.#guard.guard;
  }

  /** @ignore An object is being given to a peer. */
  given(object: Publishable, to: string | undefined): void {
    if (this.#permissions !== undefined && !this.#table.has(object)) {
      // Nobody has registered it, and its class may need permissions all the same.
      this.#guard.protect(object, requiredForCalls(object, this.#trace), this.#permissions);
    }
    // Told only of what was granted or registered: what nobody registered travels all the time.
    const subject = this.#subjectOf(object);
    if (subject !== undefined) this.#log.introduced(subject, to);
  }

  /** Whether an object can be reached by a FURL. */
  has(object: Publishable): boolean {
    return this.#table.has(object);
  }

  /** @ignore Whether the name of an object can be told: of one that a store has kept, only when a peer has said it. */
  knowsName(object: Publishable): boolean {
    return this.#table.isKnown(object);
  }

  /**
   * The name of an object; gives it one of 160 random bits if it has none, and holds it weakly then.
   *
   * @returns The name in clear, for the FURL.
   * @throws {FurlError} If it is that of a capability that was restored from a store, and nobody has asked for it by its
   *   name yet: only a hash of that is kept.
   */
  nameOf(object: Publishable): string {
    if (!this.#table.has(object)) this.#table.addUnnamed(object, false);
    return this.#table.nameOf(object)!;
  }

  /**
   * Gives an object, or a function, a name and keeps the object alive. One that has a name keeps it.
   *
   * @param name A name of the program's choice. Whoever can guess it can use the object.
   * @returns The object's name in clear, for the FURL.
   * @throws {TypeError} If it is neither a Referenceable nor a Callable, or the name no text.
   * @throws {FurlError} If the name cannot stand in a FURL.
   * @throws {RangeError} If another object has that name.
   * @throws {PermissionDenied} If the process lacks a Deno permission that the object's class declares in `static requires`;
   *   the message has the flags to add.
   */
  register(object: Publishable, name?: string): string {
    if (!isPublishable(object)) throw notPublishable(object, "register");
    if (name !== undefined && typeof name !== "string") {
      throw new TypeError("Cannot register an object: the name is not a text");
    }
    const requires = requiredBy(object);
    checkPermissions(requires, this.#permissions, "register an object");
    if (name !== undefined && !this.#table.has(object)) {
      checkOwnName(name);
      this.#table.add(object, name);
    }
    const given = this.nameOf(object);
    this.#table.keep(object);
    if (this.#permissions !== undefined) this.#guard.protect(object, requires, this.#permissions);
    if (!this.#plain.has(object) && this.#grants.find(object) === undefined) {
      const subject = { id: ++this.#lastId, label: undefined };
      this.#plain.set(object, subject);
      this.#log.record(subject, { type: "granted", parent: undefined, how: "grant" });
    }
    return given;
  }

  /**
   * Takes the name of an object away. Those who hold a reference to it keep it; its FURL leads nowhere. FURLs that were
   * attenuated from it end, with the references that came of them.
   *
   * @returns Whether it had one.
   */
  unregister(object: Publishable): boolean {
    // All names are gone already, and the audit trail takes no more lines.
    if (this.#isCleared) return false;
    const wasGood = this.#caveats.revokeFacet(object);
    if (wasGood !== undefined) return wasGood;
    const subject = this.#plain.get(object);
    if (subject !== undefined && this.#plain.delete(object)) {
      this.#log.record(subject, { type: "revoked", by: subject.id });
    }
    const id = this.#table.idOf(object);
    const grant = this.#grants.find(object)?.grant;
    if (grant !== undefined) this.#durable?.unname(grant);
    const hadName = this.#table.remove(object);
    if (id !== undefined) this.#caveats.endAllOf(id);
    return hadName;
  }

  /**
   * Revokes a FURL that was attenuated, and all that derive from it, at once: also the references that came of them, and
   * calls that are being served. Other FURLs of the object stay good; those that were derived alike are one FURL.
   *
   * @param furl As {@linkcode attenuateFurl} gave it, here or elsewhere.
   * @returns Whether it was good until now: not if it is forged, has expired, or its object has lost its name.
   * @throws {FurlError} If it is no FURL, or an object's own: unregister the object.
   * @throws {RangeError} If 100,000 are revoked that have not expired.
   *
   * @example
   * ```ts
   * import { attenuateFurl, Referenceable, Tub } from "../../mod.ts";
   * import assert from "node:assert/strict";
   *
   * await using tub = await Tub.create();
   * tub.setLocation("tcp:localhost:4501");
   * const readOnly = attenuateFurl(tub.registerReference(new Referenceable()), { methods: ["read"] });
   * assert.equal(tub.registry.revokeFurl(readOnly), true);
   * assert.equal(tub.registry.revokeFurl(attenuateFurl(readOnly, { uses: 1 })), false);
   * ```
   */
  revokeFurl(furl: string | SturdyRef): boolean {
    return this.#caveats.revokeFurl(furl);
  }

  /**
   * The object of a name: registered, passed to a peer, or found by a lookup handler, which gives it that name. A handler
   * that answers with a promise has nothing to say here: see {@linkcode CapabilityRegistry.lookup}.
   *
   * @returns `undefined` if nothing has that name. Of an attenuated FURL's: a facet of the object, with its limits.
   */
  find(name: string): Publishable | undefined {
    // A peer may send a text of any length; no FURL has a longer one.
    if (name.length > MAX_FURL_BYTES) return undefined;
    if (isReservedName(name)) return this.#caveats.find(name);
    const known = this.#table.find(name);
    // No handler is asked for the name of what was revoked, nor in `lookup`.
    return known ?? (this.#table.whyGone(name) === undefined ? this.#lookups.askAtOnce(name) : undefined);
  }

  /**
   * The object of a name, as {@linkcode CapabilityRegistry.find} finds it, for a peer that asks: handlers that answer
   * with a promise are waited for, one after the other.
   *
   * @returns `undefined` if nothing has that name.
   * @throws {PermissionDenied} If it was the name of a capability that was revoked or has expired, or an attenuated FURL's
   *   that is for another Tub: who knows it held that.
   */
  async lookup(name: string, from?: string): Promise<Publishable | undefined> {
    if (name.length > MAX_FURL_BYTES) return undefined;
    if (isReservedName(name)) return this.#caveats.lookup(name, from);
    const known = this.#table.find(name);
    if (known !== undefined) return known;
    const why = this.#table.whyGone(name);
    if (why !== undefined) throw refusedAsGone(why);
    return await this.#lookups.ask(name);
  }

  /**
   * Asks `handler` for names that nothing has. Handlers are asked in the order in which they came. What one throws goes
   * to the Tub's trace and counts as "not mine".
   *
   * Foolscap: `Tub.registerNameLookupHandler`.
   *
   * @returns Disposing it takes the handler back.
   */
  addLookup(handler: NameLookupHandler): Disposable {
    return this.#lookups.add(handler);
  }

  /** Takes a lookup handler back. One that is not there is fine. */
  removeLookup(handler: NameLookupHandler): void {
    this.#lookups.remove(handler);
  }

  /** Takes every name away and ends all grants, for good. The Tub does this when it stops. */
  clear(): void {
    if (this.#isCleared) return;
    this.#isCleared = true;
    // First, because it writes how often the grants were used.
    this.#durable?.close();
    this.#grants.clear();
    this.#caveats.clear();
    this.#log.end();
    this.#table.clear();
    this.#lookups.clear();
    this.#audit?.close();
  }

  get #listed(): Listed {
    const subjectOf = (object: Publishable) => this.#subjectOf(object);
    return { table: this.#table, grants: this.#grants, caveats: this.#caveats, subjectOf };
  }

  #subjectOf(object: Publishable): Subject | undefined {
    return this.#grants.find(object)?.grant ?? this.#plain.get(object) ?? this.#caveats.subjectOf(object);
  }
}
