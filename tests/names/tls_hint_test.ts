import assert from "node:assert/strict";
import { InvalidHintError } from "../../lib/errors.ts";
import { formatTlsHint, parseTlsHint } from "../../lib/names/hints.ts";
import { fc } from "../deps.ts";

const KEY = "a".repeat(51) + "a";

Deno.test("parseTlsHint() reads what formatTlsHint() has written", () => {
  const host = fc.constantFrom("example.org", "127.0.0.1", "::1", "fe80::1%eth0", "x-1.y");
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(fc.property(host, fc.integer({ min: 1, max: 65_535 }), key, (host, port, key) => {
    const hint = formatTlsHint(host, port, key);
    assert.match(hint, /:[a-z2-7]{52}$/);
    const parsed = parseTlsHint(hint);
    assert.deepEqual({ ...parsed, key: [...parsed.key] }, { host, port, key: [...key] });
  }));
});

for (
  const [what, hint] of [
    ["no key", "tls:h:1"],
    ["an empty key", "tls:h:1:"],
    ["a short key", `tls:h:1:${KEY.slice(1)}`],
    ["a long key", `tls:h:1:${KEY}a`],
    ["a key in capitals", `tls:h:1:${KEY.toUpperCase()}`],
    ["a padded key", `tls:h:1:${KEY}====`],
    ["bits behind the key's last byte", `tls:h:1:${KEY.slice(1)}b`],
    ["no host", `tls::1:${KEY}`],
    ["no port", `tls:h:${KEY}`],
    ["port 0", `tls:h:0:${KEY}`],
    ["port 70000", `tls:h:70000:${KEY}`],
    ["an IPv6 address without brackets", `tls:::1:1:${KEY}`],
    ["a line break", `tls:h:1:${KEY}\n`],
    ["another type", `tcp:h:1:${KEY}`],
  ] as const
) {
  Deno.test(`parseTlsHint() refuses ${what}`, () => {
    assert.throws(() => parseTlsHint(hint), InvalidHintError);
  });
}
