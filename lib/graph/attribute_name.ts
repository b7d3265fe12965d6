/**
 * The names of the attributes of a `copyable`, as they arrive.
 *
 * Source: Foolscap `copyable.py`, `RemoteCopyUnslicer`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { MAX_NAME_BYTES } from "../limits.ts";
import { decodeText } from "../util/text.ts";
import { STRING, tokenName, VOCAB } from "../wire/tokens.ts";

/**
 * May this token be the name of an attribute?
 *
 * @throws {ProtocolError} If it is no STRING.
 * @throws {Violation} If it is too long.
 */
export function checkAttributeToken(type: number, size: number): void {
  if (type !== STRING && type !== VOCAB) {
    throw new ProtocolError(`RemoteCopyUnslicer keys must be STRINGs, not ${tokenName(type)}`);
  }
  if (size > MAX_NAME_BYTES) {
    throw new Violation(`Attribute name too long: ${size} > ${MAX_NAME_BYTES} bytes`);
  }
}

/**
 * The name in `bytes[start..end)`.
 *
 * @throws {Violation} If it is not UTF-8.
 */
export function attributeName(bytes: Uint8Array, start: number, end: number): string {
  try {
    return decodeText(bytes, start, end);
  } catch (cause) {
    throw new Violation("Attribute name is not UTF-8", { cause });
  }
}
