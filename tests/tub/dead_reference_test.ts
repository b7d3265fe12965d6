/**
 * What is dead says why, and what to do about it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DeadReferenceError, Referenceable, Tub } from "../../mod.ts";
import { deadReference } from "../../lib/broker/dead_reference.ts";
import { PermissionDenied, ProtocolError } from "../../lib/errors.ts";
import { type LostBy, lostBy } from "../../lib/util/lost.ts";
import { failureOf } from "../broker/support.ts";

class Target extends Referenceable {
  remote_hang(): Promise<never> {
    return new Promise(() => {});
  }
}

/** Two Tubs, of which one has a reference to an object of the other, and what resolves when that is dead. */
async function connected() {
  const server = await Tub.create();
  server.setLocation((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
  const client = await Tub.create();
  const ref = await client.getReference<Target>(server.registerReference(new Target()));
  const { promise: lost, resolve } = Promise.withResolvers<void>();
  ref.notifyOnDisconnect(resolve);
  const stop = () => Promise.all([server.stop(), client.stop()]);
  return { server, client, ref, lost, [Symbol.asyncDispose]: async () => void await stop() };
}

async function messageOf(call: Promise<unknown>): Promise<string> {
  const error = await failureOf(call);
  assert.ok(error instanceof DeadReferenceError);
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

Deno.test("a call says that the peer closed the connection, and how to get another reference", async () => {
  await using pair = await connected();
  await pair.server.stop();
  await pair.lost;
  assert.equal(
    await messageOf(pair.ref.callRemote("hang")),
    "Reference is dead: the connection was lost, since the peer closed it: get a new reference by its FURL with " +
      "tub.getReference(), or let tub.connectTo() keep one",
  );
  assert.ok((await failureOf(pair.ref.remote.hang())).cause instanceof DeadReferenceError);
});

Deno.test("a call says that one's own Tub was stopped", async () => {
  await using pair = await connected();
  await pair.client.stop();
  assert.equal(
    await messageOf(pair.ref.callRemote("hang")),
    "Reference is dead: the connection was lost, since this Tub was stopped: create another Tub, or stop it after " +
      "its last call",
  );
});

Deno.test("a call says that the reference was disposed, though the connection goes on or is gone", async () => {
  await using pair = await connected();
  pair.ref[Symbol.dispose]();
  const text =
    /^Reference is dead: released, since the program has disposed it: get the object again, .*ref\.dup\(\)/;
  assert.match(await messageOf(pair.ref.callRemote("hang")), text);
  await pair.client.stop();
  assert.match(await messageOf(pair.ref.callRemote("hang")), text);
});

Deno.test("a call that waits when the Tub is stopped says so, and so does one of its result", async () => {
  await using pair = await connected();
  const hanging = pair.ref.remote.hang();
  const failed = [messageOf(hanging), messageOf(hanging.callRemote("hang" as never))];
  await pair.client.stop();
  for (const text of failed) {
    assert.match(await text, /^Connection was lost .*during method=hang.*the Tub has been stopped$/);
  }
});

const CAUSES: readonly [by: LostBy | undefined, cause: Error, text: RegExp][] = [
  [
    "silence",
    new DeadReferenceError("x"),
    /nothing came from the peer for so long that the keepalive gave it up: get/,
  ],
  ["network", new Error("read /home/me/x"), /the network failed: get a new reference/],
  ["replacement", new DeadReferenceError("x"), /the same peer has connected anew: get/],
  ["close", new DeadReferenceError("x"), /this program closed it: attach/],
  [undefined, new ProtocolError("x"), /the peer broke the protocol, see the cause: get/],
  [
    undefined,
    new Error("/home/me/x"),
    /^Reference is dead: the connection was lost, get a new reference by its FURL/,
  ],
  [
    undefined,
    new PermissionDenied("revoked"),
    /^Reference is dead: it came by a capability that allows nothing/,
  ],
];
for (const [by, cause, text] of CAUSES) {
  Deno.test(`deadReference() says what to do when ${by ?? cause.name} ended the connection, and not what its text says`, () => {
    const error = deadReference(by === undefined ? cause : lostBy(by, cause));
    assert.match(error.message, text);
    assert.doesNotMatch(error.message, /home/);
    assert.equal(error.cause, cause);
  });
}
