/**
 * SturdyRefs that travel by value, as Foolscap's do: `copyable` of type `foolscap.SturdyRef`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { registerCopier, registerRemoteCopyFactory } from "../graph/copy_types.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";

const COPYTYPE = "foolscap.SturdyRef";

function takeApart(ref: SturdyRef): readonly [string, Record<string, unknown>] {
  const { url } = ref;
  return [COPYTYPE, {
    locationHints: url === undefined ? null : [...ref.locationHints],
    url: url ?? null,
    tubID: ref.tubId ?? null,
    name: ref.name ?? null,
  }];
}

function putTogether({ url }: Record<string, unknown>): SturdyRef {
  if (url === null || url === undefined) return new SturdyRef();
  // The other attributes only say again what the URL says, and a peer could make them say something else.
  if (typeof url !== "string") throw new Violation("Cannot take a SturdyRef: its url is not a text");
  return new SturdyRef(url);
}

/** Lets SturdyRefs travel, both ways. More than once is harmless. */
export function registerSturdyRefCopy(): void {
  registerCopier(SturdyRef, takeApart);
  registerRemoteCopyFactory(COPYTYPE, putTogether);
}
