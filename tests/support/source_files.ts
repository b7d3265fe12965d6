/**
 * The library's own source text, for the tests of its architecture.
 *
 * @module
 */

/** The top of the repository. */
export const ROOT = new URL("../../", import.meta.url);

/** One file of the library. */
export interface SourceFile {
  /** Path from the top of the repository, such as `lib/wire/decoder.ts`. */
  readonly path: string;
  /** The text as it is. */
  readonly text: string;
  /** The text without comments; strings are kept. */
  readonly code: string;
  /** Every specifier that it imports or re-exports, types and `import()` included. */
  readonly imports: readonly string[];
}

/** All TypeScript files of `lib/`, and `mod.ts` once there is one. */
export async function sourceFiles(): Promise<SourceFile[]> {
  const paths: string[] = [];
  for await (const path of walk("lib/")) if (path.endsWith(".ts")) paths.push(path);
  for await (const entry of Deno.readDir(ROOT)) if (entry.name === "mod.ts") paths.push(entry.name);
  return await Promise.all(paths.sort().map(readSource));
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* walk(`${folder}${name}/`);
    else yield folder + name;
  }
}

async function readSource(path: string): Promise<SourceFile> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(code) };
}

/** The text with every comment removed; what looks like one inside a string stays. */
export function withoutComments(text: string): string {
  const stringOrComment =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replace(stringOrComment, (part) => part.startsWith("/") ? "" : part);
}

function importsOf(code: string): string[] {
  // A specifier has no white space, so that `copy("from"); put("to")` is not taken for an import.
  const found = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\s]+)["']/g);
  return Array.from(found, ([, specifier]) => specifier!);
}

/** The path from the top of the repository that a relative specifier leads to. */
export function resolveImport(from: string, specifier: string): string {
  return new URL(specifier, new URL(from, "file:///")).pathname.slice(1);
}
