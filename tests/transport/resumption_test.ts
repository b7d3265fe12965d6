import assert from "node:assert/strict";
import { NegotiationError } from "../../lib/errors.ts";
import { listenTcp } from "../../lib/transport/tcp.ts";
import type { UpgradableConnection } from "../../lib/transport/transport.ts";
import { makeIdentity } from "../support/identity.ts";
import { interopTest } from "../support/python.ts";

const [own, other] = await Promise.all([makeIdentity(), makeIdentity()]);
const SCRIPT = new URL("resume_session.py", import.meta.url).pathname;

for (const version of ["1.2", "1.3"]) {
  interopTest(
    `startTls() as server refuses a session resumed from an earlier connection, TLS ${version}`,
    async () => {
      const outcomes: (string | Error)[] = [];
      const accepted: Promise<void>[] = [];
      const serve = async (connection: UpgradableConnection) => {
        try {
          const secure = await connection.startTls({ role: "server", identity: own });
          outcomes.push("secure");
          await secure.writable.getWriter().write(new TextEncoder().encode("hello"));
          for await (const _chunk of secure.readable) { /* until the peer closes */ }
          await secure.close();
        } catch (error) {
          assert(error instanceof Error);
          outcomes.push(error);
        }
      };
      const listener = await listenTcp({
        port: 0,
        address: "127.0.0.1",
        onConnection: (connection) => void accepted.push(serve(connection)),
      });
      const pem = await Deno.makeTempFile();
      try {
        await Deno.writeTextFile(pem, other.certPem + other.keyPem);
        const { stdout } = await new Deno.Command("/usr/bin/python3", {
          args: [SCRIPT, String(listener.port), pem, version],
          stdin: "null",
          stderr: "null",
        }).output();
        await Promise.all(accepted);
        assert.equal(new TextDecoder().decode(stdout).split("\n")[0], "full hello");
        const [first, second, ...more] = outcomes;
        assert.equal(first, "secure");
        assert(second instanceof NegotiationError);
        assert.match(second.message, /resumed a session/);
        assert.deepEqual(more, []);
      } finally {
        await listener.close();
        await Deno.remove(pem);
      }
    },
  );
}
