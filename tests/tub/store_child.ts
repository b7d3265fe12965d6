/**
 * Grants, uses and revokes without end, and says on stdout what it is about to do and what is done: to be killed.
 *
 * @module
 */

import { localReference, Referenceable, Tub } from "../../mod.ts";

class Thing extends Referenceable {
  remote_use(): void {}
}

const [folder, life] = Deno.args;
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const tub = await Tub.create({
  certFile: `${folder}/cert.pem`,
  store: { file: `${folder}/caps.db`, survives: "crash" },
  auditFile: `${folder}/audit.jsonl`,
  factories: { thing: () => new Thing() },
});
for (let i = 0;; i++) {
  const name = `thing-${life}-${i}`;
  say(`will grant ${name}`);
  const capability = tub.registry.grant(new Thing(), {
    name,
    maxCalls: 1_000,
    durable: { factory: "thing" },
  });
  say(`granted ${name}`);
  say(`will grant ${name}-child`);
  capability.attenuate({ name: `${name}-child`, methods: ["use"], label: name });
  say(`granted ${name}-child`);
  for (let n = 1; n <= 3; n++) {
    say(`will use ${name} ${n}`);
    await localReference(capability.object).callRemote("use");
    say(`used ${name} ${n}`);
  }
  if (i % 2 === 1) continue;
  say(`will revoke ${name}`);
  capability.revoke();
  say(`revoked ${name}`);
}
