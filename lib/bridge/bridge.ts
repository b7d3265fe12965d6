/**
 * From one protocol to the other: the public names.
 *
 * @module
 */

export { bridged } from "./bridged.ts";
export type { PbSource } from "./bridged.ts";
export { BridgedReference } from "./face.ts";
export type { BridgedDelivery } from "./face.ts";
export { forwarder } from "./furl_target.ts";
export type { FoolscapObject } from "./furl_target.ts";
export { pbRootOf, servePb } from "./serve_pb.ts";
export type { BridgeServeOptions } from "./options.ts";
export { registerBridgedCopy } from "./copies.ts";
