import assert from "node:assert/strict";
import { kwargs, pb } from "../../../mod.ts";
import {
  agreedClient,
  agreedServer,
  CHOICE,
  OFFER,
  rawClient,
  rawServer,
  type Sexp,
  u,
  VERSION,
} from "./raw.ts";

class Two extends pb.Referenceable {
  remote_three(number: number): number {
    return number + 1;
  }
}

class Root extends pb.Root {
  readonly two = new Two();
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_kw(a: number, named: { values: Record<string, unknown> }): unknown {
    return [a, named.values.b, named.values.flag];
  }
  remote_none(): void {}
  remote_getTwo(): Two {
    return this.two;
  }
  remote_both(): unknown {
    return [this.two, this.two];
  }
  remote_isTwo(other: unknown): boolean {
    return other === this.two;
  }
  remote_me(other: unknown): boolean {
    return other === this;
  }
  /** Kept, so that no decref is sent when it happens to be collected. */
  readonly kept: pb.RemoteReference[] = [];
  remote_cb(ref: pb.RemoteReference): Promise<unknown> {
    this.kept.push(ref);
    return ref.callRemote("hello", 5);
  }
}

for (const pieceBytes of [undefined, 1]) {
  const how = pieceBytes === undefined ? "" : ", a byte at a time";

  Deno.test(`a server answers what Twisted's clients send, byte by byte as Twisted does${how}`, async () => {
    await using made = rawClient(new Root(), pieceBytes === undefined ? {} : { pieceBytes });
    const { raw } = made;
    await raw.expect(OFFER);
    raw.send(CHOICE, VERSION);
    await raw.expect(VERSION);
    raw.send(
      "07 80 1a 87 01 81 04 82 72 6f 6f 74 04 82 65 63 68 6f 01 81 02 80 0b 87",
      "02 80 07 82 75 6e 69 63 6f 64 65 02 82 68 69 01 80 05 87",
    );
    await raw.expect("03 80 1b 87 01 81 02 80 07 82 75 6e 69 63 6f 64 65 02 82 68 69");
    raw.say(["message", 4, "root", "none", 1, ["tuple"], ["dictionary"]]);
    await raw.expect("03 80 1b 87 04 81 01 80 01 87");
    raw.say(["message", 5, "root", "getTwo", 1, ["tuple"], ["dictionary"]]);
    await raw.expect("03 80 1b 87 05 81 02 80 10 87 01 81");
    raw.say(["message", 6, 1, "three", 1, ["tuple", 41], ["dictionary"]]);
    await raw.hear(["answer", 6, 42]);
    raw.say(["message", 7, "root", "isTwo", 1, ["tuple", ["local", 1]], ["dictionary"]]);
    await raw.hear(["answer", 7, ["boolean", "true"]]);
    raw.say(["message", 8, "root", "me", 1, ["tuple", ["local", "root"]], ["dictionary"]]);
    await raw.hear(["answer", 8, ["boolean", "true"]]);
    raw.say(["message", 9, "root", "both", 1, ["tuple"], ["dictionary"]]);
    await raw.hear(["answer", 9, ["list", ["remote", 1], ["remote", 1]]]);
    assert.equal(made.server.brokers[0]!.tables.local, 1);
    raw.send("02 80 1d 87 01 81", "02 80 1d 87 01 81", "02 80 1d 87 01 81");
    // A number is never given twice.
    raw.say(["message", 10, "root", "getTwo", 1, ["tuple"], ["dictionary"]]);
    await raw.hear(["answer", 10, ["remote", 2]]);
    // A client's object, called before its own call is answered.
    raw.say(["message", 11, "root", "cb", 1, ["tuple", ["remote", 1]], ["dictionary"]]);
    await raw.hear(["message", 1, 1, "hello", 1, ["tuple", 5], ["dictionary"]]);
    raw.say(["answer", 1, 10]);
    await raw.hear(["answer", 11, 10]);
    // The number of a call is echoed as it is, 2^31 as LONGINT.
    raw.send(
      "07 80 1a 87 00 00 00 00 08 85 04 82 72 6f 6f 74 04 82 65 63 68 6f 01 81 02 80 0b 87 01 81 01 80 05 87",
    );
    await raw.expect("03 80 1b 87 00 00 00 00 08 85 01 81");
    for (const id of ["a name", -7, 2n ** 100n] as Sexp[]) {
      raw.say(["message", id, "root", "echo", 1, ["tuple", 1], ["dictionary"]]);
      await raw.hear(["answer", id, 1]);
    }
    // No answer is wanted, not even of what fails.
    raw.say(["message", 12, "root", "echo", 0, ["tuple", 1], ["dictionary"]]);
    raw.say(["message", 13, "root", "nothing", 0, ["tuple"], ["dictionary"]]);
    raw.say(["message", 14, "root", "echo", 1, ["tuple", 1], ["dictionary"]]);
    await raw.hear(["answer", 14, 1]);
  });

  Deno.test(`a client sends what Twisted's clients send, byte by byte${how}`, async () => {
    await using made = await agreedServer(pieceBytes === undefined ? {} : { pieceBytes });
    const { raw, root } = made;
    const first = root.callRemote("echo", "hi");
    await raw.expect(
      "07 80 1a 87 01 81 04 82 72 6f 6f 74 04 82 65 63 68 6f 01 81 02 80 0b 87",
      "02 80 07 82 75 6e 69 63 6f 64 65 02 82 68 69 01 80 05 87",
    );
    raw.say(["answer", 1, u("hi")]);
    assert.equal(await first, "hi");
    const second = root.callRemote("kw", 1, kwargs({ b: 2.5, flag: true }));
    await raw.expect(
      "07 80 1a 87 02 81 04 82 72 6f 6f 74 02 82 6b 77 01 81 02 80 0b 87 01 81 03 80 05 87",
      "02 80 02 80 07 82 75 6e 69 63 6f 64 65 01 82 62 84 40 04 00 00 00 00 00 00",
      "02 80 02 80 07 82 75 6e 69 63 6f 64 65 04 82 66 6c 61 67 02 80 07 82 62 6f 6f 6c 65 61 6e 04 82 74 72 75 65",
    );
    raw.say(["answer", 2, ["remote", 1]]);
    const two = await second as pb.RemoteReference;
    const third = root.callRemote("isTwo", two);
    await raw.hear(["message", 3, "root", "isTwo", 1, ["tuple", ["local", 1]], ["dictionary"]]);
    raw.say(["answer", 3, ["list", ["remote", 1], ["remote", 1]]]);
    assert.deepEqual(await third, [two, two]);
    root.callRemoteOnly("echo", root);
    await raw.hear(["message", 4, "root", "echo", 0, ["tuple", ["local", "root"]], ["dictionary"]]);
    // Each receipt is worth one decref.
    two[Symbol.dispose]();
    await raw.hear(["decref", 1], ["decref", 1], ["decref", 1]);
    await assert.rejects(two.callRemote("three"), { name: "DeadReferenceError" });
    const login = root.callRemote("login", new TextEncoder().encode("alice"));
    await raw.expect(
      "07 80 1a 87 05 81 04 82 72 6f 6f 74 14 87 01 81 02 80 0b 87 05 82 61 6c 69 63 65 01 80 05 87",
    );
    raw.say(["answer", 5, ["None"]]);
    assert.equal(await login, null);
  });
}

