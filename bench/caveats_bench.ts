/**
 * What attenuated FURLs cost: to make, to verify among 100,000 names, and a call through one.
 *
 * @module
 */

import { CallContext } from "../lib/broker/call_context.ts";
import { Referenceable } from "../lib/broker/referenceable.ts";
import { attenuateFurl } from "../lib/names/attenuate_furl.ts";
import { systemRandomBytes } from "../lib/names/swissnum.ts";
import { CapabilityRegistry } from "../lib/registry/registry.ts";

class Files extends Referenceable {
  remote_read(): string {
    return "read";
  }
}

const FURL = "pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:localhost:4501/";
const nameOf = (furl: string) => furl.slice(FURL.length);

/** A registry with so many names. */
function filled(names: number): { registry: CapabilityRegistry; last: string } {
  const registry = new CapabilityRegistry({ randomBytes: systemRandomBytes, trace() {} });
  let last = "";
  for (let i = 0; i < names; i++) last = registry.register(new Files());
  return { registry, last };
}

const { registry, last } = filled(100_000);
const one = nameOf(attenuateFurl(FURL + last, { methods: ["read"] }));
const four = nameOf(attenuateFurl(FURL + last, { methods: ["read"], until: 9e12, uses: 4e9, label: "four" }));
registry.find(one);

Deno.bench("attenuateFurl(), one caveat", () => void attenuateFurl(FURL + last, { methods: ["read"] }));

Deno.bench("the first derived name among 10,000 names", { n: 3, warmup: 0 }, (b) => {
  const { registry, last } = filled(10_000);
  const name = nameOf(attenuateFurl(FURL + last, { uses: 1 }));
  b.start();
  registry.find(name);
  b.end();
});

const held = [registry.find(one), registry.find(four)];
Deno.bench("find(), one caveat, among 100,000 names", () => void registry.find(one));
Deno.bench("find(), four caveats, among 100,000 names", () => void registry.find(four));
Deno.bench(
  "find(), of no name that there is",
  () => void registry.find(`${one.slice(0, 10)}AAAA${one.slice(14)}`),
);

const context = new CallContext({ tubId: undefined, address: "bench" }, "read", false);
const plain = new Files();
Deno.bench("a call, plain", () => void plain.doRemoteCall("read", [], context));
Deno.bench("a call, one caveat", () => void (held[0] as Files).doRemoteCall("read", [], context));
Deno.bench("a call, four caveats", () => void (held[1] as Files).doRemoteCall("read", [], context));
