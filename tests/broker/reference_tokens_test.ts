// `my-reference` token by token (Foolscap's test_pb, TestReferenceUnslicer).
import assert from "node:assert/strict";
import { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { RemoteException } from "../../lib/errors.ts";
import { RawPeer, RIGHT } from "./support.ts";

const string = (text: string) => {
  const bytes = new TextEncoder().encode(text);
  const size = bytes.length;
  const header = size < 128 ? [size] : [size % 128, Math.floor(size / 128)];
  return `${Uint8Array.from(header).toHex()}82${bytes.toHex()}`;
};
/** The answer to the first request, with a `my-reference` of these tokens. */
const answer = (body: string) => `00880d87018101880f87${body}01890089`;

async function asked(body: string): Promise<{ peer: RawPeer; result: Promise<unknown> }> {
  const peer = new RawPeer();
  const result = peer.broker.getReferenceByName("x").then((value) => value, (error) => error as unknown);
  await peer.receive(1);
  await peer.send(answer(body));
  return { peer, result };
}

const FURL = `pb://${RIGHT}@tcp:h:1/a`;
const TAKEN: readonly { name: string; body: string; interfaceName: string; url?: string }[] = [
  { name: "an ID alone", body: "0c81", interfaceName: "" },
  { name: "an ID and an interface", body: `0c81${string("IBar")}`, interfaceName: "IBar" },
  { name: "an empty interface", body: "0c810082", interfaceName: "" },
  { name: "an interface that is a word of the vocabulary", body: "0c810487", interfaceName: "list" },
  {
    name: "interface and FURL",
    body: `0c81${string("IBar")}${string(FURL)}`,
    interfaceName: "IBar",
    url: FURL,
  },
];
for (const { name, body, interfaceName, url } of TAKEN) {
  Deno.test(`my-reference gives a RemoteReference when it has ${name}`, async () => {
    const { peer, result } = await asked(body);
    await using _peer = peer;
    const reference = await result;
    assert.ok(reference instanceof RemoteReference, String(reference));
    assert.equal(reference.getInterfaceName(), interfaceName);
    assert.equal(reference.getSturdyRef().url, url);
    assert.equal(reference.getRemoteTubID(), RIGHT);
    assert.equal(peer.broker.tables().imported, 1);
  });
}

const FATAL: readonly { name: string; body: string }[] = [
  { name: "a STRING in place of its ID", body: string("twelve") },
  { name: "a sequence in place of its ID", body: "028804870289" },
  { name: "a LONGINT in place of its ID", body: "01850c" },
  { name: "a FLOAT in place of its ID", body: "843ff0000000000000" },
  { name: "an ID of 0", body: "0081" },
  { name: "no ID", body: "" },
];
for (const { name, body } of FATAL) {
  Deno.test(`my-reference ends the connection when it has ${name}`, async () => {
    const { peer, result } = await asked(body);
    await using _peer = peer;
    assert.ok(await result instanceof Error);
    await peer.closed();
    assert.notEqual(peer.broker.ended, undefined);
  });
}

const REFUSED: readonly { name: string; body: string; message: RegExp }[] = [
  { name: "a number in place of its interface", body: "0c810181", message: /takes STRINGs/ },
  { name: "a fourth item", body: `0c81${string("I")}${string("")}${string("x")}`, message: /Too many/ },
  { name: "an interface of 1,001 bytes", body: `0c81${string("I".repeat(1_001))}`, message: /too large/ },
  { name: "an interface that is not UTF-8", body: "0c810182ff", message: /not UTF-8/ },
];
for (const { name, body, message } of REFUSED) {
  Deno.test(`my-reference fails its call alone when it has ${name}`, async () => {
    const { peer, result } = await asked(body);
    await using _peer = peer;
    const error = await result;
    assert.ok(error instanceof Error && !(error instanceof RemoteException));
    assert.match(error.message, message);
    assert.equal(peer.broker.ended, undefined);
    assert.deepEqual([peer.broker.tables().imported, peer.broker.tables().pendingCalls], [0, 0]);
    const again = peer.broker.getReferenceByName("y");
    await peer.receive(1);
    await peer.send("02880d87028103880f870c8103890289");
    assert.ok(await again instanceof RemoteReference);
  });
}
