import assert from "node:assert/strict";
import { bridge, pb, Referenceable } from "../../mod.ts";
import { fc } from "../deps.ts";
import { anyValue } from "../support/any_value.ts";
import { arrived, copyableClass, describe, type Description } from "../support/described.ts";
import { toFoolscap, toPb } from "./support.ts";

bridge.registerBridgedCopy("cp.any", copyableClass("cp.any"));

class PbEcho extends pb.Root {
  remote_echo(value: unknown): unknown {
    return value;
  }
}
class FoolscapEcho extends Referenceable {
  remote_echo(value: unknown): unknown {
    return value;
  }
}

/** Values that both protocols have: Perspective Broker has no decimal that is no number, and no negative zero of them. */
const anySharedValue = anyValue.filter((value) =>
  !/"decimal":"(s?NaN|-?Infinity|-0)/.test(JSON.stringify(describe(value)))
);

/** A decimal is the number and its exponent, however it is written. */
function normal(description: Description): Description {
  return arrived(description);
}

Deno.test("values that both protocols have go through a bridge to PB, and come back, unchanged", async () => {
  await using chain = await toPb(new PbEcho());
  await fc.assert(
    fc.asyncProperty(anySharedValue, async (value) => {
      const back = await chain.root.callRemote("echo", value);
      assert.deepEqual(describe(back), normal(describe(value)));
    }),
    { numRuns: 200 },
  );
});

Deno.test("values that both protocols have go through a bridge to Foolscap, and come back, unchanged", async () => {
  await using chain = await toFoolscap(new FoolscapEcho());
  await fc.assert(
    fc.asyncProperty(anySharedValue, async (value) => {
      const back = await chain.root.callRemote("echo", value);
      assert.deepEqual(describe(back), normal(describe(value)));
    }),
    { numRuns: 200 },
  );
});
