/**
 * Foolscap for Deno: distributed objects with capability security, on the wire protocol of the Python Foolscap.
 *
 * A {@linkcode Tub} offers objects of classes derived from {@linkcode Referenceable} under FURLs, such as
 * `pb://<tub-id>@tcp:example.org:4501/<name>`. Whoever has a FURL gets a {@linkcode RemoteReference} to the object behind
 * it and calls its methods, over mutually authenticated TLS; whoever does not, cannot reach it.
 *
 * @example Offer an object, and call it
 * ```ts
 * import { Referenceable, Tub } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Calculator extends Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 *
 * await using server = await Tub.create();
 * const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
 * server.setLocation(`tcp:127.0.0.1:${listener.port}`);
 * const furl = server.registerReference(new Calculator());
 *
 * await using client = await Tub.create();
 * const calculator = await client.getReference<Calculator>(furl);
 * assert.equal(await calculator.callRemote("add", 1, 2), 3);
 * assert.equal(await calculator.remote.add(3, 4), 7);
 * ```
 *
 * @module
 */

// Tubs
export { Tub } from "./lib/tub/tub.ts";
export type { RegisterOptions } from "./lib/tub/furl_file.ts";
export type { TubDebug, TubTables } from "./lib/tub/debug.ts";
export type { GiftOffer, GiftPolicy } from "./lib/tub/gifts.ts";
export type { TubOptions } from "./lib/tub/options.ts";
export type { Listener } from "./lib/tub/listener.ts";
export type { ConnectionHintHandler, HintConnection, HintConnectOptions } from "./lib/tub/hint_handler.ts";
export { tcp } from "./lib/tub/tcp_handler.ts";
export { tls } from "./lib/tub/tcp_handler.ts";
export { socks } from "./lib/tub/socks_handler.ts";
export type { SocksHandlerOptions } from "./lib/tub/socks_handler.ts";
export { tor } from "./lib/tub/tor_handler.ts";
export type { TorOptions } from "./lib/tub/tor_handler.ts";
export type { TorLaunchOptions } from "./lib/tub/tor_launch.ts";
export { i2p } from "./lib/tub/i2p_handler.ts";
export type { I2pOptions } from "./lib/tub/i2p_handler.ts";
export { unix } from "./lib/tub/unix_handler.ts";
export type { UnixOptions } from "./lib/tub/unix_handler.ts";
export type { ConnectionInfo } from "./lib/connection_info.ts";
export type { GetReferenceOptions } from "./lib/tub/waiting.ts";
export { Reconnector } from "./lib/tub/reconnector.ts";
export type { ConnectToOptions, ReconnectionInfo, ReconnectionState } from "./lib/tub/reconnector.ts";
export type { BackoffOptions } from "./lib/util/backoff.ts";
export type { AttachedPeer, AttachOptions } from "./lib/tub/attach.ts";
export type { ByteStreams } from "./lib/transport/stream_connection.ts";
export { messagePortStreams } from "./lib/transport/message_port_streams.ts";
export type { MessagePortLike, MessagePortStreams } from "./lib/transport/message_port_streams.ts";
export { webSocketStreams } from "./lib/transport/web_socket_streams.ts";
export type { WebSocketStreams, WebSocketStreamsOptions } from "./lib/transport/web_socket_streams.ts";
export { denoRunCommand, leastFlags } from "./lib/tub/run_flags.ts";
export type { DenoRunCommandOptions, PermissionNeeds } from "./lib/tub/run_flags.ts";
export type { NetworkTables } from "./lib/tub/network.ts";
export { attenuateFurl } from "./lib/names/attenuate_furl.ts";
export type { FurlCaveats } from "./lib/names/attenuate_furl.ts";
export { describeFurl } from "./lib/names/describe_furl.ts";
export type { FurlDescription } from "./lib/names/describe_furl.ts";
export type { Caveat } from "./lib/names/caveat.ts";
export { SturdyRef } from "./lib/names/sturdy_ref.ts";
export type { FurlParts } from "./lib/names/furl.ts";
export type { ConnectionHint, OtherHint, TcpHint } from "./lib/names/hints.ts";
export type { RandomBytes } from "./lib/util/random_bytes.ts";
export { DEFAULT_LIMITS } from "./lib/limits.ts";
export type { Limits } from "./lib/limits.ts";
export type { Clock } from "./lib/util/clock.ts";
export type { Trace, TraceEvent } from "./lib/util/trace.ts";

