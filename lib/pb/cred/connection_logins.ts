/**
 * The logins of one connection of a server: how many may be tried, and what was granted, until it is logged out.
 *
 * Source: Twisted `spread/pb.py`, `_JellyableAvatarMixin`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import type { Clock } from "../../util/clock.ts";
import type { RandomBytes } from "../../util/random_bytes.ts";
import { runCallback } from "../../util/run_callback.ts";
import { LoginFailed, PBConnectionLost } from "../errors.ts";
import type { Broker, MessageReceiver } from "../flavors/call.ts";
import { AsReferenceable, type Perspective, Referenceable } from "../flavors/referenceable.ts";
import type { Jellying } from "../jelly/invoker.ts";
import { isJellyable, type Jellyable } from "../jelly/jellyable.ts";
import type { PbLoginLimits } from "../limits.ts";
import type { LoginContext } from "./checker.ts";
import type { Credentials } from "./credentials.ts";
import type { Login } from "./realm.ts";
import { limitExpressions } from "./strangers.ts";

/** Counts what has begun and is not over, up to a limit. */
class PendingCount {
  readonly #max: number;
  #count = 0;

  /** Nothing yet. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How much there is. */
  get count(): number {
    return this.#count;
  }

  /** Whether there can be no more. */
  get isFull(): boolean {
    return this.#count >= this.#max;
  }

  /**
   * Something begins.
   *
   * @returns Disposing it says that it is over; more than once is harmless.
   */
  begin(): Disposable {
    this.#count++;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#count--;
      },
    };
  }
}

/** The login of somebody: as a value it is the avatar, which is logged out when the peer gives it back. */
export class Session implements Jellyable {
  readonly #avatar: Jellyable;
  readonly #sessions: Sessions;
  readonly #logout: Login["logout"];
  #hasEnded = false;

  constructor(avatar: Jellyable, logout: Login["logout"], sessions: Sessions) {
    this.#avatar = avatar;
    this.#logout = logout;
    this.#sessions = sessions;
  }

