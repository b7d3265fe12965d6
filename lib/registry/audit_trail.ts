/**
 * What a registry needs of something that takes down every event, whatever becomes of the process.
 *
 * @module
 */

import type { CapabilityEvent } from "./capability_event.ts";

/** The last line of an audit file: whoever has kept it elsewhere notices later that lines were cut off. */
export interface AuditHead {
  /** Its number, from 1. */
  readonly line: number;
  /** SHA-256 of it, in base64. */
  readonly hash: string;
}

/** Takes events down, in order. */
export interface AuditTrail {
  /** The last line that was written. */
  readonly head: AuditHead;
  /**
   * Takes an event down.
   *
   * @throws {FileError} If that is not possible, and nothing shall happen that is not taken down.
   */
  take(event: CapabilityEvent): void;
  /** Nothing more comes. Must not throw. */
  close(): void;
}
