/**
 * Logins that were granted, until they are logged out.
 *
 * Source: Twisted `spread/pb.py`, `_JellyableAvatarMixin`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import type { Broker, MessageReceiver } from "../flavors/call.ts";
import { AsReferenceable, type Perspective, Referenceable } from "../flavors/referenceable.ts";
import type { Jellying } from "../jelly/invoker.ts";
import { isJellyable, type Jellyable } from "../jelly/jellyable.ts";
import type { Login } from "./realm.ts";

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
export class Sessions {
  readonly broker: Broker;
  readonly #all = new Set<Session>();
  /** Those of one object, which a realm may give more than once: the peer's last reference ends them all. */
  readonly #held = new Map<unknown, Set<Session>>();

  /** None yet. The end of the connection ends them all. */
  constructor(broker: Broker) {
    this.broker = broker;
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
    // Lost since the realm has answered: nobody will give the avatar back.
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
  }
}

/** What cannot travel by itself takes its calls as a perspective: as a new object for each login. */
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
export function runLogout(logout: () => unknown, broker: Broker): void {
  const failed = (error: unknown) =>
    broker.report({ type: "callback-failed", where: "logout", error: toError(error) });
  try {
    const result = logout();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}
