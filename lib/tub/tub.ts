/**
 * The Tub: an identity, the objects that it offers, and the connections to other Tubs.
 *
 * Source: Foolscap `pb.py`, `Tub`.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { RemoteHandle } from "../broker/remote_handle.ts";
import type { ObjectType, RemoteFunction, RemoteReference, Untyped } from "../broker/remote_reference.ts";
import type { ConnectionInfo } from "../connection_info.ts";
import { DeadReferenceError, FurlError, NoLocationError } from "../errors.ts";
import { formatFurl, type FurlParts, parseFurl } from "../names/furl.ts";
import type { SturdyRef } from "../names/sturdy_ref.ts";
import { shortTubId } from "../names/tub_id.ts";
import type { CapabilityRegistry, NameLookupHandler } from "../registry/registry.ts";
import { readyTls } from "../transport/ready_tls.ts";
import type { ByteStreams } from "../transport/stream_connection.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import type { Assemble } from "./assembly.ts";
import type { AttachedPeer, AttachOptions } from "./attach.ts";
import type { Durable } from "./durable.ts";
import { loadDurable, restored } from "./load_durable.ts";
import { endOwned, makeDebug, type TubDebug } from "./debug.ts";
import type { ConnectionHintHandler } from "./hint_handler.ts";
import { getCertData, type Identity, loadOrCreateIdentity } from "./identity.ts";
import { type Listener, SharedListener, TubListener } from "./listener.ts";
import { loadAssembly } from "./load_assembly.ts";
import { locationOf, parseLocation, partsOf } from "./target.ts";
import { registerObject, type RegisterOptions } from "./furl_file.ts";
import type { ConnectOptions, Network } from "./network.ts";
import { checkOptions, type TubOptions } from "./options.ts";
import type { ConnectToOptions, Reconnector } from "./reconnector.ts";
import type { Reconnectors } from "./reconnectors.ts";
import { registerSturdyRefCopy } from "./sturdy_ref_copy.ts";
import type { TubStorage } from "./tub_storage.ts";
import { type GetReferenceOptions, waitFor } from "./waiting.ts";

registerSturdyRefCopy();

/** A connection that is replaced while a name is asked for is rare; more than twice in a row is not that. */
const MAX_TRIES = 3;

/**
 * One node of the network: it offers objects under FURLs and gets references to those of others. There is at most one
 * connection between two Tubs, for calls in both directions, whoever made it.
 *
 * @example Two Tubs
 * ```ts
 * import { Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Calculator extends Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 *
 * await using server = await Tub.create();
 * const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
 * server.setLocation(listener.hint);
 * const furl = server.registerReference(new Calculator());
 *
 * await using client = await Tub.create();
 * const calculator = await client.getReference<Calculator>(furl);
 * assert.equal(await calculator.callRemote("add", 1, 2), 3);
 * ```
 */
export class Tub implements AsyncDisposable {
  /** The Tub's name, which nobody else can take: 32 characters of base32, the hash of its certificate. */
  readonly tubId: string;
  /** The objects that can be reached by a FURL of this Tub. */
  readonly registry: CapabilityRegistry;
  /** For tests and monitors. */
  readonly debug: TubDebug = makeDebug({
    brokers: () => this.#network.brokers,
    network: () => this.#network.tables(),
    names: () => this.registry.size,
    reconnectors: () => this.#reconnectors.size,
  });
  readonly #identity: Identity;
  readonly #incarnation: string;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #reconnectors: Reconnectors;
  readonly #storage: TubStorage;
  #hints: readonly string[] | undefined;

  /** Use {@linkcode Tub.create}: an identity takes time to load or to make. */
  protected constructor(identity: Identity, options: TubOptions, durable: Durable, assemble: Assemble) {
    this.tubId = identity.tubId;
    this.#identity = identity;
    const parts = assemble(identity, options, durable, {
      furlOf: (object) => this.getOrCreateURLForReference(object),
      getReference: (target, options) => this.#getReference(target, options),
    });
    this.registry = parts.registry;
    this.#incarnation = parts.incarnation;
    this.#clock = parts.clock;
    this.#network = parts.network;
    this.#reconnectors = parts.reconnectors;
    this.#storage = parts.storage;
  }

