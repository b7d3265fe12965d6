/**
 * What a registry tells of its capabilities: who was given what, who used it, who was refused, and when.
 *
 * @module
 */

/** Which limit of a capability refused a call. */
export type LimitKind =
  | "method"
  | "expires"
  | "revoked"
  | "maxCalls"
  | "rate"
  | "holders"
  | "requires"
  /** None of its own: the call could not be written down, in the audit file or the store. */
  | "record";

/** One thing that happened to a capability. Never holds a name, a FURL, an argument or a result. */
export type CapabilityEvent =
  & {
    /** Milliseconds since 1970, by the Tub's clock. */
    readonly at: number;
    /** Counts the events of a registry from 1, without gaps. */
    readonly sequence: number;
    /** The number of the capability in its registry. */
    readonly capability: number;
    /** What the program calls it. */
    readonly label: string | undefined;
  }
  & CapabilityHappening;

/** What happened. */
export type CapabilityHappening =
  /** It was granted; `parent` is what it was attenuated from, or the membrane or FURL that it comes of. */
  | {
    readonly type: "granted";
    readonly parent: number | undefined;
    readonly how: "grant" | "attenuate" | "membrane" | "furl" | "restored";
  }
  /** A call was delivered. `caller` is the TubID that the caller has proved. */
  | { readonly type: "used"; readonly caller: string | undefined; readonly method: string }
  /** A call was refused, and which limit refused it. */
  | {
    readonly type: "denied";
    readonly caller: string | undefined;
    readonly method: string;
    readonly limit: LimitKind;
  }
  /** Its time is over. Told when it is noticed: by a timer, or at the first call after it. */
  | { readonly type: "expired" }
  /** The program revoked it, or one that it comes of (`by`). */
  | { readonly type: "revoked"; readonly by: number }
  /** The Tub `to` was given it, as the answer to its name, in an argument or in a result, and did not hold it then. */
  | { readonly type: "introduced"; readonly to: string | undefined };

/** Takes down what happened. Must not throw. */
export type RecordEvent = (capability: number, label: string | undefined, what: CapabilityHappening) => void;
