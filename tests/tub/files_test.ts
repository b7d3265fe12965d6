import assert from "node:assert/strict";
import { Referenceable, Tub } from "../../mod.ts";
import { inFolder, mode } from "./support.ts";

/** The two kinds of files that a program names, made and read by one and the same call. */
const KINDS: readonly (readonly [kind: string, use: (file: string) => Promise<void>])[] = [
  ["certFile", async (certFile) => (await Tub.create({ certFile })).stop()],
  ["furlFile", async (furlFile) => {
    await using tub = await Tub.create({ certData });
    tub.setLocation("tcp:h:1");
    tub.registerReference(new Referenceable(), { furlFile });
  }],
];
// Waited for: what is under way when the first test begins would look like a leak of it.
const certData = (await Tub.create()).getCertData();

for (const [kind, use] of KINDS) {
  Deno.test(`${kind} is made for its owner only, appears complete, and is used again as it is`, () =>
    inFolder(async (folder) => {
      const file = `${folder}/x`;
      await use(file);
      assert.equal(mode(file), 0o600);
      const text = Deno.readTextFileSync(file);
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["x"]);
      // Whoever made it readable for others had a reason.
      Deno.chmodSync(file, 0o640);
      await use(file);
      assert.equal(mode(file), 0o640);
      assert.equal(Deno.readTextFileSync(file), text);
    }));

  Deno.test(`${kind} in a folder that is missing is a FileError that says so`, () =>
    inFolder(async (folder) => {
      await assert.rejects(use(`${folder}/no/x`), {
        name: "FileError",
        message:
          /^Cannot (create|write) the (identity|FURL) file ".*x": its folder does not exist; create the folder first$/,
      });
    }));

  Deno.test(`${kind} that is a folder is a FileError that says so, and the folder stays`, () =>
    inFolder(async (folder) => {
      await assert.rejects(use(folder), {
        name: "FileError",
        message: /^Cannot read the (identity|FURL) file ".*": the system refuses; check that it is a file/,
      });
      assert.deepEqual([...Deno.readDirSync(folder)], []);
    }));

  Deno.test(`${kind} below a file is a FileError`, () =>
    inFolder(async (folder) => {
      Deno.writeTextFileSync(`${folder}/file`, "");
      await assert.rejects(use(`${folder}/file/x`), { name: "FileError" });
    }));

  Deno.test({
    name: `${kind} that may not be read is a PermissionDenied that names the flag`,
    permissions: "none",
    fn: () =>
      assert.rejects(use("/somewhere/x"), {
        name: "PermissionDenied",
        message: /--allow-read=\/somewhere\/x$/,
      }),
  });

  Deno.test({
    name: `${kind} that may not be written is a PermissionDenied that names the flag`,
    permissions: { read: true },
    fn: () =>
      assert.rejects(use("/somewhere/x"), {
        name: "PermissionDenied",
        message: /--allow-write=\/somewhere\/x$/,
      }),
  });
}

Deno.test("furlFile of another Tub or name is refused with Foolscap's errors, and stays", () =>
  inFolder(async (folder) => {
    const furlFile = `${folder}/x`;
    await using one = await Tub.create();
    await using other = await Tub.create();
    for (const tub of [one, other]) tub.setLocation("tcp:h:1");
    const object = new Referenceable();
    const furl = one.registerReference(object, { furlFile });
    assert.throws(() => other.registerReference(new Referenceable(), { furlFile }), {
      name: "WrongTubIdError",
    });
    assert.throws(
      () => one.registerReference(new Referenceable(), { furlFile, name: "another" }),
      { name: "WrongNameError" },
    );
    assert.equal(one.registerReference(object, { furlFile }), furl);
    assert.equal(one.unregisterURL(furl), true);
    // Its name is free again, and the file brings it back, for another object.
    assert.equal(one.registerReference(new Referenceable(), { furlFile }), furl);
    assert.equal(Deno.readTextFileSync(furlFile), `${furl}\n`);
  }));
