import assert from "node:assert/strict";
import {
  callable,
  type Dict,
  type Kwargs,
  kwargs,
  Referenceable,
  RemoteFunction,
  RemoteReference,
  SturdyRef,
  Tub,
  tuple,
  type ValueSet,
} from "../../mod.ts";
import type { Description } from "../support/described.ts";
import { decodeHex, encodeHex } from "../support/hex.ts";
import { interopTest, startPython } from "../support/python.ts";
import { failureText, newDenoParty, PythonParty } from "./introductions.ts";
import { rejection, startTub, step, until } from "./rig.ts";
import { Item, Root } from "./root.ts";

interopTest("gifts of special kinds between Deno and Python", async (t) => {
  await using peer = await startPython();
  await using other = await startPython();

  await step(t, "a gift of a gift of a gift", async () => {
    await using deno = await newDenoParty();
    await using owner = await newDenoParty();
    const [a, b] = [new PythonParty(peer), new PythonParty(other)];
    await deno.meet(owner.furl, "owner");
    await deno.callAs("gift", "owner", "give_kept");
    await deno.meet(a.furl, "a");
    await deno.call("a", "hold", { ref: "gift" });
    await b.meet(a.furl, "a");
    await b.callAs("gift", "a", "held");
    await deno.meet(b.furl, "b");
    await b.hold({ ref: "gift" });
    await owner.meet(b.furl, "b");
    // It has come to its home, over a connection that it did not leave by.
    const home = await owner.ref("b").callRemote("held");
    assert.equal(home, owner.root.kept);
    await deno.callAs("again", "b", "held");
    assert.equal(deno.ref("again"), deno.ref("gift"));
  });

  await step(t, "Deno gives a Python its own object, which it left by another Tub", async () => {
    await using deno = await newDenoParty();
    const python = new PythonParty(peer);
    await using far = await newDenoParty();
    await far.meet(python.furl, "python");
    await far.callAs("kept", "python", "give_kept");
    await far.hold({ ref: "kept" });
    await deno.meet(far.furl, "far");
    await deno.callAs("kept", "far", "held");
    await deno.meet(python.furl, "python");
    assert.deepEqual(await deno.call("python", "is_kept", { ref: "kept" }), { bool: true });
    assert.equal(deno.tub.debug.tables().givenGifts, 0);
  });

  await step(t, "a peer gives Deno an object of Deno's own: a reference by loopback", async () => {
    await using deno = await newDenoParty();
    await using stranger = await newDenoParty();
    const object = new Item(12);
    await stranger.meet(deno.tub.registerReference(object), "gift");
    await stranger.meet(peer.furl, "python");
    await stranger.call("python", "hold", { ref: "gift" });
    // Python has fetched it, so to Python's own connection with us it is the object itself ...
    assert.equal(await (await deno.tub.getReference(peer.furl)).callRemote("held"), object);
    // ... and the stranger gives it straight to its home, which is the object too; a FURL alone is a reference.
    const ours = await deno.tub.getReference(deno.tub.registerReference(object));
    assert.ok(ours instanceof RemoteReference);
    assert.equal(ours.getRemoteTubID(), deno.tubId);
    assert.equal(await ours.callRemote("number"), 12);
  });

  for (const recipient of ["Deno", "Python"] as const) {
    await step(t, `a FURL of thousands of characters reaches ${recipient}`, async () => {
      await using owner = await Tub.create();
      const { port } = await owner.listenOn("tcp:0:interface=127.0.0.1");
      const hints = Array.from({ length: 60 }, (_, i) => `later:${i}:${"x".repeat(100)}`);
      owner.setLocation(`tcp:127.0.0.1:${port}`, ...hints);
      const furl = owner.registerReference(new Item(15), "n".repeat(500));
      assert.ok(furl.length > 7_000);
      await using deno = await newDenoParty();
      const giver = recipient === "Deno" ? new PythonParty(peer) : deno;
      const taker = recipient === "Deno" ? deno : new PythonParty(peer);
      await giver.meet(furl, "gift");
      await giver.meet(taker.furl, "taker");
      assert.deepEqual(await giver.call("taker", "use", { list: [{ ref: "gift" }] }), { int: "15" });
    });
  }

  await step(t, "Python gives an object of a Tub without a location: an empty FURL", async () => {
    await using hidden = await Tub.create();
    await using deno = await newDenoParty();
    const python = new PythonParty(peer);
    await (await hidden.getReference(peer.furl)).callRemote("hold", new Item(3));
    await deno.meet(python.furl, "python");
    const text = failureText(await rejection(deno.call("python", "held")));
    assert.match(text, /^NoLocationHintsError: Cannot fetch a gift: the Tub of its object has no location$/);
    assert.deepEqual(await deno.call("python", "add", { int: "1" }, { int: "2" }), { int: "3" });
    await until(async () => await python.givenGifts() === 0, "it is acknowledged");
    // As an argument, Python hears it under Foolscap's name of that error.
    await python.meet(deno.furl, "deno");
    await peer.command("keep_held", { ref: "hidden" });
    const said = failureText(await rejection(peer.call(python.nameOf("deno"), "echo", { ref: "hidden" })));
    assert.match(said, /^foolscap\.tokens\.NoLocationHintsError: /);
    await peer.command("release", { ref: "hidden" });
  });

  await step(t, "the giver goes while Deno fetches its gift", async () => {
    const silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    await using deno = await newDenoParty();
    await using giver = await startPython();
    const party = new PythonParty(giver);
    await using owner = await startTub();
    await party.meet(owner.registerReference(new Item(1)), "gift");
    await party.mangle("gift", (furl) => {
      // Of a Tub that nobody is connected with.
      return furl.replace(/\w{32}@[^/]*/, `${"b".repeat(32)}@tcp:127.0.0.1:${silent.addr.port}`);
    });
    await party.meet(deno.furl, "deno");
    const call = party.call("deno", "use", { ref: "gift" }).catch(() => {});
    const conn = await silent.accept();
    assert.equal(deno.tub.debug.tables().pendingGifts, 1);
    await giver[Symbol.asyncDispose]();
    await call;
    await until(() => deno.tub.debug.tables().pendingGifts === 0, "nobody waits for the gift");
    await until(() => deno.tub.debug.tables().connecting === 0, "the effort is given up");
    conn.close();
    silent.close();
  });
});

