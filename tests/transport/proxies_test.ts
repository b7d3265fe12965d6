import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { ProxyError } from "../../lib/errors.ts";
import { MAX_PROXY_LINE_BYTES } from "../../lib/limits.ts";
import { memoryPair } from "../../lib/transport/memory.ts";
import { connectSam, createSamSession, parseSamReply } from "../../lib/transport/sam.ts";
import { connectSocks } from "../../lib/transport/socks.ts";
import type { SocksLogin } from "../../lib/transport/socks_login.ts";
import { findSocksPorts } from "../../lib/transport/tor_control.ts";
import type { Connection } from "../../lib/transport/transport.ts";
import { fc } from "../deps.ts";
import { noise, readBytes, readToEnd } from "../suites/transport_suite.ts";

type Say = (connection: Connection) => Promise<unknown>;

const never = new AbortController().signal;
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const bytesOf = (value: string) => new TextEncoder().encode(value);

/** Runs a client against scripted answers: the n-th goes out once something has come in for the n-th time. */
async function run(
  answers: readonly (Uint8Array | string)[],
  client: Say,
  pieceBytes?: number,
): Promise<string[]> {
  const [near, far] = memoryPair({ pieceBytes });
  const heard: string[] = [];
  const proxy = (async () => {
    const reader = far.readable.getReader();
    const writer = far.writable.getWriter();
    for (const answer of answers) {
      const { value, done } = await reader.read();
      if (done) return;
      heard.push(text(value));
      await writer.write(typeof answer === "string" ? bytesOf(answer) : answer);
    }
  })();
  const alive = setInterval(() => {}, 60_000);
  try {
    await client(near);
  } finally {
    await near.close();
    await far.close();
    await proxy.catch(() => {});
    clearInterval(alive);
  }
  return heard;
}

const socksTo = (host: string, login?: SocksLogin, signal = never): Say => (connection) =>
  connectSocks(connection, { host, port: 4501, login, who: "SOCKS proxy tcp:p:1", signal });

const OK = Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 80);
const FREE = Uint8Array.of(5, 0);
const LOGIN = { username: "me", password: "pw" };

const requests: readonly [host: string, address: string][] = [
  ["example.org", "\x03\x0bexample.org"],
  ["1.2.3.4", "\x01\x01\x02\x03\x04"],
  ["::1", "\x04" + "\0".repeat(15) + "\x01"],
  ["::ffff:1.2.3.4", "\x04" + "\0".repeat(10) + "\xff\xff\x01\x02\x03\x04"],
  ["2001:db8::7:8", "\x04\x20\x01\x0d\xb8" + "\0".repeat(8) + "\0\x07\0\x08"],
  ["999.1.1.1", "\x03\x09999.1.1.1"],
];
for (const [host, address] of requests) {
  Deno.test(`connectSocks() asks for ${host}`, async () => {
    const heard = await run([FREE, OK], socksTo(host));
    assert.deepEqual(heard, ["\x05\x01\x00", `\x05\x01\x00${address}\x11\x95`]);
  });
}

Deno.test("connectSocks() logs in when the proxy wants it, and takes answers in pieces", async () => {
  const heard = await run([Uint8Array.of(5, 2), Uint8Array.of(1, 0), OK], socksTo("h", LOGIN), 1);
  assert.deepEqual(heard[0], "\x05");
  const whole = await run([Uint8Array.of(5, 2), Uint8Array.of(1, 0), OK], socksTo("h", LOGIN));
  assert.deepEqual(whole.slice(0, 2), ["\x05\x02\x00\x02", "\x01\x02me\x02pw"]);
});

for (
  const [what, reply] of [
    ["a name", Uint8Array.of(5, 0, 0, 3, 2, 104, 105, 0, 80)],
    ["an IPv6 address", Uint8Array.of(5, 0, 0, 4, ...new Uint8Array(18))],
  ] as const
) {
  Deno.test(`connectSocks() leaves the stream behind an answer with ${what} alone`, async () => {
    await run([FREE, reply, "hello"], async (connection) => {
      await socksTo("h")(connection);
      const writer = connection.writable.getWriter();
      await writer.write(bytesOf("GET"));
      writer.releaseLock();
      assert.equal(text(await readBytes(connection, 5)), "hello");
    });
  });
}

