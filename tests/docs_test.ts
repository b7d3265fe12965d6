// README.md and docs/ send their readers to each other and into the source: each link has to lead somewhere.
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

const pages = ["README.md", "CHANGELOG.md"];
for await (const { name } of Deno.readDir(new URL("docs/", ROOT))) {
  if (name.endsWith(".md")) pages.push(`docs/${name}`);
}

/** The text without what is in fences. */
const proseOf = async (page: URL): Promise<string> =>
  (await Deno.readTextFile(page)).replaceAll(/^```[^]*?^```/gm, "");

/** What a heading is called in links, as GitHub and JSR name it. */
const anchorOf = (heading: string): string =>
  heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");

async function hasHeading(page: URL, anchor: string): Promise<boolean> {
  const headings = [...(await proseOf(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    anchorOf(heading!)
  );
  return headings.includes(anchor);
}

async function exists(file: URL): Promise<boolean> {
  try {
    await Deno.stat(file);
    return true;
  } catch {
    return false;
  }
}

for (const page of pages) {
  Deno.test(`${page} links to what is there`, async () => {
    const here = new URL(page, ROOT);
    const wrong: string[] = [];
    for (const [, link] of (await proseOf(here)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link!)) continue;
      const target = new URL(link!, here);
      const anchor = target.hash.slice(1);
      target.hash = "";
      if (!await exists(target) || anchor !== "" && !await hasHeading(target, anchor)) wrong.push(link!);
    }
    assert.deepEqual(wrong, []);
  });
}

Deno.test("README.md names each page and each example once in a table", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const rows = readme.split("\n").filter((line) => line.startsWith("| [")).map((line) =>
    /\]\(([^)]+)\)/.exec(line)![1]!
  );
  const wanted = pages.filter((page) => page !== "README.md");
  for await (const { name, isFile } of Deno.readDir(new URL("examples/", ROOT))) {
    if (isFile && name.endsWith(".ts")) wanted.push(`examples/${name}`);
  }
  assert.deepEqual(rows.sort(), wanted.sort());
});
