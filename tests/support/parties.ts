/**
 * Tubs that connect with each other, whatever they are written in.
 *
 * @module
 */

import { type RemoteReference, Tub } from "../../mod.ts";
import { Target } from "../tub/tubs.ts";
import { FakeClock } from "./fake_clock.ts";
import type { TestIdentity } from "./identity.ts";

/** What a party can be told when it is started. */
export interface PartyOptions {
  /** Whether an old connection may be replaced by a peer that remembers nothing: `handle-old-duplicate-connections`. */
  readonly handlesOldPeers?: boolean;
}

/** A Tub that listens and has an object called `target`. */
export interface Party extends AsyncDisposable {
  readonly kind: "Deno" | "Python";
  readonly identity: TestIdentity;
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /**
   * Gets the object of another party.
   *
   * @param ports One hint for each; without any, the other one's own.
   */
  dial(other: Party, ...ports: readonly number[]): Promise<Held>;
  /** How many connections count. */
  connections(): Promise<number>;
  /** Makes every connection older than the age at which {@linkcode PartyOptions.handlesOldPeers} lets it be replaced. */
  makeOld(): Promise<void>;
  /** Accepts nothing any more. */
  stopListening(): Promise<void>;
  /** Ends it. More than once is harmless. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A reference to the object of another party. */
export interface Held {
  /** Calls it. */
  add(a: number, b: number): Promise<number>;
  /** Resolves when its connection has ended. */
  readonly lost: Promise<void>;
}

/** Starts a party. */
export type StartParty = (identity: TestIdentity, options?: PartyOptions) => Promise<Party>;

/** Who plays which part. */
export interface Cast {
  readonly slave: StartParty;
  readonly master: StartParty;
}

/** The FURL of a party's object. */
export function furlOf({ identity, port }: Party, ports: readonly number[]): string {
  const hints = (ports.length === 0 ? [port] : ports).map((port) => `tcp:127.0.0.1:${port}`);
  return `pb://${identity.tubId}@${hints.join(",")}/target`;
}

/** A party of ours. */
export const startDeno: StartParty = async (identity, { handlesOldPeers = false } = {}) => {
  const clock = handlesOldPeers ? new FakeClock() : undefined;
  const tub = await Tub.create({
    certData: identity.certPem + identity.keyPem,
    clock,
    handleOldDuplicateConnections: handlesOldPeers,
  });
  const listener = await tub.listenOn("tcp:0:interface=127.0.0.1");
  tub.setLocation(listener.hint);
  tub.registerReference(new Target(), "target");
  return new DenoParty(identity, tub, listener.port, clock);
};

class DenoParty implements Party {
  readonly kind = "Deno";

  constructor(
    readonly identity: TestIdentity,
    readonly tub: Tub,
    readonly port: number,
    readonly clock: FakeClock | undefined,
  ) {}

  async dial(other: Party, ...ports: readonly number[]): Promise<Held> {
    const ref: RemoteReference<Target> = await this.tub.getReference<Target>(furlOf(other, ports));
    const lost = Promise.withResolvers<void>();
    ref.notifyOnDisconnect(lost.resolve);
    return { add: async (a, b) => await ref.callRemote("add", a, b), lost: lost.promise };
  }

  connections(): Promise<number> {
    const { connections, connecting, negotiating } = this.tub.debug.tables();
    return Promise.resolve(connecting + negotiating === 0 ? connections : -1);
  }

  makeOld(): Promise<void> {
    this.clock!.advance(60_000);
    return Promise.resolve();
  }

  async stopListening(): Promise<void> {
    await Promise.all(this.tub.listeners.map((listener) => listener.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tub.stop();
  }
}
