/**
 * What audit files need is asked for, and named, before Deno is: it would prompt, and wait.
 */
import assert from "node:assert/strict";
import { FileError, Tub, verifyAudit } from "../../mod.ts";
import { inFolder } from "./audit_support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** What a program fails with that may read and write these files only. */
async function failureOf(folder: string, program: string, files: readonly string[]): Promise<string> {
  const main = `${folder}/main.ts`;
  await Deno.writeTextFile(main, `import { Tub, verifyAudit } from "${MOD}";\n${program}`);
  const flags = files.flatMap((file) => [`--allow-read=${file}`, `--allow-write=${file}`]);
  const args = ["run", "--no-prompt", "--no-config", "--no-check", ...flags, main];
  const { stderr, success } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  assert.equal(success, false);
  return new TextDecoder().decode(stderr);
}

Deno.test("verifyAudit() names the flag for a file that it may not read", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    await (await Tub.create({ auditFile: file })).stop();
    const failure = await failureOf(folder, `await verifyAudit("${file}");`, []);
    assert.match(failure, /PermissionDenied: Cannot verify .* run with --allow-read=.*audit\.jsonl/);
  }));

Deno.test("Tub.create({ auditFile }) names the flag for what a link leads to", () =>
  inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`, link = `${folder}/link`;
    await (await Tub.create({ auditFile: file })).stop();
    await Deno.symlink(file, link);
    const failure = await failureOf(folder, `await Tub.create({ auditFile: "${link}" });`, [link]);
    assert.match(failure, /PermissionDenied: Cannot open .* run with --allow-read=.*audit\.jsonl/);
  }));

Deno.test({
  name: "verifyAudit() of a pipe fails, and does not wait for who writes to it",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const file = `${folder}/audit.jsonl`;
      const { success } = await new Deno.Command("mkfifo", { args: [file] }).output();
      assert.ok(success);
      await assert.rejects(verifyAudit(file), FileError);
    }),
});