interopTest("Tubs that take no gifts refuse them, and the giver does not keep them for ever", async (t) => {
  await using peer = await startPython("peer.py", ["--option", "accept-gifts=false"]);

  await step(t, "Deno gives to a Python that takes none, in an argument and in an answer", async () => {
    await using deno = await newDenoParty({ limits: { giftHoldMs: 200 } });
    await using owner = await newDenoParty();
    const python = new PythonParty(peer);
    await deno.meet(owner.furl, "gift");
    await deno.meet(python.furl, "python");
    const text = failureText(await rejection(deno.call("python", "use", { list: [{ ref: "gift" }] })));
    assert.match(text, /^foolscap\.tokens\.Violation: .*gifts are prohibited in this Tub/);
    await python.meet(deno.furl, "deno");
    await deno.hold({ ref: "gift" });
    const answer = failureText(await rejection(python.call("deno", "held")));
    assert.match(answer, /Violation.*gifts are prohibited in this Tub/);
    // Python tells nothing of it.
    assert.equal(await python.givenGifts(), 0);
    assert.equal(deno.tub.debug.tables().connections, 2);
    await until(async () => await deno.givenGifts() === 0, "the gifts are let go");
    assert.equal(await deno.ref("gift").callRemote("add", 1, 2), 3);
  });

  await step(t, "Python gives to a Deno that takes none, in an argument and in an answer", async () => {
    await using deno = await newDenoParty({ acceptGifts: false });
    await using owner = await newDenoParty();
    const python = new PythonParty(peer);
    await python.meet(owner.furl, "gift");
    await python.meet(deno.furl, "deno");
    const text = failureText(await rejection(python.call("deno", "use", { list: [{ ref: "gift" }] })));
    assert.match(text, /^foolscap\.tokens\.Violation: .*gifts are prohibited in this Tub/);
    await deno.meet(python.furl, "python");
    await python.hold({ ref: "gift" });
    const answer = failureText(await rejection(deno.call("python", "held")));
    assert.match(answer, /^Violation: gifts are prohibited in this Tub$/);
    assert.equal(deno.tub.debug.tables().connections, 1);
    await until(async () => await python.givenGifts() === 0, "the gifts are acknowledged");
  });

  await step(t, "a policy refuses gifts of one giver, and says where to dial for another", async () => {
    const seen: unknown[] = [];
    await using owner = await newDenoParty();
    await using friend = await newDenoParty();
    await using deno = await newDenoParty({
      giftPolicy: async (offer) => {
        seen.push({ ...offer, hints: offer.hints.map(({ text }) => text) });
        await Promise.resolve();
        return offer.from === friend.tubId ? offer.hints.map(({ text }) => text) : false;
      },
    });
    const python = new PythonParty(peer);
    await python.meet(owner.furl, "gift");
    await python.meet(deno.furl, "deno");
    const text = failureText(await rejection(python.call("deno", "use", { ref: "gift" })));
    assert.match(text, /^foolscap\.tokens\.Violation: this gift is prohibited in this Tub/);
    await friend.meet(owner.furl, "owner");
    await friend.callAs("gift", "owner", "give_kept");
    await friend.meet(deno.furl, "deno");
    assert.deepEqual(await friend.call("deno", "use", { ref: "gift" }), { int: "-1" });
    const hints = owner.tub.locationHints;
    assert.deepEqual(seen, [
      { from: python.tubId, tubId: owner.tubId, hints, isConnected: false },
      { from: friend.tubId, tubId: owner.tubId, hints, isConnected: false },
    ]);
  });
});