// Capabilities
export { CapabilityRegistry } from "./lib/registry/registry.ts";
export { Capability } from "./lib/registry/capability.ts";
export type { CapabilityInfo } from "./lib/registry/capability_info.ts";
export type { AttenuateOptions, GrantOptions } from "./lib/registry/grant_options.ts";
export type { ExpiryTime } from "./lib/registry/expiry.ts";
export type { CallRate } from "./lib/registry/limits.ts";
export type { CapabilityEvent, CapabilityHappening, LimitKind } from "./lib/registry/capability_event.ts";
export { Membrane, membrane } from "./lib/registry/membrane.ts";
export type {
  MembraneCall,
  MembraneClock,
  MembraneLimits,
  MembraneOptions,
  MembranePolicy,
} from "./lib/registry/membrane.ts";
export { CapabilityEvents } from "./lib/registry/capability_events.ts";
export type { EventOptions } from "./lib/registry/capability_events.ts";
export type { EventSink } from "./lib/registry/capability_events.ts";
export { formatTree } from "./lib/registry/tree.ts";
export type { CapabilityNode } from "./lib/registry/tree.ts";
export type { PermissionQuery } from "./lib/registry/permission_query.ts";
export type { NameLookupHandler } from "./lib/registry/registry.ts";
export type { CapabilityRegistryOptions, RegistryEntry } from "./lib/registry/registry_options.ts";
export type { DurableOptions, Factory, FactoryContext } from "./lib/registry/factories.ts";
export type {
  Store,
  StoredCaveatCount,
  StoredGrant,
  StoredRegistry,
  StoredRetiredName,
  StoredUse,
  StoreKeys,
} from "./lib/registry/store.ts";
export type { GateEnd } from "./lib/registry/gate.ts";
export type { AuditHead, AuditTrail } from "./lib/registry/audit_trail.ts";
export type { StoreOptions } from "./lib/tub/store_options.ts";
export type { AuditOptions } from "./lib/tub/audit_file.ts";
export type { AuditRotation } from "./lib/tub/audit_rotation.ts";
export { verifyAudit } from "./lib/tub/audit_series.ts";
export type { AuditSeriesReport } from "./lib/tub/audit_series.ts";
export { auditKeyOf } from "./lib/tub/tub_keys.ts";
export { verifyAuditFile } from "./lib/tub/verify_audit.ts";
export type { AuditProblem, AuditReport, VerifyAuditOptions } from "./lib/tub/verify_audit.ts";
export type { CaveatMark, CaveatState } from "./lib/registry/caveat_state.ts";

// Objects in a process of their own
export { grantSandbox } from "./lib/sandbox/grant_sandbox.ts";
export type { Sandbox, SandboxState } from "./lib/sandbox/sandbox.ts";
export type { SandboxExit, SandboxOptions, SandboxRestarts } from "./lib/sandbox/options.ts";
export type { SandboxPermissions, SandboxPermissionsObject } from "./lib/sandbox/confinement.ts";

// Objects that travel by reference, and their references
export { NoSuchMethodError, OnlyReferenceable, Referenceable } from "./lib/broker/referenceable.ts";
export { registerRemotelyCallable, remotelyCallable } from "./lib/broker/remotely_callable.ts";
export { LocalReference, localReference } from "./lib/broker/local_reference.ts";
export type {
  EitherCalls,
  EitherReference,
  LocalArguments,
  LocalCalls,
  LocalReferenceOptions,
  LocalResult,
} from "./lib/broker/local_reference.ts";
export { Callable, callable } from "./lib/broker/callable.ts";
export type { MethodName, Publishable } from "./lib/broker/callable.ts";
export { RemoteHandle } from "./lib/broker/remote_handle.ts";
export { RemoteFunction, RemotePromise, RemoteReference } from "./lib/broker/remote_reference.ts";
export type {
  DeclarationOf,
  DeclarationsOf,
  FunctionCalls,
  ObjectOf,
  ObjectType,
  PartKey,
  PartOf,
  Received,
  RemoteArguments,
  RemoteCalls,
  RemoteMethodName,
  RemoteMethods,
  RemoteResult,
  ResultCalls,
  Sendable,
  SendableValue,
  UndeclaredArguments,
  Untyped,
} from "./lib/broker/remote_reference.ts";
export type { NotByProxy } from "./lib/broker/promise_link.ts";
export type { HoldsObjects } from "./lib/broker/crossing_types.ts";
export type { HasMethods, Levels, Unchanging } from "./lib/values/crossing_types.ts";
export { CallContext, currentCall } from "./lib/broker/call_context.ts";
export type { CallTime, PeerInfo } from "./lib/broker/call_context.ts";
export type { CallOptions, CheckedOptions } from "./lib/broker/call.ts";
export type { BrokerTables } from "./lib/broker/broker_tables.ts";
export type {
  BrokerListing,
  InboundDelivery,
  OutboundRequest,
  OutstandingCall,
} from "./lib/broker/broker_listing.ts";

// Schemas: what methods take and give
export {
  getRemoteInterfaceByName,
  registerRemoteInterface,
  RemoteInterface,
} from "./lib/broker/remote_interface.ts";
export * as schema from "./lib/broker/schema.ts";
export { DuplicateRemoteInterfaceError } from "./lib/graph/schema/provided.ts";
export { UnknownSchemaType } from "./lib/graph/schema/make_constraint.ts";
export { InvalidRemoteInterface } from "./lib/graph/schema/method.ts";

