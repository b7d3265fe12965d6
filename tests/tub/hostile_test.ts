import assert from "node:assert/strict";
import { NegotiationError } from "../../lib/errors.ts";
import { Tub } from "../../mod.ts";
import { Attacker, identityBeside } from "./attacker.ts";
import { gift, lastFailure, type Scene, survive } from "./survival.ts";
import { startTub, Target, until } from "./tubs.ts";

Deno.test("a Tub serves while 300 strangers who say nothing are connected, and holds few of them", () =>
  survive(async ({ tub }) => {
    const strangers: Attacker[] = [];
    for (let i = 0; i < 300; i++) strangers.push(await Attacker.dial(tub));
    await until(() => tub.debug.tables().negotiating === 20);
    await until(() => strangers.filter(({ isOver }) => isOver).length === 280);
    await using honest = await Tub.create();
    const ref = await honest.getReference<Target>(`pb://${tub.tubId}@${tub.locationHints[0]}/target`);
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    for (const stranger of strangers) stranger[Symbol.dispose]();
  }, { limits: { maxUnnegotiated: 20 } }));

Deno.test("a Tub turns away who comes above its connections, and serves when there is room", () =>
  survive(async ({ tub, slave, master }) => {
    using first = await Attacker.join(tub, slave);
    using second = await Attacker.join(tub, master);
    await until(() => tub.debug.tables().connections === 2);
    using third = await Attacker.dial(tub);
    assert.equal(await third.end(), "");
    first.reset();
    second.reset();
    await until(() => tub.debug.tables().connections === 0);
  }, { limits: { maxConnections: 2 } }));

/** What a peer may try who has a valid certificate of its own, and one object that it may call. */
const MESSAGES: {
  name: string;
  write: (attacker: Attacker, scene: Scene) => void;
  ends?: RegExp;
  hears?: RegExp;
}[] = [
  {
    name: "10,000 PINGs",
    write: (attacker) => attacker.send("\x05\x8e".repeat(10_000)),
    hears: /\x8f/,
  },
  {
    name: "1,000 guesses of a name",
    write: (attacker) => {
      for (let i = 0; i < 1_000; i++) {
        attacker.call(0, "getReferenceByName", 1, () => attacker.encoder.word(`targe${i}`));
      }
    },
    hears: /unable to find reference for name starting with 'ta'/,
  },
  {
    name: "a name of 10 MB",
    write: (attacker) =>
      attacker.call(0, "getReferenceByName", 1, () => attacker.encoder.bytes(new Uint8Array(1e7).fill(0x61))),
    hears: /unable to find reference for name starting with 'aa'/,
  },
  {
    name: "a name with a FURL in it",
    write: (attacker) =>
      attacker.call(0, "getReferenceByName", 1, () => attacker.encoder.word("pb://a@b/target")),
    hears: /starting with 'pb'/,
  },
  {
    name: "a call of an object that it was not given",
    write: (attacker) => void attacker.call(2, "add", 0),
    hears: /Violation/,
  },
  {
    name: "a call of Object's own methods on the broker",
    write: (attacker) => {
      for (const name of ["constructor", "__proto__", "toString", "shutdown"]) attacker.call(0, name, 0);
    },
    hears: /not defined in RIBroker/,
  },
  {
    name: "references without end",
    write: (attacker) =>
      attacker.call(1, "hold", 60, () => {
        for (let clid = 1; clid <= 60; clid++) {
          const number = attacker.encoder.open("my-reference");
          attacker.encoder.integer(clid);
          attacker.encoder.close(number);
        }
      }),
    ends: /references/,
  },
  {
    name: "more calls at once than may be pending",
    write: (attacker) => {
      for (let i = 0; i < 300; i++) {
        attacker.call(0, "getReferenceByName", 1, () => attacker.encoder.word("x"));
      }
    },
    ends: /calls/,
  },
  {
    name: "a reference with a FURL of another Tub",
    write: (attacker, { master }) =>
      attacker.call(1, "hold", 1, () => {
        const number = attacker.encoder.open("my-reference");
        attacker.encoder.integer(9);
        attacker.encoder.word("");
        attacker.encoder.word(`pb://${master.tubId}@tcp:127.0.0.1:1/x`);
        attacker.encoder.close(number);
      }),
    ends: /claims bad tubid/,
  },
  {
    name: "a gift that is no FURL",
    write: (attacker) => gift(attacker, "file:///etc/passwd", 3),
    hears: /not a FURL/,
  },
  {
    name: "a gift at hints that lead nowhere",
    write: (attacker) =>
      gift(
        attacker,
        `pb://${"b".repeat(32)}@unix:/etc/passwd,tcp:-:0,tcp:127.0.0.1:70000/x`.replaceAll("/etc", "etc"),
        3,
      ),
    hears: /leads to the Tub \[bbbb\]/,
  },
  {
    name: "a gift without hints",
    write: (attacker) => gift(attacker, `pb://${"b".repeat(32)}@/x`, 3),
    hears: /does not say where the Tub \[bbbb\] is/,
  },
  {
    name: "a gift from itself",
    write: (attacker, { slave }) => gift(attacker, `pb://${slave.tubId}@tcp:127.0.0.1:1/x`, 3),
    hears: /getReferenceByName/,
  },
  {
    name: "a gift at thousands of hints",
    write: (attacker) => {
      const hints = Array.from({ length: 500 }, (_, i) => `x:${i}`).join();
      gift(attacker, `pb://${"b".repeat(32)}@${hints}/x`, 3);
    },
    hears: /leads to the Tub \[bbbb\]/,
  },
];
for (const { name, write, ends, hears } of MESSAGES) {
  Deno.test(`a Tub survives ${name} from a peer, and serves on`, () =>
    survive(async (scene) => {
      using attacker = await Attacker.joinWithTarget(scene.tub, scene.slave);
      write(attacker, scene);
      attacker.flush();
      if (hears !== undefined) await until(() => hears.test(attacker.received), `the answer ${hears}`);
      if (ends === undefined) return;
      await attacker.end();
      const event = scene.events.findLast((event) => event.type === "disconnected");
      assert.match(event?.type === "disconnected" ? event.error.message : "", ends);
    }, { limits: { maxImports: 50, maxPendingCalls: name.includes("guesses") ? 2_000 : 200 } }));
}

