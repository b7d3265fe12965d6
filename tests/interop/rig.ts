/**
 * A Deno Tub and the Python peer, connected in every way in which they can be.
 *
 * @module
 */

import { type RemoteReference, Tub, type TubOptions } from "../../mod.ts";
import type { PythonPeer } from "../support/python.ts";
import { Root } from "./root.ts";

/** Who dials, and who has the greater TubID and decides. */
export interface Way {
  readonly dialer: "Deno" | "Python";
  readonly master: "Deno" | "Python";
}

/** All ways. */
export const WAYS: readonly Way[] = (["Deno", "Python"] as const).flatMap((dialer) =>
  (["Deno", "Python"] as const).map((master) => ({ dialer, master }))
);

/** The two of {@link WAYS} in which either side dials once and decides once. */
export const BOTH_DIALERS: readonly Way[] = [WAYS[0]!, WAYS[3]!];

/** A way in words, for the names of steps. */
export function wayText({ dialer, master }: Way): string {
  return `${dialer} dials, ${master} is master`;
}

/** A Deno Tub that listens and is greater, or smaller, than a TubID. */
export async function tubBeside(tubId: string, isGreater: boolean, options: TubOptions = {}): Promise<Tub> {
  for (;;) {
    const tub = await Tub.create(options);
    if (tub.tubId > tubId === isGreater) return await locate(tub);
    await tub.stop();
  }
}

/** A Deno Tub that listens. */
export async function startTub(options: TubOptions = {}): Promise<Tub> {
  return await locate(await Tub.create(options));
}

/** Lets a Tub listen and have a location. */
export async function locate(tub: Tub, port = 0): Promise<Tub> {
  tub.setLocation((await tub.listenOn(`tcp:${port}:interface=127.0.0.1`)).hint);
  return tub;
}

let rigs = 0;

/** A connection between a Deno Tub and the Python peer, with a reference in each direction. */
export class Rig implements AsyncDisposable {
  /** The Deno Tub. */
  readonly tub: Tub;
  /** The object that it serves. */
  readonly root = new Root();
  /** Its FURL. */
  readonly furl: string;
  /** The name under which Python holds it. */
  readonly ours = `ours${++rigs}`;
  readonly peer: PythonPeer;
  #python: RemoteReference | undefined;

  /** Use {@link connect}. */
  constructor(peer: PythonPeer, tub: Tub) {
    this.peer = peer;
    this.tub = tub;
    this.furl = tub.registerReference(this.root);
  }

  /** The reference to Python's root object. */
  get python(): RemoteReference {
    if (this.#python === undefined) throw new TypeError("Cannot give Python's root: it was not asked for");
    return this.#python;
  }

  /** Makes the connection, if there is none, and gets both references. */
  async meet(dialer: Way["dialer"]): Promise<this> {
    if (dialer === "Python") await this.peer.get(this.furl, this.ours);
    this.#python = await this.tub.getReference(this.peer.furl);
    if (dialer === "Deno") await this.peer.get(this.furl, this.ours);
    return this;
  }

  /** How much Python holds for the connection; `undefined` if there is none. */
  async pythonTables(): Promise<Record<string, number> | undefined> {
    const { connections } = await this.peer.command("tables");
    const all = connections as (Record<string, number> & { readonly tubid: unknown })[];
    return all.find(({ tubid }) => tubid === this.tub.tubId);
  }

  /** Stops the Deno Tub. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.tub.stop();
  }
}

/** Connects a new Deno Tub with the peer. */
export async function connect(peer: PythonPeer, way: Way, options: TubOptions = {}): Promise<Rig> {
  const tub = await tubBeside(peer.ready.tubid, way.master === "Deno", options);
  return await new Rig(peer, tub).meet(way.dialer);
}

/**
 * One statement about a peer that several share. The test around it checks for leaks: the pipes of the peer are open
 * and read from all the time.
 */
export async function step(t: Deno.TestContext, name: string, fn: () => void | Promise<void>): Promise<void> {
  await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** The same for a new connection of each way. */
export async function stepEachWay(
  t: Deno.TestContext,
  peer: PythonPeer,
  name: string,
  fn: (rig: Rig, way: Way) => Promise<void>,
  options: { readonly ways?: readonly Way[]; readonly tub?: TubOptions } = {},
): Promise<void> {
  for (const way of options.ways ?? WAYS) {
    await step(t, `${name} (${wayText(way)})`, async () => {
      await using rig = await connect(peer, way, options.tub);
      await fn(rig, way);
    });
  }
}

/** Asks again and again until it is so; gives up loudly. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!await isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: it did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a promise is rejected with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Cannot give a rejection: it was fulfilled with ${Deno.inspect(value)}`);
}

/** The same, which must be of a class. */
export async function rejectionOf<E extends Error>(
  type: abstract new (...args: never[]) => E,
  promise: PromiseLike<unknown>,
): Promise<E> {
  const error = await rejection(promise);
  if (error instanceof type) return error;
  throw new Error(`Cannot give a ${type.name}: it was rejected with ${Deno.inspect(error)}`, {
    cause: error,
  });
}
