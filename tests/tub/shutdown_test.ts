import assert from "node:assert/strict";
import {
  callable,
  currentCall,
  DeadReferenceError,
  Referenceable,
  type RemoteFunction,
  type RemoteReference,
  Tub,
} from "../../mod.ts";
import type { TraceEvent } from "../../mod.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

/** Ends its own Tub in the middle of what it is asked. */
class Suicidal extends Referenceable {
  readonly called: string[] = [];
  readonly stopped = Promise.withResolvers<void>();
  tub!: Tub;
  remote_one(): void {
    this.called.push("one");
    void this.tub.stop().then(this.stopped.resolve);
  }
  remote_two(): void {
    this.called.push("two");
  }
}

Deno.test("calls that wait for their turn when a Tub stops are dropped without a word", async () => {
  const events: TraceEvent[] = [];
  const server = await startTub({ trace: (event) => void events.push(event) });
  await using client = await Tub.create();
  const target = new Suicidal();
  target.tub = server;
  const ref = await client.getReference<Suicidal>(server.registerReference(target));
  // In one turn, so that they arrive together.
  ref.callRemoteOnly("one");
  ref.callRemoteOnly("two");
  const third = assert.rejects(ref.callRemote("two"), DeadReferenceError);
  await target.stopped.promise;
  await third;
  assert.deepEqual(target.called, ["one"]);
  assert.deepEqual(events.filter(({ type }) => type === "call-failed" || type === "callback-failed"), []);
  assert.deepEqual(server.debug.tables(), EMPTY_TABLES);
});

class Runner extends Referenceable {
  readonly started = Promise.withResolvers<AbortSignal>();
  readonly gate = Promise.withResolvers<string>();
  isDone = false;
  async remote_run(): Promise<string> {
    this.started.resolve(currentCall()!.signal);
    const result = await this.gate.promise;
    this.isDone = true;
    return result;
  }
}

Deno.test("a method that runs when the connection is lost finishes, is told, and its result is nobody's", async () => {
  const events: TraceEvent[] = [];
  await using server = await startTub({ trace: (event) => void events.push(event) });
  const client = await Tub.create();
  const runner = new Runner();
  const ref = await client.getReference<Runner>(server.registerReference(runner));
  const call = assert.rejects(ref.callRemote("run"), DeadReferenceError);
  const signal = await runner.started.promise;
  await client.stop();
  await call;
  await until(() => signal.aborted);
  runner.gate.resolve("late");
  await until(() => runner.isDone);
  await until(() => server.debug.tables().connections === 0);
  assert.deepEqual(events.filter(({ type }) => type === "call-failed"), []);
});

Deno.test("Tub.stop() resolves when every connection is closed, and not before", async () => {
  const server = await startTub();
  const clients = await Promise.all([startTub(), startTub(), startTub()]);
  const furl = server.registerReference(new Target());
  await Promise.all(clients.map((client) => client.getReference(furl)));
  assert.equal(server.debug.tables().connections, 3);
  let isStopped = false;
  const stopped = server.stop().then(() => isStopped = true);
  // Closing takes turns of the loop: at once nothing can be over.
  await Promise.resolve();
  assert.equal(isStopped, false);
  await stopped;
  assert.equal(server.debug.tables().connections, 0);
  await Promise.all(clients.map((client) => client.stop()));
});

Deno.test("a call fails with the Tub and the method that it was to, however its connection ends", async () => {
  for (const who of ["server", "client"] as const) {
    const [server, client] = [await startTub(), await startTub()];
    const ref = await client.getReference<Target>(server.registerReference(new Target()));
    const call = ref.callRemote("wait").then(() => assert.fail(), (error: Error) => error);
    await (who === "server" ? server : client).stop();
    const error = await call;
    assert.ok(error instanceof DeadReferenceError);
    const start = `Connection was lost (to tubid=${server.tubId.slice(0, 4)}) (during method=wait)`;
    assert.ok(error.message.startsWith(start), error.message);
    await Promise.all([server.stop(), client.stop()]);
  }
});

Deno.test("a reference whose connection is lost: calls fail, unheard ones are dropped, callbacks run next turn", async () => {
  const server = await startTub();
  await using client = await Tub.create();
  const ref = await client.getReference<Target>(server.registerReference(new Target()));
  const order: string[] = [];
  const never = ref.notifyOnDisconnect(() => order.push("taken back"));
  ref.dontNotifyOnDisconnect(never);
  ref.dontNotifyOnDisconnect(never);
  const lost = Promise.withResolvers<void>();
  ref.notifyOnDisconnect(() => (order.push("lost"), lost.resolve()));
  await server.stop();
  await lost.promise;
  await assert.rejects(ref.callRemote("add", 1, 2), /^DeadReferenceError: Reference is dead/);
  ref.callRemoteOnly("add", 1, 2);
  const late = Promise.withResolvers<void>();
  ref.notifyOnDisconnect(() => (order.push("late"), late.resolve()));
  assert.deepEqual(order, ["lost"]);
  await late.promise;
  assert.deepEqual(order, ["lost", "late"]);
});