  /**
   * Makes a Tub. It runs at once; Foolscap's `startService` has no counterpart.
   *
   * @throws {CertificateError} If what is in the identity's file or data cannot be used.
   * @throws {FileError} If a file cannot be read or created; {@linkcode StoreError} of the store.
   * @throws {PermissionDenied} If the program may not read or write a file; names the flag.
   * @throws {TypeError} If both a file and data are given, a file's name is empty, or an option is unknown.
   * @throws {RangeError} If a limit is unknown or no positive number, or a timeout is none.
   */
  static async create(options: TubOptions = {}): Promise<Tub> {
    checkOptions(options);
    const identity = await loadOrCreateIdentity(options);
    const durable = await loadDurable(identity, options);
    return await restored(new Tub(identity, options, durable, await loadAssembly()));
  }

  /** The same as `tubId`, under Foolscap's name. */
  getTubID(): string {
    return this.tubId;
  }

  /** The first 4 characters of the TubID, for messages to people. */
  getShortTubID(): string {
    return shortTubId(this.tubId);
  }

  /** The Tub's certificate and its private key as PEM, for `Tub.create({ certData })`: a secret. */
  getCertData(): string {
    return getCertData(this.#identity);
  }

  /** This life of the Tub: 16 hex digits, new for each Tub that is created. */
  getIncarnationString(): string {
    return this.#incarnation;
  }

  /** Whether the Tub has not been stopped. */
  get running(): boolean {
    return !this.#network.isStopped;
  }

  // ---- listening and location

  /** The listeners that are open. */
  get listeners(): readonly Listener[] {
    return this.#network.listeners;
  }

  /**
   * Accepts connections. A Tub may have several listeners, or none: then it can reach others, who can call back.
   *
   * @param where `tcp:PORT`, `tcp:PORT:interface=ADDRESS`, `tcp6:PORT`, or digits alone; port 0 lets the system
   *   choose. Without an interface, `tcp` is every IPv4 address of the machine and `tcp6` every IPv6 address.
   *   `unix:/PATH` or `unix:/PATH:mode=660` is a unix socket, by default for this user only; the file of one whose process
   *   has died is replaced, and closing removes it. Or a listener of another Tub, whose port both share then: those who
   *   connect say which Tub they want.
   * @returns When the port is open.
   * @throws {TypeError} If it is no such description, the listener is closed or this Tub's own, or the Tub has stopped.
   * @throws {RangeError} If the port is above 65,535.
   * @throws {PermissionDenied} If the program may not listen there; names the flag. Never prompts.
   * @throws {UnreachableError} If the port cannot be opened: it is in use, say.
   */
  async listenOn(where: string | number | Listener): Promise<Listener> {
    if (where instanceof TubListener || where instanceof SharedListener) return this.#network.share(where);
    return await this.#network.listen(String(where));
  }

  /**
   * Says where others can reach this Tub: the hints of its FURLs. Once only, and before the first FURL is made.
   * @param hints Such as `tcp:example.org:4501`; one text may have several with commas between them.
   * @throws {FurlError} If there is none, one cannot be a hint, or its port cannot be connected to.
   * @throws {TypeError} If there is a location already.
   */
  setLocation(...hints: string[]): void {
    this.#checkNoLocation();
    this.#hints = parseLocation(this.tubId, hints);
  }

  /**
   * Sets the location to the listeners' `hints`, with the address that each is bound to, or this machine's first one.
   *
   * @param more Hints that are added.
   * @throws {PermissionDenied} If a listener takes every address and the program may not ask which there are:
   *   `--allow-sys=networkInterfaces`.
   * @throws {TypeError} If there is no listener, or a location already.
   * @throws {FurlError} If one of `more` cannot be a hint.
   */
  // deno-lint-ignore require-await
  async setLocationAutomatically(...more: string[]): Promise<void> {
    this.#checkNoLocation();
    const { listeners } = this.#network;
    if (listeners.length === 0) {
      throw new TypeError("Cannot set location: there is no listener; await listenOn first");
    }
    this.setLocation(...locationOf(listeners), ...more);
  }

  /** The hints of this Tub's FURLs; empty without a location. */
  get locationHints(): readonly string[] {
    return this.#hints ?? [];
  }

  #checkNoLocation(): void {
    if (this.#hints !== undefined) {
      throw new TypeError("Cannot set location: it is set already, and FURLs with it may be in use");
    }
  }

