/**
 * Challenges that one connection has been given, each good for one answer, and not for long.
 *
 * Source: Twisted `spread/pb.py`, `_PortalAuthChallenger`, whose challenges can be answered as often as one likes.
 *
 * @module
 */

import { LoginFailed, PbError, UnauthorizedLogin } from "../errors.ts";
import type { Broker, PbCall } from "../flavors/call.ts";
import { Referenceable } from "../flavors/referenceable.ts";
import type { Jellying } from "../jelly/invoker.ts";
import type { ConnectionLogins, LoginPortal, Session } from "./connection_logins.ts";
import { ChallengeResponse, DIGEST_BYTES } from "./credentials.ts";

/** The challenges of one connection that can be answered. */
export class Challenges {
  readonly #portal: LoginPortal;
  readonly #broker: Broker;
  readonly #logins: ConnectionLogins;
  /** In the order in which they end. */
  readonly #open = new Set<Challenger>();

  /** None yet. */
  constructor(portal: LoginPortal, broker: Broker, logins: ConnectionLogins) {
    this.#portal = portal;
    this.#broker = broker;
    this.#logins = logins;
  }

  /**
   * Makes one. Whether there is such a user is not looked at.
   *
   * @throws {LoginFailed} If there are too many.
   */
  open(username: string): Challenger {
    const { limits, clock, randomBytes } = this.#portal;
    for (const challenger of this.#open) {
      if (!challenger.isOver) break;
      this.#open.delete(challenger);
    }
    if (this.#open.size >= limits.maxChallenges) {
      throw new LoginFailed("Cannot log in: too many challenges are not answered, so answer them first");
    }
    const ends = clock.now() + limits.challengeTimeoutMs;
    const challenger: Challenger = new Challenger({
      username,
      challenge: randomBytes(DIGEST_BYTES),
      isLate: () => clock.now() >= ends,
      broker: this.#broker,
      logIn: (credentials, mind) => this.#logins.logIn(credentials, mind),
      onOver: () => this.#open.delete(challenger),
    });
    this.#open.add(challenger);
    return challenger;
  }
}

/** What one challenge needs. */
export interface ChallengerOptions {
  readonly username: string;
  readonly challenge: Uint8Array;
  readonly broker: Broker;
  isLate(): boolean;
  logIn(credentials: ChallengeResponse, mind: unknown): Promise<Session>;
  onOver(): void;
}

/** One challenge: the peer calls its `respond`. */
export class Challenger extends Referenceable {
  readonly #options: ChallengerOptions;
  #isAnswered = false;

  constructor(options: ChallengerOptions) {
    super();
    this.#options = options;
  }

  /** What the peer has to prove that it knows the password with. */
  get challenge(): Uint8Array {
    return this.#options.challenge;
  }

  /** Whether it can be answered no longer. */
  get isOver(): boolean {
    return this.#isAnswered || this.#options.isLate();
  }

  /** Only with an answer: without one nobody would hold the avatar. */
  override remoteMessageReceived(message: string, call: PbCall): unknown {
    checkAnswerable(call);
    return super.remoteMessageReceived(message, call);
  }

  /** Writes itself as a reference. When the peer gives that back without an answer, the challenge is over. */
  override jellyFor(jellier: Jellying): void {
    jellier.onUndo(this.#options.onOver);
    super.jellyFor(jellier);
    this.#options.broker.whenReleased(this, this.#options.onOver);
  }

  /** The answer: the avatar, if it is right. */
  async remote_respond(response: unknown, mind: unknown = null): Promise<Session> {
    const { username, challenge, logIn, onOver } = this.#options;
    const isOver = this.isOver;
    this.#isAnswered = true;
    onOver();
    if (isOver) throw new UnauthorizedLogin();
    const proof = response instanceof Uint8Array ? response : new Uint8Array();
    return await logIn(new ChallengeResponse(username, challenge, proof), mind);
  }
}

/**
 * A login gives a reference, which somebody must take.
 *
 * @throws {PbError} If nobody waits for the answer.
 */
export function checkAnswerable(call: PbCall): void {
  if (!call.isAnswerWanted) throw new PbError("Cannot log in: the caller wants no answer");
}
