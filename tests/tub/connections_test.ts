import assert from "node:assert/strict";
import type { Broker } from "../../lib/broker/broker.ts";
import { DuplicateConnectionError, NegotiationError } from "../../lib/errors.ts";
import type { ConnectionMemory, PeerOffer } from "../../lib/negotiate/hello.ts";
import { BoundedMap } from "../../lib/tub/bounded_map.ts";
import { Connections } from "../../lib/tub/connections.ts";
import { FakeClock } from "../support/fake_clock.ts";

const PEER = "peer";
const OWN = "0123456789abcdef";

function setUp(oldPeerThresholdMs?: number) {
  const clock = new FakeClock();
  return {
    clock,
    connections: new Connections({ incarnation: OWN, clock, oldPeerThresholdMs, maxRememberedTubs: 100 }),
  };
}

/** Only what the connections use of a broker. */
function fakeBroker(): Broker & { reasons: Error[]; notified: boolean[] } {
  const broker = {
    ended: undefined as Error | undefined,
    reasons: [] as Error[],
    notified: [] as boolean[],
    shutdown(reason: Error, { notify = true } = {}) {
      broker.ended = reason;
      broker.reasons.push(reason);
      broker.notified.push(notify);
      return Promise.resolve();
    },
  };
  return broker as unknown as Broker & typeof broker;
}

function offer(incarnation: string, lastConnection: ConnectionMemory | "none" | undefined): PeerOffer {
  return { tubId: PEER, incarnation, lastConnection, vocabularies: { min: 0, max: 1 }, hello: new Map() };
}

Deno.test("Connections.admit() numbers the connections with each Tub from 1", () => {
  const { connections } = setUp();
  const first = connections.admit(offer("life", "none"));
  assert.equal(first.seqnum, 1);
  connections.release(first);
  assert.equal(connections.admit(offer("life", "none")).seqnum, 2);
  assert.equal(connections.admit({ ...offer("life", "none"), tubId: "other" }).seqnum, 1);
});

const offers: readonly [
  name: string,
  incarnation: string,
  last: ConnectionMemory | "none" | undefined,
  accepted: boolean,
][] = [
  ["a parallel attempt", "life", "none", false],
  ["a listening side", "life", undefined, false],
  ["a peer that restarted", "another life", "none", true],
  ["a peer that gave the connection up", "life", { incarnation: OWN, seqnum: 1 }, true],
  ["a peer that knows an older connection", "life", { incarnation: OWN, seqnum: 0 }, false],
  ["a peer that knew an earlier life of this Tub", "life", { incarnation: "before", seqnum: 1 }, true],
];
for (const [name, incarnation, last, isAccepted] of offers) {
  for (const isEstablished of [true, false]) {
    const existing = isEstablished ? "the connection that is there" : "an attempt that was decided";
    Deno.test(`Connections.admit() ${isAccepted ? "replaces" : "keeps"} ${existing} for ${name}`, () => {
      const { connections } = setUp();
      const place = connections.admit(offer("life", "none"));
      const broker = fakeBroker();
      if (isEstablished) connections.occupy(place, broker);
      if (isAccepted) {
        const next = connections.admit(offer(incarnation, last));
        assert.equal(next.seqnum, 2);
        assert.equal(place.isLost, true);
        assert.deepEqual(
          broker.reasons.map(String),
          isEstablished ? ["DeadReferenceError: [peer] replaced by a new connection"] : [],
        );
        assert.deepEqual(broker.notified, isEstablished ? [true] : []);
        // What comes late for the old place does not touch the new one.
        connections.release(place);
        connections.occupy(next, fakeBroker());
        assert.equal(connections.get(PEER), next.broker);
      } else {
        assert.throws(() => connections.admit(offer(incarnation, last)), DuplicateConnectionError);
        assert.equal(place.isLost, false);
        assert.deepEqual(broker.reasons, []);
      }
    });
  }
}

Deno.test("Connections.admit() lets an old peer in by the age of the connection, if told so", () => {
  const { connections, clock } = setUp(60_000);
  connections.occupy(connections.admit(offer("life", undefined)), fakeBroker());
  clock.advance(59_999);
  assert.throws(() => connections.admit(offer("life", undefined)), DuplicateConnectionError);
  clock.advance(1);
  assert.equal(connections.admit(offer("life", undefined)).seqnum, 2);
});

Deno.test("Connections.follow() replaces what is there and remembers it for the next dial", () => {
  const { connections } = setUp();
  assert.equal(connections.lastConnectionTo(PEER), undefined);
  const broker = fakeBroker();
  connections.occupy(connections.follow(PEER, { incarnation: "m", seqnum: 4 }), broker);
  assert.deepEqual(connections.lastConnectionTo(PEER), { incarnation: "m", seqnum: 4 });
  const next = connections.follow(PEER, { incarnation: "m", seqnum: 5 });
  assert.equal(broker.reasons.length, 1);
  assert.equal(next.isLost, false);
});

Deno.test("Connections.follow() refuses a decision that comes after a newer one", () => {
  const { connections } = setUp();
  const newer = connections.follow(PEER, { incarnation: "m", seqnum: 5 });
  assert.throws(() => connections.follow(PEER, { incarnation: "m", seqnum: 4 }), NegotiationError);
  assert.equal(newer.isLost, false);
  // A master that has restarted counts anew.
  assert.equal(connections.follow(PEER, { incarnation: "n", seqnum: 1 }).isLost, false);
});

Deno.test("Connections.get() gives no broker that has ended", () => {
  const { connections } = setUp();
  const broker = fakeBroker();
  connections.occupy(connections.follow(PEER, undefined), broker);
  assert.equal(connections.get(PEER), broker);
  void broker.shutdown(new Error("gone"));
  assert.equal(connections.get(PEER), undefined);
});

Deno.test("Connections.close() ends all without callbacks and takes no more", async () => {
  const { connections } = setUp();
  const broker = fakeBroker();
  connections.occupy(connections.follow(PEER, undefined), broker);
  const place = connections.admit({ ...offer("life", "none"), tubId: "other" });
  await connections.close(new Error("stopped"));
  assert.deepEqual(broker.notified, [false]);
  assert.equal(place.isLost, true);
  assert.equal(connections.brokers.length, 0);
  assert.throws(() => connections.admit(offer("life", "none")), NegotiationError);
  assert.throws(() => connections.follow(PEER, undefined), NegotiationError);
});

Deno.test("BoundedMap forgets what was set longest ago when it is full", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  assert.deepEqual([map.get("a"), map.get("b"), map.get("c")], [3, undefined, 4]);
});
