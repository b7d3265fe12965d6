// Each example of Twisted's documentation of Perspective Broker, with either half played by either side.
import { interopTest } from "../../support/python.ts";
import { COPIES } from "./copies.ts";
import { FAILURES } from "./failures.ts";
import { LOGINS } from "./logins.ts";
import { REFERENCES } from "./references.ts";
import { playOurs, playTwisted, serveOurs, serveTwisted } from "./stage.ts";

for (const example of [...REFERENCES, ...FAILURES, ...COPIES, ...LOGINS]) {
  const { name } = example;

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