const refusals: readonly [
  what: string,
  answers: Uint8Array[],
  message: RegExp,
  reply: unknown,
  login?: SocksLogin,
][] = [
  ...([1, 2, 3, 4, 5, 6, 7, 8, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 99].map((code) =>
    [
      `reply ${code}`,
      [FREE, Uint8Array.of(5, code, 0, 1)],
      code === 99 ? /reply 99, which is not known/ : /did not connect: [a-z]/,
      code,
    ] as const satisfies [string, Uint8Array[], RegExp, number]
  )),
  ["no method", [Uint8Array.of(5, 255)], /it wants a username/, 255],
  ["a method that was not offered", [Uint8Array.of(5, 2)], /not offered/, 2],
  ["a refused password", [Uint8Array.of(5, 2), Uint8Array.of(1, 1)], /refused the username/, 1, LOGIN],
  ["SOCKS4", [Uint8Array.of(0, 90)], /does not speak SOCKS5/, undefined],
  ["HTTP", [bytesOf("HTTP/1.1 400 Bad\r\n")], /does not speak SOCKS5/, undefined],
  ["an address of type 9", [FREE, Uint8Array.of(5, 0, 0, 9)], /unknown type 9/, undefined],
  ["bytes behind the answer", [FREE, Uint8Array.of(...OK, 1, 2)], /2 bytes behind its answer/, undefined],
  ["an early end", [FREE], /closed the connection before it answered/, undefined],
];
for (const [what, answers, message, reply, login] of refusals) {
  Deno.test(`connectSocks() fails with a ProxyError after ${what}`, async () => {
    await run(answers, async (connection) => {
      const attempt = socksTo("h", login)(connection);
      if (what === "an early end") setTimeout(() => void connection.close(), 5);
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof ProxyError);
        assert.match(error.message, message);
        assert.equal(error.reply, reply);
        assert.ok(!error.message.includes("pw"));
        return true;
      });
      assert.equal((await readToEnd(connection)).length, 0);
    });
  });
}

Deno.test("connectSocks() refuses names and passwords that do not fit", async () => {
  const long = "x".repeat(256);
  await run([], (connection) => assert.rejects(socksTo(long)(connection), RangeError));
  const login = { username: "me", password: long };
  await run([], (connection) => assert.rejects(socksTo("h", login)(connection), RangeError));
});

