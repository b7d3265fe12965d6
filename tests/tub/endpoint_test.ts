import assert from "node:assert/strict";
import { parseEndpoint } from "../../lib/tub/endpoint.ts";

const good: readonly [text: string, port: number, address: string][] = [
  ["tcp:4501", 4501, "0.0.0.0"],
  ["4501", 4501, "0.0.0.0"],
  ["0", 0, "0.0.0.0"],
  ["tcp:port=4501", 4501, "0.0.0.0"],
  ["tcp6:4501", 4501, "::"],
  ["tcp:0:interface=127.0.0.1", 0, "127.0.0.1"],
  ["tcp:0:interface=localhost", 0, "127.0.0.1"],
  ["tcp6:0:interface=localhost", 0, "::1"],
  ["tcp6:0:interface=::1", 0, "::1"],
  ["tcp6:0:interface=[::1]", 0, "::1"],
  ["tcp6:0:interface=\\:\\:1", 0, "::1"],
];
for (const [text, port, address] of good) {
  Deno.test(`parseEndpoint() takes ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseEndpoint(text), { port, address });
  });
}

const bad: readonly [text: string, type: typeof TypeError | typeof RangeError][] = [
  ["", TypeError],
  ["tcp", TypeError],
  ["tcp:", TypeError],
  ["tcp:-1", TypeError],
  ["tcp:http", TypeError],
  ["udp:1", TypeError],
  ["unix:", TypeError],
  ["unix:tmp/x", TypeError],
  ["unix:/tmp/x:backlog=5", TypeError],
  ["unix:/tmp/x:mode=9", TypeError],
  [`unix:/${"x".repeat(103)}`, TypeError],
  ["ssl:4501", TypeError],
  ["systemd:domain=INET:index=0", TypeError],
  ["onion:80", TypeError],
  ["__proto__:1", TypeError],
  ["tcp:1:backlog=5", TypeError],
  ["tcp:1:interface=", TypeError],
  ["tcp:1:interface=example.org", TypeError],
  ["tcp:1:interface=127.0.0.1:backlog=5", TypeError],
  ["tcp:65536", RangeError],
  ["99999", RangeError],
];
for (const [text, type] of bad) {
  Deno.test(`parseEndpoint() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseEndpoint(text),
      (error) => error instanceof type && /^Cannot listen on /.test(error.message),
    );
  });
}

const unix: readonly [text: string, path: string, mode: number][] = [
  ["unix:/run/calc.sock", "/run/calc.sock", 0o600],
  ["unix:/run/calc.sock:mode=660", "/run/calc.sock", 0o660],
  ["unix:address=/run/calc.sock:mode=0666", "/run/calc.sock", 0o666],
  ["unix:/run/a\\:b", "/run/a:b", 0o600],
];
for (const [text, path, mode] of unix) {
  Deno.test(`parseEndpoint() takes ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseEndpoint(text), { path, mode });
  });
}

for (
  const [text, advice] of [["systemd:domain=INET:index=0", /systemd/], ["ssl:1", /its own TLS/], [
    "onion:80",
    /HiddenServicePort/,
  ]] as const
) {
  Deno.test(`parseEndpoint() says what to do instead of ${text}`, () => {
    assert.throws(() => parseEndpoint(text), advice);
  });
}
