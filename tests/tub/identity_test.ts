import assert from "node:assert/strict";
import { createSecureContext } from "node:tls";
import { pathToFileURL } from "node:url";
import { CertificateError, PermissionDenied } from "../../lib/errors.ts";
import { isTubId } from "../../lib/names/tub_id.ts";
import { getCertData, type IdentityOptions, loadOrCreateIdentity } from "../../lib/tub/identity.ts";
import { createPrivateFile, replacePrivateFile } from "../../lib/tub/private_file.ts";
import { RSA_1024 } from "../transport/certificate_samples.ts";
import { interopTest } from "../support/python.ts";
import { inFolder, mode, python } from "./support.ts";

Deno.test("loadOrCreateIdentity() without a file makes a new one each time", async () => {
  const [a, b] = await Promise.all([loadOrCreateIdentity(), loadOrCreateIdentity({})]);
  assert.ok(isTubId(a.tubId));
  assert.notEqual(a.tubId, b.tubId);
  createSecureContext({ cert: a.certPem, key: a.keyPem });
});

Deno.test("loadOrCreateIdentity() takes time and randomness from outside", async () => {
  const options: IdentityOptions = {
    randomBytes: (length) => new Uint8Array(length),
    clock: { now: () => 0, setTimer: () => ({ [Symbol.dispose]: () => {} }) },
  };
  assert.equal((await loadOrCreateIdentity(options)).tubId, (await loadOrCreateIdentity(options)).tubId);
});

Deno.test("loadOrCreateIdentity() gives the same identity from its own PEM", async () => {
  const identity = await loadOrCreateIdentity();
  const pem = getCertData(identity);
  assert.match(
    pem,
    /^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n/,
  );
  assert.deepEqual(await loadOrCreateIdentity({ certData: pem }), identity);
  assert.deepEqual(await loadOrCreateIdentity({ certData: new TextEncoder().encode(pem) }), identity);
});

Deno.test("loadOrCreateIdentity() creates the file for its owner only, and loads it afterwards", async () => {
  await inFolder(async (folder) => {
    const certFile = `${folder}/calc.pem`;
    const created = await loadOrCreateIdentity({ certFile });
    assert.equal(mode(certFile), 0o600);
    assert.equal(Deno.readTextFileSync(certFile), getCertData(created));
    assert.deepEqual(await loadOrCreateIdentity({ certFile }), created);
    assert.deepEqual(await loadOrCreateIdentity({ certFile: pathToFileURL(certFile) }), created);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["calc.pem"]);
  });
});

Deno.test("loadOrCreateIdentity() gives one identity to all that start at once", async () => {
  await inFolder(async (folder) => {
    const certFile = `${folder}/calc.pem`;
    const all = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateIdentity({ certFile })));
    assert.equal(new Set(all.map(({ tubId }) => tubId)).size, 1);
    assert.equal([...Deno.readDirSync(folder)].length, 1);
  });
});

Deno.test("loadOrCreateIdentity() gives one identity to two processes that start at once", async () => {
  await inFolder(async (folder) => {
    const module = import.meta.resolve("../../lib/tub/identity.ts");
    const code = `import { loadOrCreateIdentity } from ${JSON.stringify(module)};
      console.log((await loadOrCreateIdentity({ certFile: Deno.args[0] })).tubId);`;
    Deno.writeTextFileSync(`${folder}/main.ts`, code);
    const run = () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-prompt",
          "--no-config",
          `--allow-read=${folder}`,
          `--allow-write=${folder}`,
          "main.ts",
          "calc.pem",
        ],
        cwd: folder,
      }).output();
    const outputs = await Promise.all([run(), run()]);
    const texts = outputs.map(({ stdout, stderr }) =>
      new TextDecoder().decode(stdout.length ? stdout : stderr)
    );
    const { tubId } = await loadOrCreateIdentity({ certFile: `${folder}/calc.pem` });
    assert.deepEqual(texts, [`${tubId}\n`, `${tubId}\n`]);
  });
});

for (
  const { name, text, message } of [
    { name: "empty", text: "", message: /there is no PEM block with a certificate/ },
    { name: "not PEM", text: "hello\n", message: /there is no PEM block with a certificate/ },
    { name: "of RSA 1024", text: RSA_1024, message: /1024 bits/ },
  ]
) {
  Deno.test(`loadOrCreateIdentity() names a file that is ${name}, and leaves it as it is`, async () => {
    await inFolder(async (folder) => {
      const certFile = `${folder}/calc.pem`;
      Deno.writeTextFileSync(certFile, text);
      await assert.rejects(loadOrCreateIdentity({ certFile }), (error) => {
        assert.ok(error instanceof CertificateError);
        assert.match(error.message, /the identity file ".*calc\.pem": /);
        assert.match(error.message, message);
        return true;
      });
      assert.equal(Deno.readTextFileSync(certFile), text);
    });
  });
}

Deno.test("loadOrCreateIdentity() refuses a folder, a missing folder and a link to nothing", async () => {
  await inFolder(async (folder) => {
    Deno.symlinkSync(`${folder}/nothing`, `${folder}/link.pem`);
    const cases = [
      { certFile: folder, message: /^Cannot read the identity file .* check that it is a file/ },
      { certFile: `${folder}/no/calc.pem`, message: /its folder does not exist; create the folder first/ },
      { certFile: `${folder}/link.pem`, message: /link to a file that does not exist; remove it/ },
    ];
    for (const { certFile, message } of cases) {
      await assert.rejects(loadOrCreateIdentity({ certFile }), { name: "FileError", message });
    }
  });
});