const clients: Record<string, (connection: Connection, signal: AbortSignal) => Promise<unknown>> = {
  "connectSocks()": (connection, signal) => socksTo("h", LOGIN, signal)(connection),
  "createSamSession()": async (connection, signal) => {
    const options = { id: "x", destination: "TRANSIENT", options: {}, who: "SAM bridge", signal };
    await (await createSamSession(connection, options)).close();
  },
  "connectSam()": (connection, signal) =>
    connectSam(connection, { id: "x", name: "a.i2p", port: 1, who: "SAM bridge", signal }),
  "findSocksPorts()": (connection, signal) =>
    findSocksPorts(connection, {
      who: "Tor",
      signal,
      password: undefined,
      readCookie: () => Promise.resolve(new Uint8Array(32)),
      randomBytes: (length) => new Uint8Array(length),
    }),
};
for (const [name, client] of Object.entries(clients)) {
  Deno.test(`${name} ends with the reason of its signal and closes`, async () => {
    const reason = new RangeError("enough");
    await run([], async (connection) => {
      await assert.rejects(client(connection, AbortSignal.abort(reason)), reason);
      assert.equal((await readToEnd(connection)).length, 0);
    });
    await run([], async (connection) => {
      const stop = new AbortController();
      const attempt = client(connection, stop.signal);
      setTimeout(() => stop.abort(reason), 5);
      await assert.rejects(attempt, reason);
    });
  });

  Deno.test(`${name} survives random bytes`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 4 }),
        async (answers) => {
          await run(answers, async (connection) => {
            const timer = setTimeout(() => void connection.close(), 1);
            await client(connection, never).catch((error) =>
              assert.ok(error instanceof ProxyError, String(error))
            );
            clearTimeout(timer);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  if (name === "connectSocks()") continue;
  Deno.test(`${name} gives a line up that has no end`, async () => {
    const line = noise(3 * MAX_PROXY_LINE_BYTES, 7).map((byte) => byte === 10 ? 11 : byte);
    await run([line], (connection) => assert.rejects(client(connection, never), /more than 8192 bytes/));
  });
}

const replies: readonly [line: string, topic: string | undefined, fields: Record<string, string>][] = [
  ["HELLO REPLY RESULT=OK VERSION=3.1", "HELLO REPLY", { RESULT: "OK", VERSION: "3.1" }],
  ["PING", "PING", {}],
  ['STREAM STATUS RESULT=X MESSAGE="a b=\\"c\\""', "STREAM STATUS", { RESULT: "X", MESSAGE: 'a b="c"' }],
  ["STREAM STATUS RESULT= SILENT", "STREAM STATUS", { RESULT: "", SILENT: "" }],
  ["STREAM STATUS __proto__=1", "STREAM STATUS", { ["__proto__"]: "1" }],
  ["NAMING REPLY VALUE=a~b==", "NAMING REPLY", {}],
  ["", undefined, {}],
  ["hello", undefined, {}],
  ['STREAM STATUS MESSAGE="open', undefined, {}],
];
for (const [line, topic, fields] of replies) {
  Deno.test(`parseSamReply() reads ${JSON.stringify(line)}`, () => {
    const reply = parseSamReply(line);
    assert.equal(reply?.topic, topic);
    for (const [key, value] of Object.entries(fields)) assert.equal(reply?.fields.get(key), value);
  });
}

const HELLO = "HELLO REPLY RESULT=OK VERSION=3.1\n";
const samRefusals: readonly [answers: string[], message: RegExp, reply: unknown][] = [
  [["HELLO REPLY RESULT=NOVERSION\n"], /speaks no version 3 of SAM: NOVERSION/, "NOVERSION"],
  [["HELLO REPLY RESULT=OK VERSION=4.0\n"], /chose the version "4.0"/, undefined],
  [["HTTP/1.1 400 Bad Request\r\n"], /does not speak SAM: it answered "HTTP/, undefined],
  [
    [HELLO, "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=a.i2p\n"],
    /did not find "a.i2p": KEY_NOT_FOUND/,
    "KEY_NOT_FOUND",
  ],
  [[HELLO, "NAMING REPLY RESULT=OK NAME=a.i2p\n"], /found no destination/, undefined],
  [[HELLO, 'NAMING REPLY RESULT=OK VALUE="a b"\n'], /found no destination/, undefined],
  [
    [HELLO, "NAMING REPLY RESULT=OK VALUE=abc\n", 'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="no luck"\n'],
    /did not connect to "a.i2p": CANT_REACH_PEER, "no luck"/,
    "CANT_REACH_PEER",
  ],
];
for (const [answers, message, reply] of samRefusals) {
  Deno.test(`connectSam() fails with a ProxyError after ${JSON.stringify(answers.at(-1))}`, async () => {
    await run(
      answers,
      (connection) =>
        assert.rejects(clients["connectSam()"]!(connection, never), (error) => {
          assert.ok(error instanceof ProxyError);
          assert.match(error.message, message);
          assert.equal(error.reply, reply);
          return true;
        }),
    );
  });
}

for (const [version, port] of [["3.1", ""], ["3.2", " TO_PORT=1"]] as const) {
  Deno.test(`connectSam() names a port to a bridge of version ${version} only if it knows of ports`, async () => {
    const heard = await run([
      `HELLO REPLY RESULT=OK VERSION=${version}\n`,
      "NAMING REPLY RESULT=OK VALUE=abc~-\n",
      "STREAM STATUS RESULT=OK\n",
    ], (connection) => clients["connectSam()"]!(connection, never));
    assert.equal(heard.at(-1), `STREAM CONNECT ID=x DESTINATION=abc~- SILENT=false${port}\n`);
  });
}

const INFO = (methods: string) => `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=${methods}\r\n250 OK\r\n`;
const PORTS = '250-net/listeners/socks="127.0.0.1:9050" "unix:/run/a\\"b"\r\n250 OK\r\n';

function control(password?: string, cookie = new Uint8Array(32)): Say {
  return async (connection) => {
    const ports = await findSocksPorts(connection, {
      who: "Tor",
      signal: never,
      password,
      readCookie: (path) => {
        assert.equal(path, "/run/c");
        return Promise.resolve(cookie);
      },
      randomBytes: (length) => new Uint8Array(length).fill(1),
    });
    assert.deepEqual(ports, ["127.0.0.1:9050", 'unix:/run/a"b']);
  };
}

Deno.test("findSocksPorts() asks a Tor that wants nothing", async () => {
  const heard = await run([INFO("NULL"), "250 OK\r\n", PORTS], control());
  assert.deepEqual(heard, ["PROTOCOLINFO 1\r\n", "AUTHENTICATE\r\n", "GETINFO net/listeners/socks\r\n"]);
});

Deno.test("findSocksPorts() gives the password as Tor wants it", async () => {
  const heard = await run([INFO("HASHEDPASSWORD"), "250 OK\r\n", PORTS], control("pä"));
  assert.equal(heard[1], "AUTHENTICATE 70c3a4\r\n");
});

const SAFE = INFO('COOKIE,SAFECOOKIE COOKIEFILE="/run/c"');

Deno.test("findSocksPorts() proves that it knows the cookie once Tor has", async () => {
  const message = [new Uint8Array(32), new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const hash = createHmac("sha256", "Tor safe cookie authentication server-to-controller hash")
    .update(message[0]!).update(message[1]!).update(message[2]!).digest("hex");
  const challenge = `250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${"02".repeat(32)}\r\n`;
  const heard = await run([SAFE, challenge, "250 OK\r\n", PORTS], control());
  assert.match(heard[2]!, /^AUTHENTICATE [0-9a-f]{64}\r\n$/);
  const wrong = challenge.replace(/SERVERHASH=../, "SERVERHASH=00");
  await run([SAFE, wrong], (connection) => assert.rejects(control()(connection), /it is not Tor/));
});

const controlRefusals: readonly [answers: string[], message: RegExp][] = [
  [[INFO("COOKIE")], /no way to log in/],
  [[INFO("HASHEDPASSWORD")], /give its password/],
  [["510 Unrecognized\r\n"], /refused: "Unrecognized"/],
  [["HTTP/1.1 200\r\n"], /does not speak Tor's control protocol/],
  [[INFO("NULL"), "515 Bad\r\n"], /refused: "Bad"/],
  [[INFO("NULL"), "250 OK\r\n", "250-net/listeners/socks=\r\n250 OK\r\n"], /no SOCKS port/],
  [["250-x\r\n".repeat(200)], /more than 100 lines/],
];
for (const [answers, message] of controlRefusals) {
  Deno.test(`findSocksPorts() fails with a ProxyError after ${JSON.stringify(answers.at(-1)!.slice(0, 50))}`, async () => {
    await run(
      answers,
      (connection) =>
        assert.rejects(
          control()(connection),
          (error) => error instanceof ProxyError && message.test(error.message),
        ),
    );
  });
}

Deno.test("findSocksPorts() sends nothing of a file that is no cookie", async () => {
  const heard = await run(
    [SAFE],
    (connection) => assert.rejects(control(undefined, new Uint8Array(33))(connection), /no cookie of Tor/),
  );
  assert.equal(heard.length, 1);
});
