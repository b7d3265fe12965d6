import assert from "node:assert/strict";
import { FurlError, InvalidHintError } from "../../lib/errors.ts";
import {
  formatHint,
  hostPortOf,
  isTcpHint,
  joinHostPort,
  parseHint,
  routeHint,
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

const routed = [
  { text: "h:1", type: "tcp", hint: "tcp:h:1" },
  { text: "tor:99", type: "tcp", hint: "tcp:tor:99" },
  { text: "tcp:::1:2", type: "tcp", hint: "tcp:::1:2" },
  { text: "tor:x.onion:3", type: "tor", hint: "tor:x.onion:3" },
  { text: "unix:%2Fx", type: "unix", hint: "unix:%2Fx" },
  { text: "__proto__:a:b", type: "__proto__", hint: "__proto__:a:b" },
  { text: ":1", type: "", hint: ":1" },
];
for (const { text, type, hint } of routed) {
  Deno.test(`routeHint() finds the type of "${text}"`, () => {
    assert.deepEqual(routeHint(text), { type, hint, text });
  });
}

Deno.test("routeHint() refuses a hint without a colon", () => {
  assert.throws(() => routeHint("nocolon"), (error) => {
    assert.ok(error instanceof InvalidHintError && error instanceof FurlError);
    return error.reason === "no colon";
  });
});

for (const hint of ["tor:a.onion:1", "tcp:a.onion:1", ":a.onion:1"]) {
  Deno.test(`hostPortOf() takes the host and the port of "${hint}"`, () => {
    assert.deepEqual(hostPortOf(hint, "TCP/Tor"), { host: "a.onion", port: 1 });
  });
}

for (
  const [hint, reason] of [["tor:a.onion", "unrecognized TCP/Tor hint"], ["tor:a:0", "port 0 is none"], [
    "tor:a:70000",
    "port 70000 is none",
  ]] as const
) {
  Deno.test(`hostPortOf() refuses "${hint}"`, () => {
    assert.throws(() => hostPortOf(hint, "TCP/Tor"), { name: "InvalidHintError", reason });
  });
}

Deno.test("splitHostPort() undoes joinHostPort()", () => {
  for (const [host, port] of [["::1", 80], ["h", 0], ["fe80::1%en0", 65535]] as const) {
    assert.deepEqual(splitHostPort(joinHostPort(host, port)), { host, port });
  }
  assert.equal(splitHostPort("h:1:2"), undefined);
});
