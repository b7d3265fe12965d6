import assert from "node:assert/strict";
import { connect, createSecureContext, createServer, type PeerCertificate, type TLSSocket } from "node:tls";
import { once } from "node:events";
import { X509Certificate } from "node:crypto";
import { CertificateError } from "../../lib/errors.ts";
import { tubIdOf } from "../../lib/names/tub_id.ts";
import {
  createTrustAnchor,
  decodeDer,
  decodeDerSequence,
  DerTag,
  encodeDer,
  encodeDerInteger,
  encodeDerOid,
  readCertificate,
} from "../../lib/transport/certificate.ts";
import {
  createKeyPair,
  formatPem,
  importPrivateKey,
  type KeyPair,
  parseKeyPair,
  parsePem,
} from "../../lib/transport/key_pair.ts";
import { fc } from "../deps.ts";
import { P256, PYTHON_PKCS8_KEY, RSA_1024, RSA_PKCS1 } from "./certificate_samples.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i);
const fixed = await createKeyPair({ randomBytes: counting, nowMs: NOW });
const other = await createKeyPair({ nowMs: NOW });

Deno.test("createKeyPair() writes the same bytes for the same randomness and time", async () => {
  const again = await createKeyPair({ randomBytes: counting, nowMs: NOW });
  assert.deepEqual(again, fixed);
  assert.equal(fixed.certificate.length, 256);
  assert.equal(
    fixed.ed25519Key?.toHex(),
    // What Python's cryptography gives for the same seed.
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
  );
  // What Foolscap 21.7 gives for this PEM as certData.
  assert.equal(await tubIdOf(fixed.certificate), "yjhmzp3kp5cjybiczaliiijhsdymre2k");
});

Deno.test("createKeyPair() never makes the same identity twice with the system's source", () => {
  assert.notDeepEqual(other.certificate, fixed.certificate);
});

Deno.test("createKeyPair() refuses a source that gives too little", async () => {
  await assert.rejects(createKeyPair({ randomBytes: () => new Uint8Array(3), nowMs: NOW }), RangeError);
});

Deno.test("createKeyPair() writes what another X.509 parser reads", () => {
  const certificate = new X509Certificate(fixed.certPem);
  assert.equal(certificate.subject, "CN=newpb_thingy");
  assert.equal(certificate.issuer, "CN=newpb_thingy");
  assert.equal(certificate.ca, false);
  assert.equal(certificate.validFromDate.toISOString(), "2026-01-01T03:04:05.000Z");
  assert.equal(certificate.validToDate.toISOString(), "2126-01-01T03:04:05.000Z");
  assert.equal(certificate.publicKey.asymmetricKeyType, "ed25519");
  assert.ok(certificate.verify(certificate.publicKey), "the signature is its own");
});

for (const byte of [0, 0x7f, 0x80, 0xff]) {
  Deno.test(`createKeyPair() writes a positive serial number from bytes of ${byte}`, async () => {
    const pair = await createKeyPair({
      randomBytes: (length) => new Uint8Array(length).fill(byte),
      nowMs: NOW,
    });
    assert.equal(new X509Certificate(pair.certPem).serialNumber.length, 32);
  });
}

Deno.test("readCertificate() reads our own", () => {
  const { version, keyKind, rsaBits, ed25519Key } = readCertificate(fixed.certificate);
  assert.deepEqual({ version, keyKind, rsaBits }, { version: 3, keyKind: "ed25519", rsaBits: undefined });
  assert.deepEqual(ed25519Key, fixed.ed25519Key);
});

Deno.test("createTrustAnchor() writes an authority with the key and the name of the Tub", () => {
  const anchor = createTrustAnchor(fixed.ed25519Key!);
  assert.deepEqual(readCertificate(anchor).ed25519Key, fixed.ed25519Key);
  const certificate = new X509Certificate(formatPem("CERTIFICATE", anchor));
  assert.equal(certificate.subject, "CN=newpb_thingy");
  assert.equal(certificate.ca, true);
  assert.throws(() => createTrustAnchor(new Uint8Array(31)), RangeError);
});

const samples = [
  {
    name: "of Python Foolscap",
    pem: PYTHON_PKCS8_KEY,
    version: 1,
    keyKind: "rsa",
    rsaBits: 2048,
    tubId: "ucjaflfk2wlyx7zcyswvkypesjitzxnw",
  },
  {
    name: "with an RSA PRIVATE KEY",
    pem: RSA_PKCS1,
    version: 1,
    keyKind: "rsa",
    rsaBits: 2048,
    tubId: "ucjaflfk2wlyx7zcyswvkypesjitzxnw",
  },
  {
    name: "with a P-256 key",
    pem: P256,
    version: 3,
    keyKind: "p256",
    rsaBits: undefined,
    tubId: "viiydfkrav5kkggjcsocvhqev2cnmw6v",
  },
];
for (const { name, pem, tubId, ...expected } of samples) {
  for (const order of ["certificate first", "key first"]) {
    Deno.test(`parseKeyPair() reads a PEM ${name}, ${order}`, async () => {
      const blocks = parsePem(pem);
      if (order === "key first") blocks.reverse();
      const pair = await parseKeyPair(blocks.map((block) => block.pem).join(""));
      const { version, keyKind, rsaBits } = readCertificate(pair.certificate);
      assert.deepEqual({ version, keyKind, rsaBits }, expected);
      assert.equal(pair.keyKind, expected.keyKind);
      assert.equal(await tubIdOf(pair.certificate), tubId);
      createSecureContext({ cert: pair.certPem, key: pair.keyPem });
    });
  }
}

