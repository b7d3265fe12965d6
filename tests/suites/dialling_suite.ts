/**
 * Several ways to the same Tub at once: parallel hints, and Tubs that dial each other, with one of the connections
 * standing still in each phase of its negotiation.
 *
 * Source: Foolscap `test_negotiate.py`, `Parallel`, `ThreeInParallel`, `Crossfire`, `CrossfireReverse`, `Existing`,
 * `SharedConnections`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeMasterAndSlave } from "../support/identity.ts";
import type { Cast, Held, Party } from "../support/parties.ts";
import { type Link, type Phase, PHASES, Relay } from "../support/relay.ts";
import { until } from "./replacement_suite.ts";

/** One story. */
export interface DiallingScenario {
  readonly name: string;
  run(cast: Cast): Promise<void>;
}

/** The one that dials first, and the one that it dials. */
class Scene implements AsyncDisposable {
  readonly #open = new AsyncDisposableStack();

  private constructor(readonly client: Party, readonly server: Party) {
    this.#open.use(client);
    this.#open.use(server);
  }

  static async set(cast: Cast, isClientMaster: boolean): Promise<Scene> {
    const identities = await makeMasterAndSlave();
    const [master, slave] = await Promise.all([cast.master(identities[0]), cast.slave(identities[1])]);
    return isClientMaster ? new Scene(master, slave) : new Scene(slave, master);
  }

