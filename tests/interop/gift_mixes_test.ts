import assert from "node:assert/strict";
import { Tub, type TubOptions } from "../../mod.ts";
import type { Description } from "../support/described.ts";
import { interopTest, type PythonPeer, startPython } from "../support/python.ts";
import { StallingProxy } from "../support/stalling_proxy.ts";
import { type DenoParty, failureText, newDenoParty, type Party, PythonParty } from "./introductions.ts";
import { rejection, step, until } from "./rig.ts";
import { Item } from "./root.ts";

const GIFT: Description = { ref: "gift" };
/** Where a gift may stand. */
const SHAPES: readonly (readonly [name: string, shape: Description])[] = [
  ["alone", GIFT],
  ["in a list", { list: [GIFT] }],
  ["in a tuple beside an object of the giver", { tuple: [GIFT, { local: "alice" }] }],
  ["in a set", { set: [GIFT] }],
  ["in a frozenset", { frozenset: [GIFT] }],
  ["as a value of a dict", { dict: [[{ str: "a" }, GIFT]] }],
  ["in a dict of a list of a tuple of a set", {
    dict: [[{ str: "foo" }, { list: [{ tuple: [{ set: [GIFT] }] }] }]],
  }],
  ["twice", { list: [GIFT, { tuple: [GIFT] }] }],
];
type Kind = Party["kind"];
const KINDS = ["Deno", "Python"] as const;
/** Giver, recipient and owner: every mix with at least one Deno. */
const MIXES: readonly (readonly [Kind, Kind, Kind])[] = KINDS.flatMap((giver) =>
  KINDS.flatMap((recipient) => KINDS.map((owner) => [giver, recipient, owner] as const))
).filter((mix) => mix.includes("Deno"));
/** Giver and recipient, with a Tub of Deno as the owner. */
const PAIRS: readonly (readonly [Kind, Kind])[] = [
  ["Deno", "Deno"],
  ["Deno", "Python"],
  ["Python", "Deno"],
  ["Python", "Python"],
];

/** One party of each kind, in that order. */
async function parties(
  kinds: readonly Kind[],
  peers: readonly PythonPeer[],
  options: TubOptions = {},
): Promise<Party[]> {
  const free = [...peers];
  return await Promise.all(
    kinds.map((kind) => kind === "Deno" ? newDenoParty(options) : new PythonParty(free.shift()!)),
  );
}

async function untilAcknowledged(giver: Party): Promise<void> {
  await until(async () => await giver.givenGifts() === 0, "the gifts are acknowledged");
}

/** The first reference that a description speaks of. */
function refIn(description: Description): string {
  const match = /"ref":"([^"]+)"/.exec(JSON.stringify(description));
  assert.ok(match !== null, JSON.stringify(description));
  return match[1]!;
}

interopTest("a gift crosses with every mix of Deno and Python as giver, recipient and owner", async (t) => {
  await using one = await startPython();
  await using two = await startPython();
  for (const mix of MIXES) {
    await step(t, `${mix[0]} gives ${mix[1]} an object of ${mix[2]}`, async () => {
      const [giver, recipient, owner] = await parties(mix, [one, two]) as [Party, Party, Party];
      await using _1 = giver, _2 = recipient, _3 = owner;
      await giver.meet(recipient.furl, "recipient");
      await giver.meet(owner.furl, "owner");
      // Nobody registered this one: it got its FURL by travelling.
      await giver.callAs("gift", "owner", "give_kept");
      for (const [name, shape] of SHAPES) {
        assert.deepEqual(await giver.call("recipient", "use", shape), { int: "-1" }, name);
      }
      const added = await giver.call("recipient", "call", { ref: "owner" }, { str: "add" }, { int: "2" }, {
        int: "3",
      });
      assert.deepEqual(added, { int: "5" });
      // And in answers.
      await recipient.meet(giver.furl, "giver");
      for (const [name, shape] of SHAPES) {
        await giver.hold(shape);
        const answer = refIn(await recipient.call("giver", "held"));
        assert.deepEqual(await recipient.call(answer, "number"), { int: "-1" }, name);
      }
      await untilAcknowledged(giver);
    });
  }
});

/** An owner of Deno behind a proxy, and two who know each other and it. */
async function withProxy(
  kinds: readonly [Kind, Kind],
  peers: readonly PythonPeer[],
  run: (scene: { giver: Party; recipient: Party; proxy: StallingProxy; owner: Tub }) => Promise<void>,
  options: TubOptions = {},
): Promise<void> {
  await using proxy = new StallingProxy();
  await using owner = await Tub.create();
  const listener = await owner.listenOn("tcp:0:interface=127.0.0.1");
  proxy.forwardTo(listener.port);
  owner.setLocation(`tcp:127.0.0.1:${proxy.port}`);
  const [giver, recipient] = await parties(kinds, peers, options) as [Party, Party];
  await using _1 = giver, _2 = recipient;
  await giver.meet(recipient.furl, "recipient");
  await giver.meet(owner.registerReference(new Item(6)), "gift");
  await run({ giver, recipient, proxy, owner });
  proxy.release();
}

