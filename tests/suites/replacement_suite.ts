/**
 * When a new connection replaces the one that is there, and when it is refused: what happens to two Tubs whose
 * connections are lost on one side only, whose decisions never arrive, and that are started anew.
 *
 * Source: Foolscap `test_negotiate.py`, `Replacement`; where that changes what a Tub remembers, here it is the network that
 * loses things.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeMasterAndSlave, type TestIdentity } from "../support/identity.ts";
import type { Cast, Held, Party, PartyOptions } from "../support/parties.ts";
import { Relay } from "../support/relay.ts";

/** One story. */
export interface ReplacementScenario {
  readonly name: string;
  /** Options of the master. */
  readonly master?: PartyOptions;
  run(stage: Stage): Promise<void>;
}

/** A slave, a master that decides, and what is between them. */
export class Stage implements AsyncDisposable {
  readonly #open = new AsyncDisposableStack();
  readonly #cast: Cast;
  readonly #identities: readonly [master: TestIdentity, slave: TestIdentity];

  /** Use {@linkcode Stage.set}. */
  private constructor(
    cast: Cast,
    identities: readonly [TestIdentity, TestIdentity],
    readonly slave: Party,
    readonly master: Party,
  ) {
    this.#cast = cast;
    this.#identities = identities;
    this.#open.use(slave);
    this.#open.use(master);
  }

  /** Starts both. */
  static async set(cast: Cast, options?: PartyOptions): Promise<Stage> {
    const identities = await makeMasterAndSlave();
    const [master, slave] = await Promise.all([
      cast.master(identities[0], options),
      cast.slave(identities[1]),
    ]);
    return new Stage(cast, identities, slave, master);
  }

  /** A way from the slave to a life of the master. */
  async relay(to = this.master): Promise<Relay> {
    const [server, client] = this.#identities;
    return this.#open.use(await Relay.start({ client, server, port: to.port }));
  }

  /** Another life of the master, beside the one that is there. */
  async anotherMaster(): Promise<Party> {
    return this.#open.use(await this.#cast.master(this.#identities[0]));
  }

  /** Another life of the slave, beside the one that is there. */
  async anotherSlave(): Promise<Party> {
    return this.#open.use(await this.#cast.slave(this.#identities[1]));
  }

