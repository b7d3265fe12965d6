/**
 * The logins of a client.
 *
 * Source: Twisted `spread/pb.py`, `PBClientFactory.login`.
 *
 * @module
 */

import type { LoginFailedDetails } from "../errors.ts";
import { LoginDenied, LoginFailed, RemoteError, UnauthorizedLogin, UnhandledCredentials } from "../errors.ts";
import { RemoteReference, type Untyped } from "../flavors/remote_reference.ts";
import type { LoginMethod } from "./methods.ts";

/** Options of a login. */
export interface PbLoginOptions {
  /** Gives the login up; if the server grants it later, it is logged out. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * An avatar that this client is logged in to. It is held until it is logged out, also when the program has forgotten it.
 */
export class AvatarReference<T = Untyped> extends RemoteReference<T> {
  /** @ignore */
  constructor(reference: RemoteReference, release: () => void) {
    const { host, target } = RemoteReference.partsOf(reference);
    super(host, { id: target.id, perspective: target.perspective, release });
  }

  /** Logs out: gives the avatar back. Calls that wait for an answer go on. More than once is harmless. */
  logout(): void {
    this[Symbol.dispose]();
  }
}

/** The avatars of one connection. */
export class ClientLogins {
  /** How many logins there are of each: a server may give the same object to several. */
  readonly #held = new Map<RemoteReference, number>();

  /** How many avatars are held. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * Logs in.
   *
   * @throws {UnauthorizedLogin} If the name or the password is wrong.
   * @throws {UnhandledCredentials} If the server knows no logins of this kind.
   * @throws {LoginFailed} If the server refuses for another reason, or makes no sense.
   * @throws {RemoteError} If it fails.
   */
  async logIn<A>(
    root: RemoteReference,
    method: LoginMethod,
    mind: unknown,
    { signal }: PbLoginOptions,
  ): Promise<AvatarReference<A>> {
    if (typeof method?.logInto !== "function") {
      throw new TypeError(
        "Cannot log in: give a pb.UsernamePassword, a pb.Anonymous, or something with logInto",
      );
    }
    signal?.throwIfAborted();
    const given = Promise.withResolvers<AvatarReference<A>>();
    const onAbort = () => given.reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    Promise.try(() => method.logInto(root, mind ?? null)).then(
      (avatar) => {
        const held = this.#hold<A>(avatar);
        if (signal?.aborted === true) held.logout();
        given.resolve(held);
      },
    ).catch((error) => given.reject(loginErrorOf(error)));
    try {
      return await given.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** The connection is gone. */
  close(): void {
    this.#held.clear();
  }

  #hold<A>(avatar: unknown): AvatarReference<A> {
    if (!(avatar instanceof RemoteReference)) {
      throw new LoginFailed("Cannot log in: what the server sent is no reference to an avatar");
    }
    this.#held.set(avatar, (this.#held.get(avatar) ?? 0) + 1);
    return new AvatarReference<A>(avatar, () => {
      const left = (this.#held.get(avatar) ?? 0) - 1;
      if (left > 0) return void this.#held.set(avatar, left);
      this.#held.delete(avatar);
      avatar[Symbol.dispose]();
    });
  }
}

type LoginErrorClass = new (message: string, details: LoginFailedDetails) => LoginFailed;

/** What Twisted calls them, the most specific first. */
const TYPES: readonly (readonly [string, LoginErrorClass])[] = [
  ["twisted.cred.error.UnauthorizedLogin", UnauthorizedLogin],
  ["twisted.cred.error.UnhandledCredentials", UnhandledCredentials],
  ["twisted.cred.error.LoginDenied", LoginDenied],
  ["twisted.cred.error.LoginFailed", LoginFailed],
];

function loginErrorOf(error: unknown): unknown {
  if (!(error instanceof RemoteError)) return error;
  const entry = TYPES.find(([type]) => error.check(type) !== undefined);
  if (entry === undefined) return error;
  const [, construct] = entry;
  const message = error.message || "Cannot log in: the server knows nobody by this name and password";
  return new construct(message, { cause: error, remoteType: error.remoteType });
}