const linked = await Deno.makeTempDir();
Deno.test.afterAll(() => Deno.removeSync(linked, { recursive: true }));
Deno.symlinkSync(`${linked}/nothing`, `${linked}/link.pem`);
Deno.test({
  name: "loadOrCreateIdentity() says the same of a link to nothing with permissions for just the link",
  permissions: { read: [`${linked}/link.pem`], write: [`${linked}/link.pem`] },
  async fn() {
    await assert.rejects(loadOrCreateIdentity({ certFile: `${linked}/link.pem` }), {
      name: "FileError",
      message: /link to a file that does not exist; remove it, or bring that file back$/,
    });
  },
});

Deno.test("loadOrCreateIdentity() says that a name is empty", async () => {
  await assert.rejects(loadOrCreateIdentity({ certFile: "" }), {
    name: "TypeError",
    message: /the name that certFile gives is empty; leave certFile out$/,
  });
});

Deno.test("loadOrCreateIdentity() refuses a file and data at once", async () => {
  await assert.rejects(loadOrCreateIdentity({ certFile: "x.pem", certData: "" }), TypeError);
});

Deno.test({
  name: "loadOrCreateIdentity() without a file needs no permission",
  permissions: "none",
  fn: async () => void await loadOrCreateIdentity(),
});

Deno.test({
  name: "loadOrCreateIdentity() names the flag to read the file",
  permissions: "none",
  async fn() {
    await assert.rejects(loadOrCreateIdentity({ certFile: "calc.pem" }), (error) => {
      assert.ok(error instanceof PermissionDenied);
      assert.match(error.message, /^Cannot read the identity file "calc\.pem": .*--allow-read=calc\.pem$/);
      return true;
    });
  },
});

Deno.test({
  name: "loadOrCreateIdentity() names the flag to write the file when there is none yet",
  permissions: { read: true },
  async fn() {
    await assert.rejects(loadOrCreateIdentity({ certFile: "does-not-exist.pem" }), (error) => {
      assert.ok(error instanceof PermissionDenied);
      assert.match(error.message, /^Cannot create the identity file .*--allow-write=does-not-exist\.pem$/);
      return true;
    });
  },
});

Deno.test("loadOrCreateIdentity() is content with permissions for just the file", async () => {
  await inFolder(async (folder) => {
    const module = import.meta.resolve("../../lib/tub/identity.ts");
    const code = `import { loadOrCreateIdentity } from ${JSON.stringify(module)};
      console.log((await loadOrCreateIdentity({ certFile: "calc.pem" })).tubId);`;
    Deno.writeTextFileSync(`${folder}/main.ts`, code);
    const run = async (...flags: string[]) => {
      const args = ["run", "--no-prompt", "--no-config", ...flags, "main.ts"];
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: folder }).output();
      return new TextDecoder().decode(stdout.length ? stdout : stderr);
    };
    assert.match(await run("--allow-read=calc.pem"), /--allow-write=calc\.pem/);
    const tubId = await run("--allow-read=calc.pem", "--allow-write=calc.pem");
    assert.ok(isTubId(tubId.trim()), tubId);
    assert.equal(mode(`${folder}/calc.pem`), 0o600);
    assert.equal(await run("--allow-read=calc.pem"), tubId);
  });
});

Deno.test("createPrivateFile() leaves a file that exists as it is", async () => {
  await inFolder((folder) => {
    const path = `${folder}/x`;
    assert.equal(createPrivateFile(path, "one"), true);
    assert.equal(createPrivateFile(path, "two"), false);
    assert.equal(Deno.readTextFileSync(path), "one");
    assert.deepEqual([...Deno.readDirSync(folder)].length, 1);
  });
});

Deno.test("replacePrivateFile() leaves nothing behind when it fails", async () => {
  await inFolder((folder) => {
    assert.throws(() => replacePrivateFile(folder, "text"));
    assert.throws(() => replacePrivateFile(`${folder}/no/x`, "text"), Deno.errors.NotFound);
    assert.equal([...Deno.readDirSync(folder)].length, 0);
  });
});

interopTest("Python Foolscap takes our PEM as certData and finds the same TubID", async () => {
  const identity = await loadOrCreateIdentity();
  const code = "import sys; from foolscap.api import Tub; print(Tub(certData=sys.argv[1].encode()).tubID)";
  assert.equal(await python(code, getCertData(identity)), identity.tubId);
});

interopTest("a certFile of Python Foolscap loads with the same TubID, and Python loads ours", async () => {
  await inFolder(async (folder) => {
    const code = "import sys; from foolscap.api import Tub; print(Tub(certFile=sys.argv[1]).tubID)";
    const theirs = await python(code, `${folder}/python.pem`);
    const loaded = await loadOrCreateIdentity({ certFile: `${folder}/python.pem` });
    assert.equal(loaded.tubId, theirs);
    assert.equal(loaded.keyKind, "rsa");
    createSecureContext({ cert: loaded.certPem, key: loaded.keyPem });
    const ours = await loadOrCreateIdentity({ certFile: `${folder}/deno.pem` });
    assert.equal(await python(code, `${folder}/deno.pem`), ours.tubId);
  });
});
