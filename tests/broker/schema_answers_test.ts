/**
 * A peer whose answers break the rules of an interface: one call is lost, and not the connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { INT } from "../../lib/wire/tokens.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { Violation } from "../../mod.ts";
import { long, num, seq, word, type Write } from "./schema_attacker.ts";
import { failureOf, RawPeer, turns } from "./support.ts";

const ANSWERS: readonly (readonly [string, Write, RegExp])[] = [
  ["a string", word("x"), /STRING token rejected/],
  ["a float", (e) => e.double(1.5), /FLOAT token rejected/],
  ["a list", seq("list", num(1)), /OPEN token rejected/],
  ["a number that is too large", (e) => e.bare(INT, 2 ** 40), /number too large/],
  ["an integer of a kilobyte", long(1_000), /LONGINT token rejected/],
  ["an object", seq("my-reference", num(5)), /OPEN token rejected/],
];
for (const [what, write, message] of ANSWERS) {
  Deno.test(`${what} as the answer where a small integer is declared fails that call alone`, async () => {
    await using peer = new RawPeer();
    const e = new TokenEncoder(vocabularyWords(1));
    const send = async (...writes: Write[]) => {
      for (const each of writes) each(e);
      for (const part of e.take()) await peer.send(part);
    };
    // The name is one that this process knows; what is behind it lies.
    const arriving = peer.broker.getReferenceByName("x") as unknown as Promise<RemoteReference>;
    await turns(3);
    await send(
      seq("answer", num(1), seq("my-reference", num(1), word("RIOther.attack.example.com"))),
    );
    const liar = await arriving;
    const failed = failureOf(liar.callRemote("get"));
    await turns(3);
    await send(seq("answer", num(2), write));
    const failure = await failed;
    assert.ok(failure instanceof Violation, String(failure));
    assert.match(failure.message, message);
    const next = liar.callRemote("get");
    await turns(3);
    await send(seq("answer", num(3), num(4)));
    assert.equal(await next, 4);
    const unknown = await failureOf(liar.callRemote("nothing"));
    assert.match(unknown.message, /"RIOther.attack.example.com" does not offer "nothing"/);
  });
}
