/**
 * What somebody who is let in gets.
 *
 * Source: Twisted `cred/portal.py`, `IRealm`.
 *
 * @module
 */

import type { Perspective } from "../flavors/referenceable.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import type { AvatarId, LoginContext } from "./checker.ts";

/** What a realm gives somebody who logs in. Twisted: the tuple `(interface, avatar, logout)`. */
export interface Login {
  /**
   * What the client gets a reference to: a `pb.Avatar`, or what else takes messages as a perspective; or an object that
   * travels as it is, such as a `pb.Referenceable`, whose `remote_` methods are called then.
   */
  readonly avatar: Perspective | Jellyable;
  /**
   * Is called once: when the client gives its last reference to the avatar back, or the connection is lost, or the
   * login came to nothing after all. What it throws goes to the trace.
   */
  readonly logout?: (() => unknown) | undefined;
}

/** Gives avatars to those whom a checker has let in. Twisted: `IRealm`. */
export interface Realm {
  /**
   * Is asked once for each login.
   *
   * @param avatarId Who it is, as the checker says.
   * @param mind What the client has sent with its login: mostly a `RemoteReference` to an object that the server may call, or
   *   `null`. It comes from a stranger: anything may be in it.
   * @param context The connection; its `broker.peerAddress` says from where.
   * @returns The avatar. What it throws fails the login, and is told as other errors are.
   */
  requestAvatar(avatarId: AvatarId, mind: unknown, context: LoginContext): Login | PromiseLike<Login>;
}
