/**
 * The Perspective Broker server of the peer benchmark: the same remote interface as the benchmark's Twisted server.
 *
 * @module
 */

import { pb } from "../../mod.ts";

const { ready } = await import(`${Deno.env.get("BENCH_LIB")}server.mjs`);

class Node extends pb.Referenceable {
  constructor(readonly depth: number, readonly limit: number) {
    super();
  }
  remote_get(): number | Node {
    const depth = this.depth + 1;
    return depth === this.limit ? depth : new Node(depth, this.limit);
  }
}

class Item extends pb.Referenceable {
  constructor(readonly value: number) {
    super();
  }
  remote_value(): number {
    return this.value;
  }
}

class Root extends pb.Root {
  remote_add(a: number, b: number): number {
    return a + b;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_put(bytes: Uint8Array): number {
    return bytes.length;
  }
  remote_node(limit: number): Node {
    return new Node(0, limit);
  }
  remote_refs(n: number): Item[] {
    return Array.from({ length: n }, (_, i) => new Item(i));
  }
  /** How many objects the clients still hold. */
  remote_live(): number {
    (globalThis as { gc?: () => void }).gc?.();
    return server.brokers.reduce((sum, { tables }) => sum + tables.local, 0);
  }
}

const certs = `${Deno.env.get("BENCH_LIB")?.replace(/^file:\/\//, "")}../certs/`;
const isTls = Deno.env.get("PB_TLS") === "1";
// As the Twisted peer of the benchmark raises them.
const limits = {
  maxReferences: 1 << 20,
  maxStringBytes: 64 << 20,
  maxListElements: 64 << 20,
  maxExpressionBytes: 2 ** 30,
};
const server = await pb.serve(new Root(), `${isTls ? "tls" : "tcp"}:0:interface=127.0.0.1`, {
  limits,
  ...(isTls
    ? { cert: Deno.readTextFileSync(`${certs}rsa.pem`), key: Deno.readTextFileSync(`${certs}rsa.key`) }
    : {}),
});
ready({ port: server.port });
