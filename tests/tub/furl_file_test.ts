import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { FileError, FurlError } from "../../lib/errors.ts";
import { readFurlFile, writeFurlFile } from "../../lib/tub/furl_file.ts";
import { interopTest } from "../support/python.ts";
import { inFolder, mode, python } from "./support.ts";

const T = "w6i2oohuba2eeyts27gkq4etwr4nndeb";
const U = "x6i2oohuba2eeyts27gkq4etwr4nndeb";
const FURL = `pb://${T}@tcp:h:1/sekret`;

Deno.test("writeFurlFile() makes a file for its owner only, which readFurlFile() reads", async () => {
  await inFolder((folder) => {
    const file = `${folder}/calc.furl`;
    assert.equal(readFurlFile(file, { tubId: T }), undefined);
    writeFurlFile(file, FURL);
    assert.equal(mode(file), 0o600);
    assert.equal(Deno.readTextFileSync(file), `${FURL}\n`);
    assert.equal(readFurlFile(file, { tubId: T }), "sekret");
    assert.equal(readFurlFile(pathToFileURL(file), { tubId: T, name: "sekret" }), "sekret");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["calc.furl"]);
  });
});

Deno.test("writeFurlFile() keeps the mode of a file that exists, and a link", async () => {
  await inFolder((folder) => {
    const file = `${folder}/calc.furl`;
    Deno.writeTextFileSync(file, "a much longer text than the FURL ".repeat(20));
    Deno.chmodSync(file, 0o644);
    writeFurlFile(file, FURL);
    assert.equal(mode(file), 0o644);
    Deno.symlinkSync(file, `${folder}/link.furl`);
    writeFurlFile(`${folder}/link.furl`, FURL.replace("h:1", "h:2"));
    assert.ok(Deno.lstatSync(`${folder}/link.furl`).isSymlink);
    assert.equal(Deno.readTextFileSync(file), `${FURL.replace("h:1", "h:2")}\n`);
  });
});

Deno.test("writeFurlFile() leaves a file alone that has the same FURL", async () => {
  await inFolder((folder) => {
    const file = `${folder}/calc.furl`;
    writeFurlFile(file, FURL);
    const { ino } = Deno.statSync(file);
    writeFurlFile(file, FURL);
    assert.equal(Deno.statSync(file).ino, ino);
    writeFurlFile(file, FURL.replace("h:1", "h:2"));
    assert.equal(Deno.readTextFileSync(file), `${FURL.replace("h:1", "h:2")}\n`);
  });
});

// Only root can make a file of somebody else.
Deno.test({
  name: "writeFurlFile() keeps owner and group of a file that exists",
  ignore: Deno.uid() !== 0,
  async fn() {
    await inFolder((folder) => {
      const file = `${folder}/calc.furl`;
      Deno.writeTextFileSync(file, "");
      Deno.chownSync(file, 65_534, 65_533);
      Deno.chmodSync(file, 0o640);
      writeFurlFile(file, FURL);
      const { uid, gid } = Deno.statSync(file);
      assert.deepEqual([uid, gid, mode(file)], [65_534, 65_533, 0o640]);
    });
  },
});

Deno.test("writeFurlFile() writes to a device, which keeps nothing", () => writeFurlFile("/dev/null", FURL));

for (const text of [`${FURL}\n`, FURL, `\n  ${FURL}  \r\nsecond line\n`, `# ${FURL}`]) {
  Deno.test(`readFurlFile() reads ${JSON.stringify(text)}`, async () => {
    await inFolder((folder) => {
      Deno.writeTextFileSync(`${folder}/f`, text);
      assert.equal(readFurlFile(`${folder}/f`, { tubId: T }), "sekret");
    });
  });
}

for (const text of ["", "\n", "  \r\n"]) {
  Deno.test(`readFurlFile() refuses a file with ${JSON.stringify(text)} in it, and leaves it as it is`, async () => {
    await inFolder((folder) => {
      Deno.writeTextFileSync(`${folder}/f`, text);
      assert.throws(() => readFurlFile(`${folder}/f`, { tubId: T }), {
        name: "FurlError",
        message: /it is empty; put its FURL back, or remove it to get a new name$/,
      });
      assert.equal(Deno.readTextFileSync(`${folder}/f`), text);
    });
  });
}

Deno.test("readFurlFile() finds no name in a device that keeps nothing", () => {
  assert.equal(readFurlFile("/dev/null", { tubId: T }), undefined);
});

Deno.test("readFurlFile() and writeFurlFile() refuse a link to nothing, and make nothing there", async () => {
  await inFolder((folder) => {
    const link = `${folder}/link.furl`;
    const error = { name: "FileError", message: DEAD_LINK };
    Deno.symlinkSync(`${folder}/nothing`, link);
    assert.throws(() => readFurlFile(link, { tubId: T }), error);
    assert.throws(() => writeFurlFile(link, FURL), error);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["link.furl"]);
    // By way of another link as well, but not one whose file is there.
    Deno.symlinkSync(link, `${folder}/second.furl`);
    assert.throws(() => readFurlFile(`${folder}/second.furl`, { tubId: T }), error);
    Deno.writeTextFileSync(`${folder}/nothing`, `${FURL}\n`);
    assert.equal(readFurlFile(`${folder}/second.furl`, { tubId: T }), "sekret");
  });
});

