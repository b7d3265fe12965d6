/**
 * What a registry shows of its capabilities.
 *
 * @module
 */

import { Callable, type Publishable } from "../broker/callable.ts";
import { RemoteFunction } from "../broker/remote_reference.ts";
import type { Subject } from "./capability_events.ts";
import type { CapabilityInfo } from "./capability_info.ts";
import type { CaveatFacet } from "./caveat_facet.ts";
import type { CaveatNames } from "./caveat_names.ts";
import type { Grant } from "./grant.ts";
import type { Grants } from "./grants.ts";
import { quoteForeign, showName } from "../util/text.ts";
import type { NameTable } from "./name_table.ts";
import type { RegistryEntry } from "./registry_options.ts";

/** One thing that can be reached. */
export interface CapabilityNode {
  /**
   * `grant`: it was granted or attenuated. `furl`: somebody holds it by an attenuated FURL. `registered`: it is reached as it
   * is. `implicit`: so is this one, but nobody registered it: it was passed to a peer, and goes when nobody holds it.
   * `reached`: somebody has got it through the deep grant above it.
   */
  readonly kind: "grant" | "furl" | "registered" | "implicit" | "reached";
  /** Its number in the registry; `undefined` if it is implicit. */
  readonly id: number | undefined;
  /** What the program calls it. */
  readonly label: string | undefined;
  /** The name of the class that is reached; `function` for a function. */
  readonly type: string;
  /** What it allows, if it was granted or attenuated. */
  readonly capability: CapabilityInfo | undefined;
  /** What was attenuated from it, and what was reached through it. */
  readonly children: readonly CapabilityNode[];
}

/** The name of the class of an object. */
function typeName(object: object | undefined): string {
  if (object === undefined) return "nothing";
  if (object instanceof Callable || object instanceof RemoteFunction) return "function";
  const type: unknown = Object.getPrototypeOf(object)?.constructor;
  return typeof type === "function" && type.name !== "" ? type.name : "Referenceable";
}

/** The node of a grant, with those that come of it. */
function nodeOfGrant(
  grant: Grant,
  now: number,
  reached: (grant: Grant) => readonly CapabilityNode[],
): CapabilityNode {
  return {
    kind: "grant",
    id: grant.id,
    label: grant.label,
    type: typeName(grant.object),
    capability: grant.info(now),
    children: [
      ...Array.from(grant.children, (child) => nodeOfGrant(child, now, reached)),
      ...reached(grant),
    ],
  };
}

/** The node of an object that was not granted. */
function nodeOfObject(
  object: Publishable,
  isStrong: boolean,
  id: number | undefined,
): CapabilityNode {
  return {
    kind: isStrong ? "registered" : "implicit",
    id,
    label: undefined,
    type: typeName(object),
    capability: undefined,
    children: [],
  };
}

/** The node of an attenuated FURL that leads to `object`. */
function nodeOfFurl(
  facet: CaveatFacet,
  object: object,
  reached: readonly CapabilityNode[],
): CapabilityNode {
  const { id, label } = facet;
  return { kind: "furl", id, label, type: typeName(object), capability: facet.info(), children: reached };
}

/** The node of what somebody has got through a deep grant, and stands for `object`. */
function nodeOfReached(object: object): CapabilityNode {
  return {
    kind: "reached",
    id: undefined,
    label: undefined,
    type: typeName(object),
    capability: undefined,
    children: [],
  };
}

/**
 * A tree as text, a line a node: what it leads to, and what limits it. No names, no FURLs.
 *
 * @param nodes What {@linkcode CapabilityRegistry.tree} gave.
 * @returns Lines that end with a newline each; nothing for an empty tree.
 *
 * @example
 * ```ts
 * import { formatTree, Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Files extends Referenceable {
 *   remote_list() {
 *     return ["a.txt"];
 *   }
 *   remote_remove(_name: string) {}
 * }
 * await using tub = await Tub.create();
 * const all = tub.registry.grant(new Files(), { label: "all" });
 * all.attenuate({ methods: ["list"], maxCalls: 10, label: "for Bob" });
 * assert.equal(
 *   formatTree(tub.registry.tree()),
 *   '#1 Files "all": everything\n└─ #2 Files "for Bob": list; 10 calls left\n',
 * );
 * ```
 */
