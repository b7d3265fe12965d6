import assert from "node:assert/strict";
import { type AttachOptions, NegotiationError, socks, type Tub, type TubOptions } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { makeMasterAndSlave } from "../support/identity.ts";
import { PHASES, Relay } from "../support/relay.ts";
import { streamPair } from "../support/stream_pairs.ts";
import { Attacker, identityBeside } from "./attacker.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

// No time passes in these tests but what they say: whoever waited for a silent peer would wait for ever.

const UNKNOWN = "a".repeat(32);

/** Somebody who accepts connections and never says a word. */
function deaf() {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) held.push(conn);
  })();
  return {
    place: `tcp:127.0.0.1:${listener.addr.port}`,
    held,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of held) conn.close();
    },
  };
}

/** Stops a Tub, which takes no time and leaves nothing. */
async function stopAtOnce(tub: Tub, clock: FakeClock): Promise<void> {
  await tub.stop();
  assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  assert.equal(clock.pending, 0);
}

async function fakeTub(options: TubOptions = {}): Promise<[Tub, FakeClock]> {
  const clock = new FakeClock();
  return [await startTub({ ...options, clock }), clock];
}

Deno.test("Tub.stop() takes no time while a dialled peer says nothing", async () => {
  await using silent = deaf();
  const [tub, clock] = await fakeTub();
  const attempt = assert.rejects(tub.getReference(`pb://${UNKNOWN}@${silent.place}/x`), /has been stopped/);
  await until(() => silent.held.length === 1);
  await stopAtOnce(tub, clock);
  await attempt;
});

Deno.test("Tub.stop() takes no time while a proxy says nothing", async () => {
  await using silent = deaf();
  const [tub, clock] = await fakeTub();
  tub.addConnectionHintHandler("tcp", socks({ proxy: silent.place }));
  const attempt = assert.rejects(tub.getReference(`pb://${UNKNOWN}@tcp:example.org:1/x`), /has been stopped/);
  await until(() => silent.held.length === 1);
  await stopAtOnce(tub, clock);
  await attempt;
});

for (const moment of ["at once", "after its GET", "after TLS", "after its hello"]) {
  Deno.test(`Tub.stop() takes no time while one who connected is silent ${moment}`, async () => {
    const [tub, clock] = await fakeTub();
    const identity = await identityBeside(tub.tubId, "master");
    using attacker = moment === "at once" || moment === "after its GET"
      ? await Attacker.dial(tub)
      : await Attacker.secure(tub, identity);
    if (moment === "after its GET") {
      attacker.get();
      await attacker.until("\r\n\r\n");
    } else if (moment !== "at once") {
      await attacker.until("\r\n\r\n");
      if (moment === "after its hello") attacker.hello(identity.tubId);
    }
    await until(() => tub.debug.tables().negotiating === 1);
    await stopAtOnce(tub, clock);
    await attacker.end();
  });
}

for (const options of [{}, { tls: false }, { target: UNKNOWN }, { trustedAs: UNKNOWN }] as AttachOptions[]) {
  Deno.test(`Tub.stop() takes no time during attach(${JSON.stringify(options)}) to a silent end`, async () => {
    const [tub, clock] = await fakeTub();
    let isClosed = false;
    const streams = { ...streamPair()[0], close: () => void (isClosed = true) };
    const attempt = assert.rejects(tub.attach(streams, options), NegotiationError);
    await until(() => clock.pending > 0);
    await stopAtOnce(tub, clock);
    await attempt;
    assert(isClosed);
  });
}

for (const phase of PHASES) {
  for (const isClientMaster of [true, false]) {
    for (const side of ["client", "server"] as const) {
      const who = isClientMaster === (side === "client") ? "master" : "slave";
      Deno.test(`Tub.stop() of the ${side}, the ${who}, takes no time while its ${phase} stands still`, async () => {
        const [master, slave] = await makeMasterAndSlave();
        const [near, far] = isClientMaster ? [master, slave] : [slave, master];
        const start = (identity: typeof near) => fakeTub({ certData: identity.certPem + identity.keyPem });
        const [[client, clientClock], [server, serverClock]] = [await start(near), await start(far)];
        const furl = server.registerReference(new Target());
        {
          const { port } = server.listeners[0]!;
          await using relay = await Relay.start({ client: near, server: far, port }, phase);
          const hint = `tcp:127.0.0.1:${relay.port}`;
          const outcome = client.getReference(furl.replace(/@[^/]*\//, `@${hint}/`)).catch((error) => error);
          await (await relay.link(0)).held;
          if (side === "client") {
            await stopAtOnce(client, clientClock);
            assert((await outcome) instanceof Error);
          } else await stopAtOnce(server, serverClock);
        }
        // The relay has gone too, and with it the other one's connection.
        await stopAtOnce(client, clientClock);
        await stopAtOnce(server, serverClock);
      });
    }
  }
}
