import assert from "node:assert/strict";
import { readyTls } from "../../lib/transport/ready_tls.ts";

Deno.test("readyTls() does its work once a process, and says when it is done", async () => {
  const first = readyTls();
  assert.equal(readyTls(), first);
  assert.equal(await first, undefined);
  assert.equal(readyTls(), first);
});
