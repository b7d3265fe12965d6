import assert from "node:assert/strict";
import { NegotiationError, Tub, UnreachableError } from "../../mod.ts";
import { EMPTY_TABLES, startTub, until } from "./tubs.ts";

const UNKNOWN = "a".repeat(32);

for (const path of ["/", "/foo", `/id/${UNKNOWN}`, "/id/"]) {
  Deno.test(`an HTTP client that asks a Tub for ${path} gets a 500`, async () => {
    await using tub = await startTub();
    const response = await fetch(`http://127.0.0.1:${tub.listeners[0]!.port}${path}`);
    assert.equal(response.status, 500);
    assert.equal(await response.text(), "");
    await until(() => tub.debug.tables().negotiating === 0);
    assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  });
}

const ANSWERS: readonly [name: string, answer: () => Response, reason: RegExp][] = [
  ["404", () => new Response("no such page", { status: 404 }), /HTTP\/1\.1 404 Not Found/],
  ["a page", () => new Response("<html>".repeat(10_000)), /HTTP\/1\.1 200 OK/],
  [
    "a redirect",
    () => new Response(null, { status: 303, headers: { location: "http://127.0.0.1:1/" } }),
    /HTTP\/1\.1 303/,
  ],
];
for (const [name, answer, reason] of ANSWERS) {
  Deno.test(`Tub.getReference() says so when a hint leads to an HTTP server that answers ${name}`, async () => {
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
    await using tub = await Tub.create();
    const furl = `pb://${UNKNOWN}@tcp:127.0.0.1:${server.addr.port}/x`;
    await assert.rejects(tub.getReference(furl), (error) => {
      assert(error instanceof NegotiationError);
      assert.match(error.message, reason);
      return true;
    });
    assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  });
}

Deno.test("Tub.getReference() says so when nobody listens where the hint leads", async () => {
  const closed = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = closed.addr;
  closed.close();
  await using tub = await Tub.create();
  const hint = `tcp:127.0.0.1:${port}`;
  await assert.rejects(tub.getReference(`pb://${UNKNOWN}@${hint}/x`), (error) => {
    assert(error instanceof UnreachableError);
    assert.match(error.message, /refused/i);
    assert.match(error.errors.get(hint)!.message, /refused/i);
    return true;
  });
});
