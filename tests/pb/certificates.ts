/**
 * Ordinary certificates for localhost, made for one run.
 *
 * @module
 */

import assert from "node:assert/strict";

/** One certificate and its key, as PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority in a folder of its own; to be removed by `using`. */
export class Authority implements AsyncDisposable {
  /** PEM of its certificate. */
  readonly ca: string;
  /** Where the files are: `ca.pem`, and `NAME.pem` and `NAME.key` of each pair. */
  readonly folder: string;

  private constructor(folder: string, ca: string) {
    this.folder = folder;
    this.ca = ca;
  }

  /** Makes an authority. */
  static async create(): Promise<Authority> {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(
      `${folder}/ext`,
      "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
    );
    const outputs = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test ca", "-days", "2"];
    await openssl(folder, "req", "-x509", ...CURVE, ...outputs);
    return new Authority(folder, await Deno.readTextFile(`${folder}/ca.pem`));
  }

  /** Makes a certificate for localhost, and its key. */
  async issue(name: string): Promise<Pair> {
    const { folder } = this;
    await openssl(folder, "req", ...CURVE, "-keyout", `${name}.key`, "-out", "csr", "-subj", "/CN=localhost");
    const from = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
    await openssl(folder, "x509", "-req", "-in", "csr", ...from, "-out", `${name}.pem`, "-days", "2");
    const read = (file: string) => Deno.readTextFile(`${folder}/${file}`);
    return { cert: await read(`${name}.pem`), key: await read(`${name}.key`) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

async function openssl(cwd: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
