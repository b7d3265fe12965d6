/**
 * Brokers without a Tub, connected in memory or to a peer that the test plays by hand.
 */
import { Broker } from "../../lib/broker/broker.ts";
import type { BrokerOptions } from "../../lib/broker/broker_options.ts";
import type { BrokerTables } from "../../lib/broker/broker_tables.ts";
import type { Publishable } from "../../lib/broker/callable.ts";
import type { ByteConnection } from "../../lib/broker/byte_connection.ts";
import type { BrokerHost } from "../../lib/broker/interface.ts";
import type { KeepaliveTimes } from "../../lib/broker/keepalive.ts";
import type { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteHandle } from "../../lib/broker/remote_handle.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { type Limits, resolveLimits } from "../../lib/limits.ts";
import { type MemoryConnection, memoryPair, type MemoryPairOptions } from "../../lib/transport/memory.ts";
import type { Clock } from "../../lib/util/clock.ts";
import type { Features } from "../../lib/util/features.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";
import { inLaterTurn } from "../../lib/util/eventual.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { decodeHex, encodeHex } from "../support/hex.ts";

/** The TubIDs of the two ends. */
export const LEFT = "l".repeat(32), RIGHT = "r".repeat(32);
/** What all tables are after the end of a connection. */
export const EMPTY: BrokerTables = {
  exported: 0,
  imported: 0,
  pendingCalls: 0,
  activeCalls: 0,
  pendingGifts: 0,
  givenGifts: 0,
  keptAnswers: 0,
};

/** A Tub that only knows some objects by name. */
export class TestHost implements BrokerHost {
  exposesTracebacks = false;
  exposesRemoteTypes = true;
  readonly names = new Map<string, Publishable>();
  readonly furls = new Map<Publishable, string>();
  readonly acquired: string[] = [];
  acquire: (furl: string) => Promise<RemoteHandle> = () => Promise.reject(new ProtocolError("no gifts"));
  interceptInbound?: NonNullable<BrokerHost["interceptInbound"]>;
  interceptOutbound?: NonNullable<BrokerHost["interceptOutbound"]>;

  constructor(readonly tubId: string) {}

  furlOf(object: Publishable): string | undefined {
    return this.furls.get(object);
  }
  lookup(name: string): Publishable | undefined {
    return this.names.get(name);
  }
}

/** Options of {@linkcode makePair} and {@linkcode RawPeer}. */
export interface TestOptions {
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
  /** What both ends have beyond Foolscap. */
  readonly features?: Features;
  /** Of the broker under test, or the left one of a pair. */
  readonly keepalive?: KeepaliveTimes;
  readonly pair?: MemoryPairOptions;
  /** Changes the connection of the broker under test, or of the left one of a pair. */
  readonly wrap?: (connection: MemoryConnection) => ByteConnection;
  /** The TubIDs of the left end and of the right one; a hand-made peer may have none. */
  readonly tubIds?: readonly [string, string | undefined];
  /** Before anything is sent or received. */
  readonly prepare?: (left: TestHost, right: TestHost) => void;
}

/** One end of a pair. */
export interface TestEnd extends AsyncDisposable {
  readonly broker: Broker;
  readonly host: TestHost;
  readonly events: TraceEvent[];
  readonly connection: MemoryConnection;
}

function makeEnd(
  connection: MemoryConnection,
  [tubId, peerTubId]: readonly [string, string | undefined],
  options: TestOptions,
  wrap: TestOptions["wrap"],
): TestEnd {
  const host = new TestHost(tubId);
  const events: TraceEvent[] = [];
  const brokerOptions: BrokerOptions = {
    host,
    limits: resolveLimits(options.limits),
    clock: options.clock ?? new FakeClock(),
    trace: (event) => events.push(event),
    vocabTable: 1,
    peer: { tubId: peerTubId, address: "memory" },
    keepalive: options.keepalive,
    features: options.features,
  };
  const broker = new Broker(wrap?.(connection) ?? connection, brokerOptions);
  const end = () => broker.shutdown(new ProtocolError("the test is over"));
  return { broker, host, events, connection, [Symbol.asyncDispose]: end };
}