class Busy extends Referenceable {
  readonly gates: PromiseWithResolvers<void>[] = [];
  remote_wait(): Promise<void> {
    const gate = Promise.withResolvers<void>();
    this.gates.push(gate);
    return gate.promise;
  }
  async remote_callBack(f: RemoteFunction<() => string>): Promise<string> {
    return await f.callRemote();
  }
}

Deno.test("Tub.debug.listBrokers() shows the calls that are under way, on both ends", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  assert.deepEqual(client.debug.listBrokers(), []);
  const busy = new Busy();
  const ref = await client.getReference<Busy>(server.registerReference(busy));
  assert.deepEqual(client.debug.listBrokers(), [{ tubId: server.tubId, inbound: [], outbound: [] }]);
  const gate = Promise.withResolvers<string>();
  const calls: PromiseLike<unknown>[] = [ref.callRemote("wait"), ref.callRemote("wait")];
  calls.push(ref.callRemote("callBack", callable(() => gate.promise) as never));
  await until(() => client.debug.listBrokers()[0]!.inbound.length === 1);
  const [ours] = client.debug.listBrokers();
  assert.deepEqual(ours!.outbound.map(({ method }) => method), ["wait", "wait", "callBack"]);
  assert.deepEqual(ours!.inbound.map(({ method, isStarted }) => [method, isStarted]), [["", true]]);
  const [theirs] = server.debug.listBrokers();
  assert.equal(theirs!.tubId, client.tubId);
  assert.deepEqual(theirs!.outbound.map(({ method }) => method), [""]);
  assert.deepEqual(theirs!.inbound.map(({ method, isStarted }) => [method, isStarted]), [
    ["wait", true],
    ["wait", true],
    ["callBack", true],
  ]);
  // The numbers are the same at both ends.
  assert.deepEqual(
    theirs!.inbound.map(({ requestId }) => requestId),
    ours!.outbound.map(({ requestId }) => requestId),
  );
  for (const { resolve } of busy.gates) resolve();
  gate.resolve("done");
  await Promise.all(calls);
  assert.deepEqual(client.debug.listBrokers(), [{ tubId: server.tubId, inbound: [], outbound: [] }]);
});

/** Two of these, each in a Tub of its own, can wait for each other in a circle. */
class Asked extends Referenceable {
  async remote_ask(target: RemoteReference<Named>): Promise<string> {
    return await target.callRemote("name");
  }
}
class Named extends Referenceable {
  readonly given: unknown[] = [];
  remote_name(): string {
    return "named";
  }
  remote_take(value: unknown): void {
    this.given.push(value);
  }
}

Deno.test("Tub.debug.listBrokers() shows which calls were never sent, when two Tubs wait for each other's", async () => {
  await using target = await startTub();
  await using one = await startTub();
  await using two = await startTub();
  const named = new Named();
  const furl = target.registerReference(named);
  const [fromOne, fromTwo] = await Promise.all([
    one.getReference<Named>(furl),
    two.getReference<Named>(furl),
  ]);
  const [toTwo, toOne] = await Promise.all([
    one.getReference<Asked>(two.registerReference(new Asked())),
    two.getReference<Asked>(one.registerReference(new Asked())),
  ]);
  const unsent = (tub: Tub) =>
    tub.debug.listBrokers().filter(({ tubId }) => tubId === target.tubId)
      .flatMap(({ outbound }) => outbound.map(({ method, isSent }) => [method, isSent]));
  const stop = new AbortController();
  // What each of them passes on needs a call of the other's that has to wait behind the one that passes it on.
  const answers = [toTwo.callRemote("ask", fromOne), toOne.callRemote("ask", fromTwo)];
  const taken = [
    fromOne.with({ signal: stop.signal }).callRemote("take", answers[0]! as never),
    fromTwo.callRemote("take", answers[1]! as never),
  ];
  fromOne.callRemoteOnly("take", 5);
  const settled = Promise.allSettled(taken);
  // Until both were asked, and the gifts fetched.
  await until(() => [one, two].every((tub) => unsent(tub).some(([method]) => method === "name")));
  await until(() => [one, two].every((tub) => unsent(tub).every(([, isSent]) => !isSent)));
  assert.deepEqual(unsent(one), [["take", false], ["name", false], ["take", false]]);
  assert.deepEqual(unsent(two), [["take", false], ["name", false]]);
  const [sent] = one.debug.listBrokers().filter(({ tubId }) => tubId === two.tubId);
  assert.deepEqual(sent!.outbound.map(({ method, isSent }) => [method, isSent]), [["ask", true]]);
  assert.deepEqual(named.given, []);
  // Whoever is given up lets all the others go.
  stop.abort(new RangeError("given up"));
  assert.deepEqual((await settled).map(({ status }) => status), ["rejected", "fulfilled"]);
  assert.deepEqual(await Promise.all(answers), ["named", "named"]);
  await until(() => named.given.length === 2);
  assert.deepEqual(new Set(named.given), new Set([5, "named"]));
  assert.deepEqual([...unsent(one), ...unsent(two)], []);
});
