/**
 * What a program does by accident with references, and what it is told.
 */
import assert from "node:assert/strict";
import type { CallOptions } from "../../lib/broker/call.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { Violation } from "../../lib/errors.ts";
import { kwargs } from "../../lib/values/kwargs.ts";
import { Pair, turns } from "./support.ts";

class Echo extends Referenceable {
  /** Every method that was called. */
  readonly names: string[] = [];
  override doRemoteCall(name: string, args: unknown[]): Promise<unknown> {
    this.names.push(name);
    return Promise.resolve(args[0]);
  }
}

async function withEcho(test: (ref: RemoteReference, echo: Echo) => Promise<void>): Promise<void> {
  await using pair = new Pair();
  const echo = new Echo();
  await test(await pair.refTo(echo) as unknown as RemoteReference, echo);
}

Deno.test("RemoteReference.remote calls nothing when it becomes a text, a number or JSON", () =>
  withEcho(async (ref, echo) => {
    const { remote } = ref;
    assert.equal(`${remote}`, "[remote methods]");
    assert.ok(Number.isNaN(Number(remote)));
    assert.equal(JSON.stringify({ remote }), '{"remote":{}}');
    assert.equal(JSON.stringify(ref.callRemote("echo", 1).remote), "{}");
    assert.equal(await remote, remote);
    await turns(3);
    assert.deepEqual(echo.names, ["echo"]);
  }));

Deno.test("RemoteReference.callRemote() reaches methods that the proxy leaves to the language", () =>
  withEcho(async (ref, echo) => {
    for (const name of ["toJSON", "then", "toString"]) assert.equal(await ref.callRemote(name, 7), 7);
    assert.deepEqual(echo.names, ["toJSON", "then", "toString"]);
  }));

const UNSENDABLE: { name: string; value: (ref: RemoteReference) => unknown; told: RegExp }[] = [
  {
    name: "the methods of a reference",
    value: (ref) => ref.remote,
    told: /ref\.remote: send the reference itself/,
  },
  {
    name: "keyword arguments in a list",
    value: () => [kwargs({ a: 1 })],
    told: /is the last argument of a call/,
  },
  {
    name: "a generator",
    value: () =>
      (function* () {
        yield 1;
      })(),
    told: /a generator: send an array/,
  },
  { name: "a stream", value: () => new ReadableStream(), told: /one piece a call/ },
  {
    name: "an object of the platform",
    value: () => new Headers(),
    told: /Headers: send what it consists of/,
  },
  {
    name: "an object of the program",
    value: () => new (class Cart {})(),
    told: /derive Cart from Referenceable/,
  },
];
for (const { name, value, told } of UNSENDABLE) {
  Deno.test(`callRemote() says what to do instead of sending ${name}`, () =>
    withEcho(async (ref) => {
      await assert.rejects(ref.callRemote("echo", value(ref)), (error) => {
        assert.ok(error instanceof Violation);
        assert.match(error.message, told);
        return true;
      });
    }));
}

Deno.test("RemoteReference.with() refuses an option that it does not have", () =>
  withEcho(async (ref) => {
    const options = { timeout: 5 } as CallOptions;
    const told = /there is no option "timeout"; it is one of signal, timeoutMs/;
    assert.throws(() => ref.with(options), told);
    assert.throws(() => ref.with({}).with(options), told);
    const echoed = ref.callRemote("echo");
    assert.throws(() => echoed.with(options), told);
    await echoed;
  }));