interopTest("a call waits for its gift, and those behind it wait too", async (t) => {
  await using one = await startPython();
  await using two = await startPython();
  for (const kinds of PAIRS.slice(0, 3)) {
    await step(
      t,
      `${kinds[0]} gives ${kinds[1]}, and the owner takes its time`,
      () =>
        withProxy(kinds, [one, two], async ({ giver, recipient, proxy }) => {
          proxy.mode = "hold";
          const calls = Promise.all([
            giver.call("recipient", "record", { int: "1" }),
            giver.call("recipient", "use", { list: [GIFT] }),
            giver.call("recipient", "record", { int: "3" }),
          ]);
          await until(() => proxy.held === 1, "the recipient comes for the gift");
          await recipient.meet(recipient.furl, "self");
          assert.deepEqual(await marks(recipient), [1]);
          proxy.release();
          assert.deepEqual((await calls)[1], { int: "6" });
          assert.deepEqual(await marks(recipient), recipient.kind === "Deno" ? [1, 3] : [3]);
          await untilAcknowledged(giver);
        }),
    );
  }
});

/** What was recorded: since the last time, at Python. */
async function marks(party: Party): Promise<unknown> {
  if (party.kind === "Deno") return (party as DenoParty).root.marks;
  const { list } = await party.call("self", "recorded") as { list: { int: string }[] };
  return list.map(({ int }) => Number(int));
}

const reversed = (furl: string) => furl.replace(/(?<=pb:\/\/)\w{32}/, (id) => [...id].reverse().join(""));
/** Ways to spoil a FURL, and what the giver then hears from a recipient of either kind. */
const SPOILED = [
  {
    name: "another name",
    change: (furl: string) => `${furl}.MANGLED`,
    Deno: /^builtins\.KeyError: .*unable to find reference for name starting with/,
    Python: /KeyError: .*unable to find reference for name starting with/,
  },
  {
    name: "another TubID",
    change: reversed,
    Deno: /^javascript\.UnreachableError: Cannot fetch a gift: no hint/,
    Python: /^foolscap\.tokens\.BananaError: .*unknown TubID/,
  },
  {
    name: "a place where nobody listens",
    change: (furl: string) => furl.replace(/(?<=@)[^/]*/, "tcp:127.0.0.1:2"),
    Deno: /^javascript\.UnreachableError: Cannot fetch a gift: no hint/,
    Python: /ConnectionRefusedError|ConnectError/,
  },
  {
    name: "no place at all",
    change: (furl: string) => furl.replace(/(?<=@)[^/]*/, ""),
    Deno: /^foolscap\.tokens\.NoLocationHintsError: /,
    Python: /NoLocationHintsError/,
  },
] as const;

interopTest("a gift under a FURL that is wrong fails its call alone, and is acknowledged", async (t) => {
  await using one = await startPython();
  await using two = await startPython();
  for (const kinds of PAIRS.slice(0, 3)) {
    for (const { name, change, ...expected } of SPOILED) {
      await step(
        t,
        `${kinds[0]} gives ${kinds[1]} ${name}`,
        () =>
          withProxy(kinds, [one, two], async ({ giver, recipient }) => {
            await giver.mangle("gift", change);
            // The second call is behind it, and not spoiled.
            const [failed, after] = await Promise.all([
              rejection(giver.call("recipient", "use", { list: [GIFT] })),
              giver.call("recipient", "add", { int: "1" }, { int: "2" }),
            ]);
            assert.match(failureText(failed), expected[kinds[1]]);
            assert.deepEqual(after, { int: "3" });
            await untilAcknowledged(giver);
            await giver.hold({ list: [GIFT] });
            await recipient.meet(giver.furl, "giver");
            const answer = failureText(await rejection(recipient.call("giver", "held")));
            assert.match(
              answer,
              /KeyError|UnreachableError|Negotiation|unknown TubID|Connect|NoLocationHints/,
            );
            assert.deepEqual(await recipient.call("giver", "add", { int: "1" }, { int: "2" }), { int: "3" });
            await untilAcknowledged(giver);
          }),
      );
    }
  }
});

interopTest("a gift whose owner says nothing, or goes, fails its call alone, in bounded time", async (t) => {
  await using one = await startPython();
  await using two = await startPython();
  // For Python, from the time when everybody has met.
  const hurry = async (seconds: number) => {
    for (const peer of [one, two]) await peer.command("connect_timeout", { seconds });
  };
  for (const kinds of PAIRS.slice(0, 3)) {
    for (const mode of ["hold", "cut"] as const) {
      const what = mode === "hold" ? "accepts and stays silent" : "hangs up";
      await step(
        t,
        `${kinds[0]} gives ${kinds[1]}, and the owner ${what}`,
        () =>
          withProxy(kinds, [one, two], async ({ giver, proxy }) => {
            await hurry(1.5);
            proxy.mode = mode;
            // The second call is behind it, and not spoiled.
            const [failed, after] = await Promise.all([
              rejection(giver.call("recipient", "use", GIFT)),
              giver.call("recipient", "add", { int: "1" }, { int: "2" }),
            ]);
            const text = failureText(failed);
            assert.match(
              text,
              /^(javascript\.UnreachableError|foolscap\.tokens\.NegotiationError|twisted\.)/,
            );
            assert.deepEqual(after, { int: "3" });
            await untilAcknowledged(giver);
            await hurry(120);
          }, { limits: { maxGiftMs: 1_500 } }),
      );
    }
  }
});