Deno.test("a peer that was given no object cannot make a Tub dial", () =>
  survive(async ({ tub, slave }) => {
    using attacker = await Attacker.join(tub, slave);
    const { encoder } = attacker;
    for (const method of ["getReferenceByName", "decref", "decgift", "nothing"]) {
      attacker.call(0, method, 1, () => {
        const number = encoder.open("their-reference");
        encoder.integer(1);
        encoder.word(`pb://${"b".repeat(32)}@tcp:127.0.0.1:1/x`);
        encoder.close(number);
      });
    }
    attacker.flush();
    await until(() => attacker.received.split("Traceback unavailable").length === 5);
    assert.equal(tub.debug.tables().connecting, 0);
    assert.equal(tub.debug.tables().pendingGifts, 0);
  }));

Deno.test("a Tub tells a peer nothing of what it finds where a gift points to", () =>
  survive(async ({ tub, slave, events }) => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = listener.addr;
    const served = (async () => {
      using conn = await listener.accept();
      await conn.write(new TextEncoder().encode("HTTP/1.1 200 InnerSecret\r\n\r\n"));
      await conn.read(new Uint8Array(1_000));
    })();
    using attacker = await Attacker.joinWithTarget(tub, slave);
    gift(attacker, `pb://${"b".repeat(32)}@tcp:127.0.0.1:${port}/x`, 3);
    attacker.flush();
    const open = await attacker.until("Traceback unavailable");
    assert.match(open, /leads to the Tub \[bbbb\]/);
    await served;
    listener.close();
    assert.doesNotMatch(open + attacker.received, /InnerSecret|127\.0\.0\.1|101/);
    assert.match(Deno.inspect(events), /InnerSecret/);
    await until(() => tub.debug.tables().pendingGifts === 0);
    gift(attacker, `pb://${"b".repeat(32)}@tcp:127.0.0.1:${port}/x`, 3);
    attacker.flush();
    const closed = await attacker.until("Traceback unavailable");
    assert.doesNotMatch(closed, /refused|127\.0\.0\.1/);
    const typeOf = (text: string) => /javascript\.\w+/.exec(text)?.[0];
    assert.equal(typeOf(closed), typeOf(open));
  }));

Deno.test("a peer that gives a Tub an object of its own learns no more than by asking, and opens one loopback", async () => {
  await using tub = await startTub();
  tub.registerReference(new Target(), "target");
  using attacker = await Attacker.joinWithTarget(tub, await identityBeside(tub.tubId, "slave"));
  for (let i = 1; i <= 20; i++) gift(attacker, `pb://${tub.tubId}@tcp:127.0.0.1:1/guess`, i);
  attacker.flush();
  for (let i = 1; i <= 20; i++) {
    assert.match(await attacker.until("Traceback unavailable"), /name starting with 'gu'/);
  }
  await until(() => tub.debug.tables().pendingGifts === 0);
  assert.equal(tub.debug.tables().connections, 3);
});