const DEAD_LINK =
  /^Cannot create the FURL file ".*\.furl": it is a link to a file that does not exist; remove it, or bring/;

const linked = await Deno.makeTempDir();
Deno.test.afterAll(() => Deno.removeSync(linked, { recursive: true }));
Deno.symlinkSync(`${linked}/nothing`, `${linked}/link.furl`);
Deno.test({
  name: "writeFurlFile() says the same of a link to nothing with permissions for just the link",
  permissions: { read: [`${linked}/link.furl`], write: [`${linked}/link.furl`] },
  fn() {
    const error = { name: "FileError", message: DEAD_LINK };
    assert.throws(() => readFurlFile(`${linked}/link.furl`, { tubId: T }), error);
    assert.throws(() => writeFurlFile(`${linked}/link.furl`, FURL), error);
  },
});

Deno.test("readFurlFile() and writeFurlFile() say that a name is empty", () => {
  const error = { name: "TypeError", message: /the name that furlFile gives is empty; leave furlFile out$/ };
  assert.throws(() => readFurlFile("", { tubId: T }), error);
  assert.throws(() => writeFurlFile("", FURL), error);
});

const refused = [
  {
    name: "no FURL",
    text: "sekret",
    type: "FurlError",
    expected: { tubId: T },
    message: /first line is not a FURL; correct it/,
  },
  {
    name: "the FURL of another Tub",
    text: FURL,
    type: "WrongTubIdError",
    expected: { tubId: U },
    message: /of the Tub w6i2… and this one is x6i2…; load/,
  },
  {
    name: "another name",
    text: FURL,
    type: "WrongNameError",
    expected: { tubId: T, name: "sekret2" },
    message: /another name than the one given; leave out/,
  },
];
for (const { name, text, type, expected, message } of refused) {
  Deno.test(`readFurlFile() refuses ${name}, names the file and hides the name`, async () => {
    await inFolder((folder) => {
      Deno.writeTextFileSync(`${folder}/calc.furl`, text);
      assert.throws(() => readFurlFile(`${folder}/calc.furl`, expected), (error) => {
        assert.ok(error instanceof FurlError);
        assert.equal(error.name, type);
        assert.match(error.message, /^Cannot use the FURL file ".*calc\.furl": /);
        assert.match(error.message, message);
        assert.doesNotMatch(Deno.inspect(error).replaceAll(import.meta.filename!, ""), /sekret/);
        return true;
      });
      assert.equal(Deno.readTextFileSync(`${folder}/calc.furl`), text);
    });
  });
}

Deno.test("readFurlFile() and writeFurlFile() refuse what is no file", async () => {
  await inFolder((folder) => {
    assert.throws(() => readFurlFile(folder, { tubId: T }), FileError);
    assert.throws(() => writeFurlFile(folder, FURL), FileError);
    assert.throws(() => writeFurlFile(`${folder}/no/f`, FURL), {
      name: "FileError",
      message: /folder does not exist/,
    });
  });
});

Deno.test({
  name: "readFurlFile() names the flag to add",
  permissions: "none",
  fn() {
    assert.throws(() => readFurlFile("calc.furl", { tubId: T }), {
      name: "PermissionDenied",
      message: /--allow-read=calc\.furl$/,
    });
  },
});

Deno.test({
  name: "writeFurlFile() names the flag to add",
  permissions: { read: true },
  fn() {
    assert.throws(() => writeFurlFile("calc.furl", FURL), {
      name: "PermissionDenied",
      message: /--allow-write=calc\.furl$/,
    });
  },
});

const only = await Deno.makeTempDir();
Deno.test.afterAll(() => Deno.removeSync(only, { recursive: true }));
Deno.test({
  name: "writeFurlFile() is content with permissions for just the file",
  permissions: { read: [`${only}/calc.furl`], write: [`${only}/calc.furl`] },
  fn() {
    writeFurlFile(`${only}/calc.furl`, FURL + "-and-more");
    writeFurlFile(`${only}/calc.furl`, FURL);
    assert.equal(Deno.readTextFileSync(`${only}/calc.furl`), `${FURL}\n`);
    assert.equal(mode(`${only}/calc.furl`), 0o600);
  },
});

interopTest("a furlFile of Python Foolscap keeps its name here, and ours there", async () => {
  await inFolder(async (folder) => {
    const code = `
import sys; from foolscap.api import Tub, Referenceable
tub = Tub(certFile=sys.argv[1] + "/tub.pem"); tub.setLocation("tcp:h:1")
print(tub.registerReference(Referenceable(), furlFile=sys.argv[1] + "/calc.furl"))`;
    const furl = await python(code, folder);
    const tubId = furl.slice(5, 37);
    const name = readFurlFile(`${folder}/calc.furl`, { tubId });
    assert.equal(furl, `pb://${tubId}@tcp:h:1/${name}`);
    writeFurlFile(`${folder}/calc.furl`, `pb://${tubId}@tcp:elsewhere:2/${name}`);
    assert.equal(await python(code, folder), furl);
  });
});
