import assert from "node:assert/strict";
import { Broker } from "../../lib/broker/broker.ts";
import { currentCall } from "../../lib/broker/call_context.ts";
import { sliceCall } from "../../lib/broker/call_slicing.ts";
import { callable } from "../../lib/broker/callable.ts";
import { sliceCancel } from "../../lib/broker/cancel_message.ts";
import { Tracker } from "../../lib/broker/import_table.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { namesOf } from "../../lib/broker/remote_errors.ts";
import {
  DeadReferenceError,
  FurlError,
  PermissionDenied,
  ProtocolError,
  RemoteException,
  Violation,
} from "../../lib/errors.ts";
import { Slicing } from "../../lib/graph/slicing.ts";
import { BASE_SLICERS } from "../../lib/graph/tables.ts";
import { resolveLimits } from "../../lib/limits.ts";
import { copyableClass } from "../support/build_value.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { decodeHex } from "../support/hex.ts";
import { NO_FEATURES, OWN_FEATURES } from "../../lib/util/features.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";
import { EMPTY, LEFT, RIGHT, TestHost, turns } from "./support.ts";

const SECRET = "sw1ssnumberthatnobodymaysee";
const TYPED = [DeadReferenceError, FurlError, PermissionDenied, ProtocolError, RemoteException, Violation];
/** What errors of the methods that are called may be. */
const OF_METHODS = [TypeError, RangeError, DOMException];

