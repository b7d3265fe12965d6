/**
 * The least flags of `deno run` for what a program is to do.
 *
 * @module
 */

import { nodePath, nodeUrl } from "../util/node.ts";
import { quoteForShell } from "../util/text.ts";
import type { CapabilityRegistry } from "../registry/registry.ts";
import type { Listener } from "./listener.ts";
import { netPermission, permissionScope } from "./permissions.ts";
import { usedPermissions } from "./used_permissions.ts";

/** The kinds of permissions, in the order in which their flags are written. */
const KINDS = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;
type Kind = (typeof KINDS)[number];

/** Whether everything that `wide` allows of a kind includes all that `narrow` does. */
type Covers = (wide: string, narrow: string) => boolean;

const same: Covers = (wide, narrow) => wide === narrow;

const COVERS: Readonly<Record<Kind, Covers>> = {
  read: coversPath,
  write: coversPath,
  ffi: coversPath,
  net: coversHost,
  import: coversHost,
  env: (wide, narrow) => wide === narrow || (wide.endsWith("*") && narrow.startsWith(wide.slice(0, -1))),
  sys: same,
  run: same,
};

function coversPath(wide: string, narrow: string): boolean {
  const { sep } = nodePath();
  if (wide === narrow || wide === sep) return wide === narrow || narrow.startsWith(sep);
  // Where a relative path leads to is not known here: "." has whatever does not climb out of it.
  if (wide === ".") {
    return !narrow.startsWith(sep) && narrow !== ".." && !narrow.startsWith(`..${sep}`);
  }
  return narrow.startsWith(`${wide}${sep}`);
}

function coversHost(wide: string, narrow: string): boolean {
  if (wide === narrow) return true;
  // A host without a port is every port of it.
  return !/:\d+$/.test(wide.replace(/^\[.*?\]/, "")) && narrow.startsWith(`${wide}:`);
}

/** The scope of a permission as it is compared and written; undefined for all of its kind. */
function normalScope(descriptor: Deno.PermissionDescriptor): string | undefined {
  const scope = permissionScope(descriptor);
  if (scope === undefined) return undefined;
  switch (descriptor.name) {
    case "read":
    case "write":
    case "ffi":
      return normalPath(scope);
    case "run":
      return scope.startsWith("file:") ? nodeUrl().fileURLToPath(scope) : scope;
    case "net":
    case "import":
      return scope.startsWith("unix:") || scope.startsWith("vsock:") ? scope : scope.toLowerCase();
    default:
      return scope;
  }
}

/** A path without `.`, `..` and what a URL adds. Not made absolute: that takes a permission to know where one is. */
export function normalPath(path: string | URL): string {
  const text = path.toString();
  const { normalize, sep } = nodePath();
  const plain = normalize(text.startsWith("file:") ? nodeUrl().fileURLToPath(text) : text);
  return plain.length > 1 && plain.endsWith(sep) ? plain.slice(0, -1) : plain;
}

/**
 * The least flags of `deno run` that give permissions: one flag a kind, with what a broader one includes left out
 * (`/srv` includes `/srv/data`, a host all of its ports, and a whole kind everything of it).
 *
 * @param descriptors As for `Deno.permissions.query`, in any order and as often as one likes.
 * @returns Arguments of a process, not quoted for a shell: see {@linkcode denoRunCommand} for that. Always in the same order.
 * @throws {TypeError} If there is no permission of such a name, or one is for something with a comma in it, for which Deno has no
 *   flag.
 *
 * @example
 * ```ts
 * import { leastFlags } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(
 *   leastFlags([
 *     { name: "net", host: "127.0.0.1:4501" },
 *     { name: "read", path: "/srv/data" },
 *     { name: "read", path: "/srv" },
 *     { name: "read", path: "/etc/hosts" },
 *   ]),
 *   ["--allow-read=/etc/hosts,/srv", "--allow-net=127.0.0.1:4501"],
 * );
 * ```
 */