/** Two brokers connected to each other; the right one is the second. */
export class Pair implements AsyncDisposable {
  readonly left: TestEnd;
  readonly right: TestEnd;

  constructor(options: TestOptions = {}) {
    const [a, b] = memoryPair({ ...options.pair });
    const [left, right = RIGHT] = options.tubIds ?? [LEFT, RIGHT];
    this.left = makeEnd(a, [left, right], options, options.wrap);
    const { keepalive: _, ...others } = options;
    this.right = makeEnd(b, [right, left], others, undefined);
    options.prepare?.(this.left.host, this.right.host);
    this.left.broker.start();
    this.right.broker.start();
  }

  /** What the left end gets for an object of the right one. */
  async refTo<T extends Referenceable>(object: T, name = "root"): Promise<RemoteReference<T>> {
    this.right.host.names.set(name, object);
    return await this.left.broker.getReferenceByName(name) as unknown as RemoteReference<T>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.left[Symbol.asyncDispose](), this.right[Symbol.asyncDispose]()]);
  }
}

/** A peer that the test plays: it writes bytes to a broker, the left end, and sees what it writes. */
export class RawPeer implements AsyncDisposable {
  readonly end: TestEnd;
  readonly connection: MemoryConnection;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #received: number[] | undefined = [];
  #receivedBytes = 0;
  #isClosed = false;
  #arrived = Promise.withResolvers<void>();

  /** @param reads Whether what the broker writes is taken at all. */
  constructor(options: TestOptions = {}, reads = true) {
    const [a, b] = memoryPair({ ...options.pair });
    this.end = makeEnd(a, options.tubIds ?? [LEFT, RIGHT], options, options.wrap);
    options.prepare?.(this.end.host, new TestHost(RIGHT));
    this.connection = b;
    this.#writer = b.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#reading = reads ? this.#read() : Promise.resolve();
    this.end.broker.start();
  }

  get broker(): Broker {
    return this.end.broker;
  }
  get host(): TestHost {
    return this.end.host;
  }
  /** Whether the broker has closed the stream. */
  get isClosed(): boolean {
    return this.#isClosed;
  }
  /** What arrived since the last {@linkcode take}. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Sends bytes, given as such or as hex; resolves when there is room for more. Never rejects. */
  async send(bytes: Uint8Array | string): Promise<void> {
    await this.#writer.write(typeof bytes === "string" ? decodeHex(bytes) : bytes).catch(() => {});
  }

  /** Ends this peer's own direction, as a half-closed stream. */
  async sendEnd(): Promise<void> {
    await this.#writer.close().catch(() => {});
  }

  /** Takes what has arrived, as hex. */
  take(): string {
    const hex = encodeHex(new Uint8Array(this.#received ?? []));
    this.#received = [];
    this.#receivedBytes = 0;
    return hex;
  }

  /** Takes what the broker writes once at least so many bytes are there, or the stream is over. */
  async receive(bytes: number): Promise<string> {
    while (this.#receivedBytes < bytes && !this.#isClosed) await this.#arrived.promise;
    return this.take();
  }

  /** Resolves when the broker has closed the stream. */
  async closed(): Promise<void> {
    await this.#reading;
  }

  /** Counts what arrives and does not keep it. */
  forgetReceived(): void {
    this.#received = undefined;
  }

  async #read(): Promise<void> {
    const reader = this.connection.readable.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        if (this.#received !== undefined) { for (const byte of value) this.#received.push(byte); }
        this.#receivedBytes += value.length;
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers<void>();
      }
    } catch {
      // A broken stream is over too.
    }
    this.#isClosed = true;
    this.#arrived.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end[Symbol.asyncDispose]();
    await this.connection.close();
    await this.#reading;
  }
}

/** Lets everything happen that is ready to: some turns of the event loop. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => inLaterTurn(resolve));
}

/** Waits until something is so, for at most some thousand turns. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 5_000; i++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  throw new Error(`did not come to be: ${what}`);
}

/** The one error that a promise is rejected with. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}
