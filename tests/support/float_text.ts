/**
 * Numbers as Python's `repr` writes floats.
 *
 * @module
 */

/** The shortest text that Python reads back as this float, such as `1.0`, `-0.0`, `1e-05` or `nan`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (!Number.isFinite(value)) return `${sign}inf`;
  const [mantissa, exponentText] = Math.abs(value).toExponential().split("e");
  const digits = mantissa!.replace(".", "");
  const exponent = Number(exponentText);
  return sign + (exponent < -4 || exponent >= 16 ? scientific(digits, exponent) : plain(digits, exponent));
}

/** The number that a text of {@link floatText} stands for. */
export function floatOf(text: string): number {
  const named: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  return named[text] ?? Number(text);
}

function scientific(digits: string, exponent: number): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.padEnd(exponent + 1, "0");
  return `${whole.slice(0, exponent + 1)}.${whole.slice(exponent + 1) || "0"}`;
}
