/**
 * URLs.
 *
 * `OPEN url STRING(href) CLOSE`
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { MAX_URL_BYTES } from "../../limits.ts";
import { URL_COST } from "../costs.ts";
import type { Slicing } from "../slicing.ts";
import { TextLeaf } from "./leaf.ts";

/** A URL. Its text is ASCII. */
export function sliceUrl(value: URL, out: Slicing): void {
  const number = out.beginShared(value, "url");
  if (number < 0) return;
  const { href } = value;
  if (href.length > MAX_URL_BYTES) {
    throw new Violation(
      `Cannot serialize a URL of ${href.length} characters, more than ${MAX_URL_BYTES}: send its text`,
    );
  }
  out.encoder.word(href);
  out.end(number);
}

/** Takes one STRING and gives a URL. */
export class UrlUnslicer extends TextLeaf {
  protected override readonly word = "url";
  protected override readonly cost = URL_COST;
  protected override readonly limits = [MAX_URL_BYTES];

  protected override make([href]: readonly string[]): URL {
    const url = URL.parse(href!);
    if (url === null) throw new Violation("The text of a url is not one");
    return url;
  }
}