const CHOICES: readonly (readonly [string, string, string | undefined])[] = [
  ["(pb none)", OFFER, CHOICE],
  ["(none)", "01 80 04 82 6e 6f 6e 65", "04 82 6e 6f 6e 65"],
  ["(none pb)", "02 80 04 82 6e 6f 6e 65 02 82 70 62", "04 82 6e 6f 6e 65"],
  ["(xx pb)", "02 80 02 82 78 78 02 82 70 62", CHOICE],
  ["()", "00 80", undefined],
  ["(xx)", "01 80 02 82 78 78", undefined],
  ["no list", "02 82 70 62", undefined],
  ["((unicode pb))", "01 80 02 80 07 82 75 6e 69 63 6f 64 65 02 82 70 62", undefined],
  ["a word by number", "01 80 13 87", undefined],
];
for (const [name, offer, choice] of CHOICES) {
  Deno.test(`connect() ${choice === undefined ? "sends nothing and closes" : "chooses"} when it is offered ${name}`, async () => {
    const { raw, connecting } = rawServer();
    await using _raw = raw;
    raw.send(offer);
    if (choice === undefined) {
      await assert.rejects(connecting, /Cannot speak with the peer|VOCAB/);
      return await raw.closed();
    }
    await using client = await connecting;
    await raw.expect(choice);
    assert.equal(client.isConnected, true);
  });
}

Deno.test("a server speaks dialect none without numbers for words", async () => {
  await using made = rawClient(new Root());
  const { raw } = made;
  await raw.expect(OFFER);
  raw.send("04 82 6e 6f 6e 65");
  await raw.expect("02 80 07 82 76 65 72 73 69 6f 6e 06 81");
  raw.send(
    "07 80 07 82 6d 65 73 73 61 67 65 01 81 04 82 72 6f 6f 74 04 82 6e 6f 6e 65 01 81",
    "01 80 05 82 74 75 70 6c 65 01 80 0a 82 64 69 63 74 69 6f 6e 61 72 79",
  );
  await raw.expect("03 80 06 82 61 6e 73 77 65 72 01 81 01 80 04 82 4e 6f 6e 65");
  raw.send("02 80 13 87 06 81");
  await raw.closed();
});

Deno.test("answers go out as results are there, not in the order of the calls", async () => {
  const waiting = Promise.withResolvers<number>();
  class Slow extends pb.Root {
    remote_slow(): Promise<number> {
      return waiting.promise;
    }
    remote_fast(): number {
      waiting.resolve(1);
      return 2;
    }
  }
  await using made = await agreedClient(new Slow());
  made.raw.say(
    ["message", 1, "root", "slow", 1, ["tuple"], ["dictionary"]],
    ["message", 2, "root", "fast", 1, ["tuple"], ["dictionary"]],
  );
  await made.raw.hear(["answer", 2, 2], ["answer", 1, 1]);
});
