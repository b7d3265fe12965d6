import assert from "node:assert/strict";
import {
  FurlError,
  Reconnector,
  RemoteException,
  type RemoteReference,
  Tub,
  type TubOptions,
  UnreachableError,
} from "../../mod.ts";
import type { TraceEvent } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

type Ref = RemoteReference<Target>;

/** A Tub that can be stopped and started again under the same FURL. */
class Phoenix implements AsyncDisposable {
  #tub: Tub | undefined;
  #port = 0;
  #certData: string | undefined;
  furl = "";

  static async start(): Promise<Phoenix> {
    const phoenix = new Phoenix();
    await phoenix.start();
    return phoenix;
  }
  get tub(): Tub {
    return this.#tub!;
  }
  async start(hasTarget = true): Promise<void> {
    const tub = await Tub.create(this.#certData === undefined ? {} : { certData: this.#certData });
    const listener = await tub.listenOn(`tcp:${this.#port}:interface=127.0.0.1`);
    tub.setLocation(listener.hint);
    this.#port = listener.port;
    this.#certData = tub.getCertData();
    if (hasTarget) this.furl = tub.registerReference(new Target(), "target");
    this.#tub = tub;
  }
  async stop(): Promise<void> {
    await this.#tub?.stop();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A client whose waits have no random part, and which stops while its clock stands still. */
class Client implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly events: TraceEvent[] = [];
  tub!: Tub;

  static async start(options: TubOptions = {}): Promise<Client> {
    const client = new Client();
    const trace = (event: TraceEvent) => void client.events.push(event);
    client.tub = await Tub.create({ clock: client.clock, trace, ...options });
    return client;
  }
  /** The waits that the trace was told of. */
  get waits(): number[] {
    return this.events.flatMap((event) => event.type === "reconnect-waiting" ? [event.delayMs] : []);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    let isStopped = false;
    void this.tub.stop().then(() => isStopped = true);
    await until(() => (this.clock.advance(1_000), isStopped), "the Tub has stopped");
    assert.equal(this.clock.pending, 0);
    assert.deepEqual(this.tub.debug.tables(), EMPTY_TABLES);
  }
}

const STILL = { jitter: 0 } as const;
const stateOf = (reconnector: Reconnector<Target>) => reconnector.getReconnectionInfo().state;

Deno.test("Tub.connectTo() gives the reference again after each loss, a second later", async () => {
  await using server = await Phoenix.start();
  await using client = await Client.start();
  const refs: Ref[] = [];
  const begun = client.clock.now();
  const reconnector = client.tub.connectTo<Target>(server.furl, (ref) => void refs.push(ref), STILL);
  assert.ok(reconnector instanceof Reconnector);
  assert.equal(stateOf(reconnector), "connecting");
  assert.equal(reconnector.getReconnectionInfo().lastAttempt, begun);
  assert.equal(client.tub.debug.tables().reconnectors, 1);
  await until(() => refs.length === 1);
  const info = reconnector.getReconnectionInfo();
  assert.deepEqual([info.state, info.nextAttempt], ["connected", undefined]);
  const connection = info.connectionInfo!;
  const { hint } = server.tub.listeners[0]!;
  assert.deepEqual([connection.connected, connection.winningHint, connection.listenerStatus], [
    true,
    hint,
    [undefined, undefined],
  ]);
  assert.deepEqual([...connection.connectorStatuses], [[hint, "successful"]]);
  assert.deepEqual([...connection.connectionHandlers], [[hint, "tcp"]]);
  assert.equal(reconnector.getDelayUntilNextAttempt(), undefined);

  for (let life = 2; life <= 4; life++) {
    // By the time that the program hears of the loss, the Reconnector waits.
    const states: string[] = [];
    refs.at(-1)!.notifyOnDisconnect(() => states.push(stateOf(reconnector)));
    await server.stop();
    await until(() => states.length === 1);
    assert.deepEqual(states, ["waiting"]);
    assert.equal(reconnector.getReconnectionInfo().nextAttempt, client.clock.now() + 1_000);
    assert.equal(reconnector.getReconnectionInfo().connectionInfo!.connected, false);
    await server.start();
    client.clock.advance(999);
    assert.equal(reconnector.getDelayUntilNextAttempt(), 1);
    assert.equal(stateOf(reconnector), "waiting");
    client.clock.advance(1);
    await until(() => refs.length === life);
    assert.equal(await refs.at(-1)!.callRemote("add", 1, 2), 3);
  }
  assert.equal(new Set(refs).size, 4);
  assert.equal(reconnector.getLastFailure(), undefined);
  reconnector.stopConnecting();
  assert.equal(await refs.at(-1)!.callRemote("add", 1, 2), 3);
});

Deno.test("Tub.connectTo() waits longer after each failure, and a second again once it was connected", async () => {
  await using server = await Phoenix.start();
  await server.stop();
  await using client = await Client.start();
  const refs: Ref[] = [];
  const reconnector = client.tub.connectTo<Target>(server.furl, (ref) => void refs.push(ref), STILL);
  for (const expected of [2_718, 7_389, 20_086]) {
    await until(() => stateOf(reconnector) === "waiting");
    const wait = reconnector.getDelayUntilNextAttempt()!;
    assert.equal(wait, expected);
    assert.ok(reconnector.getLastFailure() instanceof UnreachableError);
    client.clock.advance(wait);
    assert.equal(stateOf(reconnector), "connecting");
  }
  await until(() => stateOf(reconnector) === "waiting");
  await server.start();
  client.clock.advance(reconnector.getDelayUntilNextAttempt()!);
  await until(() => refs.length === 1);
  assert.equal(reconnector.getLastFailure(), undefined);
  await server.stop();
  await until(() => stateOf(reconnector) === "waiting");
  assert.equal(reconnector.getDelayUntilNextAttempt(), 1_000);
  assert.deepEqual(client.waits, [2_718, 7_389, 20_086, 54_598, 1_000]);
});

Deno.test("Reconnector takes its random part from the Tub's own source", async () => {
  await using client = await Client.start({ randomBytes: (count) => new Uint8Array(count).fill(0xff) });
  const reconnector = client.tub.connectTo("pb://" + "a".repeat(32) + "@/x", () => {});
  await until(() => reconnector.getReconnectionInfo().state === "waiting");
  // All ones make the normal number 0.
  assert.equal(reconnector.getDelayUntilNextAttempt(), 2_718);
});

Deno.test("Tub.connectTo() tries again when the Tub has no such object yet", async () => {
  await using server = await Phoenix.start();
  const { furl } = server;
  await server.stop();
  await server.start(false);
  await using client = await Client.start();
  const refs: Ref[] = [];
  const reconnector = client.tub.connectTo<Target>(furl, (ref) => void refs.push(ref), STILL);
  await until(() => stateOf(reconnector) === "waiting");
  assert.ok(reconnector.getLastFailure() instanceof RemoteException);
  server.tub.registerReference(new Target(), "target");
  client.clock.advance(reconnector.getDelayUntilNextAttempt()!);
  await until(() => refs.length === 1);
});

Deno.test("Reconnector says how each hint fared", async () => {
  await using client = await Client.start();
  const [bad1, bad2, bad3] = ["no-colon", "unknown:foo", "tcp:127.0.0.1:1"] as const;
  const furl = `pb://${"a".repeat(32)}@${[bad1, bad2, bad3].join(",")}/x`;
  const reconnector = client.tub.connectTo<Target>(furl, () => assert.fail());
  await until(() => stateOf(reconnector) === "waiting");
  const info = reconnector.getReconnectionInfo().connectionInfo!;
  assert.deepEqual([info.connected, info.winningHint], [false, undefined]);
  assert.deepEqual(Object.fromEntries(info.connectorStatuses), {
    [bad1]: "bad hint: no colon",
    [bad2]: "bad hint: no handler registered",
    [bad3]: "connection refused",
  });
  assert.deepEqual(Object.fromEntries(info.connectionHandlers), { [bad2]: undefined, [bad3]: "tcp" });
});

Deno.test("Reconnector.reset() makes the wait short again, also one that is under way", async () => {
  await using client = await Client.start();
  const reconnector = client.tub.connectTo<Target>(`pb://${"a".repeat(32)}@/x`, () => {}, STILL);
  await until(() => stateOf(reconnector) === "waiting");
  client.clock.advance(2_700);
  reconnector.reset();
  assert.equal(reconnector.getDelayUntilNextAttempt(), 1_000);
  client.clock.advance(999);
  assert.equal(stateOf(reconnector), "waiting");
  client.clock.advance(1);
  await until(() => client.waits.length === 2);
  assert.equal(reconnector.getDelayUntilNextAttempt(), 2_718);
});

const STOPS: readonly [name: string, stop: (reconnector: Reconnector<Target>, client: Client) => unknown][] =
  [
    ["stopConnecting()", (reconnector) => reconnector.stopConnecting()],
    ["disposing it", (reconnector) => reconnector[Symbol.dispose]()],
    ["Tub.stop()", (_, client) => client.tub.stop()],
  ];
for (const [name, stop] of STOPS) {
  Deno.test(`${name} ends a Reconnector that waits`, async () => {
    await using client = await Client.start();
    const reconnector = client.tub.connectTo<Target>(`pb://${"a".repeat(32)}@/x`, () => assert.fail());
    await until(() => stateOf(reconnector) === "waiting");
    void stop(reconnector, client);
    reconnector.stopConnecting();
    assert.equal(stateOf(reconnector), "stopped");
    assert.equal(reconnector.getDelayUntilNextAttempt(), undefined);
    assert.equal(client.tub.debug.tables().reconnectors, 0);
    reconnector.reset();
    client.clock.advance(10_000_000);
    assert.deepEqual([client.clock.pending, client.waits.length], [0, 1]);
  });

  Deno.test(`${name} ends a Reconnector that is connecting: its callback is never called`, async () => {
    await using server = await Phoenix.start();
    await using client = await Client.start();
    const reconnector = client.tub.connectTo<Target>(server.furl, () => assert.fail("It was called"));
    await until(() => client.events.some(({ type }) => type === "negotiating"));
    void stop(reconnector, client);
    await until(() => client.tub.debug.tables().connecting === 0);
    assert.deepEqual(client.events.filter(({ type }) => type === "callback-failed"), []);
    assert.equal(reconnector.getLastFailure(), undefined);
  });
}

Deno.test("Reconnector.stopConnecting() leaves the connection alone, and the effort of others", async () => {
  await using server = await Phoenix.start();
  await using client = await Client.start();
  const reconnector = client.tub.connectTo<Target>(server.furl, () => assert.fail());
  const others = client.tub.getReference<Target>(server.furl);
  reconnector.stopConnecting();
  assert.equal(await (await others).callRemote("add", 1, 2), 3);
});

Deno.test("Reconnector does nothing after a loss when it was stopped before", async () => {
  await using server = await Phoenix.start();
  await using client = await Client.start();
  const refs: Ref[] = [];
  const reconnector = client.tub.connectTo<Target>(server.furl, (ref) => void refs.push(ref));
  await until(() => refs.length === 1);
  reconnector.stopConnecting();
  const lost = Promise.withResolvers<void>();
  refs[0]!.notifyOnDisconnect(lost.resolve);
  await server.stop();
  await lost.promise;
  assert.deepEqual(client.waits, []);
});

const CALLBACKS: readonly [name: string, callback: () => unknown][] = [
  ["throws", () => {
    throw new TypeError("a bug");
  }],
  ["rejects", () => Promise.reject(new TypeError("a bug"))],
];
for (const [name, callback] of CALLBACKS) {
  Deno.test(`a callback of connectTo() that ${name} is told to the trace, and is no failed attempt`, async () => {
    await using server = await Phoenix.start();
    await using client = await Client.start();
    const reconnector = client.tub.connectTo<Target>(server.furl, callback);
    await until(() => client.events.some(({ type }) => type === "callback-failed"));
    const failed = client.events.find((event) => event.type === "callback-failed");
    assert.ok(failed?.type === "callback-failed" && failed.where === "connectTo");
    assert.equal(failed.error.message, "a bug");
    assert.equal(stateOf(reconnector), "connected");
  });
}

Deno.test("Tub.connectTo() can be stopped by a signal, before and after", async () => {
  await using client = await Client.start();
  const furl = `pb://${"a".repeat(32)}@/x`;
  const stop = new AbortController();
  const reconnector = client.tub.connectTo<Target>(furl, () => {}, { signal: stop.signal });
  stop.abort();
  assert.equal(stateOf(reconnector), "stopped");
  const late = client.tub.connectTo<Target>(furl, () => {}, { signal: stop.signal });
  assert.deepEqual([stateOf(late), late.getReconnectionInfo().lastAttempt], ["stopped", undefined]);
  assert.equal(client.tub.debug.tables().reconnectors, 0);
});

Deno.test("Tub.connectTo() keeps the connection with its own Tub as well", async () => {
  await using tub = await startTub();
  const got = Promise.withResolvers<Ref>();
  using reconnector = tub.connectTo<Target>(tub.registerReference(new Target()), got.resolve);
  assert.equal(await (await got.promise).callRemote("add", 1, 2), 3);
  assert.equal(reconnector.getReconnectionInfo().connectionInfo!.winningHint, "loopback");
});

Deno.test("Tub.connectTo() refuses what can never work", async () => {
  const tub = await startTub();
  const furl = tub.registerReference(new Target());
  const wrong = (value: unknown) => value as never;
  assert.throws(() => tub.connectTo("not a furl", () => {}), FurlError);
  assert.throws(() => tub.connectTo(wrong(7), () => {}), TypeError);
  assert.throws(() => tub.connectTo(furl, wrong(undefined)), /the callback is not a function/);
  assert.throws(() => tub.connectTo(furl, () => {}, { signal: wrong({}) }), /not an AbortSignal/);
  assert.throws(() => tub.connectTo(furl, () => {}, { factor: 0 }), RangeError);
  assert.equal(tub.debug.tables().reconnectors, 0);
  await tub.stop();
  assert.throws(() => tub.connectTo(furl, () => {}), /^TypeError: Cannot connect: this Tub has been stopped/);
});

Deno.test("a program that has a Reconnector stays alive until it is stopped", async () => {
  const program = `
    import { Tub } from "${new URL("../../mod.ts", import.meta.url)}";
    const tub = await Tub.create();
    const reconnector = tub.connectTo("pb://${
    "a".repeat(32)
  }@/x", () => {}, { initialDelayMs: 1, factor: 1 });
    let tries = 0;
    const look = setInterval(() => {
      if (reconnector.getLastFailure() === undefined || ++tries < 3) return;
      clearInterval(look);
      reconnector.stopConnecting();
      console.log("stopped");
    }, 5);
    Deno.unrefTimer(look);
  `;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "data:application/typescript;base64," + btoa(program)],
    stderr: "inherit",
  }).output();
  assert.deepEqual([success, new TextDecoder().decode(stdout)], [true, "stopped\n"]);
});
