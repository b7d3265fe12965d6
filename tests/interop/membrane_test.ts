import assert from "node:assert/strict";
import {
  type Capability,
  currentCall,
  Referenceable,
  type RemoteFunction,
  RemoteReference,
  SturdyRef,
  type Tub,
} from "../../mod.ts";
import { interopTest, type PythonPeer, startPython } from "../support/python.ts";
import { failureText } from "./introductions.ts";
import { rejection, startTub, step, until } from "./rig.ts";
import { Root } from "./root.ts";

class Page extends Referenceable {
  constructor(readonly number: number) {
    super();
  }
  remote_number(): number {
    return this.number;
  }
}

/** What is inside: it keeps whatever it gets. */
class Book extends Referenceable {
  readonly page = new Page(7);
  readonly waiting = Promise.withResolvers<string>();
  kept: unknown;
  caller: string | undefined;
  waits = 0;
  lost = 0;

  remote_pages(): unknown {
    this.caller = currentCall()!.caller;
    return { first: [this.page] };
  }
  remote_page(): Page {
    return this.page;
  }
  remote_is(page: unknown): boolean {
    return page === this.page;
  }
  remote_self(): this {
    return this;
  }
  remote_keep(value: unknown): void {
    this.kept = value;
    if (value instanceof RemoteReference) value.notifyOnDisconnect(() => void this.lost++);
  }
  remote_give(): unknown {
    return this.kept;
  }
  async remote_call(ref: RemoteReference, method: string, ...args: unknown[]): Promise<unknown> {
    return await ref.callRemote(method, ...args);
  }
  async remote_apply(f: RemoteFunction, value: unknown): Promise<unknown> {
    return await f.callRemote(value);
  }
  remote_wait(): Promise<string> {
    this.waits++;
    return this.waiting.promise;
  }
}

interface Lent {
  readonly book: Book;
  readonly capability: Capability<Book>;
}

function lend(tub: Tub, options: Parameters<Tub["registry"]["grant"]>[1] = {}): Lent {
  const book = new Book();
  return { book, capability: tub.registry.grant(book, { deep: true, ...options }) };
}

const CUT = /PermissionDenied: Cannot call ("\w+"|the function): this capability was revoked$/;

async function getPage(peer: PythonPeer): Promise<void> {
  await peer.callWith("book", "page", { as: "page" });
}

async function identical(peer: PythonPeer, one: string, other: string): Promise<unknown> {
  return (await peer.command("identical", { one, other })).result;
}

