import assert from "node:assert/strict";
import { NegotiationError, RemoteNegotiationError } from "../../lib/errors.ts";
import { decodeBlock, encodeBlock } from "../../lib/negotiate/blocks.ts";
import {
  checkAnswer,
  checkGreeting,
  decodeRequest,
  encodeFields,
  encodeRequest,
  GREETING,
  makeAnswer,
  makeRequest,
  PROOF_LABEL,
  type ProofFields,
} from "../../lib/negotiate/tls_proof.ts";
import { anchoredKeyOf } from "../../lib/transport/certificate.ts";
import { fc } from "../deps.ts";
import { makeIdentity, type TestIdentity } from "../support/identity.ts";

const [server, client, other] = await Promise.all([makeIdentity(), makeIdentity(), makeIdentity()]);
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const body = (block: Uint8Array) => block.subarray(0, block.length - 4);
const keyOf = (identity: TestIdentity) => anchoredKeyOf(identity.der)!;
const request = makeRequest(server.tubId, random);
const CHECKS = { request, hintKey: keyOf(server), clientCertificate: client.der };

const edited = async (edit: (fields: Map<string, string>) => void) => {
  const fields = decodeBlock(body(await makeAnswer(request, server, client.der)));
  edit(fields);
  return encodeBlock(fields);
};

Deno.test("checkAnswer() takes the proof of the server that was asked, and gives its certificate", async () => {
  const answer = await makeAnswer(request, server, client.der);
  assert.ok(answer.length < 1_000);
  assert.deepEqual(await checkAnswer(body(answer), CHECKS), new Uint8Array(server.der));
});

for (
  const [what, answer, reason] of [
    [
      "an old proof that is replayed",
      () => makeAnswer(makeRequest(server.tubId, random), server, client.der),
      /did not prove on this connection/,
    ],
    [
      "a proof for another client, as a relay that ends TLS itself would get it",
      () => makeAnswer(request, server, other.der),
      /did not prove on this connection/,
    ],
    [
      "a proof for another TubID of the same key",
      () => makeAnswer({ ...request, tubId: other.tubId }, server, client.der),
      /did not prove on this connection/,
    ],
    ["the client's own proof, reflected", () => makeAnswer(request, client, client.der), /wrong Tub/],
    ["the proof of another server", () => makeAnswer(request, other, client.der), /wrong Tub/],
    [
      "the server's certificate with a signature of another key",
      async () => {
        const signature = decodeBlock(body(await makeAnswer(request, other, client.der))).get("signature")!;
        return await edited((fields) => fields.set("signature", signature));
      },
      /did not prove on this connection/,
    ],
    [
      "a signature of 63 bytes",
      () => edited((fields) => fields.set("signature", random(63).toBase64())),
      /did not prove/,
    ],
    ["an empty signature", () => edited((fields) => fields.set("signature", "")), /did not prove/],
    ["no signature", () => edited((fields) => fields.delete("signature")), /has no signature/],
    ["a signature that is no base64", () => edited((fields) => fields.set("signature", "!")), /not base64/],
    ["no certificate", () => edited((fields) => fields.delete("certificate")), /has no certificate/],
    [
      "a certificate of another version",
      () => edited((fields) => fields.set("foolscap-tls", "2")),
      /version 1/,
    ],
    [
      "a hello",
      () => encodeBlock([["my-tub-id", server.tubId]]),
      /no proof of version 1: "foolscap-tls: \(missing/,
    ],
  ] as const
) {
  Deno.test(`checkAnswer() refuses ${what}`, async () => {
    const error = await checkAnswer(body(await answer()), CHECKS).catch((error) => error);
    assert.ok(error instanceof NegotiationError, String(error));
    assert.match(error.message, reason);
  });
}

Deno.test("checkAnswer() refuses a certificate whose key is not that of the hint", async () => {
  const answer = await makeAnswer(request, server, client.der);
  await assert.rejects(
    checkAnswer(body(answer), { ...CHECKS, hintKey: keyOf(other) }),
    /does not have the key of the hint/,
  );
});

Deno.test("checkAnswer() and checkGreeting() tell what the server says that it refuses", async () => {
  const block = body(encodeBlock([["banana-decision-version", "1"], ["error", "unknown TubID x"]]));
  await assert.rejects(
    checkAnswer(block, CHECKS),
    (error) => error instanceof RemoteNegotiationError && /"unknown TubID x"/.test(error.message),
  );
  assert.throws(() => checkGreeting(block), RemoteNegotiationError);
  checkGreeting(body(GREETING));
});

