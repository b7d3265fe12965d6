/**
 * Audit files in a folder of their own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type AuditHead, type AuditRotation, Referenceable } from "../../mod.ts";
import { AuditFile } from "../../lib/tub/audit_file.ts";
import type { CapabilityEvent } from "../../lib/registry/capability_event.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";
import { FakeClock } from "../support/fake_clock.ts";

export const KEY = new Uint8Array(32).fill(7);
export const SMALL: AuditRotation = { maxBytes: 4_096 };
export const DAY = 86_400_000;

export class Bell extends Referenceable {
  rung = 0;
  remote_ring(): number {
    return ++this.rung;
  }
}

export async function inFolder(run: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** An event so long that a file of 4,096 bytes holds two or three of them. */
export const event = (sequence: number, label = `label ${sequence} `.padEnd(700, "x")): CapabilityEvent => ({
  at: 1_700_000_000_000,
  sequence,
  capability: 1,
  label,
  type: "used",
  caller: undefined,
  method: "ring",
});

export interface Opened {
  readonly audit: AuditFile;
  readonly clock: FakeClock;
  readonly failures: Error[];
}

export function open(
  file: string,
  rotate: AuditRotation | undefined = SMALL,
  clock = new FakeClock(),
): Opened {
  const failures: Error[] = [];
  const trace = (event: TraceEvent) => {
    if (event.type === "callback-failed") failures.push(event.error);
  };
  return {
    audit: AuditFile.open({ file, key: KEY, tubId: "a".repeat(32), clock, trace, rotate }),
    clock,
    failures,
  };
}

/** Five files, in each of which are two events, or three; the last one is `audit.jsonl`. */
export function write(file: string, events = 10): AuditHead {
  const { audit, failures } = open(file);
  for (let i = 1; i <= events; i++) audit.take(event(i));
  audit.close();
  assert.deepEqual(failures, []);
  return audit.head;
}

export const names = (folder: string): string[] =>
  Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
export const text = (file: string): string => Deno.readTextFileSync(file);
export const labels = (files: readonly string[]): number[] =>
  files.flatMap((file) => Array.from(text(file).matchAll(/"label":"label (\d+) /g), ([, n]) => Number(n)));