export function formatTree(nodes: readonly CapabilityNode[]): string {
  const lines: string[] = [];
  for (const node of nodes) add(node, "", "");
  return lines.map((line) => `${line}\n`).join("");

  function add(node: CapabilityNode, first: string, rest: string): void {
    lines.push(first + lineOf(node));
    node.children.forEach((child, i) => {
      const isLast = i === node.children.length - 1;
      add(child, `${rest}${isLast ? "└─ " : "├─ "}`, `${rest}${isLast ? "   " : "│  "}`);
    });
  }
}

/** Of an attenuated FURL, its holder has chosen the label and the names. */
function lineOf({ kind, id, label, type, capability }: CapabilityNode): string {
  const number = id === undefined ? "" : `#${id} `;
  const named = label === undefined ? "" : ` ${quoteForeign(label)}`;
  const allowed = kind === "reached"
    ? "as above"
    : capability === undefined
    ? `everything (${kind})`
    : limitsOf(capability).join("; ");
  return `${number}${type}${named}: ${allowed}`;
}

function counted(calls: number): string {
  return calls === 1 ? "1 call" : `${calls} calls`;
}

function limitsOf(info: CapabilityInfo): string[] {
  const { methods, expiresAt, callsLeft, callsUsed, rates, holders, requires } = info;
  return [
    ...(info.isDeep ? ["deep"] : []),
    methods === undefined
      ? "everything"
      : methods.length === 0
      ? "nothing"
      : methods.map(showName).join(", "),
    ...(expiresAt === undefined ? [] : [`until ${new Date(expiresAt).toISOString()}`]),
    ...(callsLeft === undefined ? [] : [`${counted(callsLeft)} left`]),
    ...rates.map(({ calls, perMs }) => `${counted(calls)} in ${perMs} ms`),
    ...(holders === undefined
      ? []
      : [`for ${holders.map((holder) => holder.slice(0, 4)).join(", ") || "nobody"}`]),
    ...(requires.length === 0 ? [] : [`needs ${[...new Set(requires.map(({ name }) => name))].join(", ")}`]),
    ...(callsUsed === 0 ? [] : [`used ${callsUsed} ${callsUsed === 1 ? "time" : "times"}`]),
  ];
}

/** Where a registry has what it shows. */
export interface Listed {
  readonly table: NameTable<Publishable>;
  readonly grants: Grants;
  readonly caveats: CaveatNames;
  /** What events say of an object. */
  subjectOf(object: Publishable): Subject | undefined;
}

/** See `CapabilityRegistry.list`. */
export function listOf({ table, grants, caveats }: Listed): RegistryEntry[] {
  return Array.from(table.objects(), ({ object, isStrong }) => {
    const entry = { object, isImplicit: !isStrong };
    const grant = grants.find(object)?.grant ?? grants.reachedBy(object)?.grant;
    const derived = caveats.facetOf(object) ?? caveats.reachedBy(object)?.facet;
    const capability = grant?.info(grants.now()) ?? derived?.info();
    return capability === undefined ? entry : { ...entry, capability };
  });
}

/** See `CapabilityRegistry.tree`. */
export function treeOf({ table, grants, caveats, subjectOf }: Listed): CapabilityNode[] {
  const now = grants.now();
  const others: (() => CapabilityNode)[] = [];
  const reached = new Map<Grant | CaveatFacet, CapabilityNode[]>();
  const reachedBy = (deep: Grant | CaveatFacet) => reached.get(deep) ?? [];
  /** What the program has made, of which this is a part, or for which it stands. */
  const behind = (object: object): object =>
    grants.find(object as Publishable)?.grant.object ?? grants.reachedBy(object as Publishable)?.object ??
      object;
  for (const { object, isStrong } of table.objects()) {
    if (grants.find(object) !== undefined) continue;
    const byGrant = grants.reachedBy(object), byFurl = caveats.reachedBy(object);
    const by = byGrant?.grant ?? byFurl?.facet;
    if (by !== undefined) {
      const node = nodeOfReached(behind((byGrant ?? byFurl)!.object));
      reached.getOrInsertComputed(by, () => []).push(node);
      continue;
    }
    const derived = caveats.facetOf(object);
    others.push(() =>
      derived === undefined
        ? nodeOfObject(object, isStrong, subjectOf(object)?.id)
        : nodeOfFurl(derived, behind(derived.target), reachedBy(derived))
    );
  }
  const roots = Array.from(grants.roots, (grant) => nodeOfGrant(grant, now, reachedBy));
  return [...roots, ...others.map((node) => node())];
}