  // ---- objects of this Tub

  /**
   * Makes an object, or a function that {@linkcode callable} was given, reachable, and keeps it until it is unregistered or
   * the Tub stops. One that has a name, because it was registered or passed to a peer before, keeps it.
   *
   * @param options Options, or only the name.
   * @returns The object's FURL. Whoever has it can use the object.
   * @throws {NoLocationError} If the Tub has no location.
   * @throws {TypeError} If it is neither a Referenceable nor a Callable, the file's name is empty, or the Tub has stopped.
   * @throws {FurlError} If the name cannot stand in a FURL, or the file has no FURL in it or is empty.
   * @throws {WrongTubIdError} If the file has a FURL of another Tub.
   * @throws {WrongNameError} If the file has another name than the one that the object has or is given.
   * @throws {FileError} If the file cannot be read or written.
   * @throws {RangeError} If another object has the name.
   * @throws {PermissionDenied} If the program may not read and write the file; names the flag.
   */
  registerReference(object: Publishable, options: string | RegisterOptions = {}): string {
    if (!this.running) {
      throw new TypeError("Cannot register an object: this Tub has been stopped; create another one");
    }
    const base = { tubId: this.tubId, hints: this.#hintsFor("register an object") };
    return registerObject(
      this.registry,
      object,
      base,
      typeof options === "string" ? { name: options } : options,
    );
  }

  /**
   * Takes the name of an object away: its FURL leads nowhere. References that others have go on working.
   * @param object The object, or a FURL of this Tub.
   * @returns Whether it had a name.
   * @throws {FurlError} If it is a text that is not a FURL of this Tub.
   */
  unregisterReference(object: Publishable | string): boolean {
    if (typeof object !== "string") return this.registry.unregister(object);
    const found = this.registry.find(this.#ownName(object));
    return found !== undefined && this.registry.unregister(found);
  }

  /** The same for a FURL, under Foolscap's name. */
  unregisterURL(furl: string): boolean {
    return this.unregisterReference(furl);
  }

  /**
   * The FURL of an object, which gets a name of 160 random bits if it has none: good for as long as somebody holds it.
   *
   * @returns `undefined` without a location, or if a store has kept only a hash of its name.
   */
  getOrCreateURLForReference(object: Publishable): string | undefined {
    if (this.#hints === undefined || !this.registry.knowsName(object)) return undefined;
    return formatFurl({ tubId: this.tubId, hints: this.#hints, name: this.registry.nameOf(object) });
  }

  /**
   * This Tub's own object of a name.
   *
   * @throws {RangeError} If there is none. No more than the beginning of the name is told.
   */
  getReferenceForName(name: string): Publishable {
    const object = this.registry.find(name);
    if (object !== undefined) return object;
    const start = quoteForeign([...name.slice(0, 4)].slice(0, 2).join(""));
    throw new RangeError(`Cannot find object: there is none whose name starts with ${start}`);
  }

  /**
   * This Tub's own object of a FURL.
   *
   * @throws {FurlError} If it is not a FURL of this Tub.
   * @throws {RangeError} If there is no such object.
   */
  getReferenceForURL(furl: string): Publishable {
    return this.getReferenceForName(this.#ownName(furl));
  }

  /** Asks `handler` for names that no object has; see {@linkcode CapabilityRegistry.addLookup}. */
  registerNameLookupHandler(handler: NameLookupHandler): void {
    this.registry.addLookup(handler);
  }

  /** Takes a lookup handler back. One that is not there is fine. */
  unregisterNameLookupHandler(handler: NameLookupHandler): void {
    this.registry.removeLookup(handler);
  }

  #hintsFor(action: string): readonly string[] {
    if (this.#hints !== undefined) return this.#hints;
    throw new NoLocationError(
      `Cannot ${action}: the Tub has no location; call setLocation or setLocationAutomatically first`,
    );
  }

  #ownName(furl: string): string {
    const { tubId, name } = parseFurl(furl);
    if (tubId === this.tubId) return name;
    throw new FurlError("Cannot find object: the FURL is that of another Tub; getReference takes it");
  }

  // ---- objects of others

  /**
   * Gets a reference to the object of a FURL: by the connection with its Tub, if there is one, else all hints are tried
   * side by side. A FURL of this Tub leads to a reference too, by a connection of the Tub with itself.
   *
   * @typeParam T The class of the object, or an interface with its `remote_` methods; for a function that was registered,
   *   the type of the function: `getReference<(a: number) => number>(furl)`. Nothing checks it here.
   * @param target A FURL or a SturdyRef.
   * @param options How long to wait. An effort to connect for which nobody waits any more is given up.
   * @returns When the other Tub has answered. The same object is the same reference each time, for as long as the
   *   connection lasts and somebody holds it.
   * @throws {FurlError} If it is not a FURL.
   * @throws {UnreachableError} If no hint leads to the Tub; `errors` and `connectionInfo` say why, hint by hint.
   * @throws {NegotiationError} If one leads there, but the Tubs do not agree; it has a `connectionInfo` as well.
   * @throws {RemoteException} If the Tub has no such object: a `builtins.KeyError`.
   * @throws {DeadReferenceError} If the connection is lost before the answer.
   * @throws {TypeError} If it is neither, or this Tub has stopped.
   * @throws {DOMException} A `TimeoutError`, or whatever the signal's reason is, if `options` say so.
   */
  getReference<T extends ObjectType = Untyped>(
    target: string | SturdyRef,
    options?: GetReferenceOptions,
  ): Promise<RemoteReference<T>>;
  /** The same for a function. */
  getReference<F extends (...args: never[]) => unknown>(
    target: string | SturdyRef,
    options?: GetReferenceOptions,
  ): Promise<RemoteFunction<F>>;
  async getReference(target: string | SturdyRef, options: GetReferenceOptions = {}): Promise<RemoteHandle> {
    const parts = partsOf(target);
    return await waitFor(
      options,
      this.#clock,
      (signal?: AbortSignal) => this.#getReference(parts, { signal }),
    );
  }

  async #getReference(
    { tubId, hints, name }: FurlParts,
    options: ConnectOptions = {},
  ): Promise<RemoteHandle> {
    for (let tries = 1;; tries++) {
      const broker = await this.#network.connect(tubId, hints, options);
      try {
        return await broker.getReferenceByName(name, { signal: options.signal });
      } catch (error) {
        // Two Tubs that dial each other may find that the other's connection is the one that stays.
        const isReplaced = error instanceof DeadReferenceError && this.#network.isReplaced(tubId, broker);
        if (!isReplaced || tries === MAX_TRIES) throw error;
      }
    }
  }

  /**
   * Connects to the object of a FURL, and again each time that the connection is lost or cannot be made, until the
   * Reconnector or the Tub is stopped.
   *
   * @typeParam T The class of the object, or an interface with its `remote_` methods.
   * @param target A FURL or a SturdyRef.
   * @param callback Is given the reference each time. What it throws, or rejects with, goes to the trace.
   * @param options How long to wait between attempts, and what stops it.
   * @throws {FurlError} If it is not a FURL.
   * @throws {TypeError} If it is neither, the callback is no function, or this Tub has stopped.
   * @throws {RangeError} If an option is not a number of its kind.
   */
  connectTo<T = Untyped>(
    target: string | SturdyRef,
    callback: (reference: RemoteReference<T>) => unknown,
    options: ConnectToOptions = {},
  ): Reconnector<T> {
    if (!this.running) throw new TypeError("Cannot connect: this Tub has been stopped; create another one");
    return this.#reconnectors.start<T>(partsOf(target), callback, options);
  }

  /**
   * Makes a connection over streams that the program has: the pipes of a child, a WebSocket, a Worker, a socket of its own.
   * All of Foolscap's handshake runs over them, TLS included, so that both TubIDs are proved; then the connection is like any
   * other, and `getReference` of that Tub's FURLs goes by it, whatever their hints say. One end names its `target` and begins,
   * the other does not. A Tub that is only reached so has a location such as `attach:`.
   *
   * With `tls: false` at both ends nothing is proved and nothing is encrypted; see {@linkcode AttachOptions}.
   *
   * @param streams Are locked from here on, and closed with the connection.
   * @returns When the two have agreed. The Tub that decides does not wait for the other one to have read that: at the
   *   other end the connection may be there a little later.
   * @throws {TypeError} If it is not streams, one is locked, an option is unknown or does not fit, or the Tub has stopped.
   * @throws {FurlError} If the target is no FURL.
   * @throws {NegotiationError} If there is no agreement within `limits.negotiationTimeoutMs`; `phase` and reason are in the
   *   message. {@linkcode DuplicateConnectionError} if the connection that is there stays. The streams are closed then.
   */
  async attach(streams: ByteStreams, options: AttachOptions = {}): Promise<AttachedPeer> {
    return await this.#network.attach(streams, options);
  }

  /**
   * How the Tub of a FURL was reached, or is being tried to be. Foolscap: `getConnectionInfoForFURL`.
   *
   * @returns `undefined` if it is not a FURL, or there is neither a connection nor an effort to make one.
   */
  getConnectionInfoForFURL(furl: string): ConnectionInfo | undefined {
    try {
      return this.#network.info(parseFurl(furl).tubId);
    } catch {
      return undefined;
    }
  }

  /**
   * Lets `handler` follow hints of a type, in the place of the one that did. Connections that are being made go on as they
   * began. A new Tub has two, {@linkcode tcp} and {@linkcode tls}; there are {@linkcode socks}, {@linkcode tor}, {@linkcode i2p} and
   * {@linkcode unix}, and a program can make its own.
   *
   * @param type What stands before the first colon of such hints: `tor`. With `tcp`, all TCP traffic goes by the handler: hints of
   *   the type `tls` are followed no more, unless a handler for them is added too.
   * @throws {TypeError} If it can be no type, the handler is none, or the Tub has stopped.
   */
  addConnectionHintHandler(type: string, handler: ConnectionHintHandler): void {
    this.#network.hintHandlers.add(type, handler);
  }

  /** Takes back the handler of a type of hints; whether there was one. With that of `tcp` goes the first one of `tls`. */
  removeConnectionHintHandler(type: string): boolean {
    return this.#network.hintHandlers.remove(type);
  }

  /** Takes back every handler, those of `tcp` and `tls` too: the Tub then reaches others only when they connect to it. */
  removeAllConnectionHintHandlers(): void {
    this.#network.hintHandlers.removeAll();
  }

  // ---- values with references as bytes

  /**
   * Turns a value into bytes, as {@linkcode serialize} does, and references in it into the FURLs of their objects: of
   * objects and functions of this Tub, and of others'. The bytes are as secret as those FURLs, and keep no object alive:
   * register what shall be found later. Foolscap: `Tub.serialize`.
   *
   * @throws {Violation} If some part cannot be serialized, or a reference has no FURL or stands inside a Copyable.
   */
  serialize(value: unknown): Uint8Array {
    return this.#storage.serialize(value);
  }

  /**
   * Turns bytes of {@linkcode Tub.serialize}, here or in Python, back into the value, with new references: one of an object
   * of this Tub as well. Whoever made the bytes says where this Tub connects to: what `acceptGifts` and `giftPolicy`
   * say holds. Foolscap: `Tub.unserialize`.
   *
   * @returns When every reference is there. Rejects as {@linkcode unserialize} throws, and as {@linkcode Tub.getReference}
   *   does if an object cannot be reached.
   */
  unserialize(bytes: Uint8Array): Promise<unknown> {
    return this.#storage.unserialize(bytes);
  }

  // ---- the end

  /**
   * Ends the Tub: it accepts and dials no more, every connection is closed, calls that wait fail with a
   * DeadReferenceError, and names are forgotten. `notifyOnDisconnect` callbacks run at the other ends and not here. A Tub
   * cannot be started again. More than once is harmless.
   *
   * Foolscap: `stopService`.
   *
   * @returns When nothing of the Tub is open any more. Never rejects.
   */
  async stop(): Promise<void> {
    this.#reconnectors.stop();
    this.#storage.stop();
    const stopped = this.#network.stop();
    this.registry.clear();
    await Promise.all([stopped, endOwned(this), readyTls()]);
  }

  /** The same as {@linkcode Tub.stop}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
