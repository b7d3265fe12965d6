import assert from "node:assert/strict";
import { type RegisterOptions, SturdyRef, Tub, type TubOptions } from "../../mod.ts";
import { EMPTY_TABLES, Target } from "./tubs.ts";

const FURL = `pb://${"a".repeat(32)}@tcp:h:1/secret-name`;

/** What a program may get wrong at first, and what it is told. */
const MISTAKES: { name: string; action: (tub: Tub) => unknown; told: RegExp }[] = [
  {
    name: "an option of another name",
    action: () => Tub.create({ certfile: "calc.pem" } as TubOptions),
    told: /^TypeError: Cannot create Tub: there is no option "certfile"; it is one of certFile, /,
  },
  {
    name: "an option that only Object has",
    action: () => Tub.create(JSON.parse('{ "__proto__": 1 }') as TubOptions),
    told: /^TypeError: .* no option "__proto__"/,
  },
  {
    name: "a file instead of options",
    action: () => Tub.create("calc.pem" as TubOptions),
    told: /^TypeError: .* options are not an object/,
  },
  {
    name: "a listener's port 0 as location",
    action: (tub) => tub.setLocation("tcp:localhost:0"),
    told: /^FurlError: Cannot set location: nobody can connect to port 0; /,
  },
  {
    name: "a location above all ports",
    action: (tub) => tub.setLocation("tcp:localhost:70000"),
    told: /^FurlError: .* port 70000; /,
  },
  {
    name: "a FURL as location",
    action: (tub) => tub.setLocation(FURL),
    told: /^FurlError: .*the hint "pb:\/\/a{32}@tcp:h:1\/…" has/,
  },
  {
    name: "a FURL as place to listen",
    action: (tub) => tub.listenOn(FURL),
    told: /^TypeError: Cannot listen on "pb:\/\/a{32}@tcp:h:1\/…": write "tcp:PORT"/,
  },
  {
    name: "nothing to get a reference to",
    action: (tub) => tub.getReference(undefined as unknown as string),
    told: /^TypeError: Cannot get reference: it is neither a FURL/,
  },
  {
    name: "bytes to get a reference to",
    action: (tub) => tub.getReference(new TextEncoder().encode(FURL) as unknown as string),
    told: /^TypeError: Cannot get reference: it is neither a FURL/,
  },
  {
    name: "an empty SturdyRef",
    action: (tub) => tub.getReference(new SturdyRef()),
    told: /^FurlError: .* points nowhere/,
  },
  {
    name: "a number as name",
    action: (tub) => {
      tub.setLocation("tcp:h:1");
      return tub.registerReference(new Target(), { name: 5 } as unknown as RegisterOptions);
    },
    told: /^TypeError: Cannot register an object: the name is not a text/,
  },
];
for (const { name, action, told } of MISTAKES) {
  Deno.test(`Tub says what is wrong with ${name}`, async () => {
    await using tub = await Tub.create();
    await assert.rejects(async () => await action(tub), told);
    assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  });
}

Deno.test("Tub.registerReference() registers nothing in a Tub that has stopped", async () => {
  await using tub = await Tub.create();
  tub.setLocation("tcp:h:1");
  await tub.stop();
  assert.throws(() => tub.registerReference(new Target()), /^TypeError: .* this Tub has been stopped/);
  assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
});
