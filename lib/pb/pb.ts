/**
 * Perspective Broker: the public names, which are those of Twisted's `twisted.spread.pb` and what is beneath it.
 *
 * @module
 */

// Banana and jelly
export type { Expression } from "./banana/expression.ts";
export { decode, encode, jelly, unjelly } from "./jelly/storage.ts";
export { Jellier } from "./jelly/jellier.ts";
export type { JellierOptions } from "./jelly/jellier.ts";
export { Unjellier } from "./jelly/unjellier.ts";
export type { UnjellierOptions } from "./jelly/unjellier.ts";
export type { Invoker, Jellying, ReferenceTag, Unjellying } from "./jelly/invoker.ts";
export type { FormReader } from "./jelly/form.ts";
export type { Jellyable, Unjellyable } from "./jelly/jellyable.ts";
export { BananaEncoder } from "./banana/encoder.ts";
export type { Insertion } from "./banana/encoder.ts";
export { globalSecurity, SecurityOptions } from "./jelly/security.ts";
export type { PlainClass } from "./jelly/security.ts";
export {
  CopyRegistry,
  copyTags,
  setCopierForClass,
  setCopierForClassTree,
  setFactoryForClass,
  setUnjellyableFactoryForClass,
  setUnjellyableForClass,
  setUnjellyableForClassTree,
} from "./jelly/registry.ts";
export type { CopyEntry, CopyFactory, UnjellyableClass, UnjellyFunction } from "./jelly/registry.ts";
export { Copyable, RemoteCopy } from "./jelly/copyable.ts";

// Values
export { DateTime } from "./values/date_time.ts";
export type { DateTimeFields } from "./values/date_time.ts";
export { CalendarDate } from "./values/date_time.ts";
export { TimeOfDay } from "./values/date_time.ts";
export { TimeDelta } from "./values/time_delta.ts";
export { Unpersistable } from "./values/unpersistable.ts";

// Errors and limits
export { BananaError, InsecureJelly } from "./errors.ts";
export { DEFAULT_PB_LIMITS } from "./limits.ts";
export type { PbLimits } from "./limits.ts";

// Things that can be called
export { AsReferenceable, asRoot, Referenceable, Root } from "./flavors/referenceable.ts";
export type { AsRoot, Perspective, RootProvider } from "./flavors/referenceable.ts";
export { Avatar, Viewable, ViewPoint } from "./flavors/avatar.ts";
export { PbCall } from "./flavors/call.ts";
export type { Broker, CallHost, MessageReceiver } from "./flavors/call.ts";
export type { ByReference, byReference } from "./flavors/marks.ts";
export { RemoteReference } from "./flavors/remote_reference.ts";
export type { ReferenceHost, ReferenceTarget } from "./flavors/remote_reference.ts";
export type {
  MethodOf,
  Received,
  RemoteArguments,
  RemoteMethodName,
  RemoteMethods,
  RemoteResult,
  Sendable,
  Untyped,
} from "./flavors/remote_reference.ts";

// Connections
export { connect, PbClient } from "./client.ts";
export type { PbConnectOptions } from "./client.ts";
export { connectPersistently, PersistentPbClient } from "./persistent_client.ts";
export type { PbPersistentOptions, PersistentState } from "./persistent_client.ts";
export { PbServer, serve } from "./server.ts";
export type { PbServeOptions } from "./server.ts";
export type { PbTlsClientOptions } from "./net/dial.ts";
export type { PbTlsServerOptions } from "./net/listen.ts";
export type { PbConnectionOptions } from "./broker/options.ts";
export type { PbTrace, PbTraceEvent } from "./broker/trace.ts";
export type { ReferenceTables } from "./broker/counts.ts";
export type { Dialect } from "./broker/dialect.ts";

// What went wrong
export { BadCall, NoSuchMethod, PBConnectionLost, PbError as Error, RemoteError } from "./errors.ts";
export { nameError } from "./broker/error_types.ts";
export type { ErrorClass } from "./broker/error_types.ts";
export { DEFAULT_BROKER_LIMITS } from "./broker/limits.ts";
export type { PbBrokerLimits } from "./broker/limits.ts";