Deno.test("decodeRequest() reads what encodeRequest() has written", () => {
  const { tubId, nonce } = decodeRequest(body(encodeRequest(request)));
  assert.equal(tubId, request.tubId);
  assert.deepEqual([...nonce], [...request.nonce]);
});

const NONCE = decodeBlock(body(encodeRequest(request))).get("nonce")!;
for (
  const [what, entries, reason] of [
    ["another version", [["foolscap-tls", "2"], ["tub-id", server.tubId], ["nonce", NONCE]], /version 1/],
    ["no version", [["tub-id", server.tubId], ["nonce", NONCE]], /version 1/],
    ["no TubID", [["foolscap-tls", "1"], ["nonce", NONCE]], /no TubID/],
    ["a short TubID", [["foolscap-tls", "1"], ["tub-id", "abc"], ["nonce", NONCE]], /no TubID: "abc"/],
    ["no nonce", [["foolscap-tls", "1"], ["tub-id", server.tubId]], /nonce is not 32 bytes/],
    [
      "a nonce of 31 bytes",
      [["foolscap-tls", "1"], ["tub-id", server.tubId], ["nonce", "a".repeat(50)]],
      /nonce is not 32 bytes/,
    ],
    [
      "a nonce of 40 bytes",
      [["foolscap-tls", "1"], ["tub-id", server.tubId], ["nonce", "a".repeat(64)]],
      /nonce is not 32 bytes/,
    ],
    [
      "a nonce that is no base32",
      [["foolscap-tls", "1"], ["tub-id", server.tubId], ["nonce", NONCE.toUpperCase()]],
      /nonce is not 32 bytes/,
    ],
  ] as const
) {
  Deno.test(`decodeRequest() refuses ${what}`, () => {
    assert.throws(
      () => decodeRequest(body(encodeBlock(entries))),
      (error) => error instanceof NegotiationError && reason.test(error.message),
    );
  });
}

Deno.test("decodeRequest() and checkAnswer() throw nothing but NegotiationErrors, whatever comes", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom(
      "foolscap-tls: 1\r\n",
      "nonce: ",
      "certificate: ",
      "signature: ",
      "tub-id: ",
      "AAAA",
      "\r\n",
    )
      .map((text) => new TextEncoder().encode(text)),
  );
  await fc.assert(fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
    const block = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    const errors: unknown[] = [];
    try {
      decodeRequest(block);
    } catch (error) {
      errors.push(error);
    }
    await checkAnswer(block, CHECKS).catch((error) => errors.push(error));
    for (const error of errors) assert.ok(error instanceof NegotiationError, String(error));
  }));
});

Deno.test("checkAnswer() refuses a certificate that is cut or changed anywhere", async () => {
  for (let at = 0; at < server.der.length; at += 7) {
    const changed = new Uint8Array(server.der);
    changed[at]! ^= 1;
    for (const der of [changed, server.der.subarray(0, at)]) {
      const answer = await edited((fields) => fields.set("certificate", der.toBase64()));
      await assert.rejects(checkAnswer(body(answer), CHECKS), NegotiationError);
    }
  }
});

Deno.test("encodeFields() lets no field reach into the next", async () => {
  const fields: ProofFields = { ...request, serverCertificate: server.der, clientCertificate: client.der };
  const bytes = await encodeFields(fields);
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer).getUint32(at);
    lengths.push(length);
    at += 4 + length;
  }
  assert.deepEqual(lengths, [PROOF_LABEL.length, 32, 32, 32, 32]);
  assert.equal(
    new TextDecoder().decode(bytes.subarray(4, 4 + PROOF_LABEL.length)),
    "foolscap tls server proof v1",
  );
  const { tubId, nonce } = request;
  const moved = { ...fields, tubId: tubId + "x", nonce: nonce.subarray(1) };
  assert.equal((await encodeFields(moved)).length, bytes.length);
  assert.notDeepEqual(await encodeFields(moved), bytes);
});

Deno.test("makeRequest() refuses a random source that gives too little", () => {
  assert.throws(() => makeRequest(server.tubId, () => new Uint8Array(31)), RangeError);
});