export function leastFlags(descriptors: Iterable<Deno.PermissionDescriptor>): string[] {
  const scopes = new Map<Kind, Set<string | undefined>>();
  for (const descriptor of descriptors) {
    if (!KINDS.includes(descriptor.name)) {
      throw new TypeError("Cannot make flags: a permission's name is not one that Deno has");
    }
    scopes.getOrInsertComputed(descriptor.name, () => new Set()).add(normalScope(descriptor));
  }
  return KINDS.flatMap((kind) => {
    const wanted = scopes.get(kind);
    if (wanted === undefined) return [];
    if (wanted.has(undefined)) return [`--allow-${kind}`];
    const all = [...wanted].filter((scope) => scope !== undefined).sort();
    const least = all.filter((scope) => !all.some((other) => other !== scope && COVERS[kind](other, scope)));
    if (least.some((scope) => scope.includes(","))) {
      throw new TypeError(
        `Cannot make flags: a ${kind} permission has a comma in it, which Deno's flags cannot say; name the folder above it`,
      );
    }
    return [`--allow-${kind}=${least.join(",")}`];
  });
}

/** What {@linkcode denoRunCommand} is to write beside the permissions. */
export interface DenoRunCommandOptions {
  /**
   * The program: a file or URL.
   *
   * @default "main.ts"
   */
  readonly main?: string | URL | undefined;
  /**
   * The listeners of a Tub, `tub.listeners`, which need permissions of their own to be opened.
   *
   * @default those of the Tub that is given; else none
   */
  readonly listeners?: readonly Listener[] | undefined;
  /**
   * What the program needs besides.
   *
   * @default nothing
   */
  readonly permissions?: Iterable<Deno.PermissionDescriptor> | undefined;
}

/** Something that needs permissions: a Tub. */
export interface PermissionNeeds {
  /** What can be reached. */
  readonly registry: CapabilityRegistry;
  /** Where it accepts connections. */
  readonly listeners: readonly Listener[];
}

/**
 * The command line that runs a program with the least permissions: for a shell, quoted where it has to be.
 *
 * Of a Tub: what the objects that can be reached at this moment require, by their grants or by their classes; its listeners; its
 * `certFile` and `furlFile`s; what its sandboxes run with. What it needs to reach others depends on their FURLs, and what the
 * program does besides it knows itself: give `permissions: [{ name: "net", host }]` for these. A listener that asked for port 0
 * gets the port that it has now: a program that shall start again names one.
 *
 * @param needs A Tub, or descriptors as for `Deno.permissions.query`.
 * @throws {TypeError} If there is no permission of such a name, or one is for something with a comma in it, for which Deno has no
 *   flag.
 *
 * @example
 * ```ts
 * import { denoRunCommand } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(
 *   denoRunCommand([{ name: "read", path: "/srv/my files" }], { main: "serve.ts" }),
 *   "deno run --no-prompt '--allow-read=/srv/my files' serve.ts",
 * );
 * ```
 *
 * @example
 * ```ts
 * import { denoRunCommand, Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Clock extends Referenceable {
 *   static override requires = [{ name: "env" as const, variable: "TZ" }];
 * }
 * await using tub = await Tub.create();
 * const { port } = await tub.listenOn("tcp:0:interface=127.0.0.1");
 * tub.registry.grant(new Clock());
 * assert.equal(denoRunCommand(tub), `deno run --no-prompt --allow-net=127.0.0.1:${port} --allow-env=TZ main.ts`);
 * ```
 */
export function denoRunCommand(
  needs: Iterable<Deno.PermissionDescriptor> | PermissionNeeds,
  options: DenoRunCommandOptions = {},
): string {
  const isTub = !(Symbol.iterator in needs);
  const { main = "main.ts", listeners = isTub ? needs.listeners : [], permissions = [] } = options;
  const flags = leastFlags([
    ...isTub ? [...needs.registry.requirements(), ...usedPermissions(needs.registry)] : needs,
    ...listeners.flatMap(listenerPermissions),
    ...permissions,
  ]);
  const file = main instanceof URL && main.protocol === "file:"
    ? nodeUrl().fileURLToPath(main)
    : String(main);
  // A file that begins with a dash would be a flag.
  const program = file.startsWith("-") ? `./${file}` : file;
  return ["deno", "run", "--no-prompt", ...flags, program].map(quoteForShell).join(" ");
}

/** What it takes to open a listener. */
function listenerPermissions(listener: Listener): Deno.PermissionDescriptor[] {
  const { hint, port } = listener;
  if (hint.startsWith("unix:")) {
    const path = decodeURIComponent(hint.slice("unix:".length));
    return [{ name: "read", path }, { name: "write", path }, { name: "net", host: `unix:${path}` }];
  }
  // A listener that has no address of its own takes every one of the machine.
  const { address = "0.0.0.0" } = listener as { readonly address?: string | undefined };
  return [netPermission(address, port)];
}
