// Each example of Twisted's documentation of Perspective Broker, with either half played by either side.
import assert from "node:assert/strict";
import { interopTest } from "../../support/python.ts";
import { COPIES } from "./copies.ts";
import { FAILURES } from "./failures.ts";
import { LOGINS } from "./logins.ts";
import { REFERENCES } from "./references.ts";
import { playOurs, playTwisted, serveOurs, serveTwisted } from "./stage.ts";

const EXAMPLES = [...REFERENCES, ...FAILURES, ...COPIES, ...LOGINS];

/** All that the documentation has, in its order; what is in `pbgtk2` beside its window is in `pbecho`. */
const NAMES =
  "pb1 pb2 pb3 pb4 pb5 pb6 pb7 anon exc trap copy copy2 cache chat pbecho pbsimple pbinterop pb_exceptions pbbench pbquote finger"
    .split(" ");

for (const name of NAMES) {
  const example = EXAMPLES.find((each) => each.name === name)!;
  interopTest(`${name}: a client of ours plays with a Twisted server`, async () => {
    await using server = await serveTwisted(example);
    await playOurs(example, server);
  });

  interopTest(`${name}: a Twisted client plays with a server of ours`, async () => {
    await using server = await serveOurs(example);
    await playTwisted(example, server);
  });

  Deno.test(`${name}: both halves are ours`, async () => {
    await using server = await serveOurs(example);
    await playOurs(example, server);
  });
}

Deno.test("each example that is written is played", () => {
  assert.deepEqual(EXAMPLES.map(({ name }) => name).sort(), NAMES.sort());
});
