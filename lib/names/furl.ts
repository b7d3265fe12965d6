/**
 * FURL text ↔ its parts: `pb://<tub-id>@<hint>,<hint>/<name>`.
 *
 * The name is the only secret that protects an object, so no error here shows it, nor any text that
 * might be it.
 *
 * @module
 */

import { FurlError } from "../errors.ts";
import { MAX_FURL_BYTES } from "../limits.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import { redactHint } from "../util/redact.ts";
import { TUB_ID_LENGTH } from "./tub_id.ts";

/** The parts of a FURL. */
export interface FurlParts {
  /** The Tub: 32 characters of base32 when a Tub wrote it; shorter and upper-case ones are kept as they are. */
  readonly tubId: string;
  /** Connection hints as text, in order, none empty. No hint at all is legal. */
  readonly hints: readonly string[];
  /** The name of the object, not empty: a secret. */
  readonly name: string;
}

const SCHEME = "pb://";
const NOT_BASE32 = /[^a-zA-Z2-7]/u;
const FORM = "the text does not have the form pb://<tub-id>@<hints>/<name>";

// A BOM in front is junk like any other, which is tolerated.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(furl: string | Uint8Array): string {
  if (furl.length > MAX_FURL_BYTES) throw tooLong("parse");
  if (typeof furl !== "string") {
    try {
      return utf8.decode(furl);
    } catch {
      throw new FurlError("Cannot parse FURL: the bytes are not UTF-8");
    }
  }
  if (!furl.isWellFormed()) throw new FurlError("Cannot parse FURL: the text has a lone surrogate");
  if (encodeText(furl).length > MAX_FURL_BYTES) throw tooLong("parse");
  return furl;
}

function tooLong(action: string): FurlError {
  return new FurlError(`Cannot ${action} FURL: it has more than ${MAX_FURL_BYTES} bytes`);
}

/**
 * The three parts as Python's *search* for `pb://([^@]+)@([^/]*)/(.+)$` finds them: the first place
 * from which the whole rest of the text fits. Undefined where there is none.
 */
function findParts(text: string): [tubField: string, hints: string, name: string] | undefined {
  // `$` also matches before one last newline, and `.` is anything but a newline.
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  const lastNewline = body.lastIndexOf("\n");
  for (let start = text.indexOf(SCHEME); start >= 0; start = text.indexOf(SCHEME, start + 1)) {
    const tubStart = start + SCHEME.length;
    const at = body.indexOf("@", tubStart);
    const slash = at < 0 ? -1 : body.indexOf("/", at + 1);
    if (slash < 0) return undefined;
    if (at > tubStart && slash > lastNewline && slash + 1 < body.length) {
      return [body.slice(tubStart, at), body.slice(at + 1, slash), body.slice(slash + 1)];
    }
  }
  return undefined;
}

/**
 * Parses a FURL, as tolerantly as Foolscap does.
 *
 * Junk before `pb://` and one newline at the end are ignored. Of the TubID field only the first 32
 * characters count; the rest is an area for extensions. Upper case is kept, and then equals no Tub.
 * Source: Foolscap `furl.py`, `decode_furl`.
 *
 * @param furl Text, or UTF-8 of it; at most 8,192 bytes.
 * @throws {FurlError} If it is no FURL, its TubID is not base32, a hint is empty, or it is too long.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFurl } from "./furl.ts";
 *
 * const furl = parseFurl("pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:localhost:4501,h:2/calc");
 * assert.deepEqual(furl.hints, ["tcp:localhost:4501", "h:2"]);
 * assert.equal(furl.name, "calc");
 * ```
 */
export function parseFurl(furl: string | Uint8Array): FurlParts {
  const found = findParts(textOf(furl));
  if (found === undefined) throw new FurlError(`Cannot parse FURL: ${FORM}`);
  const tubId = found[0].slice(0, TUB_ID_LENGTH);
  checkTubId(tubId, "parse");
  const hints = found[1] === "" ? [] : found[1].split(",");
  if (hints.includes("")) throw new FurlError("Cannot parse FURL: no connection hint may be empty");
  return Object.freeze({ tubId, hints: Object.freeze(hints), name: found[2] });
}

function checkTubId(tubId: string, action: string): void {
  // Only the character is shown: a FURL written wrongly may have its name in this place.
  const wrong = NOT_BASE32.exec(tubId)?.[0];
  if (wrong !== undefined) {
    throw new FurlError(
      `Cannot ${action} FURL: the TubID has the character ${
        quoteForeign(wrong)
      }, which is not base32 (a-z, 2-7)`,
    );
  }
}

/**
 * Writes a FURL; there is no escaping in the format. Foolscap: `furl.encode_furl`.
 *
 * `parseFurl` reads back the same parts.
 *
 * @param parts The name may have `/`, `?` and `&`, which Foolscap reserves: do not make new ones.
 * @throws {FurlError} If a part is empty, is too long, or has a character that would end it.
 */
export function formatFurl(parts: FurlParts): string {
  const { tubId, hints, name } = parts;
  if (tubId === "" || tubId.length > TUB_ID_LENGTH) {
    throw new FurlError(`Cannot write FURL: the TubID has ${tubId.length} characters, not ${TUB_ID_LENGTH}`);
  }
  checkTubId(tubId, "write");
  for (const hint of hints) {
    if (hint === "") throw new FurlError("Cannot write FURL: no connection hint may be empty");
    if (/[,/\r\n]/.test(hint) || !hint.isWellFormed()) {
      throw new FurlError(
        `Cannot write FURL: the hint ${
          quoteForeign(redactHint(hint))
        } has a comma, a slash, a newline or a lone surrogate`,
      );
    }
  }
  checkName(name);
  const furl = `${SCHEME}${tubId}@${hints.join(",")}/${name}`;
  if (encodeText(furl).length > MAX_FURL_BYTES) throw tooLong("write");
  return furl;
}

/**
 * Checks that a text can be the name in a FURL.
 *
 * @throws {FurlError} If it is empty, or has a newline or a lone surrogate. The name is not shown.
 */
export function checkName(name: string): void {
  if (name === "") throw new FurlError("Cannot use name: it is empty");
  if (name.includes("\n")) throw new FurlError("Cannot use name: it has a newline, which ends a FURL");
  if (!name.isWellFormed()) throw new FurlError("Cannot use name: it has a lone surrogate");
}
