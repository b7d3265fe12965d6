/**
 * What plays the parts of Perspective Broker's documented examples.
 *
 * @module
 */

import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { type PythonPeer, startPython } from "../../support/python.ts";

/** Says what happens to one half of an example. */
export type Say = (...values: unknown[]) => void;

/** What one half says, in order. */
export type Said = readonly (readonly unknown[])[];

/** One thing that a server serves. */
export interface Served {
  readonly root: pb.RootProvider | pb.AsRoot;
  readonly options?: pb.PbServeOptions;
}

/** What a server part may ask of its stage. */
export interface Backstage {
  /** Ends the server. */
  close(): void;
}

/** An example with both of its parts, as they are played by this module; Python's have the same name in `script`. */
export interface Example {
  readonly name: string;
  /** The Python file with its counterparts. */
  readonly script: string;
  serve(say: Say, backstage: Backstage): readonly Served[];
  play(say: Say, ...servers: string[]): Promise<void>;
  readonly serverSays: Said;
  readonly clientSays: Said;
  /** What Twisted logs of what goes wrong at a server, by the ends of the lines. */
  readonly serverLogs?: readonly string[];
}

/** The half of an example that is being played: by us or by Python. */
interface Half extends AsyncDisposable {
  /** All that it says, when that is at least so many things. */
  said(count: number): Promise<Said>;
}

class Notes {
  readonly #said: unknown[][] = [];
  #count = 0;
  #enough = Promise.withResolvers<void>();
  readonly say: Say = (...values) => {
    this.#said.push(values);
    if (this.#said.length >= this.#count) this.#enough.resolve();
  };

  async said(count: number): Promise<Said> {
    this.#count = count;
    if (this.#said.length < count) {
      this.#enough = Promise.withResolvers();
      const late = setTimeout(() => this.#enough.resolve(), 10_000);
      await this.#enough.promise;
      clearTimeout(late);
    }
    return this.#said;
  }
}

class PythonHalf implements Half {
  constructor(readonly peer: PythonPeer, readonly logs: readonly string[] = []) {}

  async said(count: number): Promise<Said> {
    await this.check();
    for (let i = 0; i < count; i++) await this.peer.event("said");
    return await this.check();
  }

  /** What it has said; it has logged nothing that it should not. */
  async check(): Promise<Said> {
    const { said, errors } = await this.peer.command("said");
    const wrong = (errors as string[]).map((text) => text.trim()).filter((text) =>
      text !== "Peer will receive following PB traceback:" && !this.logs.some((log) => text.endsWith(log))
    );
    assert.deepEqual(wrong, []);
    return said as Said;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.peer[Symbol.asyncDispose]();
  }
}

/** The addresses that a server has. */
interface ServerHalf extends Half {
  readonly servers: readonly string[];
}

/** Plays the server's part. */
export async function serveOurs({ serve }: Example): Promise<ServerHalf> {
  const notes = new Notes();
  const servers: pb.PbServer[] = [];
  const close = () => void Promise.all(servers.map((server) => server.close()));
  for (const { root, options } of serve(notes.say, { close })) {
    servers.push(await pb.serve(root, "tcp:0:interface=127.0.0.1", options));
  }
  return {
    servers: servers.map(({ address }) => address),
    said: (count) => notes.said(count),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** Lets Twisted play the server's part. */
export async function serveTwisted({ name, script, serverLogs }: Example): Promise<ServerHalf> {
  const peer = await startPython(`../pb/howto/${script}`, ["server", name]);
  const { ports } = peer.ready as unknown as { ports: number[] };
  const half = new PythonHalf(peer, serverLogs);
  return {
    servers: ports.map((port) => `tcp:127.0.0.1:${port}`),
    said: (count) => half.said(count),
    [Symbol.asyncDispose]: () => half[Symbol.asyncDispose](),
  };
}

/** Plays an example to its end, and compares what both halves said. */
export async function playOurs(example: Example, server: ServerHalf): Promise<void> {
  const notes = new Notes();
  await example.play(notes.say, ...server.servers);
  const { clientSays, serverSays } = example;
  assert.deepEqual(await server.said(serverSays.length), serverSays);
  assert.deepEqual(await notes.said(clientSays.length), clientSays);
}

/** The same with Twisted as the client. */
export async function playTwisted(example: Example, server: ServerHalf): Promise<void> {
  const { name, script, clientSays, serverSays } = example;
  const ports = server.servers.map((address) => address.split(":").at(-1)!);
  await using half = new PythonHalf(
    await startPython(`../pb/howto/${script}`, ["client", name, ...ports]),
  );
  await half.peer.event("over");
  assert.deepEqual(await half.said(clientSays.length), clientSays);
  assert.deepEqual(await server.said(serverSays.length), serverSays);
}
