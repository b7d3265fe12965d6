/**
 * Tubs for tests of attached streams.
 *
 * @module
 */

import { type AttachedPeer, type AttachOptions, type ByteStreams, Tub } from "../../mod.ts";
import { streamPair } from "../support/stream_pairs.ts";

/** A Tub that is only reached by what is attached. */
export async function quietTub(): Promise<Tub> {
  const tub = await Tub.create();
  tub.setLocation("attach:");
  return tub;
}

/** Attaches two Tubs to each other, each with its options. */
export function attachBoth(
  [a, aOptions]: [Tub, AttachOptions],
  [b, bOptions]: [Tub, AttachOptions],
  streams: readonly [ByteStreams, ByteStreams] = streamPair(),
): Promise<[AttachedPeer, AttachedPeer]> {
  return Promise.all([a.attach(streams[0], aOptions), b.attach(streams[1], bOptions)]);
}
