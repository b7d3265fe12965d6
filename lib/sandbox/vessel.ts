/**
 * What a sandboxed object runs in, whatever that is.
 *
 * @module
 */

import type { ByteStreams } from "../transport/stream_connection.ts";
import type { Clock } from "../util/clock.ts";

/** How what runs in a vessel has ended. */
export interface VesselEnd {
  /** The exit code of a process; 0 for an end without an error. */
  readonly code: number;
  /** The signal that ended a process, such as `SIGKILL`. */
  readonly signal: string | null;
}

/** A running process or Worker. */
export interface Vessel {
  /** The way to the Tub in it. */
  readonly streams: ByteStreams;
  /** The process's id. */
  readonly pid: number | undefined;
  /** Resolves when it has ended. Never rejects. */
  readonly ended: Promise<VesselEnd>;
  /** Ends it at once, whatever it does. More than once is harmless. */
  kill(): void;
}

/** What a vessel is made for. */
export interface VesselPlan {
  readonly permissions: readonly Deno.PermissionDescriptor[];
  /** Files and folders that it may read besides, to load its code. */
  readonly sources: readonly string[];
  /** Hosts that code may be loaded from. */
  readonly hosts: readonly string[];
  /** The variables that it has. */
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  /** Whether code that is not in Deno's cache is downloaded. */
  readonly downloads: boolean;
  /** A program, with its arguments, that runs the one that is named after that. */
  readonly launcher: readonly string[];
  readonly clock: Clock;
  /** Is given each line that is printed. Must not throw. */
  onLine(line: string): void;
}
