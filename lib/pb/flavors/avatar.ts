/**
 * What somebody who is logged in can do, and objects that know who calls.
 *
 * Source: Twisted `spread/pb.py`, `Avatar`; `spread/flavors.py`, `Viewable`, `ViewPoint`.
 *
 * @module
 */

import {
  findMethod,
  jellyRemote,
  noSuchAttribute,
  type Perspective,
  Referenceable,
} from "./referenceable.ts";
import type { Jellying } from "../jelly/invoker.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import type { PbCall } from "./call.ts";
import type { ByReference, byReference } from "./marks.ts";

/**
 * What one user can do: a peer that is logged in reaches the methods whose names begin with `perspective_`.
 *
 * An avatar travels as the result of a login only; elsewhere it is sent as a note that it cannot be.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * class User extends pb.Avatar {
 *   constructor(readonly name: string) {
 *     super();
 *   }
 *   perspective_whoami(): string {
 *     return this.name;
 *   }
 * }
 * new User("alice");
 * ```
 */
export class Avatar implements Perspective {
  /** Only the types need it. */
  declare readonly [avatar]: true;

  /**
   * Serves one call: the hook for avatars that take any message. By default calls the method `perspective_<message>`.
   *
   * @throws {NoSuchMethod} If the class declares no such method.
   */
  perspectiveMessageReceived(message: string, call: PbCall): unknown {
    const key = `perspective_${message}`;
    const method = findMethod(this, key, Avatar.prototype);
    if (method === undefined) throw noSuchAttribute(this, key);
    return method.apply(this, call.args(this));
  }
}

declare const avatar: unique symbol;

/**
 * An object that travels by reference and is told who calls: a peer reaches the methods whose names begin with `view_`, and
 * whose first parameter is the avatar through which the peer got the object, or `undefined`.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * class Document extends pb.Viewable {
 *   view_read(reader: pb.Avatar | undefined): string {
 *     return reader === undefined ? "nothing for strangers" : "the text";
 *   }
 * }
 * new Document();
 * ```
 */
export class Viewable implements Jellyable, ByReference {
  /** Only the types need it. */
  declare readonly [byReference]: true;

  /** What tells this object from others. By default: the object. */
  processUniqueID(): unknown {
    return this;
  }

  /** Writes itself as a reference to a {@linkcode ViewPoint} of the run's perspective. */
  jellyFor(jellier: Jellying): void {
    new ViewPoint(jellier.perspective as object | undefined, this).jellyFor(jellier);
  }
}

/** What can be seen: a {@linkcode Viewable}, or another object with methods that begin with `view_`. */
export interface Viewed {
  /** What tells the object from others. */
  processUniqueID(): unknown;
}

/** A {@linkcode Viewable} as one avatar sees it: what a peer holds, and what comes home when the peer sends it back. */
export class ViewPoint extends Referenceable {
  /** The object that is seen. */
  readonly object: Viewed;

  /** @param perspective Who sees it: `undefined` for somebody unknown. */
  constructor(perspective: object | undefined, object: Viewed) {
    super();
    this.perspective = perspective;
    this.object = object;
  }

  /** The pair, as one value: the same object seen by the same avatar is one object to a peer. */
  override processUniqueID(): unknown {
    const unique = this.object.processUniqueID();
    if ((typeof unique !== "object" && typeof unique !== "function") || unique === null) return this;
    let views = viewpoints.get(unique);
    if (views === undefined) viewpoints.set(unique, views = { byPerspective: new WeakMap(), none: {} });
    if (this.perspective === undefined) return views.none;
    let token = views.byPerspective.get(this.perspective);
    if (token === undefined) views.byPerspective.set(this.perspective, token = {});
    return token;
  }

  /** Calls `view_<message>` with the perspective first. */
  override remoteMessageReceived(message: string, call: PbCall): unknown {
    const key = `view_${message}`;
    const method = findMethod(this.object, key, Viewable.prototype);
    if (method === undefined) throw noSuchAttribute(this.object, key);
    return method.apply(this.object, [this.perspective, ...call.args(this.perspective)]);
  }

  /** Writes itself as `(remote n)`. */
  override jellyFor(jellier: Jellying): void {
    jellyRemote(this, jellier);
  }
}

/** For each object and perspective one token, which lives as long as both. */
const viewpoints = new WeakMap<object, { byPerspective: WeakMap<object, object>; none: object }>();