// Types that the declarations of schemas lead to; programs rarely name them
export type { Implementation, RemoteInterfaceOptions } from "./lib/broker/remote_interface.ts";
export type {
  Arriving,
  AsReference,
  Declarations,
  Declared,
  declared,
  DeclaredArguments,
  DeclaredByAll,
  DeclaredMethod,
  DeclaredMethods,
  DeclaredResult,
  Inherited,
  InterfaceTypes,
  MethodArguments,
  MethodResult,
  MixedArguments,
  NamedArguments,
  NameOf,
  Passed,
  PositionalArguments,
  ValueOf,
} from "./lib/broker/schema_types.ts";
export type {
  Constraint,
  Contents,
  received as receivedType,
  sent as sentType,
  Taster,
  Typed,
} from "./lib/graph/schema/constraint.ts";
export type { Checking, REFUSED, Refused } from "./lib/graph/schema/checking.ts";
export type { MayBeMissing } from "./lib/graph/schema/containers.ts";
export type { CopyableClass } from "./lib/graph/schema/reference_rules.ts";
export type { ArgumentDeclaration, MethodTypes } from "./lib/graph/schema/method.ts";
export type { argumentTypes, mayBeMissing, unconstrained } from "./lib/graph/schema/marks.ts";
export type { InterfaceRules, Keywords, MethodRules } from "./lib/graph/schema/method_schema.ts";
export { anyReference, providedInterface } from "./lib/graph/schema/provided.ts";
export type {
  AnyFunction,
  AnyReference,
  isFunctionReference,
  isReference,
  Provided,
  Providing,
} from "./lib/graph/schema/provided.ts";
export type { promisedType, PromisedValue } from "./lib/graph/schema/constraint.ts";
export type {
  ReceivedAs,
  ReceivedTuple,
  ReferenceClass,
  SentAs,
  SentTuple,
  Shortcut,
} from "./lib/graph/schema/shortcuts.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./lib/graph/schema/standard_schema.ts";
export type { Unconstrained } from "./lib/graph/schema/method.ts";

// Values
export { Copyable } from "./lib/graph/copyable.ts";
export type { CopyableState } from "./lib/graph/copyable.ts";
export { registerCopier, registerRemoteCopy, registerRemoteCopyFactory } from "./lib/graph/copy_types.ts";
export type { RemoteCopyClass, RemoteCopyFactoryOptions } from "./lib/graph/copy_types.ts";
export { registerRemoteCopyUnslicerFactory } from "./lib/graph/remote_copy_unslicer.ts";
export type { RemoteCopyUnslicer } from "./lib/graph/remote_copy_unslicer.ts";
export { registerSlicer } from "./lib/graph/adapters.ts";
export type { AdaptedClass, Copier } from "./lib/graph/adapters.ts";
export { Tuple, tuple } from "./lib/values/tuple.ts";
export type { TupleOf } from "./lib/values/tuple.ts";
export { Dict } from "./lib/values/dict.ts";
export { ValueSet } from "./lib/values/value_set.ts";
export { FrozenSet, frozenSet } from "./lib/values/value_set.ts";
export { Float, float } from "./lib/values/float.ts";
export { Decimal } from "./lib/values/decimal.ts";
export { type AnyKwargs, type argumentNames, Kwargs, kwargs, type NamedValues } from "./lib/values/kwargs.ts";
export { type Keyed, type ValueKey, valueKeyOf } from "./lib/util/keyed.ts";
export { serialize, unserialize } from "./lib/graph/storage.ts";
export type { SerializeOptions, UnserializeOptions } from "./lib/graph/storage.ts";

export type { StateRules } from "./lib/graph/schema/state_rules.ts";

// Errors
export {
  CertificateError,
  DeadReferenceError,
  DuplicateConnectionError,
  FileError,
  FurlError,
  InvalidHintError,
  NegotiationError,
  NoLocationError,
  NoLocationHintsError,
  PermissionDenied,
  ProtocolError,
  ProxyError,
  RemoteException,
  RemoteNegotiationError,
  SandboxError,
  StoreError,
  UnreachableError,
  Violation,
  WrongNameError,
  WrongTubIdError,
} from "./lib/errors.ts";
export type {
  DenialDetails,
  ErrorDetails,
  RemoteExceptionDetails,
  SandboxEnd,
  StoreErrorDetails,
  StoreProblem,
} from "./lib/errors.ts";
export { registerRemoteError } from "./lib/broker/remote_errors.ts";
export type { RemoteErrorOptions } from "./lib/broker/remote_errors.ts";

// For looking inside
export { describeTokens } from "./lib/wire/describe_tokens.ts";
export type { DescribeTokensOptions } from "./lib/wire/describe_tokens.ts";

// Later turns
export { eventually, fireEventually, flushEventualQueue } from "./lib/util/eventual.ts";

// Perspective Broker
export * as pb from "./lib/pb/pb.ts";

// From one protocol to the other
export * as bridge from "./lib/bridge/bridge.ts";
