import assert from "node:assert/strict";
import { FurlError } from "../../lib/errors.ts";
import { MAX_HINTS } from "../../lib/limits.ts";
import {
  formatHint,
  isTcpHint,
  joinHostPort,
  parseHint,
  parseHints,
  splitHostPort,
} from "../../lib/names/hints.ts";
import { fc } from "../deps.ts";

const tcp = [
  { text: "h:1", host: "h", port: 1, formatted: "tcp:h:1" },
  { text: "1.2.3.4:5", host: "1.2.3.4", port: 5, formatted: "tcp:1.2.3.4:5" },
  { text: "HOST.Example:99", host: "HOST.Example", port: 99, formatted: "tcp:HOST.Example:99" },
  { text: "tcp:h:1", host: "h", port: 1, formatted: "tcp:h:1" },
  { text: "tcp:1.2.3.4:5", host: "1.2.3.4", port: 5, formatted: "tcp:1.2.3.4:5" },
  { text: "tcp:[::1]:2", host: "::1", port: 2, formatted: "tcp:[::1]:2" },
  { text: "tcp:[fe80::1%en0]:3", host: "fe80::1%en0", port: 3, formatted: "tcp:[fe80::1%en0]:3" },
  { text: "tcp:[::ffff:1.2.3.4]:3", host: "::ffff:1.2.3.4", port: 3, formatted: "tcp:[::ffff:1.2.3.4]:3" },
  { text: "tor:99", host: "tor", port: 99, formatted: "tcp:tor:99" },
  { text: "type:123", host: "type", port: 123, formatted: "tcp:type:123" },
  { text: "tcp:80", host: "tcp", port: 80, formatted: "tcp:tcp:80" },
  { text: "h:123456", host: "h", port: 123456, formatted: "tcp:h:123456" },
  { text: "h:007", host: "h", port: 7, formatted: "tcp:h:7" },
];
for (const { text, host, port, formatted } of tcp) {
  Deno.test(`parseHint() reads "${text}" as TCP`, () => {
    const hint = parseHint(text);
    assert.deepEqual(hint, { type: "tcp", host, port, text });
    assert.ok(isTcpHint(hint));
    assert.equal(formatHint(hint), formatted);
    assert.equal(formatHint(parseHint(formatted)), formatted);
  });
}

const other = [
  { text: "[::1]:2", type: "[" },
  { text: "TCP:h:1", type: "TCP" },
  { text: "h_x:1", type: "h_x" },
  { text: "unix:/x", type: "unix" },
  { text: "systemd:fd=3", type: "systemd" },
  { text: "http://x:1", type: "http" },
  { text: "tor:x.onion:3", type: "tor" },
  { text: "tls:h:1:mzxw6ytb", type: "tls" },
  { text: ":1", type: "" },
  { text: "__proto__:a:b", type: "__proto__" },
];
for (const { text, type } of other) {
  Deno.test(`parseHint() keeps "${text}" for a handler of "${type}"`, () => {
    const hint = parseHint(text);
    assert.deepEqual(hint, { type, text });
    assert.equal(isTcpHint(hint), false);
    assert.equal(formatHint(hint), text);
  });
}

const refused = [
  { text: "", message: /no connection hint may be empty/ },
  { text: "nocolon", message: /has no colon/ },
  { text: "tcp:::1:2", message: /unrecognized TCP hint/ },
  { text: "tcp:h", message: /unrecognized TCP hint/ },
  { text: "tcp:h:1:extra", message: /unrecognized TCP hint/ },
  { text: "tcp:h_x:1", message: /unrecognized TCP hint/ },
  { text: "tcp:host=h:port=1", message: /unrecognized TCP hint/ },
  { text: "tcp:[::1", message: /unrecognized TCP hint/ },
  { text: "tcp:\u202ex:y", message: /"tcp:\\u202ex:y"/ },
];
for (const { text, message } of refused) {
  Deno.test(`parseHint() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseHint(text), { name: "FurlError", message });
  });
}

Deno.test("parseHint() shows at most 200 characters of a stranger's hint", () => {
  assert.throws(() => parseHint("x".repeat(5000)), (error: Error) => error.message.length < 300);
});

Deno.test("parseHint() throws nothing but FurlError and its format is stable", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^(tcp:)?[a-z0-9.:[\]%-]{0,20}$/));
  fc.assert(fc.property(text, (text) => {
    try {
      const formatted = formatHint(parseHint(text));
      assert.equal(formatHint(parseHint(formatted)), formatted);
    } catch (error) {
      assert.ok(error instanceof FurlError, String(error));
    }
  }));
});

Deno.test("parseHints() keeps the good hints, once each and in order, and says why not the others", () => {
  const { usable, refused } = parseHints(["tcp:a:1", "bad", "tcp:a:1", "x:y:z", "tcp:b"]);
  assert.deepEqual(usable.map(({ text }) => text), ["tcp:a:1", "x:y:z"]);
  assert.deepEqual([...refused.keys()], ["bad", "tcp:b"]);
  assert.ok([...refused.values()].every((error) => error instanceof FurlError));
});

Deno.test("parseHints() looks at no more than 16 hints, good or bad", () => {
  const many = Array.from({ length: 100 }, (_, i) => i % 2 ? `tcp:h:${i}` : `bad${i}`);
  const { usable, refused } = parseHints(many);
  assert.equal(usable.length + refused.size, MAX_HINTS);
});

Deno.test("splitHostPort() undoes joinHostPort()", () => {
  for (const [host, port] of [["::1", 80], ["h", 0], ["fe80::1%en0", 65535]] as const) {
    assert.deepEqual(splitHostPort(joinHostPort(host, port)), { host, port });
  }
  assert.equal(splitHostPort("h:1:2"), undefined);
});
