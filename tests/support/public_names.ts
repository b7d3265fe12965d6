/**
 * The names that `mod.ts` exports, types included. Run it to write them to `tests/public_names.txt`.
 *
 * @module
 */

import { ROOT } from "./source_files.ts";

interface Declaration {
  readonly kind: string;
  readonly def?: { readonly elements?: readonly Symbol_[] };
}

interface Symbol_ {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/**
 * Every exported name as `kind name`, sorted; names inside a namespace as `pb.Name`.
 *
 * @throws {Error} If `deno doc` cannot read `mod.ts`.
 */
export async function publicNames(): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", new URL("mod.ts", ROOT).href],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot list the public names: ${new TextDecoder().decode(stderr)}`);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const [file] = Object.values(nodes) as { readonly symbols: readonly Symbol_[] }[];
  return [...new Set(namesOf(file?.symbols ?? []))].sort();
}

function namesOf(symbols: readonly Symbol_[], prefix = ""): string[] {
  return symbols.flatMap(({ name, declarations }) =>
    declarations.flatMap(({ kind, def }) => [
      `${kind} ${prefix}${name}`,
      ...(kind === "namespace" ? namesOf(def?.elements ?? [], `${prefix}${name}.`) : []),
    ])
  );
}

if (import.meta.main) {
  const names = await publicNames();
  await Deno.writeTextFile(new URL("tests/public_names.txt", ROOT), names.join("\n") + "\n");
}
