import assert from "node:assert/strict";
import { NegotiationError, Tub } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { makeMasterAndSlave } from "../support/identity.ts";
import { PHASES, Relay } from "../support/relay.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

for (const role of ["master", "slave"] as const) {
  for (const phase of PHASES) {
    // A master that has decided waits for nothing more; its call does.
    if (role === "master" && (phase === "decision" || phase === "client-hello")) continue;
    Deno.test(`a ${role} that dials gives up after 2 minutes when the other falls silent before its ${phase}`, async () => {
      const [master, slave] = await makeMasterAndSlave();
      const [own, other] = role === "master" ? [master, slave] : [slave, master];
      const clock = new FakeClock();
      await using client = await Tub.create({ certData: own.certPem + own.keyPem, clock });
      await using server = await startTub({ certData: other.certPem + other.keyPem });
      server.registerReference(new Target(), "target");
      const { port } = server.listeners[0]!;
      await using relay = await Relay.start({ client: own, server: other, port }, phase);
      const furl = `pb://${other.tubId}@tcp:127.0.0.1:${relay.port}/target`;
      let isOver = false;
      const failing = assert.rejects(client.getReference(furl), (error) => {
        isOver = true;
        assert(error instanceof NegotiationError);
        assert.match(error.message, /no connection within 120000 ms/);
        return true;
      });
      const link = await relay.link(0);
      await link.held;
      await until(() =>
        client.getConnectionInfoForFURL(furl)?.connectorStatuses.values().next().value !== "connecting"
      );
      clock.advance(119_999);
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert.equal(isOver, false);
      clock.advance(1);
      await failing;
      await link.abandoned();
      assert.deepEqual(client.debug.tables(), EMPTY_TABLES);
    });
  }
}
