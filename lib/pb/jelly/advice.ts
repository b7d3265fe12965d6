/**
 * What to send in place of a value that cannot be sent.
 *
 * @module
 */

/** The end of a sentence that says of a value that it cannot be sent. */
export function adviceFor(value: unknown): string {
  if (typeof value === "function") return "send a pb.Referenceable that has a method";
  if (value instanceof Date) return "send a pb.DateTime, pb.CalendarDate or pb.TimeOfDay";
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return "send a Uint8Array of it";
  if (value instanceof Promise) return "await it first";
  if (value instanceof Error) return "throw it, or send its message";
  return "make its class a pb.Copyable, a pb.Referenceable or another with jellyFor, or allow it by SecurityOptions.allowInstancesOf";
}
