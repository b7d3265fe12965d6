/**
 * Writes events into an audit file that is rotated all the time, and says on stdout how many are in it: to be killed.
 *
 * @module
 */

import { AuditFile } from "../../lib/tub/audit_file.ts";
import { systemClock } from "../../lib/util/clock.ts";

const [file] = Deno.args;
const audit = AuditFile.open({
  file: file!,
  rotate: { maxBytes: 4_096 },
  tubId: "a".repeat(32),
  key: new Uint8Array(32).fill(7),
  clock: systemClock,
  trace: (event) => console.error(event),
});
for (let sequence = 1;; sequence++) {
  audit.take({
    at: Date.now(),
    sequence,
    capability: 1,
    // Each event fills a file.
    label: "x".repeat(3_500),
    type: "used",
    caller: undefined,
    method: "ring",
  });
  Deno.stdout.writeSync(new TextEncoder().encode(`${audit.head.line} ${audit.head.hash}\n`));
}