Deno.test("a Tub follows few of the hints at once that peers give it", () =>
  survive(async ({ tub, slave }) => {
    let accepted = 0;
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const held: Deno.Conn[] = [];
    const serving = (async () => {
      for await (const conn of listener) {
        accepted++;
        held.push(conn);
      }
    })();
    const attacker = await Attacker.joinWithTarget(tub, slave);
    for (let i = 0; i < 50; i++) {
      const letters = "abcdefghijklmnopqrstuvwxyz234567";
      const tubId = letters[i % 32]! + letters[i >> 5]! + "b".repeat(30);
      gift(attacker, `pb://${tubId}@tcp:127.0.0.1:${(listener.addr as Deno.NetAddr).port}/x`, i + 1);
    }
    attacker.flush();
    await until(() => tub.debug.tables().connecting === 50);
    await until(() => accepted === 5);
    // Those that come to an end make room for others.
    held.splice(0, 2).forEach((conn) => conn.close());
    await until(() => accepted === 7);
    // Nobody is left to give to, so that every effort is given up, though each place is still silent.
    attacker.reset();
    await until(() => tub.debug.tables().connecting === 0);
    assert.equal(accepted, 7);
    listener.close();
    await serving;
    held.forEach((conn) => conn.close());
  }, { limits: { maxPeerDials: 5 } }));

Deno.test("an effort for a peer that has gone goes on while the Tub's own program waits for it", () =>
  survive(async ({ tub, slave }) => {
    const silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const furl = `pb://${"c".repeat(32)}@tcp:127.0.0.1:${silent.addr.port}/x`;
    const attacker = await Attacker.joinWithTarget(tub, slave);
    gift(attacker, furl, 1);
    attacker.flush();
    await until(() => tub.debug.tables().connecting === 1);
    const outcome = assert.rejects(tub.getReference(furl), NegotiationError);
    attacker.reset();
    await until(() => tub.debug.tables().connections === 0);
    assert.equal(tub.debug.tables().connecting, 1);
    (await silent.accept()).close();
    silent.close();
    await outcome;
    await until(() => tub.debug.tables().connecting === 0);
  }));

Deno.test("a Tub survives who sends each other's lines: a hello said again on another connection", () =>
  survive(async ({ tub, slave, master, events }) => {
    using honest = await Attacker.join(tub, slave);
    using thief = await Attacker.secure(tub, master);
    thief.hello(slave.tubId);
    await thief.end();
    await until(() => lastFailure(events) !== "");
    assert.match(lastFailure(events), /TubID mismatch/);
    assert.equal(honest.isOver, false);
    assert.equal(tub.debug.tables().connections, 1);
  }));

Deno.test("a Tub dials no more Tubs for peers than limits.maxPeerEfforts, and its own program still can", () =>
  survive(async ({ tub, slave, master }) => {
    const silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = silent.addr;
    using attacker = await Attacker.joinWithTarget(tub, slave);
    for (const letter of ["c", "d"]) {
      gift(attacker, `pb://${letter.repeat(32)}@tcp:127.0.0.1:${port}/x`, 1);
    }
    attacker.flush();
    await until(() => tub.debug.tables().connecting === 2);
    using other = await Attacker.joinWithTarget(tub, master);
    gift(other, `pb://${"e".repeat(32)}@tcp:127.0.0.1:${port}/x`, 1);
    other.flush();
    assert.match(await other.until("Traceback unavailable"), /leads to the Tub \[eeee\]/);
    const outcome = assert.rejects(tub.getReference(`pb://${"f".repeat(32)}@tcp:127.0.0.1:${port}/x`));
    await until(() => tub.debug.tables().connecting === 3);
    for (let i = 0; i < 3; i++) (await silent.accept()).close();
    silent.close();
    await outcome;
    await until(() => tub.debug.tables().connecting === 0);
  }, { limits: { maxPeerEfforts: 2 } }));

Deno.test("the Tub's own program does not wait behind the hints of peers, and the peer gets its gift too", () =>
  survive(async ({ tub, slave }) => {
    const silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    await using third = await startTub();
    const furl = third.registerReference(new Target());
    const attacker = await Attacker.joinWithTarget(tub, slave);
    // The one place for peers' hints is taken for as long as this one says nothing.
    gift(attacker, `pb://${"c".repeat(32)}@tcp:127.0.0.1:${silent.addr.port}/x`, 1);
    gift(attacker, furl, 2);
    attacker.flush();
    await until(() => tub.debug.tables().connecting === 2);
    const reference = await tub.getReference<Target>(furl);
    assert.equal(await reference.callRemote("add", 1, 2), 3);
    await until(() => tub.debug.tables().pendingGifts === 1);
    attacker.reset();
    silent.close();
    await until(() => tub.debug.tables().connecting === 0);
  }, { limits: { maxPeerDials: 1 } }));