  /** A way from the client to the server. */
  async relay(hold?: Phase): Promise<Relay> {
    const { client, server } = this;
    return this.#open.use(
      await Relay.start({ client: client.identity, server: server.identity, port: server.port }, hold),
    );
  }

  /** A way from the server to the client. */
  async wayBack(): Promise<Relay> {
    const { client, server } = this;
    return this.#open.use(
      await Relay.start({ client: server.identity, server: client.identity, port: client.port }),
    );
  }

  /** Both have one connection, which is that of the reference. */
  async assertOne(...refs: readonly Held[]): Promise<void> {
    for (const ref of refs) assert.equal(await ref.add(1, 2), 3);
    for (const party of [this.client, this.server]) {
      await until(async () => await party.connections() === 1);
    }
    for (const ref of refs) assert.equal(await ref.add(3, 4), 7);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

async function heldLink(relay: Relay): Promise<Link> {
  const link = await relay.link(0);
  await link.held;
  return link;
}

const ROLES = [true, false].map((isClientMaster) => ({
  isClientMaster,
  role: isClientMaster ? "master" : "slave",
}));

/** A Python slave whose own dial is refused fails at once, if it reads that before the decision that came first. */
async function dialAnyway(from: Party, to: Party): Promise<Held> {
  try {
    return await from.dial(to);
  } catch (error) {
    if (from.kind !== "Python" || !/Duplicate connection/.test(String(error))) throw error;
    return await from.dial(to);
  }
}

/** Whether the master has decided for a connection that is held there: it has the slave's hello. */
function isDecided(phase: Phase, isClientMaster: boolean): boolean {
  return phase === "decision" || phase === (isClientMaster ? "client-hello" : "server-hello");
}

/** Two hints: the second stands still, then the first goes on. */
const PARALLEL = ROLES.flatMap(({ isClientMaster, role }) =>
  PHASES.map((phase): DiallingScenario => ({
    name: `a ${role} that dials two hints, one of which stands still before its ${phase}, has one connection`,
    async run(cast) {
      await using scene = await Scene.set(cast, isClientMaster);
      const { client, server } = scene;
      const [first, second] = [await scene.relay("get"), await scene.relay(phase)];
      const dialling = client.dial(server, first.port, second.port);
      const [fast, slow] = await Promise.all([heldLink(first), heldLink(second)]);
      if (!isDecided(phase, isClientMaster)) {
        fast.release();
        const ref = await dialling;
        await slow.abandoned();
        await scene.assertOne(ref);
        assert.equal(fast.isOver, false);
        return;
      }
      // The master has decided for the second, however long that takes to arrive.
      if (isClientMaster) {
        await fast.abandoned();
        slow.release();
      } else {
        fast.release();
        await fast.serverEnded;
        slow.release();
      }
      await scene.assertOne(await dialling);
      assert.equal(slow.isOver, false);
    },
  }))
);

/** Three hints: two stand still. */
const THREE = ROLES.flatMap(({ isClientMaster, role }) =>
  PHASES.filter((phase) => !isDecided(phase, isClientMaster)).map((phase): DiallingScenario => ({
    name: `a ${role} that dials three hints gives up two that stand still before their ${phase}`,
    async run(cast) {
      await using scene = await Scene.set(cast, isClientMaster);
      const { client, server } = scene;
      const relays = [await scene.relay("get"), await scene.relay(phase), await scene.relay(phase)];
      const dialling = client.dial(server, ...relays.map(({ port }) => port));
      const [fast, ...slow] = await Promise.all(relays.map(heldLink));
      fast!.release();
      const ref = await dialling;
      await Promise.all(slow.map((link) => link.abandoned()));
      await scene.assertOne(ref);
      assert.equal(fast!.isOver, false);
    },
  }))
);

/** Each dials the other; the first one's connection stands still, then the second dials. */
const CROSSFIRE = ROLES.flatMap(({ isClientMaster, role }) =>
  PHASES.map((phase): DiallingScenario => ({
    name: `a ${role} whose dial stands still before its ${phase} is dialled by the other: one connection`,
    async run(cast) {
      await using scene = await Scene.set(cast, isClientMaster);
      const { client, server } = scene;
      const relay = await scene.relay(phase);
      const dialling = client.dial(server, relay.port);
      const link = await heldLink(relay);
      const wayBack = await scene.wayBack();
      const back = server.dial(client, wayBack.port);
      if (!isDecided(phase, isClientMaster)) {
        // The one connection serves both.
        const refs = await Promise.all([back, dialling]);
        await link.abandoned();
        await scene.assertOne(...refs);
      } else if (isClientMaster && server.kind === "Python") {
        // Python fails at once when its own dial is refused, though the other connection is on its way.
        await assert.rejects(back, /Duplicate connection/);
        link.release();
        await scene.assertOne(await dialling, await server.dial(client));
        assert.equal(link.isOver, false);
      } else {
        // A slave dials, is refused, and waits for the connection that is on its way; a master has it already.
        if (isClientMaster) await (await wayBack.link(0)).serverEnded;
        link.release();
        await scene.assertOne(...await Promise.all([dialling, back]));
        assert.equal(link.isOver, false);
      }
    },
  }))
);

/** All of them. */
export const DIALLINGS: readonly DiallingScenario[] = [
  ...PARALLEL,
  ...THREE,
  ...CROSSFIRE,
  ...ROLES.flatMap(({ isClientMaster, role }): DiallingScenario[] => [
    {
      name: `a ${role} that dials a closed port and a good one has one connection`,
      async run(cast) {
        await using scene = await Scene.set(cast, isClientMaster);
        const closed = await scene.relay();
        await closed[Symbol.asyncDispose]();
        const slow = await scene.relay("get");
        const dialling = scene.client.dial(scene.server, slow.port, closed.port);
        (await heldLink(slow)).release();
        await scene.assertOne(await dialling);
      },
    },
    {
      name: `a ${role} whom the other cannot dial still reaches it`,
      async run(cast) {
        await using scene = await Scene.set(cast, isClientMaster);
        const { client, server } = scene;
        await client.stopListening();
        const relay = await scene.relay("switching");
        const dialling = client.dial(server, relay.port);
        const link = await heldLink(relay);
        await assert.rejects(server.dial(client), /refused/i);
        link.release();
        await scene.assertOne(await dialling);
        // By the connection that is there it can be reached.
        await scene.assertOne(await server.dial(client));
      },
    },
    {
      name: `a ${role} that has a connection dials no more, and is not dialled`,
      async run(cast) {
        await using scene = await Scene.set(cast, isClientMaster);
        const { client, server } = scene;
        const relay = await scene.relay();
        const refs = [
          await client.dial(server),
          await client.dial(server, relay.port),
          await server.dial(client),
        ];
        await scene.assertOne(...refs);
      },
    },
    {
      name: `a ${role} is asked for the same Tub many times at once: one connection`,
      async run(cast) {
        await using scene = await Scene.set(cast, isClientMaster);
        const { client, server } = scene;
        const all = Array.from({ length: 5 }, () => [dialAnyway(client, server), dialAnyway(server, client)]);
        await scene.assertOne(...await Promise.all(all.flat()));
      },
    },
  ]),
];
