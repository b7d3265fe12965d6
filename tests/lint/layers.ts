/**
 * Lint rules that keep the layers of `lib/` apart and the library importable by URL.
 *
 * @module
 */

/**
 * What each layer may import, besides itself and the files directly in `lib/` ("root").
 * The order is the reading order.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  root: [],
  util: [],
  values: ["util"],
  wire: ["util"],
  graph: ["util", "values", "wire"],
  names: ["util"],
  broker: ["util", "values", "wire", "graph", "names"],
  registry: ["util", "values", "graph", "names", "broker"],
  transport: ["util", "names"],
  negotiate: ["util", "wire", "names", "transport"],
  tub: [
    "util",
    "values",
    "wire",
    "graph",
    "names",
    "broker",
    "registry",
    "transport",
    "negotiate",
  ],
  sandbox: [
    "util",
    "values",
    "wire",
    "graph",
    "names",
    "broker",
    "registry",
    "transport",
    "negotiate",
    "tub",
  ],
  pb: ["util", "values", "wire", "transport"],
  bridge: ["util", "values", "graph", "names", "broker", "registry", "tub", "pb"],
  log: ["util", "values", "graph", "names", "broker", "tub"],
  app: ["util", "values", "graph", "names", "broker", "registry", "tub", "log"],
  cli: ["util", "values", "graph", "names", "broker", "registry", "tub", "pb", "log", "app"],
};

/** The layer a file of `lib/` is in, or undefined for a file outside `lib/`. */
function layerOf(path: string): string | undefined {
  const inside = /.*\/lib\/(.+)$/.exec(path)?.[1];
  if (inside === undefined) return undefined;
  const slash = inside.indexOf("/");
  return slash < 0 ? "root" : inside.slice(0, slash);
}

type Source = Deno.lint.Node | null | undefined;

/** Calls `check` with every import and re-export of a file, those on demand included. */
function imports(check: (specifier: string, node: Deno.lint.Node) => void) {
  const visit = ({ source }: { source?: Source }) => {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    check(source.value, source);
  };
  return {
    ImportDeclaration: visit,
    ExportAllDeclaration: visit,
    ExportNamedDeclaration: visit,
    ImportExpression: visit,
  } as Deno.lint.LintVisitor;
}

const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    "import-direction": {
      create(context) {
        const from = layerOf(context.filename);
        if (from === undefined) return {};
        return imports((specifier, node) => {
          if (!specifier.startsWith(".")) return;
          const to = layerOf(
            new URL(specifier, `file://${context.filename}`).pathname,
          );
          if (to === undefined || to === from || to === "root") return;
          if (MAY_IMPORT[from]?.includes(to)) return;
          context.report({
            node,
            message: `lib/${from} must not import lib/${to}`,
          });
        });
      },
    },
    "importable-by-url": {
      create(context) {
        if (layerOf(context.filename) === undefined) return {};
        if (context.filename.endsWith("/lib/deps.ts")) return {};
        return imports((specifier, node) => {
          if (/^(\.{1,2}\/|node:)/.test(specifier)) return;
          context.report({
            node,
            message: `"${specifier}" is not relative and not a node: built-in`,
            hint: "Re-export it from lib/deps.ts with a full, pinned npm: specifier",
          });
        });
      },
    },
  },
};
export default plugin;
