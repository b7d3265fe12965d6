/**
 * Methods that fail: exc, trap and pb_exceptions.
 *
 * @module
 */

import { DeadReferenceError, Violation } from "../../../mod.ts";
import { pb } from "../../../mod.ts";
import type { Backstage, Example } from "./stage.ts";

const script = "failures.py";

class MyError extends pb.Error {}
pb.nameError(MyError, "__main__.MyError");
class MyError2 extends Error {}
pb.nameError(MyError2, "__main__.MyError2");

class Breaking extends pb.Root {
  remote_broken(): void {
    throw new MyError("fall down go boom");
  }
  remote_broken2(): void {
    throw new MyError2("hadda owie");
  }
}

const exc: Example = {
  name: "exc",
  script,
  serve: () => [{ root: new Breaking() }],
  async play(say, server) {
    await using client = await pb.connect<Breaking>(server);
    for (const name of ["broken", "broken2"] as const) {
      const error = await client.getRootObject().callRemote(name).catch((error: unknown) => error);
      if (!(error instanceof pb.RemoteError)) throw error;
      const isExpected = error.check("twisted.spread.pb.Error") !== undefined;
      say(name, error.message, error.remoteType, isExpected);
    }
  },
  serverSays: [],
  clientSays: [
    ["broken", "fall down go boom", "__main__.MyError", true],
    ["broken2", "hadda owie", "__main__.MyError2", false],
  ],
  serverLogs: ["__main__.MyError2: hadda owie"],
};

class MyException extends pb.Error {}
pb.nameError(MyException, "__main__.MyException");

class Trap extends pb.Root {
  constructor(readonly backstage: Backstage) {
    super();
  }
  remote_fooMethod(arg: unknown): string {
    if (arg === "panic!") throw new MyException();
    return "response";
  }
  remote_shutdown(): void {
    this.backstage.close();
  }
}

/** Is not safe to send. */
class ScaryObject {
  readonly #secret = "scary";
  get secret(): string {
    return this.#secret;
  }
}

const trap: Example = {
  name: "trap",
  script,
  serve: (_, backstage) => [{ root: new Trap(backstage) }],
  async play(say, server) {
    // Twisted sends a note in place of what it cannot send.
    await using client = await pb.connect(server, { unpersistable: "send" });
    const root = client.getRootObject();
    const lost = Promise.withResolvers<void>();
    client.notifyOnDisconnect(() => lost.resolve());
    const call = async (arg: unknown) => {
      try {
        say("successful", await root.callRemote("fooMethod", arg));
      } catch (error) {
        if (error instanceof Violation) return say("InsecureJelly");
        if (error instanceof DeadReferenceError) return say("stale reference");
        if (!(error instanceof pb.RemoteError)) throw error;
        say("the remote raised", error.check("__main__.MyException", "__main__.MyOtherException")?.slice(9));
      }
    };
    await call("safe string");
    await call(new ScaryObject());
    await call("panic!");
    await root.callRemote("shutdown").catch(() => {});
    await lost.promise;
    await call("dummy");
  },
  serverSays: [],
  clientSays: [
    ["successful", "response"],
    ["successful", "response"],
    ["the remote raised", "MyException"],
    ["stale reference"],
  ],
};

class ZeroDivisionError extends RangeError {}
pb.nameError(ZeroDivisionError, "builtins.ZeroDivisionError");

class Dividing extends pb.Avatar {
  perspective_exception(_x: number): number {
    throw new ZeroDivisionError("division by zero");
  }
}

const pb_exceptions: Example = {
  name: "pb_exceptions",
  script,
  serve() {
    const users = new pb.InMemoryUsernamePasswordDatabase({ user: "pass" });
    const root = new pb.Portal({ requestAvatar: () => ({ avatar: new Dividing() }) }, [users]);
    return [{ root, options: { unsafeTracebacks: true } }];
  },
  async play(say, server) {
    await using client = await pb.connect(server);
    using avatar = await client.login<Dividing>(new pb.UsernamePassword("user", "pass"));
    const error = await avatar.callRemote("exception", 10).catch((error: unknown) => error);
    if (!(error instanceof pb.RemoteError)) throw error;
    say(error.remoteType, "shows its traceback", error.remoteTraceback?.includes("perspective_exception"));
  },
  serverSays: [],
  clientSays: [["builtins.ZeroDivisionError", "shows its traceback", true]],
  serverLogs: ["builtins.ZeroDivisionError: division by zero"],
};

/** The examples, in the order of the documentation. */
export const FAILURES: readonly Example[] = [exc, trap, pb_exceptions];
