/**
 * The logins of one connection: those that are being looked at, and those that were granted.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import type { Clock } from "../../util/clock.ts";
import type { RandomBytes } from "../../util/random_bytes.ts";
import { LoginFailed, PBConnectionLost } from "../errors.ts";
import type { Broker } from "../flavors/call.ts";
import type { LoginContext } from "./checker.ts";
import type { Credentials } from "./credentials.ts";
import type { PbLoginLimits } from "./limits.ts";
import { PendingCount } from "./pending_count.ts";
import type { Login } from "./realm.ts";
import { runLogout, type Session, Sessions } from "./session.ts";

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
    this.#sessions = new Sessions(broker);
    const { maxPendingLogins, maxPendingLoginsOfAll } = portal.limits;
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
        // One for which there was no room told nothing of any password, and can be tried again.
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
    // Of all together, whoever waits no longer makes room; of one connection, only who is done: what never ends
    // must not pile up.
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