  /** Writes the avatar, and from there on waits for its return. */
  jellyFor(jellier: Jellying): void {
    // An answer that cannot be sent, for too many references, is no login.
    jellier.onUndo(() => this.end());
    jellier.jelly(this.#avatar);
    if (this.#avatar instanceof Referenceable) this.#sessions.isHeld(this, this.#avatar);
  }

  /** Logs out, once. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sessions.delete(this);
    if (this.#logout !== undefined) runLogout(this.#logout, this.#sessions.broker);
  }
}

/** The logins of one connection. */
class Sessions {
  readonly broker: Broker;
  readonly #all = new Set<Session>();
  /** Those of one object, which a realm may give more than once: the peer's last reference ends them all. */
  readonly #held = new Map<unknown, Set<Session>>();

  readonly #strangerBytes: number;

  /**
   * None yet. The end of the connection ends them all.
   *
   * @param strangerBytes How long expressions may be while there are none.
   */
  constructor(broker: Broker, strangerBytes: number) {
    this.broker = broker;
    this.#strangerBytes = strangerBytes;
    limitExpressions(broker, strangerBytes);
    broker.notifyOnDisconnect(() => {
      for (const session of [...this.#all]) session.end();
    });
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /**
   * Somebody has logged in.
   *
   * @returns What the peer is to be answered.
   * @throws {TypeError} If what the realm gave is no avatar; it is logged out.
   */
  add(login: Login): Session {
    let session: Session;
    try {
      session = new Session(callableOf(login.avatar), login.logout, this);
    } catch (error) {
      if (login.logout !== undefined) runLogout(login.logout, this.broker);
      throw error;
    }
    this.#all.add(session);
    limitExpressions(this.broker, Infinity);
    // The connection was lost after the realm answered, so nobody will give the avatar back.
    if (!this.broker.isConnected) session.end();
    return session;
  }

  /** The peer holds the avatar of a session. */
  isHeld(session: Session, avatar: MessageReceiver): void {
    const unique = avatar.processUniqueID();
    const known = this.#held.get(unique);
    if (known !== undefined) return void known.add(session);
    const sessions = new Set([session]);
    this.#held.set(unique, sessions);
    this.broker.whenReleased(avatar, () => {
      this.#held.delete(unique);
      for (const held of sessions) held.end();
    });
  }

  /** It has ended. */
  delete(session: Session): void {
    this.#all.delete(session);
    if (this.#all.size === 0) limitExpressions(this.broker, this.#strangerBytes);
  }
}

/** An avatar as what can be sent: itself if it can, else an object, a new one for each login, that calls it as a perspective. */
function callableOf(avatar: unknown): Jellyable {
  if (typeof avatar === "object" && avatar !== null) {
    if (isJellyable(avatar)) return avatar;
    if ("perspectiveMessageReceived" in avatar && typeof avatar.perspectiveMessageReceived === "function") {
      return new AsReferenceable(avatar as Perspective);
    }
  }
  throw new TypeError("Cannot log in: the realm gave no pb.Avatar, nor an object that travels by itself");
}

/** Logs out; what goes wrong is the program's. */
function runLogout(logout: () => unknown, broker: Broker): void {
  runCallback(logout, (error) => broker.report({ type: "callback-failed", where: "logout", error }));
}

/** What a connection needs of its portal. */
export interface LoginPortal {
  /** What holds for each connection. */
  readonly limits: PbLoginLimits;
  /** The time. */
  readonly clock: Clock;
  /** Makes challenges. */
  readonly randomBytes: RandomBytes;
  /** Asks a checker and the realm. */
  login(credentials: Credentials, mind: unknown, context: LoginContext): Promise<Login>;
}

/** The logins of all connections of a portal that are being looked at. */
const pendingOf = new WeakMap<LoginPortal, PendingCount>();

/** The logins of one connection. */
export class ConnectionLogins {
  readonly #portal: LoginPortal;
  readonly #broker: Broker;
  readonly #sessions: Sessions;
  readonly #pending: PendingCount;
  readonly #pendingOfAll: PendingCount;
  #failures = 0;

  /** None yet. */
  constructor(portal: LoginPortal, broker: Broker) {
    this.#portal = portal;
    this.#broker = broker;
    const { maxPendingLogins, maxPendingLoginsOfAll, maxExpressionBytesBeforeLogin } = portal.limits;
    this.#sessions = new Sessions(broker, maxExpressionBytesBeforeLogin);
    this.#pending = new PendingCount(maxPendingLogins);
    let ofAll = pendingOf.get(portal);
    if (ofAll === undefined) pendingOf.set(portal, ofAll = new PendingCount(maxPendingLoginsOfAll));
    this.#pendingOfAll = ofAll;
  }

  /**
   * Logs somebody in.
   *
   * @returns What the peer is to be answered.
   * @throws {LoginFailed} If they are not let in, it takes too long, or there are too many logins.
   */
  async logIn(credentials: Credentials, mind: unknown): Promise<Session> {
    try {
      this.#checkRoom();
      try {
        return this.#sessions.add(await this.#inTime(credentials, mind));
      } catch (error) {
        // Only logins that were looked at count: one that found no room tells nothing of a password.
        this.#failures++;
        throw error;
      }
    } catch (thrown) {
      const error = toError(thrown);
      if (error instanceof LoginFailed) {
        this.#broker.report({ type: "login-failed", peer: this.#broker.peerAddress, error });
      }
      throw error;
    }
  }

  #checkRoom(): void {
    const { maxFailedLogins, maxSessions } = this.#portal.limits;
    if (this.#failures >= maxFailedLogins) {
      throw new LoginFailed(
        "Cannot log in: too many logins of this connection have failed, so connect again",
      );
    }
    if (this.#pending.isFull || this.#pendingOfAll.isFull) {
      throw new LoginFailed("Cannot log in: too many logins are not answered yet, so try again later");
    }
    if (this.#sessions.size + this.#pending.count >= maxSessions) {
      throw new LoginFailed("Cannot log in: too many logins of this connection are there, so log some out");
    }
  }

  /** The login, unless it takes too long or the connection is lost: then it is logged out when it comes. */
  async #inTime(credentials: Credentials, mind: unknown): Promise<Login> {
    const { clock, limits } = this.#portal;
    const stop = new AbortController();
    const given = Promise.withResolvers<Login>();
    const giveUp = (error: Error) => {
      given.reject(error);
      stop.abort(error);
    };
    using _lost = this.#broker.notifyOnDisconnect(() =>
      giveUp(new PBConnectionLost("The connection was lost during the login"))
    );
    using _late = clock.setTimer(
      limits.loginTimeoutMs,
      () => giveUp(new LoginFailed("Cannot log in: it took too long")),
    );
    // A login that takes too long leaves the count of the portal at once, so that it cannot shut out others. It leaves the
    // count of its connection only when checker and realm are done with it, so that a peer cannot pile up work that never ends.
    using _ofAll = this.#pendingOfAll.begin();
    const ofOne = this.#pending.begin();
    const context = { broker: this.#broker, signal: stop.signal };
    Promise.try(() => this.#portal.login(credentials, mind, context)).then(
      (login) => {
        ofOne[Symbol.dispose]();
        if (!stop.signal.aborted) given.resolve(login);
        else if (login.logout !== undefined) runLogout(login.logout, this.#broker);
      },
      (error) => {
        ofOne[Symbol.dispose]();
        given.reject(error);
      },
    );
    return await given.promise;
  }
}
