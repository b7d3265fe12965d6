/**
 * The portal: asks checkers who somebody is and the realm for what they get. And its root, the first object that clients reach.
 *
 * Source: Twisted `cred/portal.py`; `spread/pb.py`, `_PortalRoot`, `_PortalWrapper`.
 *
 * @module
 */

import { type Clock, systemClock } from "../../util/clock.ts";
import { type RandomBytes, systemRandomBytes } from "../../util/random_bytes.ts";
import { decodeText } from "../../util/text.ts";
import { type Tuple, tuple } from "../../values/tuple.ts";
import { LoginFailed, PbError, UnauthorizedLogin, UnhandledCredentials } from "../errors.ts";
import type { Broker, MessageReceiver, PbCall } from "../flavors/call.ts";
import { type AsRoot, asRoot, Referenceable, type RootProvider } from "../flavors/referenceable.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import { MAX_USERNAME_BYTES, type PbLoginLimits, resolveLoginLimits } from "../limits.ts";
import { Challenges, checkAnswerable } from "./challenges.ts";
import { ANONYMOUS, type AvatarId, type CredentialsChecker, type LoginContext } from "./checker.ts";
import { Anonymous } from "./client_logins.ts";
import { ConnectionLogins, type LoginPortal } from "./connection_logins.ts";
import { bytesOf, type Credentials } from "./credentials.ts";
import type { Login, Realm } from "./realm.ts";

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
    // Neither text nor bytes, or no UTF-8: no user has such a name.
  }
  throw new UnauthorizedLogin();
}

/** Options of a {@linkcode Portal}. */
export interface PortalOptions {
  /** Limits of logins by connections. */
  readonly limits?: Partial<PbLoginLimits> | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** Makes challenges. @default the system's */
  readonly randomBytes?: RandomBytes | undefined;
}

/**
 * Lets users in: asks checkers who somebody is, and the realm for what they get. `pb.serve` takes it as a root.
 *
 * The protocol protects passwords weakly (MD5), and nothing that is said after the login: serve by `tls:`.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class User extends pb.Avatar {
 *   constructor(readonly name: string) {
 *     super();
 *   }
 *   perspective_whoami(): string {
 *     return this.name;
 *   }
 * }
 * const realm: pb.Realm = {
 *   requestAvatar: (id) => ({ avatar: new User(String(id)), logout: () => {} }),
 * };
 * const users = new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland" });
 * await using server = await pb.serve(new pb.Portal(realm, [users]), "tcp:0:interface=127.0.0.1");
 *
 * await using client = await pb.connect(server.address);
 * using avatar = await client.login<User>(new pb.UsernamePassword("alice", "wonderland"));
 * assert.equal(await avatar.callRemote("whoami"), "alice");
 * ```
 */
export class Portal implements AsRoot {
  /** Gives avatars. */
  readonly realm: Realm;
  /** What holds for logins by connections. */
  readonly limits: PbLoginLimits;
  /** The time. */
  readonly clock: Clock;
  /** Makes challenges. */
  readonly randomBytes: RandomBytes;
  readonly #checkers = new Map<string, CredentialsChecker>();

  /**
   * A portal to a realm.
   *
   * @param checkers Say who somebody is. Of two for the same kind of credentials the later one is asked.
   * @throws {TypeError} If the realm or a checker is none, or a limit is unknown.
   * @throws {RangeError} If a limit is out of its range.
   */
  constructor(realm: Realm, checkers: readonly CredentialsChecker[] = [], options: PortalOptions = {}) {
    if (typeof realm?.requestAvatar !== "function") {
      throw new TypeError("Cannot make a portal: a realm needs requestAvatar(avatarId, mind)");
    }
    this.realm = realm;
    this.limits = resolveLoginLimits(options.limits);
    this.clock = options.clock ?? systemClock;
    this.randomBytes = options.randomBytes ?? systemRandomBytes;
    for (const checker of checkers) this.registerChecker(checker);
  }

  /**
   * Adds a checker.
   *
   * @param credentialInterfaces The kinds of credentials for which it is asked. By default those that it names itself.
   * @throws {TypeError} If it is none.
   */
  registerChecker(checker: CredentialsChecker, ...credentialInterfaces: string[]): void {
    const isChecker = typeof checker?.requestAvatarId === "function" &&
      Array.isArray(checker.credentialInterfaces);
    if (!isChecker) {
      throw new TypeError(
        "Cannot register a checker: it needs credentialInterfaces and requestAvatarId(credentials)",
      );
    }
    const kinds = credentialInterfaces.length > 0 ? credentialInterfaces : checker.credentialInterfaces;
    for (const kind of kinds) this.#checkers.set(kind, checker);
  }

  /** The kinds of credentials that can be checked. */
  listCredentialsInterfaces(): string[] {
    return [...this.#checkers.keys()];
  }

  /**
   * Lets somebody in. For programs that log in without Perspective Broker: they call the `logout` themselves.
   *
   * @throws {UnauthorizedLogin} If a checker does not know them, or has failed; the cause says why.
   * @throws {UnhandledCredentials} If there is no checker for such credentials.
   * @throws {LoginFailed} Or whatever else the checker of this name, or the realm, throws.
   */
  async login(
    credentials: Credentials,
    mind: unknown = null,
    context: LoginContext = { broker: undefined, signal: new AbortController().signal },
  ): Promise<Login> {
    const avatarId = await this.#avatarIdOf(credentials, context);
    context.signal.throwIfAborted();
    const login: unknown = await this.realm.requestAvatar(avatarId, mind, context);
    if (typeof login !== "object" || login === null || !("avatar" in login)) {
      throw new TypeError("Cannot log in: the realm gave no { avatar }");
    }
    return login as Login;
  }

  /** The first object that one connection reaches: the hook for logins of your own kind. Twisted: `_PortalRoot`. */
  rootObject(broker: Broker): MessageReceiver {
    return new PortalRoot(this, broker);
  }

  /** What `pb.serve` asks for. */
  [asRoot](): RootProvider {
    return this;
  }

  async #avatarIdOf(credentials: Credentials, context: LoginContext): Promise<AvatarId> {
    const kind = this.#checkers.keys().find((known) => credentials.interfaces.includes(known));
    if (kind === undefined) {
      throw new UnhandledCredentials(`No checker for ${credentials.interfaces.join(", ")}`);
    }
    let avatarId: unknown;
    try {
      avatarId = await this.#checkers.get(kind)!.requestAvatarId(credentials, context);
      if (typeof avatarId !== "string" && avatarId !== ANONYMOUS) {
        throw new TypeError("A checker gave an avatar id that is neither text nor pb.ANONYMOUS");
      }
    } catch (cause) {
      if (cause instanceof PbError) throw cause;
      if (cause instanceof LoginFailed && !(cause instanceof UnauthorizedLogin)) throw cause;
      // Whatever the reason, it looks the same: a user who is not known must not be told from a wrong password.
      throw new UnauthorizedLogin("", { cause });
    }
    return avatarId as AvatarId;
  }
}
