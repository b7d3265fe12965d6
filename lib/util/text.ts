/**
 * UTF-8 to text and back, fast for the short ASCII words that make up most of a message.
 *
 * @module
 */

// A BOM is data here: stripping it would change the value.
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Words longer than this are decoded by the platform, whose calls cost more than a short loop. */
const SHORT = 24;
/** Texts longer than this are encoded by the platform. */
const SHORT_TO_ENCODE = 40;
/** A function takes so many arguments everywhere. */
const MAX_CODES = 4_096;
const CACHE_SIZE = 1024;

/**
 * Short ASCII words that were decoded lately, by a hash of their bytes. Method names and keys come
 * again and again; a text from here is one object each time, which makes property access fast.
 * A peer that fills it with other words costs us the time of a miss and nothing else.
 */
const cache: string[] = new Array(CACHE_SIZE).fill("");
/** Their bytes, for strings are slow to look into: those that were a key stand for the engine's own copy of it. */
const cachedBytes = new Uint8Array(CACHE_SIZE * SHORT);

/**
 * Text of `bytes[start..end)`.
 *
 * @throws {TypeError} If the bytes are not UTF-8.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  return shortAscii(bytes, start, end) ?? decodeUtf8(bytes.subarray(start, end));
}

/** The text of a few bytes of ASCII: the same string each time, which saves making and hashing it. */
function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start;
  if (length > SHORT) return undefined;
  if (length === 0) return "";
  // Four of the bytes tell most words apart: what is counted up, and what begins alike, differs at the end.
  const last = bytes[end - 1]!;
  const hash = Math.imul(bytes[start]! + (bytes[start + (length >> 1)]! << 8), 0x9e3779b1) +
    Math.imul(last + ((length > 1 ? bytes[end - 2]! : 0) << 7) + (length << 14), 0x85ebca6b);
  const slot = (hash ^ (hash >>> 15)) & (CACHE_SIZE - 1);
  const known = cache[slot]!;
  if (known.length === length) {
    let i = start;
    for (let at = slot * SHORT; i < end && cachedBytes[at] === bytes[i]; i++) at++;
    if (i === end) return known;
  }
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return undefined;
  for (let i = start, at = slot * SHORT; i < end; i++) cachedBytes[at++] = bytes[i]!;
  return cache[slot] = asciiText(bytes, start, end);
}

/** Text of ASCII bytes, eight characters at a time: one by one they would be as many texts, each put together of two. */
function asciiText(bytes: Uint8Array, start: number, end: number): string {
  const text = String.fromCharCode;
  let all = "";
  let i = start;
  for (; i + 8 <= end; i += 8) {
    // deno-fmt-ignore
    all += text(bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!,
      bytes[i + 4]!, bytes[i + 5]!, bytes[i + 6]!, bytes[i + 7]!);
  }
  if (i + 4 <= end) {
    all += text(bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!);
    i += 4;
  }
  for (; i < end; i++) all += text(bytes[i]!);
  return all;
}

/** Three to eight times as fast as the strict decoder, which is asked only where something may be wrong. */
function decodeUtf8(bytes: Uint8Array): string {
  const text = lenient.decode(bytes);
  return text.includes("\ufffd") ? strict.decode(bytes) : text;
}

/** Text of bytes that a stranger sent, to be shown: what is not UTF-8 is U+FFFD. */
export function decodeLossy(bytes: Uint8Array): string {
  return shortAscii(bytes, 0, bytes.length) ?? lenient.decode(bytes);
}

/** UTF-8 of a text. Lone surrogates become U+FFFD: check with `isWellFormed()` where that matters. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  const { length } = text;
  if (length > SHORT_TO_ENCODE) return encoder.encode(text);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

/** The text of characters by their numbers, in one piece. */
export function textOfCodes(codes: number[]): string {
  if (codes.length <= MAX_CODES) return String.fromCharCode.apply(null, codes);
  return String.fromCharCode.apply(null, codes.slice(0, MAX_CODES)) + textOfCodes(codes.slice(MAX_CODES));
}

/** At most `limit` characters of a text that a stranger wrote, with what is not printable escaped. */
export function quoteForeign(text: string, limit = 200): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A name that a stranger may have chosen: as it is if it is a plain word, else as {@linkcode quoteForeign} shows it. */
export function showName(name: string): string {
  return /^[\p{L}\p{N}_$]{1,100}$/u.test(name) ? name : quoteForeign(name, 100);
}

/** A word of a POSIX shell's command line: quoted, if the shell would take anything in it for something else. */
export function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The longest beginning of a text whose UTF-8 has at most `maxBytes` bytes, cut between characters.
 */
export function truncateUtf8(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const target = new Uint8Array(maxBytes);
  return text.slice(0, encoder.encodeInto(text, target).read);
}