interopTest("functions have FURLs, on both sides", async (t) => {
  await using peer = await startPython();
  await using other = await startPython();
  const doubled = (named: { values: { a: number } }) => named.values.a * 2;

  await step(t, "Python registers a function, and Deno gets it by its FURL", async () => {
    await using deno = await newDenoParty();
    const { furl } = await peer.command("register_function", { function: "add", name: "adder" });
    const add = await deno.tub.getReference<(...args: unknown[]) => number>(furl as string);
    assert.ok(add instanceof RemoteFunction);
    assert.equal(await add.callRemote(kwargs({ a: 1, b: 2 })), 3);
    assert.equal(add.getSturdyRef().getURL(), furl);
    assert.match(Deno.inspect(add), /^RemoteFunction\(pb:.*\/…\)$/);
    // Given on to another Python, and to another Deno.
    await using recipient = await newDenoParty();
    const takers = [other.furl, recipient.furl];
    for (const taker of takers) {
      const ref = await deno.tub.getReference(taker);
      assert.equal(await ref.callRemote("call_function", add, kwargs({ a: 3, b: 4 })), 7);
    }
    // Home, it would end the connection.
    const home = await deno.tub.getReference(peer.furl);
    const error = await rejection(home.callRemote("echo", add));
    assert.match(failureText(error), /^Violation: .*function back home/);
    assert.equal(await home.callRemote("add", 1, 2), 3);
    assert.equal(deno.tub.debug.tables().givenGifts, 0);
  });

  await step(t, "Deno registers a function, and Python gets it by its FURL", async () => {
    await using deno = await newDenoParty();
    const f = callable(doubled as (...args: never[]) => unknown);
    const furl = deno.tub.registerReference(f, "doubler");
    assert.equal(deno.tub.getReferenceForURL(furl), f);
    await peer.get(furl, "doubler");
    assert.deepEqual(await peer.callWith("doubler", undefined, { kwargs: { a: { int: "21" } } }), {
      int: "42",
    });
    assert.equal((await peer.command("furl", { ref: "doubler" })).furl, furl);
    // Python gives it to another Python.
    await peer.get(other.furl, "other");
    const named = await peer.callWith("other", "call_function", {
      args: [{ ref: "doubler" }],
      kwargs: { a: { int: "4" } },
    });
    assert.deepEqual(named, { int: "8" });
    // One that was not registered has a FURL as well, once it travels.
    await peer.get(deno.furl, "deno");
    await peer.callWith("deno", "named_function", { as: "named" });
    assert.match((await peer.command("furl", { ref: "named" })).furl as string, /^pb:/);
    assert.equal(deno.tub.unregisterURL(furl), true);
  });

  await step(t, "a function goes home between the two ends of a loopback", async () => {
    await using deno = await newDenoParty();
    const f = callable(doubled as (...args: never[]) => unknown);
    deno.root.held = f;
    const self = await deno.tub.getReference(deno.furl);
    const ref = await self.callRemote("held");
    assert.ok(ref instanceof RemoteFunction);
    assert.equal(await self.callRemote("is_held", ref), true);
  });
});

