import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { agreedClient, agreedServer, type Sexp } from "./raw.ts";
import { collectGarbage } from "../../support/gc.ts";

class Root extends pb.Root {
  remote_take(_visitor: pb.RemoteReference): void {}
}

/** Collects garbage until the registry of it has run. */
async function collect(until: () => boolean, most = 200): Promise<void> {
  for (let tries = 0; tries < most && !until(); tries++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("a reference that nobody holds any more is given back as often as it came", async () => {
  await using made = await agreedServer();
  const { raw, root, client } = made;
  const ask = async (id: number) => {
    const calling = root.callRemote("x");
    raw.say(["answer", id, ["remote", 7]]);
    await calling;
  };
  const messages: Sexp[] = [1, 2, 3].map((id) => ["message", id, "root", "x", 1, ["tuple"], ["dictionary"]]);
  for (const [i, message] of messages.entries()) {
    await ask(i + 1);
    await raw.hear(message);
  }
  await collect(() => client.broker.tables.remote === 0);
  assert.equal(client.broker.tables.remote, 0);
  await raw.hear(["decref", 7], ["decref", 7], ["decref", 7]);
});

Deno.test("a reference in the arguments of a method is given back when the method has not kept it", async () => {
  await using made = await agreedClient(new Root());
  made.raw.say(["message", 1, "root", "take", 1, ["tuple", ["remote", 5]], ["dictionary"]]);
  await made.raw.hear(["answer", 1, ["None"]]);
  await collect(() => made.server.brokers[0]!.tables.remote === 0);
  await made.raw.hear(["decref", 5]);
});

Deno.test("a reference that is held is not given back, nor one of a connection that is gone", async () => {
  const made = await agreedServer();
  const calling = made.root.callRemote("x");
  made.raw.say(["answer", 1, ["list", ["remote", 7], ["remote", 8]]]);
  const held = await calling as (pb.RemoteReference | undefined)[];
  held[1] = undefined;
  await collect(() => made.client.broker.tables.remote === 1);
  assert.equal(made.client.broker.tables.remote, 1);
  assert.equal(held[0]!.isLive, true);
  await made[Symbol.asyncDispose]();
  assert.equal(held[0]!.isLive, false);
  held.length = 0;
  await collect(() => false, 5);
});
