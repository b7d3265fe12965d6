import assert from "node:assert/strict";
import { type ConnectionHintHandler, NegotiationError, Tub } from "../../mod.ts";
import { EMPTY_TABLES } from "../tub/tubs.ts";
import { makeVictim, VICTIM_KEYS } from "./impostor_victim.ts";
import { hasPython, PythonLines } from "./python_lines.ts";

// TLS over streams of a program, or of a handler, is the same proof as TLS on a socket of ours: who holds a Tub's public
// certificate and another key is that Tub by none of the ways in which bytes can come.

const ignore = !hasPython("OpenSSL", "cryptography");

/** How the impostor's bytes reach the Tub; each ends with what comes of it. */
const WAYS: Record<
  string,
  (tub: Tub, start: (role: "client" | "server", port?: number) => PythonLines, victim: string) => Promise<[
    outcome: unknown,
    python: PythonLines,
  ]>
> = {
  "attach() as the client": async (tub, start, victim) => {
    const python = start("server");
    const streams = await Deno.connect({ hostname: "127.0.0.1", port: Number((await python.words())[0]) });
    return [await failureOf(tub.attach(streams, { target: victim })), python];
  },
  "attach() as the server": async (tub, start) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const python = start("client", listener.addr.port);
    return [await failureOf(tub.attach(await listener.accept())), python];
  },
  "a handler's streams": async (tub, start, victim) => {
    const python = start("server");
    const port = Number((await python.words())[0]);
    const handler: ConnectionHintHandler = {
      async connect(_hint, { signal }) {
        const { readable, writable } = await Deno.connect({ hostname: "127.0.0.1", port, signal });
        return { readable, writable, host: "x" };
      },
    };
    tub.addConnectionHintHandler("pipe", handler);
    return [await failureOf(tub.getReference(`pb://${victim}@pipe:x/name`)), python];
  },
};

/** What went wrong; the control gets as far as the hello, which it never says. */
async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return await attempt.then(() => "it agreed", (error: unknown) => error);
}

for (const [way, meet] of Object.entries(WAYS)) {
  for (const kind of Object.keys(VICTIM_KEYS)) {
    for (const version of ["1.2", "1.3"]) {
      for (const mode of ["owner", "forged"]) {
        const verdict = mode === "owner" ? "goes on to the hello with the owner" : "refuses an impostor";
        Deno.test({
          name: `${way} ${verdict} of a certificate (${kind}, TLS ${version})`,
          ignore,
          async fn() {
            const directory = await Deno.makeTempDir();
            const tub = await Tub.create();
            const { cert, key, tubId } = await makeVictim(kind, directory);
            const [outcome, python] = await meet(
              tub,
              (role, port = 0) =>
                new PythonLines("impostor.py", role, String(port), version, cert, key, mode, tub.tubId),
              tubId,
            );
            assert(outcome instanceof NegotiationError, String(outcome));
            // The control hangs up after our hello, which only its owner is sent.
            assert.match(outcome.message, mode === "owner" ? /phase hello/ : /phase tls.*did not prove/);
            assert.equal((await python.words())[0] === "talked", mode === "owner");
            await python[Symbol.asyncDispose]();
            await tub.stop();
            assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
            await Deno.remove(directory, { recursive: true });
          },
        });
      }
    }
  }
}
