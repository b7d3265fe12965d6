import assert from "node:assert/strict";
import { FileError, FurlError, NoLocationError, Referenceable, Tub } from "../../mod.ts";
import { inFolder, mode } from "./support.ts";
import { EMPTY_TABLES, startTub, Target } from "./tubs.ts";

async function tubAt(...hints: string[]): Promise<Tub> {
  const tub = await Tub.create();
  tub.setLocation(...hints);
  return tub;
}

Deno.test("Tub.create() makes another Tub each time, with an incarnation of 16 hex digits", async () => {
  await using a = await Tub.create();
  await using b = await Tub.create();
  assert.notEqual(a.tubId, b.tubId);
  assert.match(a.tubId, /^[a-z2-7]{32}$/);
  assert.match(a.getIncarnationString(), /^[0-9a-f]{16}$/);
  assert.notEqual(a.getIncarnationString(), b.getIncarnationString());
  assert.equal(a.getShortTubID(), a.getTubID().slice(0, 4));
  assert.deepEqual(a.debug.tables(), EMPTY_TABLES);
});

Deno.test("Tub.create() makes the same Tub from the same certData", async () => {
  await using a = await Tub.create();
  await using b = await Tub.create({ certData: a.getCertData() });
  assert.equal(a.tubId, b.tubId);
  assert.notEqual(a.getIncarnationString(), b.getIncarnationString());
});

Deno.test("Tub.create() refuses a wrong limit before it makes a file", async () => {
  await inFolder(async (folder) => {
    const certFile = `${folder}/tub.pem`;
    await assert.rejects(Tub.create({ certFile, limits: { maxDepth: -1 } }), RangeError);
    await assert.rejects(Tub.create({ certFile, handleOldDuplicateConnections: -1 }), RangeError);
    await assert.rejects(Deno.stat(certFile), Deno.errors.NotFound);
  });
});

const locations: readonly [given: string[], hints: string[]][] = [
  [["tcp:h:1"], ["tcp:h:1"]],
  [["tcp:h:1", "tcp:[::1]:2"], ["tcp:h:1", "tcp:[::1]:2"]],
  [["tcp:h:1,tor:x.onion:3"], ["tcp:h:1", "tor:x.onion:3"]],
  [["h:1", "unknown:type:of:hint"], ["h:1", "unknown:type:of:hint"]],
];
for (const [given, hints] of locations) {
  Deno.test(`Tub.setLocation() takes ${JSON.stringify(given)}`, async () => {
    await using tub = await tubAt(...given);
    assert.deepEqual(tub.locationHints, hints);
    const furl = tub.registerReference(new Referenceable(), "x");
    assert.equal(furl, `pb://${tub.tubId}@${hints.join(",")}/x`);
  });
}

for (const given of [[], [""], ["tcp:h"], ["nonsense"], ["http://h:1/"], ["tcp:h:1,"], ["tcp:h:1\n"]]) {
  Deno.test(`Tub.setLocation() refuses ${JSON.stringify(given)}`, async () => {
    await using tub = await Tub.create();
    assert.throws(() => tub.setLocation(...given), FurlError);
    assert.deepEqual(tub.locationHints, []);
    tub.setLocation("tcp:h:1");
  });
}

Deno.test("Tub.setLocation() refuses a second location", async () => {
  await using tub = await tubAt("tcp:h:1");
  assert.throws(() => tub.setLocation("tcp:h:2"), /^TypeError: Cannot set location: it is set already/);
  await assert.rejects(tub.setLocationAutomatically(), TypeError);
});

Deno.test("Tub.setLocationAutomatically() takes the addresses of the listeners", async () => {
  await using tub = await Tub.create();
  await assert.rejects(tub.setLocationAutomatically(), /there is no listener/);
  const a = await tub.listenOn("tcp:0:interface=127.0.0.1");
  const b = await tub.listenOn("tcp:0");
  await tub.setLocationAutomatically("tcp:example.org:1");
  const { locationHints: hints } = tub;
  assert.deepEqual(hints.slice(0, 2), a.hints);
  assert.equal(hints[0], a.hint);
  assert.match(hints[2]!, new RegExp(`^tcp:(?!0\\.0\\.0\\.0|localhost).+:${b.port}$`));
  assert.match(hints[3]!, new RegExp(`^tls:(?!0\\.0\\.0\\.0|localhost).+:${b.port}:[a-z2-7]{52}$`));
  assert.deepEqual(hints.slice(4), ["tcp:example.org:1"]);
});

Deno.test("Tub.registerReference() needs a location", async () => {
  await using tub = await Tub.create();
  assert.throws(() => tub.registerReference(new Referenceable()), NoLocationError);
  assert.equal(tub.getOrCreateURLForReference(new Referenceable()), undefined);
});

Deno.test("Tub.registerReference() gives an object one FURL for ever", async () => {
  await using tub = await tubAt("tcp:h:1");
  const object = new Referenceable();
  const furl = tub.registerReference(object);
  assert.match(furl, /^pb:\/\/[a-z2-7]{32}@tcp:h:1\/[a-z2-7]{32}$/);
  assert.equal(tub.registerReference(object, "later"), furl);
  assert.equal(tub.registerReference(object, { name: "later" }), furl);
  assert.equal(tub.getOrCreateURLForReference(object), furl);
  assert.equal(tub.getReferenceForURL(furl), object);
});