Deno.test("parseKeyPair() gives back what createKeyPair() made", async () => {
  assert.deepEqual(await parseKeyPair(fixed.certPem + fixed.keyPem), fixed);
  const windows = (fixed.keyPem + "a comment\n" + fixed.certPem).replaceAll("\n", "\r\n");
  assert.deepEqual(await parseKeyPair(windows), fixed);
});

Deno.test("parseKeyPair() takes the first of several certificates", async () => {
  const pair = await parseKeyPair(fixed.certPem + other.certPem + fixed.keyPem);
  assert.deepEqual(pair.certificate, fixed.certificate);
});

const damaged = fixed.certPem.replace(/(?<=-----\n)MIH/, "MIJ");
const unusable = [
  { name: "nothing", pem: "", message: /no PEM block with a certificate; move it away/ },
  { name: "no key", pem: fixed.certPem, message: /no PEM block with a private key/ },
  { name: "no certificate", pem: fixed.keyPem, message: /no PEM block with a certificate/ },
  {
    name: "the key of another Tub",
    pem: fixed.certPem + other.keyPem,
    message: /does not belong to the certificate/,
  },
  { name: "the key of another kind", pem: parsePem(P256)[0]!.pem + fixed.keyPem, message: /not a p256 key/ },
  { name: "an RSA key of 1,024 bits", pem: RSA_1024, message: /1024 bits, .* less than 2048; move it away/ },
  { name: "a damaged certificate", pem: damaged + fixed.keyPem, message: /Cannot read DER/ },
  {
    name: "half a certificate",
    pem: formatPem("CERTIFICATE", fixed.certificate.subarray(0, 100)) + fixed.keyPem,
    message: /cut off/,
  },
  {
    name: "a damaged key",
    pem: fixed.certPem + formatPem("PRIVATE KEY", new Uint8Array(48)),
    message: /not a ed25519 key, or is damaged/,
  },
  { name: "no base64", pem: fixed.certPem.replace("MIH", "!!!") + fixed.keyPem, message: /not base64/ },
  {
    name: "an encrypted key",
    pem: fixed.certPem + formatPem("ENCRYPTED PRIVATE KEY", new Uint8Array(9)),
    message: /encrypted; decrypt it with `openssl/,
  },
  {
    name: "a key in SEC1",
    pem: parsePem(P256)[0]!.pem + formatPem("EC PRIVATE KEY", new Uint8Array(9)),
    message: /convert it with "openssl/,
  },
  {
    name: "a block that ends as another",
    pem: fixed.certPem.replace("END CERT", "END XERT") + fixed.keyPem,
    message: /begins as CERTIFICATE and ends as/,
  },
];
for (const { name, pem, message } of unusable) {
  Deno.test(`parseKeyPair() refuses ${name}, names the source and shows no key`, async () => {
    await assert.rejects(parseKeyPair(pem, { source: 'the file "calc.pem"' }), (error) => {
      assert.ok(error instanceof CertificateError);
      assert.match(error.message, /^Cannot load identity from the file "calc.pem": /);
      assert.match(error.message, message);
      const secret = parsePem(fixed.keyPem)[0]!.der.toBase64().slice(-40);
      assert.ok(!Deno.inspect(error).includes(secret));
      return true;
    });
  });
}

Deno.test("importPrivateKey() refuses a text without a key", async () => {
  await assert.rejects(importPrivateKey(fixed.certPem, "ed25519"), CertificateError);
});

/** A handshake over node:tls where each side asks for the other's certificate. */
async function handshake(server: KeyPair, client: KeyPair): Promise<Uint8Array[]> {
  const listener = createServer({
    cert: server.certPem,
    key: server.keyPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const seen: Uint8Array[] = [];
  const raw = (socket: TLSSocket) => new Uint8Array((socket.getPeerCertificate(true) as PeerCertificate).raw);
  const accepted = once(listener, "secureConnection").then(async ([socket]: TLSSocket[]) => {
    seen[1] = raw(socket!);
    socket!.end();
    await once(socket!.resume(), "close");
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address() as { port: number };
  const socket = connect({
    port,
    host: "127.0.0.1",
    cert: client.certPem,
    key: client.keyPem,
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  seen[0] = raw(socket);
  socket.end();
  await Promise.all([accepted, once(socket.resume(), "close")]);
  await new Promise((done) => listener.close(done));
  return seen;
}

Deno.test("a new certificate works in node:tls in both roles, and the peer sees its bytes", async () => {
  assert.deepEqual(await handshake(fixed, other), [fixed.certificate, other.certificate]);
});

Deno.test("a certificate of Python Foolscap works in node:tls in both roles", async () => {
  const python = await parseKeyPair(PYTHON_PKCS8_KEY);
  assert.deepEqual(await handshake(python, fixed), [python.certificate, fixed.certificate]);
  assert.deepEqual(await handshake(fixed, python), [fixed.certificate, python.certificate]);
});

for (const isOwn of [true, false]) {
  Deno.test(`Deno.connectTls() ${isOwn ? "takes" : "refuses"} a Tub by the anchor of ${isOwn ? "its" : "another"} key`, async () => {
    using listener = Deno.listenTls({
      port: 0,
      hostname: "127.0.0.1",
      cert: fixed.certPem,
      key: fixed.keyPem,
    });
    const served = listener.accept().then(async (conn) => {
      await conn.handshake().catch(() => {});
      conn.close();
    });
    const anchor = createTrustAnchor((isOwn ? fixed : other).ed25519Key!);
    const connected = Deno.connectTls({
      port: listener.addr.port,
      hostname: "127.0.0.1",
      caCerts: [formatPem("CERTIFICATE", anchor)],
      cert: other.certPem,
      key: other.keyPem,
      unsafelyDisableHostnameVerification: true,
    }).then(async (conn) => {
      await conn.handshake().finally(() => conn.close());
    });
    if (isOwn) await connected;
    else await assert.rejects(connected, /BadSignature/);
    await served;
  });
}

Deno.test("encodeDer() writes lengths in their shortest form", () => {
  const heads = [[0, "3000"], [127, "307f"], [128, "308180"], [255, "3081ff"], [256, "30820100"]] as const;
  for (const [length, head] of heads) {
    const bytes = encodeDer(DerTag.sequence, new Uint8Array(length));
    assert.equal(bytes.subarray(0, head.length / 2).toHex(), head);
    assert.equal(decodeDer(bytes).contents.length, length);
  }
});

for (
  const [hex, der] of [["", "020100"], ["0000", "020100"], ["7f", "02017f"], ["80", "02020080"], [
    "0001",
    "020101",
  ]]
) {
  Deno.test(`encodeDerInteger() writes "${hex}" as ${der}`, () => {
    assert.equal(encodeDerInteger(Uint8Array.fromHex(hex!)).toHex(), der);
  });
}

for (
  const [dotted, der] of [
    ["1.3.101.112", "06032b6570"],
    ["1.2.840.113549.1.1.1", "06092a864886f70d010101"],
    ["2.5.29.19", "0603551d13"],
  ]
) {
  Deno.test(`encodeDerOid() writes ${dotted}`, () => assert.equal(encodeDerOid(dotted!).toHex(), der));
}

for (
  const hex of ["", "30", "3001", "3080", "308100", "30817f", "30820001", "3084ffffffff", "1f8100", "3082"]
) {
  Deno.test(`decodeDer() refuses "${hex}"`, () => {
    assert.throws(() => decodeDer(Uint8Array.fromHex(hex)), CertificateError);
  });
}

Deno.test("decodeDerSequence() refuses another tag, and bytes behind the element", () => {
  assert.throws(() => decodeDerSequence(Uint8Array.fromHex("3100")), CertificateError);
  assert.throws(() => decodeDerSequence(Uint8Array.fromHex("300000")), CertificateError);
});

Deno.test("decodeDer() undoes encodeDer()", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 9 }), (contents, rest) => {
      const bytes = encodeDer(DerTag.octetString, contents);
      const read = decodeDer(Uint8Array.of(...bytes, ...rest));
      assert.equal(read.tag, DerTag.octetString);
      assert.deepEqual(new Uint8Array(read.contents), contents);
      assert.deepEqual(new Uint8Array(read.bytes), bytes);
    }),
  );
});

Deno.test("readCertificate() refuses every beginning of a certificate", () => {
  for (let length = 0; length < fixed.certificate.length; length++) {
    assert.throws(() => readCertificate(fixed.certificate.subarray(0, length)), CertificateError);
  }
});

Deno.test("readCertificate() throws nothing but CertificateError for changed certificates", () => {
  const change = fc.tuple(fc.nat(fixed.certificate.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = new Uint8Array(fixed.certificate);
      for (const [index, value] of changes) bytes[index] = value;
      try {
        readCertificate(bytes);
      } catch (error) {
        assert.ok(error instanceof CertificateError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("parsePem() undoes formatPem()", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (der) => {
    const pem = formatPem("CERTIFICATE", der);
    assert.deepEqual(parsePem(`text\n${pem}text`), [{ label: "CERTIFICATE", der, pem }]);
  }));
});
