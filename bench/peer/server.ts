/**
 * The server of the peer benchmark: the same remote interface as the benchmark's Python Foolscap server.
 *
 * @module
 */

import { Referenceable, Tub } from "../../mod.ts";

const { ready } = await import(`${Deno.env.get("BENCH_LIB")}server.mjs`);

class Node extends Referenceable {
  constructor(readonly depth: number, readonly limit: number) {
    super();
  }
  remote_get(): number | Node {
    const depth = this.depth + 1;
    return depth === this.limit ? depth : new Node(depth, this.limit);
  }
}

class Item extends Referenceable {
  constructor(readonly value: number) {
    super();
  }
  remote_value(): number {
    return this.value;
  }
}

class Root extends Referenceable {
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
  /** How many objects the clients still hold, apart from this one. */
  remote_live(): number {
    (globalThis as { gc?: () => void }).gc?.();
    return tub.debug.tables().exported - 1;
  }
}

const certFile = Deno.env.get("BENCH_CERT");
const tub = await Tub.create(certFile === undefined ? {} : { certFile });
const { port, hints } = await tub.listenOn("tcp:0:interface=127.0.0.1");
const type = Deno.env.get("BENCH_HINT") ?? "tcp";
tub.setLocation(...hints.filter((hint) => hint.startsWith(`${type}:`)));
ready({ port, furl: tub.registerReference(new Root(), { name: "root" }) });
