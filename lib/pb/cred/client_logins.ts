/**
 * Logging in, as a client does: the ways to log in, and the avatars that one connection holds.
 *
 * Source: Twisted `cred/credentials.py`; `spread/pb.py`, `PBClientFactory.login`.
 *
 * @module
 */

import {
  LoginDenied,
  LoginFailed,
  type LoginFailedDetails,
  RemoteError,
  UnauthorizedLogin,
  UnhandledCredentials,
} from "../errors.ts";
import { RemoteReference, type Untyped } from "../flavors/remote_reference.ts";
import { MAX_CHALLENGE_BYTES } from "../limits.ts";
import {
  bytesOf,
  type Credentials,
  IAnonymous,
  isSame,
  IUsernamePassword,
  type Password,
  respond,
} from "./credentials.ts";

/** A way to log in. A server with logins of its own kind needs one of your own. */
export interface LoginMethod {
  /**
   * Logs in.
   *
   * @param root The first object of the server.
   * @param mind What the server gets with the login.
   * @returns What the server answers: a reference to the avatar.
   */
  logInto(root: RemoteReference, mind: unknown): Promise<unknown>;
}

/**
 * A name and a password. The password is not sent, only the response to a challenge.
 *
 * Twisted: `cred.credentials.UsernamePassword`.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * const credentials = new pb.UsernamePassword("alice", "wonderland");
 * credentials.username;
 * ```
 */
export class UsernamePassword implements LoginMethod, Credentials {
  /** Name and password. */
  readonly interfaces: readonly string[] = [IUsernamePassword];
  /** The name. */
  readonly username: string;
  // Private, so that neither `console.log` nor `Deno.inspect` shows it.
  readonly #password: Uint8Array;

  /**
   * Both are sent and compared as their UTF-8.
   *
   * @throws {TypeError} If the name is no well-formed text, or the password is neither that nor bytes.
   */
  constructor(username: string, password: Password) {
    if (typeof username !== "string" || !username.isWellFormed()) {
      throw new TypeError("Cannot use a user name: it is no well-formed text");
    }
    this.username = username;
    this.#password = bytesOf(password).slice();
  }

  /** The password, for checkers that hash it. */
  get password(): Uint8Array {
    return this.#password.slice();
  }

  /** Whether the password is this one. */
  checkPassword(password: Password): boolean {
    return isSame(this.#password, bytesOf(password));
  }

  /** Asks for a challenge, and answers it. */
  async logInto(root: RemoteReference, mind: unknown): Promise<unknown> {
    const answer = await root.callRemote("login", bytesOf(this.username));
    const [challenge, challenger] = Array.isArray(answer) ? answer as unknown[] : [];
    const isChallenge = challenge instanceof Uint8Array && challenge.length <= MAX_CHALLENGE_BYTES;
    if (!isChallenge || !(challenger instanceof RemoteReference)) {
      throw new LoginFailed("Cannot log in: what the server sent is no challenge");
    }
    const asked: RemoteReference = challenger;
    const avatar = asked.callRemote("respond", respond(challenge, this.#password), mind);
    // Given back at once: calls that were sent are answered all the same.
    challenger[Symbol.dispose]();
    return await avatar;
  }
}

/** No name at all. Twisted: `cred.credentials.Anonymous`. */
export class Anonymous implements LoginMethod, Credentials {
  /** Anonymous ones. */
  readonly interfaces: readonly string[] = [IAnonymous];

  /** Logs in by one call. */
  async logInto(root: RemoteReference, mind: unknown): Promise<unknown> {
    return await root.callRemote("loginAnonymous", mind);
  }
}

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
