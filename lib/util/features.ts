/**
 * What two Tubs of this library can do with each other and Python Foolscap cannot: each says in its hello block which
 * features it has, in which version, and a connection uses those that both have. Python ignores the key.
 *
 * `foolscap-deno: cancel=1 values=1`
 *
 * @module
 */

/** The features that both ends of a connection have, with the version that both speak. */
export type Features = ReadonlyMap<string, number>;

/** The key of the hello block. */
export const FEATURES_KEY = "foolscap-deno";

/** The features of this version of the library, each with the newest version of it that is spoken here. */
export const OWN_FEATURES: Features = new Map([
  /** A function may be sent home to where it came from; see `lib/broker/references.ts`. */
  ["functions", 1],
  /** A caller says that it has given a call up; see `lib/broker/cancel_message.ts`. */
  ["cancel", 1],
  /** A call says how long its caller waits; see `CallUnslicer` in `lib/broker/messages.ts`. */
  ["deadline", 1],
  /** Values that only JavaScript has, as such; see `lib/graph/rich/tables.ts`. */
  ["values", 1],
  /** Calls may name results of others that their caller does not have yet; see `lib/broker/promised.ts`. */
  ["pipeline", 1],
]);

/** What a peer has that says nothing. */
export const NO_FEATURES: Features = new Map();

/** A stranger's list is read as far as this, in features; the block it is in has 4,096 bytes. */
const MAX_FEATURES = 64;

/** Our line of the hello block. */
export function formatFeatures(features: Features = OWN_FEATURES): string {
  return Array.from(features, ([name, version]) => `${name}=${version}`).join(" ");
}

/**
 * The features that both ends have, each in the older of the two versions.
 *
 * @param offered The peer's line; what cannot be read in it is passed over.
 */
export function agreeFeatures(offered: string | undefined, own: Features = OWN_FEATURES): Features {
  const agreed = new Map<string, number>();
  for (const text of (offered ?? "").split(" ").slice(0, MAX_FEATURES)) {
    const [, name, digits] = /^([a-z][a-z0-9-]{0,31})=([1-9]\d{0,3})$/.exec(text) ?? [];
    const version = name === undefined ? undefined : own.get(name);
    if (version !== undefined) agreed.set(name!, Math.min(version, Number(digits)));
  }
  return agreed;
}