  /** Ends all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

async function assertWorks(ref: Held): Promise<void> {
  assert.equal(await ref.add(1, 2), 3);
}

/** The master keeps the connection that it has. */
async function assertRefused(dialling: Promise<Held>): Promise<void> {
  await assert.rejects(dialling, /Duplicate connection/);
}

/** Lets a peer dial whose master's decision gets lost on the way. */
async function loseDecision(slave: Party, master: Party, relay: Relay, link: number): Promise<void> {
  relay.hold = "decision";
  const dialling = assert.rejects(slave.dial(master, relay.port));
  const held = await relay.link(link);
  await held.held;
  await held.cutClient();
  await dialling;
}

/** All of them. */
export const REPLACEMENTS: readonly ReplacementScenario[] = [
  {
    name: "a slave that was started anew replaces the connection of its earlier life",
    async run(stage) {
      const { slave, master } = stage;
      const ref = await slave.dial(master);
      await assertWorks(ref);
      const again = await stage.anotherSlave();
      const [revived] = await Promise.all([again.dial(master), ref.lost]);
      await assertWorks(revived);
      assert.equal(await master.connections(), 1);
    },
  },
  {
    name: "a master that was started anew and dials replaces the connection of its earlier life",
    async run(stage) {
      const { slave, master } = stage;
      const ref = await master.dial(slave);
      await assertWorks(ref);
      const again = await stage.anotherMaster();
      const [revived] = await Promise.all([again.dial(slave), ref.lost]);
      await assertWorks(revived);
      assert.equal(await slave.connections(), 1);
    },
  },
  {
    name: "a peer that says nothing of itself is refused while there is a connection",
    async run(stage) {
      const { slave, master } = stage;
      const ref = await slave.dial(master);
      const relay = await stage.relay();
      relay.editHello = withoutMemory;
      const ancient = await stage.anotherSlave();
      await assertRefused(ancient.dial(master, relay.port));
      await assertWorks(ref);
      assert.equal(await master.connections(), 1);
    },
  },
  {
    name: "a peer that says nothing of itself replaces an old connection where that is allowed",
    master: { handlesOldPeers: true },
    async run(stage) {
      const { slave, master } = stage;
      const ref = await slave.dial(master);
      const relay = await stage.relay();
      relay.editHello = withoutMemory;
      const ancient = await stage.anotherSlave();
      await assertRefused(ancient.dial(master, relay.port));
      await assertWorks(ref);
      await master.makeOld();
      const [revived] = await Promise.all([ancient.dial(master, relay.port), ref.lost]);
      await assertWorks(revived);
      assert.equal(await master.connections(), 1);
    },
  },
  {
    name: "a slave that missed the first decision of a restarted master is let in again",
    async run(stage) {
      const { slave, master } = stage;
      const ref = await slave.dial(master);
      await Promise.all([master[Symbol.asyncDispose](), ref.lost]);
      const again = await stage.anotherMaster();
      const relay = await stage.relay(again);
      await loseDecision(slave, again, relay, 0);
      assert.equal(await again.connections(), 1);
      const revived = await slave.dial(again);
      await assertWorks(revived);
      await (await relay.link(0)).serverEnded;
      assert.equal(await again.connections(), 1);
    },
  },
  {
    name:
      "a slave that missed the decision of its second connection is refused until the master's end is gone",
    async run(stage) {
      const { slave, master } = stage;
      const relay = await stage.relay();
      const ref = await slave.dial(master, relay.port);
      await assertWorks(ref);
      const first = await relay.link(0);
      await Promise.all([first.cutClient(), ref.lost]);
      await loseDecision(slave, master, relay, 1);
      await first.serverEnded;
      const second = await relay.link(1);
      await assertRefused(slave.dial(master));
      assert.equal(second.isOver, false);
      await second.close();
      await until(async () => await master.connections() === 0);
      await assertWorks(await slave.dial(master));
    },
  },
  {
    name: "a slave that lost its connection unnoticed by the master is let in again",
    async run(stage) {
      const { slave, master } = stage;
      const relay = await stage.relay();
      const ref = await slave.dial(master, relay.port);
      await assertWorks(ref);
      const first = await relay.link(0);
      await Promise.all([first.cutClient(), ref.lost]);
      assert.equal(await master.connections(), 1);
      const revived = await slave.dial(master);
      await assertWorks(revived);
      await first.serverEnded;
      assert.equal(await master.connections(), 1);
    },
  },
  {
    name: "a peer that remembers a connection that never was is refused",
    async run(stage) {
      const { slave, master } = stage;
      const relay = await stage.relay();
      const ref = await slave.dial(master, relay.port);
      const first = await relay.link(0);
      await Promise.all([first.cutClient(), ref.lost]);
      relay.editHello = (hello) =>
        hello.replace(
          /^(last-connection: \w+) (\d+)/m,
          (_, start, seqnum) => `${start} ${Number(seqnum) + 10}`,
        );
      await assertRefused(slave.dial(master, relay.port));
      assert.equal(first.isOver, false);
      assert.equal(await master.connections(), 1);
    },
  },
  {
    name:
      "a slave that missed the decision of its first connection is refused until the master's end is gone",
    async run(stage) {
      const { slave, master } = stage;
      const relay = await stage.relay();
      await loseDecision(slave, master, relay, 0);
      const first = await relay.link(0);
      await assertRefused(slave.dial(master));
      assert.equal(first.isOver, false);
      await first.close();
      await until(async () => await master.connections() === 0);
      await assertWorks(await slave.dial(master));
    },
  },
];

/** The hello of a Foolscap before 0.2.0. */
function withoutMemory(hello: string): string {
  return hello.split("\r\n").filter((line) => !/^(my-incarnation|last-connection):/.test(line)).join("\r\n");
}

/** Asks again and again until it is so; gives up loudly. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!await isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`It did not come true: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
