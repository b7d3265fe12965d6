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
export {
  CopyRegistry,
  copyTags,
  globalSecurity,
  SecurityOptions,
  setCopierForClass,
  setCopierForClassTree,
  setFactoryForClass,
  setUnjellyableFactoryForClass,
  setUnjellyableForClass,
  setUnjellyableForClassTree,
} from "./jelly/security.ts";
export type {
  CopyEntry,
  CopyFactory,
  PlainClass,
  UnjellyableClass,
  UnjellyFunction,
} from "./jelly/security.ts";
export { Copyable, RemoteCopy } from "./jelly/copyable.ts";

// Values
export { CalendarDate, DateTime, TimeOfDay } from "./values/date_time.ts";
export type { DateTimeFields } from "./values/date_time.ts";
export { TimeDelta } from "./values/time_delta.ts";
export { Unpersistable } from "./values/unpersistable.ts";

// Things that can be called
export { AsReferenceable, asRoot, Referenceable, Root } from "./flavors/referenceable.ts";
export type { AsRoot, Perspective, RootProvider } from "./flavors/referenceable.ts";
export type { HoldsObjects } from "./flavors/crossing_types.ts";
export type { HasMethods, Levels, Unchanging } from "../values/crossing_types.ts";
export { Avatar, Viewable, ViewPoint } from "./flavors/avatar.ts";
export type { Viewed } from "./flavors/avatar.ts";
export { PbCall } from "./flavors/call.ts";
export type { Broker, CallHost, MessageReceiver } from "./flavors/call.ts";
export type { AnyRemoteReference, ByReference, byReference, remoteReference } from "./flavors/marks.ts";
export { RemoteReference } from "./flavors/remote_reference.ts";
export type {
  KnownMethodOf,
  KnownOf,
  MethodOf,
  Received,
  ReferenceHost,
  ReferenceTarget,
  RemoteArguments,
  RemoteMethodName,
  RemoteMethods,
  RemoteResult,
  Sendable,
  Untyped,
} from "./flavors/remote_reference.ts";

// Things that are kept in step
export { Cacheable } from "./cache/cacheable.ts";
export { RemoteCacheObserver } from "./cache/owned_caches.ts";
export type { Observed, ObserverHost } from "./cache/owned_caches.ts";
export { brokerOf, RemoteCache } from "./cache/remote_cache.ts";

// Things that come in pages
export { FilePager, Pager, StringPager } from "./paging/pager.ts";
export type { ChunkOptions, PageSource } from "./paging/pager.ts";
export { CallbackPageCollector, getAllPages, getPages, PageCollector, Pages } from "./paging/get_pages.ts";
export type { PageOptions, PageSink } from "./paging/get_pages.ts";

// Things that are published, and stand-ins for what is remote
export { FolderStorage, Publishable } from "./publish/publishable.ts";
export type { PublishableOptions, PublishedStorage } from "./publish/publishable.ts";
export { RemotePublished, whenReady } from "./publish/remote_published.ts";
export { LocalAsRemote, LocalAsyncForwarder } from "./stand_ins.ts";
export type { ForwarderOptions } from "./stand_ins.ts";

// Connections
export { connect, PbClient } from "./client.ts";
export type { PbConnectOptions } from "./client.ts";
export { connectPersistently, PersistentPbClient } from "./persistent_client.ts";
export type { PbPersistentOptions, PersistentState } from "./persistent_client.ts";
export { PbServer, serve } from "./server.ts";
export type { PbServeOptions } from "./server.ts";
export type { PbTlsClientOptions } from "./net/dial.ts";
export type { PbTlsServerOptions } from "./net/listen.ts";
export type { Dialect, PbConnectionOptions, PbTrace, PbTraceEvent } from "./broker/options.ts";
export type { ReferenceTables } from "./broker/counts.ts";

// Logins
export {
  AllowAnonymousAccess,
  ANONYMOUS,
  InMemoryUsernamePasswordDatabase,
  InMemoryUsernamePasswordDatabase as InMemoryUsernamePasswordDatabaseDontUse,
} from "./cred/checker.ts";
export type { AvatarId, CredentialsChecker, LoginContext } from "./cred/checker.ts";
export {
  IAnonymous,
  IUsernameHashedPassword,
  IUsernameMD5Password,
  IUsernamePassword,
  respond,
} from "./cred/credentials.ts";
export type {
  Credentials,
  Password,
  UsernameHashedPassword,
  UsernameMD5Password,
} from "./cred/credentials.ts";
export { FilePasswordDB } from "./cred/file_checker.ts";
export type { FilePasswordOptions } from "./cred/file_checker.ts";
export { Anonymous, AvatarReference, UsernamePassword } from "./cred/client_logins.ts";
export type { LoginMethod, PbLoginOptions } from "./cred/client_logins.ts";
export { Portal, PortalRoot } from "./cred/portal.ts";
export type { PortalOptions } from "./cred/portal.ts";
export type { LoginPortal } from "./cred/connection_logins.ts";
export type { Login, Realm } from "./cred/realm.ts";

// Errors and limits
export {
  BadCall,
  BananaError,
  InsecureJelly,
  LoginDenied,
  LoginFailed,
  NoSuchMethod,
  PBConnectionLost,
  PbError as Error,
  RemoteError,
  UnauthorizedLogin,
  UnhandledCredentials,
} from "./errors.ts";
export type { LoginFailedDetails } from "./errors.ts";
export { DEFAULT_BROKER_LIMITS, DEFAULT_LOGIN_LIMITS, DEFAULT_PB_LIMITS } from "./limits.ts";
export type { PbBrokerLimits, PbLimits, PbLoginLimits } from "./limits.ts";
export { nameError } from "./broker/error_types.ts";
export type { ErrorClass } from "./broker/error_types.ts";
