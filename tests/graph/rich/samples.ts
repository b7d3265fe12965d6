/**
 * Values that only JavaScript has, each with the text that docs/wire.md gives it.
 *
 * @module
 */

const cyclic = new Map<unknown, unknown>();
cyclic.set("self", cyclic);

/** By the expression that makes it. */
export const SAMPLES: ReadonlyMap<string, () => unknown> = new Map<string, () => unknown>([
  ["undefined", () => undefined],
  ["5n", () => 5n],
  ["-5n", () => -5n],
  ["0n", () => 0n],
  ["2n ** 40n", () => 2n ** 40n],
  ["2n ** 53n", () => 2n ** 53n],
  ["new Date(1)", () => new Date(1)],
  ["new Date(NaN)", () => new Date(NaN)],
  ['new Map([[1, "a"]])', () => new Map([[1, "a"]])],
  ['new Map(), in itself under the key "self"', () => cyclic],
  ["new Set([1, true])", () => new Set<unknown>([1, true])],
  ['new URL("https://a.b/c?d#e")', () => new URL("https://a.b/c?d#e")],
  ["/a+\\/b/gi", () => /a+\/b/gi],
  ["new Uint16Array([1, 0x203])", () => new Uint16Array([1, 0x203])],
  ["new Float64Array([0.5])", () => new Float64Array([0.5])],
  ["new ArrayBuffer(2)", () => new ArrayBuffer(2)],
  ['new TypeError("no")', () => new TypeError("no")],
  ['new Error("a", { cause: 1 })', () => new Error("a", { cause: 1 })],
  ['new AggregateError([2], "all")', () => new AggregateError([2], "all")],
  ['new DOMException("stop", "AbortError")', () => new DOMException("stop", "AbortError")],
  ['Temporal.PlainDate.from("2026-01-02")', () => Temporal.PlainDate.from("2026-01-02")],
  ["Temporal.Duration.from({ seconds: 90 })", () => Temporal.Duration.from({ seconds: 90 })],
]);