class Target extends Referenceable {
  override getInterfaceName() {
    return "RITarget";
  }
  remote_echo(...args: unknown[]) {
    return args.length === 1 ? args[0] : args;
  }
  remote_add(a: number, b: number) {
    return a + b;
  }
  remote_fail(text: string) {
    throw new RangeError(`${text} pb://${LEFT}@tcp:h:1/${SECRET} at /home/x`);
  }
  remote_give() {
    return this;
  }
  async remote_later(value: unknown) {
    await Promise.resolve();
    return value;
  }
  remote_take() {}
  async remote_wait() {
    const { signal } = currentCall()!;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
}

/** A generator of 32 bits (xorshift), so that a failure can be run again. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

async function corpus(): Promise<Uint8Array[]> {
  const samples: Uint8Array[] = [];
  for (const file of ["messages", "tokens"]) {
    const text = await Deno.readTextFile(new URL(`../vectors/${file}.json`, import.meta.url));
    const { vectors } = JSON.parse(text) as { vectors: { hex: string; dialect?: string }[] };
    for (const { hex, dialect } of vectors) if (dialect !== "token") samples.push(decodeHex(hex));
  }
  samples.push(...extensions());
  return [...samples.filter(({ length }) => length > 0), ...pipelined()];
}

/** Messages that name results. */
function pipelined(): Uint8Array[] {
  const encoder = new TokenEncoder(vocabularyWords(1));
  const samples: Uint8Array[] = [];
  const promised = (request: number, ...path: (string | number)[]) => {
    const number = encoder.open("promised");
    encoder.integer(request);
    for (const key of path) typeof key === "number" ? encoder.integer(key) : encoder.word(key);
    encoder.close(number);
  };
  const call = (request: number, target: () => void, args: (() => void)[]) => {
    const number = encoder.open("call");
    encoder.integer(request);
    target();
    encoder.word("echo");
    const list = encoder.open("arguments");
    encoder.integer(args.length);
    for (const write of args) write();
    encoder.close(list);
    encoder.close(number);
    samples.push(...encoder.take());
  };
  call(1, () => encoder.integer(0), [() => encoder.word("root")]);
  call(2, () => encoder.integer(1), [() => encoder.integer(5), () => promised(1, 0, "a")]);
  call(3, () => promised(2), [() => promised(2), () => promised(1)]);
  call(4, () => promised(3, 0), []);
  const number = encoder.open("seen");
  encoder.integer(2);
  encoder.close(number);
  samples.push(...encoder.take());
  for (const given of [1, 3]) {
    sliceCancel(new Slicing(encoder, BASE_SLICERS, 100), given, 0);
    samples.push(...encoder.take());
  }
  return samples;
}

/** What only peers of this library say. */
function extensions(): Uint8Array[] {
  const encoder = new TokenEncoder(vocabularyWords(1));
  const out = new Slicing(encoder, BASE_SLICERS, 100);
  const taken = () => new Uint8Array(encoder.take().flatMap((part) => [...part]));
  return [0, 1, 2, 5, 0x7fffffff].flatMap((n) => {
    sliceCall(out, { requestId: 3 + n % 3, target: 1, method: "wait", args: [n], waitMs: n });
    const call = taken();
    sliceCancel(out, 3 + n % 3, n % 2);
    const cancel = taken();
    return [call, cancel, new Uint8Array([...call, ...cancel])];
  });
}

function mutate(samples: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  const bytes: number[] = [];
  for (let i = random(4); i >= 0; i--) bytes.push(...samples[random(samples.length)]!);
  for (let i = random(6); i > 0 && bytes.length > 0; i--) {
    const at = random(bytes.length);
    const kind = random(6);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes.splice(at, 1 + random(4));
    else if (kind === 2) bytes.splice(at, 0, ...Array.from({ length: 1 + random(4) }, () => random(256)));
    else if (kind === 3) bytes.splice(at, 0, ...bytes.slice(at, at + random(40)));
    else if (kind === 4) bytes[at] = 0x80 + random(16);
    else bytes.length = at;
  }
  return new Uint8Array(bytes);
}

function checkError(error: unknown, alsoOfMethods: boolean): void {
  // Those of object 0 have Python's names.
  if (alsoOfMethods && error instanceof Error && namesOf(Object.getPrototypeOf(error)) !== undefined) {
    return;
  }
  const types = alsoOfMethods ? [...TYPED, ...OF_METHODS] : TYPED;
  assert.ok(types.some((type) => error instanceof type), `not a typed error: ${Deno.inspect(error)}`);
}

/** Gives one input to a Broker in the middle of its life, and lets the connection be lost after it. */
async function runOne(input: Uint8Array, random: (below: number) => number): Promise<void> {
  let push!: ReadableStreamDefaultController<Uint8Array>;
  const written: Uint8Array[] = [];
  const events: TraceEvent[] = [];
  const host = new TestHost(LEFT);
  const target = new Target();
  host.names.set("root", target);
  host.furls.set(target, `pb://${LEFT}@tcp:h:1/${SECRET}`);
  host.exposesTracebacks = random(2) === 0;
  const broker = new Broker({
    readable: new ReadableStream({ start: (controller) => void (push = controller) }),
    writable: new WritableStream({ write: (chunk) => void written.push(chunk) }),
    close: () => Promise.resolve(),
  }, {
    host,
    limits: resolveLimits({ maxMessageBytes: 100_000, maxElements: 1_000, maxPendingGifts: 5 }),
    clock: new FakeClock(),
    trace: (event) => void events.push(event),
    vocabTable: 1,
    peer: { tubId: RIGHT, address: "fuzz" },
    features: random(3) === 0 ? NO_FEATURES : OWN_FEATURES,
  });
  host.acquire = (furl) => {
    if (furl.length % 3 === 0) throw new FurlError("not a FURL");
    if (furl.length % 3 === 1) return Promise.reject(new DeadReferenceError("not there"));
    return new Promise(() => {});
  };
  broker.start();
  const results: Promise<unknown>[] = [];
  const call = (...args: unknown[]) => {
    results.push(
      broker.outgoing.call(new Tracker(0), "x", args, {}).catch((error) => checkError(error, false)),
    );
  };
  call(target, callable(() => target));
  for (let i = 0; i < 10; i++) call(i);
  const cut = random(input.length + 1);
  for (const piece of [input.slice(0, cut), input.slice(cut)]) if (piece.length > 0) push.enqueue(piece);
  await turns(3);
  await broker.shutdown(new DeadReferenceError("over"));
  await Promise.all(results);
  assert.deepEqual(broker.tables(), EMPTY);
  for (const event of events) {
    const isOfMethod = event.type === "call-failed";
    // What a method of the program's throws is its own, and only the program sees it.
    if ("error" in event) checkError(event.error, isOfMethod);
    if (!isOfMethod) assert.ok(!textOf(event).includes(SECRET));
  }
  const text = new TextDecoder("latin1").decode(
    new Uint8Array(written.flatMap((part) => [...part])),
  );
  // The FURL of an object is told where the object is, and nowhere else.
  const places = text.split(SECRET).length - 1;
  const told = text.split(`pb://${LEFT}@tcp:h:1/${SECRET}`).length - 1;
  assert.equal(places, told);
  assert.ok(!text.includes(`${SECRET} at`), "in the text of an error");
  assert.ok(!/\/home\/x/.test(text) || host.exposesTracebacks, "a path in the text of an error");
}

/** All that an event says, with the causes of its error. */
function textOf(event: TraceEvent): string {
  let text = JSON.stringify(event);
  let error: unknown = "error" in event ? event.error : undefined;
  while (error instanceof Error) {
    text += `${error.message} ${error.stack}`;
    error = error.cause;
  }
  return text;
}

/** How many inputs; the whole hundred thousand take some minutes. */
const COUNT = Number(Deno.env.get("FUZZ_INPUTS") ?? 1_000);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_240_607);

Deno.test("a Broker that is given random and mutated bytes has typed errors, no secrets and empty tables", async () => {
  copyableClass("cp.test");
  const samples = await corpus();
  for (let i = 0; i < COUNT; i++) {
    const random = makeRandom(SEED + i * 7_919);
    for (let j = 0; j < 8; j++) random(2);
    const input = i % 10 === 0
      ? Uint8Array.from({ length: random(300) }, () => random(256))
      : mutate(samples, random);
    try {
      await runOne(input, random);
    } catch (cause) {
      throw new Error(`input ${i} of seed ${SEED}: ${input.toHex()}`, { cause });
    }
  }
});
