/**
 * IP addresses as text and as bytes.
 *
 * @module
 */

/** The 4 or 16 bytes of an address; `undefined` if the text is a name, or has a zone. */
export function bytesOfAddress(host: string): Uint8Array<ArrayBuffer> | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) {
    const bytes = host.split(".").map(Number);
    return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined;
  }
  // A URL writes every IPv6 address the same way: hex groups and at most one "::".
  const url = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(host) ? URL.parse(`http://[${host}]`) : null;
  if (url === null) return undefined;
  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const first = groups(head), last = groups(tail ?? "");
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

/** IPv4 networks that no stranger's machine is in: first address and length of the prefix. */
const NOT_PUBLIC: readonly (readonly [first: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  // Multicast and what is reserved.
  ["224.0.0.0", 3],
];

/**
 * Whether a host is an address that only means something nearby: an IPv4 one that is private, loopback, link-local,
 * multicast or reserved, or any IPv6 one. Foolscap: `is_non_public_numeric_address`.
 */
export function isNonPublicAddress(host: string): boolean {
  if (host.includes(":")) return true;
  const bytes = bytesOfAddress(host);
  if (bytes === undefined) return false;
  const number = numberOf(bytes);
  return NOT_PUBLIC.some(([first, bits]) =>
    (number ^ numberOf(bytesOfAddress(first)!)) >>> (32 - bits) === 0
  );
}

function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum << 8 | byte, 0);
}