interopTest("Python holds what is behind a membrane, passes it on, gives it back, and is cut", async (t) => {
  await using peer = await startPython();
  await using tub = await startTub();
  await using third = await startTub();
  const root = new Root();
  await peer.get(third.registerReference(root), "third");

  await step(t, "the same stand-in each time, and itself at home", async () => {
    const { book, capability } = lend(tub);
    await peer.get(capability.furl, "book");
    await getPage(peer);
    await peer.callWith("book", "page", { as: "again" });
    assert.deepEqual(await identical(peer, "page", "again"), { bool: true });
    assert.deepEqual(await peer.call("book", "is", { ref: "page" }), { bool: true });
    assert.deepEqual(await peer.call("page", "number"), { int: "7" });
    await peer.callWith("book", "self", { as: "self" });
    assert.deepEqual(await identical(peer, "self", "book"), { bool: true });
    await peer.call("book", "pages");
    assert.equal(book.caller, peer.ready.tubid);
    // Python's own object goes in and comes back to it as itself.
    await peer.call("book", "keep", { local: "mine" });
    assert.ok(book.kept instanceof RemoteReference);
    assert.equal(book.kept.getRemoteTubID(), peer.ready.tubid);
    await peer.callWith("book", "give", { as: "home" });
    assert.equal(book.kept.getSturdyRef().url, undefined);
  });

  await step(t, "a callback of Python's goes in wrapped, and calls of it are cut", async () => {
    const { book, capability } = lend(tub);
    await peer.get(capability.furl, "book");
    const called = await peer.call("book", "call", { local: "bell" }, { str: "ring" }, { int: "3" });
    assert.deepEqual(called, { int: "3" });
    await peer.call("book", "keep", { local: "bell" });
    const kept = book.kept as RemoteReference;
    assert.equal(await kept.callRemote("ring", 4), 4);
    // What goes out by the callback is wrapped too.
    const back = await kept.callRemote("ring", book.page);
    assert.equal(back, book.page);
    assert.equal(kept.isConnected(), true);
    capability.revoke();
    assert.match(failureText(await rejection(kept.callRemote("ring", 5))), /this capability was revoked$/);
    assert.equal(kept.isConnected(), false);
    await until(() => book.lost === 1, "the inside is told");
  });

  await step(
    t,
    "what Python passes on to a third Tub is cut with it, also in calls in progress",
    async () => {
      const { book, capability } = lend(tub);
      await peer.get(capability.furl, "book");
      await getPage(peer);
      await peer.call("third", "hold", { ref: "page" });
      const page = root.held as RemoteReference;
      await peer.call("third", "hold", { ref: "book" });
      const given = root.held as RemoteReference;
      assert.equal(page.getRemoteTubID(), tub.tubId);
      assert.equal(await page.callRemote("number"), 7);
      assert.equal(await given.callRemote("is", page), true);
      // A third Tub's object goes in wrapped, and is itself again outside: a gift to Python.
      await given.callRemote("keep", root);
      await peer.callWith("book", "give", { as: "gift" });
      assert.deepEqual(await peer.call("gift", "add", { int: "2" }, { int: "3" }), { int: "5" });
      const waits = rejection(given.callRemote("wait"));
      const waitsToo = rejection(peer.call("book", "wait"));
      await until(() => book.waits === 2, "the calls have begun");
      capability.revoke();
      for (const error of [await waits, await waitsToo]) assert.match(failureText(error), CUT);
      book.waiting.resolve("too late");
      for (const ref of [page, given]) {
        assert.match(failureText(await rejection(ref.callRemote("number"))), CUT);
      }
      for (const name of ["book", "page"]) {
        assert.match(failureText(await rejection(peer.call(name, "number"))), CUT);
      }
      // It was the outside's before.
      assert.deepEqual(await peer.call("gift", "add", { int: "2" }, { int: "3" }), { int: "5" });
    },
  );

  await step(t, "the limits hold for what is reached, and attenuating takes more", async () => {
    const { capability } = lend(tub, { maxCalls: 4 });
    const child = capability.attenuate({ methods: ["page"], holders: [peer.ready.tubid] });
    await peer.get(child.furl, "book");
    await getPage(peer);
    assert.deepEqual(await peer.call("page", "number"), { int: "7" });
    assert.match(failureText(await rejection(peer.call("book", "self"))), /allows only page$/);
    await peer.call("third", "hold", { ref: "page" });
    const stranger = await rejection((root.held as RemoteReference).callRemote("number"));
    assert.match(failureText(stranger), /for other holders$/);
    await peer.call("page", "number");
    await peer.call("page", "number");
    assert.match(failureText(await rejection(peer.call("page", "number"))), /all of .* 4 calls are used$/);
  });

  await step(t, "a SturdyRef crosses as that of a stand-in, and one of Python's as one of ours", async () => {
    const { book, capability } = lend(tub);
    await peer.get(capability.furl, "book");
    book.kept = new SturdyRef(tub.registerReference(book.page));
    const { sturdy } = await peer.call("book", "give") as { sturdy: string };
    assert.notEqual(sturdy, (book.kept as SturdyRef).url);
    await peer.get(sturdy, "by name");
    assert.deepEqual(await peer.call("by name", "number"), { int: "7" });
    await peer.call("book", "keep", { sturdy: peer.furl });
    const ref = book.kept as SturdyRef;
    assert.equal(ref.tubId, tub.tubId);
    const python = await third.getReference(ref);
    assert.equal(await python.callRemote("add", 1, 2), 3);
    capability.revoke();
    assert.match(failureText(await rejection(peer.call("by name", "number"))), CUT);
    assert.match(failureText(await rejection(python.callRemote("add", 1, 2))), /revoked/);
    assert.match(failureText(await rejection(peer.get(sturdy, "again"))), /revoked/);
  });
});

Deno.test("what is behind a membrane is called at once, and given to others, by Tubs of this library", async () => {
  await using tub = await startTub();
  await using client = await startTub();
  await using other = await startTub();
  const { book, capability } = lend(tub);
  const ref = await client.getReference<Book>(capability.furl);
  const number = ref.remote.page().remote.number();
  assert.equal(await number, 7);
  assert.equal(await ref.callRemote("is", ref.remote.page()), true);
  // An object of a third Tub, by the inside and out again, with a call of it before it is there.
  const root = new Root();
  const far = await client.getReference(other.registerReference(root));
  await ref.callRemote("keep", far);
  assert.equal(await ref.callRemote("give"), far);
  const second = await other.getReference<Book>(capability.furl);
  assert.equal(await second.callRemote("give"), root);
  // To the outside of another membrane it is an object of this Tub's.
  const bare = await client.getReference<Book>(tub.registerReference(book));
  const standIn = await bare.callRemote("give") as RemoteReference;
  assert.equal(standIn.getRemoteTubID(), tub.tubId);
  assert.equal(await standIn.callRemote("add", 1, 2), 3);
  const early =
    (bare.remote.give() as unknown as { remote: Record<string, (...a: number[]) => unknown> }).remote;
  assert.equal(await early.add!(3, 4), 7);
  await bare.callRemote("keep", standIn);
  assert.equal(RemoteReference.isReleased(book.kept as RemoteReference), false);
  // The options of a call hold behind a membrane.
  const inner = book.kept as RemoteReference;
  const late = rejection(inner.with({ timeoutMs: 1 }).callRemote("wait", "never"));
  assert.equal((await late as Error).name, "TimeoutError");
  const reason = new Error("mine");
  const given = AbortSignal.abort(reason);
  assert.equal(await rejection(inner.with({ signal: given }).callRemote("add", 1, 2)), reason);
  inner.callRemoteOnly("add", 1, 2);
  const dup = inner.dup();
  assert.equal(await dup.callRemote("add", 1, 2), 3);
  dup[Symbol.dispose]();
  assert.equal(dup.isConnected(), false);
  assert.equal(inner.isConnected(), true);
  assert.match(Deno.inspect(inner), /^RemoteReference\(to /);
  capability.revoke();
  assert.match(failureText(await rejection(standIn.callRemote("add", 1, 2))), CUT);
  assert.match(failureText(await rejection(inner.callRemote("add", 1, 2))), /this capability was revoked$/);
});