interopTest("SturdyRefs travel by value between Deno and Python", async (t) => {
  await using peer = await startPython();
  await step(t, "alone, without a target, in a list, as a key and as a member", async () => {
    await using deno = await newDenoParty();
    const python = await deno.tub.getReference(peer.furl);
    const ref = new SturdyRef(`pb://${peer.ready.tubid}@tcp:h:1,tcp:h:2/name`);
    const same = new SturdyRef(`pb://${peer.ready.tubid}@/name`);
    assert.deepEqual(JSON.parse(await python.callRemote("describe", ref) as string), { sturdy: ref.url });
    assert.deepEqual(JSON.parse(await python.callRemote("describe", new SturdyRef("")) as string), {
      sturdy: null,
    });
    const back = await python.callRemote("echo", [ref, new SturdyRef(), ref]) as SturdyRef[];
    assert.ok(back[0] instanceof SturdyRef && back[0].equals(ref));
    assert.equal(back[0].url, ref.url);
    assert.deepEqual(back[0].locationHints, ["tcp:h:1", "tcp:h:2"]);
    assert.equal(back[1]!.url, undefined);
    assert.ok(back[2]!.equals(ref));
    const keyed = await python.callRemote("echo", new Map([[ref, 1]])) as Dict;
    assert.equal(keyed.get(same), 1);
    const member = await python.callRemote("echo", new Set([ref])) as ValueSet;
    assert.ok(member.has(same));
    await peer.get(deno.furl, "deno");
    assert.deepEqual(await peer.call("deno", "echo", { list: [{ sturdy: ref.url! }] }), {
      list: [{ sturdy: ref.url! }],
    });
    // And leads there.
    const target = new SturdyRef(peer.furl);
    assert.equal(await deno.tub.getReference(await python.callRemote("echo", target) as SturdyRef), python);
  });
});

class Named extends Referenceable {
  remote_number(): number {
    return 17;
  }
}

interopTest("Tub.serialize() and Tub.unserialize() exchange their bytes with Python's", async (t) => {
  await using peer = await startPython();
  await step(t, "Deno writes, Python reads", async () => {
    await using deno = await newDenoParty();
    const object = new Named();
    deno.tub.registerReference(object);
    const theirs = await deno.tub.getReference(peer.furl);
    const add = callable((named: Kwargs) => Object.keys(named.values).length);
    deno.tub.registerReference(add);
    const bytes = deno.tub.serialize([1, { ours: object }, tuple(theirs), add, object]);
    const { result } = await peer.command("unserialize", { hex: encodeHex(bytes) });
    const { list } = result as { list: Description[] };
    assert.deepEqual(list[0], { int: "1" });
    const [ours] = (list[1] as { dict: [Description, { ref: string }][] }).dict.map(([, value]) => value);
    assert.deepEqual(await peer.call(ours!.ref, "number"), { int: "17" });
    assert.deepEqual(list[4], ours);
    const [own] = (list[2] as { tuple: { ref: string }[] }).tuple;
    assert.deepEqual(await peer.call(own!.ref, "add", { int: "1" }, { int: "2" }), { int: "3" });
    const f = (list[3] as { ref: string }).ref;
    assert.deepEqual(await peer.callWith(f, undefined, { kwargs: { a: { int: "1" } } }), { int: "1" });
  });
  await step(
    t,
    "Python writes, Deno reads: numbers of gifts too, which Python itself cannot read",
    async () => {
      await using deno = await newDenoParty();
      await peer.command("register", { local: "stored" });
      await peer.get(deno.furl, "deno");
      const value = {
        list: [{ local: "kept" }, { tuple: [{ local: "kept" }] }, { ref: "deno" }, { str: "x" }],
      };
      const { hex } = await peer.command("serialize", { value });
      const [kept, inside, own, text] = await deno.tub.unserialize(decodeHex(hex as string)) as [
        RemoteReference,
        [RemoteReference],
        RemoteReference,
        string,
      ];
      assert.equal(await kept.callRemote("number"), -1);
      assert.equal(inside[0], kept);
      assert.equal(own.getRemoteTubID(), deno.tubId);
      assert.equal(await own.callRemote("add", 1, 2), 3);
      assert.equal(text, "x");
    },
  );
});

