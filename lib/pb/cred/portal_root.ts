/**
 * The first object that clients of a portal reach.
 *
 * Source: Twisted `spread/pb.py`, `_PortalWrapper`.
 *
 * @module
 */

import { decodeText } from "../../util/text.ts";
import { type Tuple, tuple } from "../../values/tuple.ts";
import { UnauthorizedLogin } from "../errors.ts";
import type { Broker, PbCall } from "../flavors/call.ts";
import { Referenceable } from "../flavors/referenceable.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import { Challenges, checkAnswerable } from "./challenges.ts";
import { ConnectionLogins, type LoginPortal } from "./connection_logins.ts";
import type { Credentials } from "./credentials.ts";
import { MAX_USERNAME_BYTES } from "./limits.ts";
import { Anonymous } from "./methods.ts";
import { bytesOf } from "./response.ts";

/**
 * The first object that a client of a portal reaches: it logs in by password, or without a name. One that derives from it
 * can have ways of its own.
 *
 * @example Logins by a token
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Token implements pb.Credentials {
 *   readonly interfaces = ["example.IToken"];
 *   constructor(readonly text: unknown) {}
 * }
 * class TokenRoot extends pb.PortalRoot {
 *   remote_loginToken(text: unknown, mind: unknown): Promise<pb.Jellyable> {
 *     return this.logIn(new Token(text), mind);
 *   }
 * }
 * class TokenPortal extends pb.Portal {
 *   override rootObject(broker: pb.Broker): pb.MessageReceiver {
 *     return new TokenRoot(this, broker);
 *   }
 * }
 * class User extends pb.Avatar {
 *   perspective_hello(): string {
 *     return "hello";
 *   }
 * }
 * const checker: pb.CredentialsChecker = {
 *   credentialInterfaces: ["example.IToken"],
 *   requestAvatarId(credentials: Token) {
 *     if (credentials.text !== "sesame") throw new pb.UnauthorizedLogin();
 *     return "alice";
 *   },
 * };
 * const portal = new TokenPortal({ requestAvatar: () => ({ avatar: new User() }) }, [checker]);
 * await using server = await pb.serve(portal, "tcp:0:interface=127.0.0.1");
 *
 * await using client = await pb.connect(server.address);
 * const byToken: pb.LoginMethod = {
 *   logInto: (root, mind) => root.callRemote("loginToken", "sesame", mind),
 * };
 * using avatar = await client.login<User>(byToken);
 * assert.equal(await avatar.callRemote("hello"), "hello");
 * ```
 */
export class PortalRoot extends Referenceable {
  readonly #logins: ConnectionLogins;
  readonly #challenges: Challenges;

  /** The root of one connection. */
  constructor(portal: LoginPortal, broker: Broker) {
    super();
    this.#logins = new ConnectionLogins(portal, broker);
    this.#challenges = new Challenges(portal, broker, this.#logins);
  }

  /** Only with an answer: without one nobody would hold the avatar. */
  override remoteMessageReceived(message: string, call: PbCall): unknown {
    checkAnswerable(call);
    return super.remoteMessageReceived(message, call);
  }

  /**
   * Begins a login by password.
   *
   * @param username UTF-8. Twisted's clients send bytes; text is taken too.
   * @returns The challenge, and what takes the response. Both also for users who do not exist.
   */
  remote_login(username: unknown): Tuple {
    const challenger = this.#challenges.open(nameOf(username));
    return tuple(challenger.challenge, challenger);
  }

  /** Logs in without a name. */
  remote_loginAnonymous(mind: unknown = null): Promise<Jellyable> {
    return this.logIn(new Anonymous(), mind);
  }

  /**
   * Asks the portal, within the limits of the connection.
   *
   * @returns What a `remote_` method must return to its caller: to whom it is the avatar.
   * @throws {LoginFailed} If they are not let in.
   */
  protected async logIn(credentials: Credentials, mind: unknown): Promise<Jellyable> {
    return await this.#logins.logIn(credentials, mind);
  }
}

/** @throws {UnauthorizedLogin} If nobody can have such a name. */
function nameOf(username: unknown): string {
  try {
    const bytes = bytesOf(username as string | Uint8Array, "a user name");
    if (bytes.length <= MAX_USERNAME_BYTES) return decodeText(bytes, 0, bytes.length);
  } catch {
    // It is nobody's.
  }
  throw new UnauthorizedLogin();
}
