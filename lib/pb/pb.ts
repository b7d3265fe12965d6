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
export { CalendarDate } from "./values/calendar_date.ts";
export { TimeOfDay } from "./values/time_of_day.ts";
export { TimeDelta } from "./values/time_delta.ts";
export { Unpersistable } from "./values/unpersistable.ts";

// Errors and limits
export { BananaError, InsecureJelly } from "./errors.ts";
export { DEFAULT_PB_LIMITS } from "./limits.ts";
export type { PbLimits } from "./limits.ts";
