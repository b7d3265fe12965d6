import assert from "node:assert/strict";
import { auditKeyOf, Referenceable, Tub, verifyAuditFile } from "../../mod.ts";

const KILLS = 20;

class Thing extends Referenceable {
  remote_use(): void {}
}

/** What a child has said of one name. */
interface Said {
  granted: boolean;
  used: number;
  /** What it may have begun. */
  usedAtMost: number;
  willRevoke: boolean;
  revoked: boolean;
}

function learn(said: Map<string, Said>, line: string): void {
  const [, verb, name, count] = /^(will \w+|\w+) (\S+)(?: (\d+))?$/.exec(line) ?? [];
  assert.ok(verb !== undefined && name !== undefined, line);
  let about = said.get(name);
  if (about === undefined) {
    said.set(name, about = { granted: false, used: 0, usedAtMost: 0, willRevoke: false, revoked: false });
  }
  if (verb === "granted") about.granted = true;
  if (verb === "will use") about.usedAtMost = Number(count);
  if (verb === "used") about.used = Number(count);
  if (verb === "will revoke") about.willRevoke = true;
  if (verb === "revoked") about.revoked = true;
}

function check(tub: Tub, said: Map<string, Said>): void {
  for (const [name, about] of said) {
    const family = name.endsWith("-child") ? said.get(name.slice(0, -"-child".length))! : about;
    const found = tub.registry.find(name);
    if (family.revoked) assert.equal(found, undefined, `${name} was revoked`);
    else if (about.granted && !family.willRevoke) assert.ok(found !== undefined, `${name} was granted`);
    if (found === undefined || name.endsWith("-child")) continue;
    const { callsUsed, callsLeft } = tub.registry.capabilityOf(found)!.info();
    assert.ok(callsUsed >= about.used && callsUsed <= about.usedAtMost, `${name}: ${callsUsed}`);
    assert.equal(callsLeft, 1_000 - callsUsed);
  }
}

Deno.test(`Tub.create({ store, auditFile }) holds all that was acknowledged when it is killed ${KILLS} times`, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const certFile = `${folder}/cert.pem`, auditFile = `${folder}/audit.jsonl`;
    const options = {
      certFile,
      store: { file: `${folder}/caps.db`, survives: "crash" },
      auditFile,
      factories: { thing: () => new Thing() },
    } as const;
    await (await Tub.create(options)).stop();
    const key = auditKeyOf(await Deno.readTextFile(certFile));
    for (let life = 0; life < KILLS; life++) {
      const said = new Map<string, Said>();
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "-A", new URL("store_child.ts", import.meta.url).href, folder, `${life}`],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const enough = 1 + Math.floor(Math.random() * 120);
      let rest = "", lines = 0;
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        const whole = (rest + text).split("\n");
        rest = whole.pop()!;
        for (const line of whole) learn(said, line);
        const before = lines;
        lines += whole.length;
        if (before < enough && lines >= enough) child.kill("SIGKILL");
      }
      await child.status;

      await using tub = await Tub.create(options);
      check(tub, said);
      const report = await verifyAuditFile(auditFile, { key });
      assert.equal(report.problem, undefined);
      const text = await Deno.readTextFile(auditFile);
      const uses = text.split("\n").filter((line) => line.includes('"type":"used"')).length;
      assert.ok(uses >= [...said.values()].reduce((sum, { used }) => sum + used, 0));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
