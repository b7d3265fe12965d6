/**
 * A realm that writes down who comes and goes, and a portal to it.
 *
 * @module
 */

import { Kwargs, pb } from "../../../mod.ts";
import { respond } from "../../../lib/pb/cred/credentials.ts";
import type { RawPeer, Sexp } from "../broker/raw.ts";

/** Somebody who is logged in. */
export class User extends pb.Avatar {
  constructor(readonly name: string, readonly mind: unknown) {
    super();
  }
  perspective_whoami(): string {
    return this.name;
  }
  perspective_add(a: number, b: number | Kwargs<{ b: number }>): number {
    return a + (b instanceof Kwargs ? b.values.b : b);
  }
  perspective_fail(): never {
    throw new pb.Error("of the avatar");
  }
  perspective_view(): View {
    return view;
  }
  perspective_isView(other: unknown): boolean {
    return other instanceof pb.ViewPoint && other.object === view && other.perspective === this;
  }
}

/** An object that is told who calls. */
export class View extends pb.Viewable {
  view_who(user: User | undefined, ...args: unknown[]): unknown {
    const kw = args.at(-1) instanceof Kwargs ? args.pop() as Kwargs : undefined;
    return [user?.name, args, Object.keys(kw?.values ?? {})];
  }
}
const view = new View();

/** Writes down what happens to it. */
export class House implements pb.Realm {
  /** `in alice`, `out alice`, in order. */
  readonly log: string[] = [];

  requestAvatar(id: pb.AvatarId, mind: unknown, context: pb.LoginContext): pb.Login | PromiseLike<pb.Login> {
    void context;
    const name = id === pb.ANONYMOUS ? "anonymous" : id;
    this.log.push(`in ${name}`);
    return { avatar: this.avatar(name, mind), logout: () => void this.log.push(`out ${name}`) };
  }

  /** What somebody gets. */
  avatar(name: string, mind: unknown): pb.Login["avatar"] {
    return new User(name, mind);
  }
}

/** A checker that counts how often it is asked. */
export class Counting extends pb.InMemoryUsernamePasswordDatabase {
  asked = 0;
  override requestAvatarId(credentials: pb.UsernameHashedPassword): Promise<string> {
    this.asked++;
    return super.requestAvatarId(credentials);
  }
}

/** A portal with the users alice and bob; challenges are 16 times the number 1, 2, 3... */
export function portalTo(realm: pb.Realm, options: pb.PortalOptions = {}) {
  const checker = new Counting({ alice: "wonderland", bob: "builder" });
  let challenges = 0;
  const randomBytes = (length: number) => new Uint8Array(length).fill(++challenges);
  const portal = new pb.Portal(realm, [checker], { randomBytes, ...options });
  return { portal, checker };
}

/** The message that asks for a challenge. */
export const askFor = (id: number, name: Sexp): Sexp => call(id, "root", "login", name);

/** The message that answers the challenge that was the `nth`, by the object numbered `target`. */
export function answerTo(id: number, target: number, nth: number, password: string, mind: Sexp = ["None"]) {
  return call(id, target, "respond", respond(new Uint8Array(16).fill(nth), password), mind);
}

/** A call with arguments by place. */
export const call = (id: number, target: Sexp, method: string, ...args: Sexp[]): Sexp => [
  "message",
  id,
  target,
  method,
  1,
  ["tuple", ...args],
  ["dictionary"],
];

/** A password login over raw bytes, of which the avatar comes as `avatar`. */
export async function logInRaw(raw: RawPeer, first: number, nth: number, name: string, password: string) {
  raw.say(askFor(first, name));
  await raw.hear(["answer", first, ["tuple", new Uint8Array(16).fill(nth), ["remote", 2 * nth - 1]]]);
  raw.say(answerTo(first + 1, 2 * nth - 1, nth, password), ["decref", 2 * nth - 1]);
  await raw.hear(["answer", first + 1, ["remote", 2 * nth]]);
}