Deno.test("Tub.registerReference() refuses what is no Referenceable, and a name that is taken", async () => {
  await using tub = await tubAt("tcp:h:1");
  assert.throws(() => tub.registerReference({} as Referenceable), TypeError);
  tub.registerReference(new Referenceable(), "calc");
  assert.throws(() => tub.registerReference(new Referenceable(), "calc"), RangeError);
  assert.equal(tub.debug.tables().names, 1);
});

Deno.test("Tub.getReferenceForName() tells no more than two characters of a name", async () => {
  await using tub = await tubAt("tcp:h:1");
  const target = new Target();
  tub.registerReference(target, "calc/1");
  assert.equal(tub.getReferenceForName("calc/1"), target);
  assert.throws(() => tub.getReferenceForName("secret"), (error) => {
    assert.ok(error instanceof RangeError);
    assert.match(error.message, /starts with "se"$/);
    return true;
  });
  await using other = await tubAt("tcp:h:1");
  assert.throws(() => other.getReferenceForURL(tub.registerReference(target)), FurlError);
});

Deno.test("Tub.unregisterReference() takes an object or a FURL", async () => {
  await using tub = await tubAt("tcp:h:1");
  const [a, b] = [new Referenceable(), new Referenceable()];
  const furl = tub.registerReference(a);
  tub.registerReference(b, "b");
  assert.equal(tub.unregisterReference(furl), true);
  assert.equal(tub.unregisterReference(furl), false);
  assert.equal(tub.unregisterReference(b), true);
  assert.equal(tub.unregisterReference(b), false);
  assert.equal(tub.debug.tables().names, 0);
});

Deno.test("Tub.registerReference() keeps the FURL in its file across restarts", async () => {
  await inFolder(async (folder) => {
    const certFile = `${folder}/tub.pem`;
    const furlFile = `${folder}/calc.furl`;
    const register = async (hint: string, name?: string) => {
      await using tub = await Tub.create({ certFile });
      tub.setLocation(hint);
      return tub.registerReference(new Referenceable(), { furlFile, name });
    };
    const first = await register("tcp:h:1");
    assert.equal(Deno.readTextFileSync(furlFile), `${first}\n`);
    assert.equal(mode(furlFile), 0o600);
    assert.equal(await register("tcp:h:1"), first);
    const moved = await register("tcp:elsewhere:2");
    assert.equal(moved, first.replace("tcp:h:1", "tcp:elsewhere:2"));
    assert.equal(Deno.readTextFileSync(furlFile), `${moved}\n`);
    await assert.rejects(register("tcp:h:1", "another"), FurlError);
    assert.equal(Deno.readTextFileSync(furlFile), `${moved}\n`);
  });
});

Deno.test("Tub.registerReference() does not overwrite the FURL of another object or Tub", async () => {
  await inFolder(async (folder) => {
    const furlFile = `${folder}/calc.furl`;
    await using tub = await tubAt("tcp:h:1");
    const furl = tub.registerReference(new Referenceable(), { furlFile });
    const named = new Referenceable();
    tub.registerReference(named, "named");
    assert.throws(() => tub.registerReference(named, { furlFile }), FurlError);
    await using other = await tubAt("tcp:h:1");
    assert.throws(() => other.registerReference(new Referenceable(), { furlFile }), FurlError);
    assert.equal(other.debug.tables().names, 0);
    assert.equal(Deno.readTextFileSync(furlFile), `${furl}\n`);
  });
});

Deno.test("Tub.registerReference() registers nothing when the file cannot be written", async () => {
  await using tub = await tubAt("tcp:h:1");
  assert.throws(
    () => tub.registerReference(new Referenceable(), { furlFile: "/does-not-exist/at-all/calc.furl" }),
    FileError,
  );
  assert.equal(tub.debug.tables().names, 0);
});

Deno.test("Tub.listenOn() opens several listeners and says where they are", async () => {
  await using tub = await Tub.create();
  const a = await tub.listenOn("tcp:0:interface=127.0.0.1");
  const b = await tub.listenOn("tcp6:0:interface=::1");
  assert.equal(a.hint, `tcp:127.0.0.1:${a.port}`);
  assert.equal(b.hint, `tcp:[::1]:${b.port}`);
  assert.deepEqual(tub.listeners, [a, b]);
  await a.close();
  await a.close();
  assert.deepEqual(tub.listeners, [b]);
});

Deno.test("Tub.listenOn() says that a port is in use", async () => {
  await using tub = await startTub();
  const { port } = tub.listeners[0]!;
  await assert.rejects(tub.listenOn(`tcp:${port}:interface=127.0.0.1`), (error: Error) => {
    assert.equal(error.name, "UnreachableError");
    assert.match(error.message, new RegExp(`^Cannot listen on tcp:127\\.0\\.0\\.1:${port}: .*in use`, "i"));
    return true;
  });
  assert.equal(tub.listeners.length, 1);
});

Deno.test("Tub shows no secret when it is printed", async () => {
  await using tub = await tubAt("tcp:h:1");
  const name = tub.registerReference(new Referenceable()).split("/").at(-1)!;
  const text = Deno.inspect(tub, { depth: 10, showHidden: true });
  assert.ok(text.includes(tub.tubId));
  assert.ok(!text.includes(name) && !text.includes("PRIVATE"), text);
});
