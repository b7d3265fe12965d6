/**
 * The Tub that impostors pretend to be.
 *
 * @module
 */

import assert from "node:assert/strict";
import { tubIdOf } from "../../lib/names/tub_id.ts";
import { parsePem } from "../../lib/transport/key_pair.ts";

/** The kinds of keys that a Tub may have, as openssl makes them. */
export const VICTIM_KEYS: Readonly<Record<string, readonly string[]>> = {
  "RSA": ["-newkey", "rsa:2048"],
  "P-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  "Ed25519": ["-newkey", "ed25519"],
};

/** Files of a certificate, which is public, and of its key, which is read for the control alone. */
export interface Victim {
  readonly cert: string;
  readonly key: string;
  readonly tubId: string;
}

/** Makes one in a folder. */
export async function makeVictim(kind: string, folder: string): Promise<Victim> {
  const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  const args = ["req", "-x509", ...VICTIM_KEYS[kind]!, "-nodes", "-keyout", key, "-out", cert];
  args.push("-subj", "/CN=newpb_thingy");
  const { success } = await new Deno.Command("openssl", { args, stderr: "null", stdout: "null" }).output();
  assert(success);
  return { cert, key, tubId: await tubIdOf(parsePem(await Deno.readTextFile(cert))[0]!.der) };
}
