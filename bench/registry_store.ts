/**
 * What a store and an audit file cost: figures for the documentation.
 *
 *     deno run -A bench/registry_store.ts
 *
 * @module
 */

import { type Capability, localReference, Referenceable, Tub } from "../mod.ts";

const COUNT = 100_000;

class Thing extends Referenceable {
  remote_use(): void {}
}

const say = (what: string, value: string) => console.log(`${what.padEnd(58)} ${value}`);

async function timed<R>(what: string, count: number, run: () => R | Promise<R>): Promise<R> {
  const start = performance.now();
  const result = await run();
  const ms = performance.now() - start;
  say(
    what,
    count === 1 ? `${ms.toFixed(0)} ms` : `${(ms * 1000 / count).toFixed(1)} µs each, ${ms.toFixed(0)} ms`,
  );
  return result;
}

const folder = await Deno.makeTempDir();
try {
  const base = { certFile: `${folder}/cert.pem`, factories: { thing: () => new Thing() } };
  const durable = { factory: "thing" };
  for (const survives of ["power-loss", "crash"] as const) {
    const store = { file: `${folder}/${survives}.db`, survives };
    const tub = await Tub.create({ ...base, store });
    await timed(`durable grants, survives: ${survives}`, 200, () => {
      for (let i = 0; i < 200; i++) tub.registry.grant(new Thing(), { durable });
    });
    for (const maxCalls of [undefined, 1e6]) {
      const { object } = tub.registry.grant(new Thing(), { durable, maxCalls });
      const local = localReference(object);
      await timed(`calls, survives: ${survives}, maxCalls: ${maxCalls ?? "none"}`, 500, async () => {
        for (let i = 0; i < 500; i++) await local.callRemote("use");
      });
    }
    await tub.stop();
  }
  const store = `${folder}/many.db`;
  {
    const tub = await Tub.create({ ...base, store });
    await timed(`${COUNT} durable grants in a batch`, COUNT, () =>
      tub.registry.batch(() => {
        for (let i = 0; i < COUNT; i++) tub.registry.grant(new Thing(), { durable, name: `thing ${i}` });
      }));
    await tub.stop();
  }
  {
    const tub = await timed(`open a store of ${COUNT}`, 1, () => Tub.create({ ...base, store }));
    await timed("list", 1, () => tub.registry.list());
    await timed("first lookups", 10_000, () => {
      for (let i = 0; i < 10_000; i++) tub.registry.find(`thing ${i}`);
    });
    await timed("later lookups", 10_000, () => {
      for (let i = 0; i < 10_000; i++) tub.registry.find(`thing ${i}`);
    });
    await tub.stop();
  }
  for (const auditFile of [undefined, `${folder}/audit.jsonl`]) {
    const tub = await Tub.create({ ...base, auditFile });
    const capability: Capability<Thing> = tub.registry.grant(new Thing());
    const local = localReference(capability.object);
    for (let i = 0; i < 2_000; i++) await local.callRemote("use");
    await timed(
      `local calls ${auditFile === undefined ? "without" : "with"} an audit file`,
      10_000,
      async () => {
        for (let i = 0; i < 10_000; i++) await local.callRemote("use");
      },
    );
    await tub.stop();
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
