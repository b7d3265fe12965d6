/**
 * Where those who want in come to a realm.
 *
 * Source: Twisted `cred/portal.py`; `spread/pb.py`, `_PortalRoot`.
 *
 * @module
 */

import { type Clock, systemClock } from "../../util/clock.ts";
import { type RandomBytes, systemRandomBytes } from "../../util/random_bytes.ts";
import { LoginFailed, PbError, UnauthorizedLogin, UnhandledCredentials } from "../errors.ts";
import type { Broker, MessageReceiver } from "../flavors/call.ts";
import { type AsRoot, asRoot, type RootProvider } from "../flavors/referenceable.ts";
import { ANONYMOUS, type AvatarId, type CredentialsChecker, type LoginContext } from "./checker.ts";
import type { Credentials } from "./credentials.ts";
import { type PbLoginLimits, resolveLoginLimits } from "./limits.ts";
import { PortalRoot } from "./portal_root.ts";
import type { Login, Realm } from "./realm.ts";

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
