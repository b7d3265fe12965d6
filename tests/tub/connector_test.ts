import assert from "node:assert/strict";
import type { Broker } from "../../lib/broker/broker.ts";
import {
  DuplicateConnectionError,
  NegotiationError,
  PermissionDenied,
  RemoteNegotiationError,
  UnreachableError,
} from "../../lib/errors.ts";
import { Connector, type HintAttempt } from "../../lib/tub/connector.ts";
import { FakeClock } from "../support/fake_clock.ts";

// The connector only hands it on.
const BROKER = { stands: "for a broker" } as unknown as Broker;

type Script = (attempt: HintAttempt) => Promise<Broker>;

const fails = (error: Error): Script => () => Promise.reject(error);
const succeeds: Script = () => Promise.resolve(BROKER);
const failsNegotiating = (error: Error): Script => (attempt) => {
  attempt.onNegotiating();
  return Promise.reject(error);
};
/** Never answers; ends when it is told to. */
const hangs: Script = ({ signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
const hangsNegotiating: Script = (attempt) => {
  attempt.onNegotiating();
  return hangs(attempt);
};

interface Setup {
  readonly connector: Connector;
  readonly clock: FakeClock;
  readonly tried: string[];
}

function start(
  scripts: Record<string, Script>,
  inboundSettled: () => Promise<unknown> = () => Promise.resolve(),
): Setup {
  const clock = new FakeClock();
  const tried: string[] = [];
  const connector = new Connector(Object.keys(scripts), {
    tubId: "abcdefgh",
    clock,
    timeoutMs: 120_000,
    describe: (type) => ["tcp", "tls", "unix"].includes(type) ? type : undefined,
    attempt: (hint, attempt) => {
      tried.push(hint.text);
      return scripts[hint.text]!(attempt);
    },
    inboundSettled,
  });
  return { connector, clock, tried };
}

/** What the effort fails with; by then every attempt has ended and no timer is left. */
async function failureOf({ connector, clock }: Setup): Promise<Error> {
  const error = await connector.connected.then(() => assert.fail("it succeeded"), (error: Error) => error);
  await connector.settled();
  assert.equal(clock.pending, 0);
  return error;
}

Deno.test("Connector takes the first hint that leads there, and ends the others", async () => {
  const { connector, clock, tried } = start({
    "tcp:a:1": hangs,
    "tcp:b:2": fails(new UnreachableError("refused")),
    "tcp:c:3": succeeds,
    "tcp:d:4": hangsNegotiating,
  });
  assert.deepEqual(tried, ["tcp:a:1", "tcp:b:2", "tcp:c:3", "tcp:d:4"]);
  assert.equal(await connector.connected, BROKER);
  await connector.settled();
  assert.equal(connector.winningHint, "tcp:c:3");
  assert.deepEqual([...connector.statuses.values()], [
    "abandoned",
    "failed to connect: refused",
    "successful",
    "abandoned",
  ]);
  assert.equal(clock.pending, 0);
});

Deno.test("Connector says what went wrong at each hint when all fail", async () => {
  const denied = new PermissionDenied("run with --allow-net=b:2");
  const refused = new UnreachableError("refused");
  const setup = start({
    "tcp:a:1": fails(refused),
    "tcp:b:2": fails(denied),
    "xyz:/c": hangs,
    "junk": hangs,
  });
  const error = await failureOf(setup);
  assert.ok(error instanceof UnreachableError);
  assert.deepEqual([...error.errors.keys()].sort(), ["junk", "tcp:a:1", "tcp:b:2", "xyz:/c"]);
  assert.equal(error.errors.get("tcp:a:1"), refused);
  assert.deepEqual(Object.fromEntries(setup.connector.statuses), {
    "tcp:a:1": "failed to connect: refused",
    "tcp:b:2": "failed to connect: run with --allow-net=b:2",
    "xyz:/c": "bad hint: no handler registered",
    "junk": "bad hint: no colon",
  });
  assert.deepEqual([...setup.connector.handlers], [["tcp:a:1", "tcp"], ["tcp:b:2", "tcp"], [
    "xyz:/c",
    undefined,
  ]]);
  assert.equal(error.errors.get("tcp:b:2"), denied);
  assert.match(error.message, /^Cannot reach Tub \[abcd\]: /);
  for (const text of ['"tcp:a:1": refused', "--allow-net=b:2", "no handler registered", "no colon"]) {
    assert.ok(error.message.includes(text), error.message);
  }
  assert.deepEqual(setup.tried, ["tcp:a:1", "tcp:b:2"]);
});

Deno.test("Connector fails at once when there is no hint at all", async () => {
  const error = await failureOf(start({}));
  assert.ok(error instanceof UnreachableError);
  assert.match(error.message, /its FURL has no connection hint/);
  assert.equal(error.errors.size, 0);
});

Deno.test("Connector fails at once when no hint can be used", async () => {
  const error = await failureOf(start({ "tor:x.onion:1": hangs }));
  assert.ok(error instanceof UnreachableError);
  assert.deepEqual([...error.errors.keys()], ["tor:x.onion:1"]);
});

const refusals = [
  new NegotiationError("wrong Tub"),
  new RemoteNegotiationError("go away"),
  new DuplicateConnectionError("one is enough"),
];
for (const refusal of refusals) {
  Deno.test(`Connector reports a ${refusal.name} rather than that other hints were refused`, async () => {
    const error = await failureOf(start({
      "tcp:a:1": fails(new UnreachableError("refused")),
      "tcp:b:2": failsNegotiating(refusal),
    }));
    assert.equal(error.constructor, refusal.constructor);
    assert.ok(error.message.includes('"tcp:b:2"') && error.message.includes(refusal.message));
    assert.equal(error.cause, refusal);
  });
}

Deno.test("Connector gives up after its time, and says where each hint was", async () => {
  const setup = start({ "tcp:a:1": hangs, "tcp:b:2": hangs });
  setup.clock.advance(119_999);
  assert.equal(setup.connector.statuses.get("tcp:a:1"), "resolving hint");
  setup.clock.advance(1);
  const error = await failureOf(setup);
  assert.ok(error instanceof UnreachableError);
  assert.match(error.errors.get("tcp:a:1")!.message, /resolving hint: no connection within 120000 ms/);
  const negotiating = start({ "tcp:a:1": hangs, "tcp:b:2": hangsNegotiating });
  negotiating.clock.advance(120_000);
  assert.ok(await failureOf(negotiating) instanceof NegotiationError);
});

Deno.test("Connector.succeed() ends every attempt when the other Tub has connected", async () => {
  const setup = start({ "tcp:a:1": hangs });
  setup.connector.succeed(BROKER);
  assert.equal(await setup.connector.connected, BROKER);
  await setup.connector.settled();
  assert.equal(setup.clock.pending, 0);
  assert.equal(setup.connector.statuses.get("tcp:a:1"), "abandoned");
});

for (const text of ["DuplicateConnectionError", "RemoteNegotiationError"]) {
  Deno.test(`Connector waits for connections being accepted after a ${text}`, async () => {
    const error = text === "RemoteNegotiationError"
      ? new RemoteNegotiationError('Banana negotiation failed: "Duplicate connection"')
      : new DuplicateConnectionError("x");
    const inbound = Promise.withResolvers<void>();
    const waits = start({ "tcp:a:1": failsNegotiating(error) }, () => inbound.promise);
    const gives = start({ "tcp:a:1": failsNegotiating(error) }, () => Promise.resolve());
    assert.equal((await failureOf(gives)).constructor, error.constructor);
    await new Promise((resolve) => setTimeout(resolve, 0));
    // Somebody else who wants the same Tub joins.
    waits.connector.try(["tcp:a:1"]);
    waits.connector.succeed(BROKER);
    assert.equal(await waits.connector.connected, BROKER);
    await waits.connector.settled();
    assert.equal(waits.clock.pending, 0);
  });
}

Deno.test("Connector.try() follows more hints while the effort goes on, each once", async () => {
  const { connector, tried } = start({ "tcp:a:1": hangs });
  connector.try(["tcp:a:1", "xyz:/b"]);
  assert.deepEqual(tried, ["tcp:a:1"]);
  assert.equal(connector.statuses.get("xyz:/b")?.startsWith("bad hint"), true);
  connector.stop(new NegotiationError("enough"));
  await assert.rejects(connector.connected, /enough/);
  await connector.settled();
});

Deno.test("Connector rejects nothing unhandled when nobody waits for it", async () => {
  const { connector } = start({ "tcp:a:1": fails(new UnreachableError("refused")) });
  await connector.settled();
});

Deno.test("Connector.try() follows 16 hints of peers in all, and those of its own program beside them", async () => {
  const { connector, tried } = start({ "tcp:a:1": hangs });
  const hints = (name: string, count: number) => Array.from({ length: count }, (_, i) => `x:${name}${i}`);
  connector.try(hints("p", 10), true);
  connector.try(hints("q", 10), true);
  connector.try(hints("r", 10), true);
  assert.equal(connector.statuses.size, 17);
  connector.try(hints("own", 10));
  assert.equal(connector.statuses.size, 27);
  assert.deepEqual(tried, ["tcp:a:1"]);
  connector.stop(new UnreachableError("enough"));
  await connector.settled();
});

Deno.test("Connector follows tcp: hints 250 ms after tls: hints, and those of other types at once", async () => {
  const { connector, clock, tried } = start({ "tcp:a:1": succeeds, "tls:b:2": hangs, "unix:c": hangs });
  assert.deepEqual(tried, ["tls:b:2", "unix:c"]);
  clock.advance(249);
  await Promise.resolve();
  assert.equal(tried.length, 2);
  clock.advance(1);
  await connector.connected;
  assert.deepEqual(tried, ["tls:b:2", "unix:c", "tcp:a:1"]);
  await connector.settled();
  assert.equal(clock.pending, 0);
});

Deno.test("Connector follows tcp: hints as soon as no tls: hint leads there", async () => {
  const refused = fails(new UnreachableError("refused"));
  const { connector, clock, tried } = start({ "tls:a:1": refused, "tcp:b:2": succeeds, "tls:c:3": refused });
  await connector.connected;
  assert.deepEqual(tried, ["tls:a:1", "tls:c:3", "tcp:b:2"]);
  await connector.settled();
  assert.equal(clock.pending, 0);
});

Deno.test("Connector gives a tcp: hint up that waits when a tls: hint leads there", async () => {
  const { connector, clock, tried } = start({ "tcp:a:1": succeeds, "tls:b:2": succeeds });
  await connector.connected;
  await connector.settled();
  assert.deepEqual(tried, ["tls:b:2"]);
  assert.deepEqual(Object.fromEntries(connector.statuses), {
    "tcp:a:1": "abandoned",
    "tls:b:2": "successful",
  });
  assert.equal(clock.pending, 0);
});