interopTest(
  "a furlFile is shared by Python and Deno, and its object is found after each restart",
  async (t) => {
    await inFolder(async (folder) => {
      const files = { certFile: `${folder}/tub.pem`, furlFile: `${folder}/x.furl` };
      let furl = "";
      const port = { current: 0 };
      for (const who of ["Deno", "Python", "Deno"] as const) {
        await step(t, `${who} registers`, async () => {
          await using client = await startTub();
          if (who === "Deno") {
            await using tub = await Tub.create({ certFile: files.certFile });
            const listener = await tub.listenOn(`tcp:${port.current}:interface=127.0.0.1`);
            port.current = listener.port;
            tub.setLocation(listener.hint);
            const given = tub.registerReference(new Root(), { furlFile: files.furlFile });
            if (furl !== "") assert.equal(given, furl);
            furl = given;
            assert.equal(await (await client.getReference(furl)).callRemote("add", 1, 2), 3);
          } else {
            await using peer = await startPython("peer.py", [
              "--cert-file",
              files.certFile,
              "--port",
              String(port.current),
            ]);
            const given = await peer.command("register_file", { local: "root2", file: files.furlFile });
            assert.equal(given.furl, furl);
            assert.equal(await (await client.getReference(furl)).callRemote("echo", 1), 1);
          }
          assert.equal(Deno.readTextFileSync(files.furlFile), `${furl}\n`);
          assert.equal(mode(files.furlFile), 0o600);
        });
      }
    });
  },
);

/** Runs `use` with a new folder, which is removed afterwards. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function mode(path: string): number {
  return Deno.statSync(path).mode! & 0o777;
}

interopTest("a lookup handler that takes its time serves Python, once for all who ask", async (t) => {
  await using peer = await startPython();
  await step(t, "Python asks twice at once", async () => {
    await using deno = await newDenoParty();
    let asked = 0;
    const handler = async (name: string) => {
      asked++;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return name === "made" ? new Item(33) : undefined;
    };
    deno.tub.registerNameLookupHandler(() => null);
    deno.tub.registerNameLookupHandler(handler);
    const furl = deno.furl.replace(/[^/]*$/, "made");
    await Promise.all([peer.get(furl, "made1"), peer.get(furl, "made2")]);
    assert.deepEqual((await peer.command("identical", { one: "made1", other: "made2" })).result, {
      bool: true,
    });
    assert.deepEqual(await peer.call("made1", "number"), { int: "33" });
    assert.equal((await peer.command("furl", { ref: "made1" })).furl, furl);
    const before = asked;
    await peer.get(furl, "made3");
    assert.equal(asked, before);
    deno.tub.unregisterNameLookupHandler(handler);
    const text = failureText(await rejection(peer.get(deno.furl.replace(/[^/]*$/, "other"), "none")));
    assert.match(text, /^builtins\.KeyError: .*unable to find reference for name starting with 'ot'/);
  });
});
