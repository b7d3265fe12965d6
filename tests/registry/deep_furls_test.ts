import assert from "node:assert/strict";
import { localReference } from "../../lib/broker/local_reference.ts";
import type { Publishable } from "../../lib/broker/callable.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { Untyped } from "../../lib/broker/remote_reference.ts";
import { attenuateFurl, type FurlCaveats } from "../../lib/names/attenuate_furl.ts";
import type { Capability } from "../../lib/registry/capability.ts";
import type { GrantOptions } from "../../lib/registry/grant_options.ts";
import { CapabilityRegistry } from "../../lib/registry/registry.ts";
import { formatTree } from "../../lib/registry/tree.ts";
import { systemRandomBytes } from "../../lib/util/random_bytes.ts";
import { ALICE, Rig } from "./support.ts";
import { collectGarbage } from "../support/gc.ts";

class Book extends Referenceable {
  readonly page = new Page();
  kept: unknown;
  readonly waiting = Promise.withResolvers<void>();
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
  }
  remote_kept(): unknown {
    return this.kept;
  }
  remote_wait(): Promise<void> {
    return this.waiting.promise;
  }
}
class Page extends Referenceable {
  calls = 0;
  readonly book = new Referenceable();
  remote_wait(): Promise<void> {
    return new Promise(() => {});
  }
  remote_number(): number {
    return ++this.calls;
  }
  remote_book(): Referenceable {
    return this.book;
  }
}

const nameOf = (furl: string): string => furl.slice(furl.lastIndexOf("/") + 1);

/** A deep grant of a book, and what FURLs lead to that derive from others. */
class Shelf extends Rig {
  readonly book = new Book();
  readonly lent: Capability<Book>;

  constructor(options: GrantOptions = {}) {
    super();
    this.lent = this.registry.grant(this.book, { deep: true, label: "lent", ...options });
  }
  derive(from: unknown, caveats: FurlCaveats): { readonly furl: string; readonly object: Publishable } {
    const name = this.registry.nameOf(from as Publishable);
    const furl = attenuateFurl(`pb://${ALICE}@tcp:h:1/${name}`, caveats);
    return { furl, object: this.registry.find(nameOf(furl))! };
  }
}

const call = (object: unknown, method: string, ...args: unknown[]): Promise<unknown> =>
  Promise.resolve(localReference(object as Referenceable & Untyped).callRemote(method, ...args));
const fails = (promise: Promise<unknown>, limit: string): Promise<void> =>
  assert.rejects(promise, { name: "PermissionDenied", limit });

Deno.test("attenuateFurl() of a deep grant's FURL gives a deep one, which ends what was reached through it", async () => {
  const { registry, book, lent, derive } = bound(new Shelf());
  const { furl, object } = derive(lent.object, { methods: ["page", "is", "self", "keep"] });
  assert.equal(await call(object, "self"), object);
  const page = await call(object, "page");
  assert.notEqual(page, book.page);
  assert.notEqual(page, await call(lent.object, "page"), "each has its own");
  assert.equal(await call(object, "page"), page);
  assert.equal(await call(object, "is", page), true);
  const inner = await call(page, "book");
  assert.notEqual(inner, book.page.book);
  assert.equal(registry.list().find((entry) => entry.object === object)!.capability!.isDeep, true);
  const outer = new Page();
  await call(object, "keep", outer);
  assert.equal(await call(book.kept, "number"), 1);

  const waits = call(page, "wait");
  assert.equal(registry.revokeFurl(furl), true);
  await fails(waits, "revoked");
  await fails(call(object, "page"), "revoked");
  await fails(call(page, "number"), "revoked");
  await fails(call(inner, "anything"), "revoked");
  await fails(call(book.kept, "number"), "revoked");
  assert.equal(book.page.calls, 0);
  assert.equal(await call(await call(lent.object, "page"), "number"), 1);
});

Deno.test("Capability.revoke() of a deep grant cuts what was reached by FURLs that derive from its own", async () => {
  const { lent, derive, book } = bound(new Shelf());
  const { object } = derive(lent.object, { label: "for Bob" });
  const page = await call(object, "page");
  const waits = call(object, "wait");
  lent.revoke();
  await fails(waits, "revoked");
  await fails(call(object, "page"), "revoked");
  await fails(call(page, "number"), "revoked");
  assert.equal(book.page.calls, 0);
});

/** What somebody kept in a book, as another has it who gets it by a FURL: a call of it does not go through the grant. */
async function keptAndGot(into: unknown, what: Referenceable, from: unknown): Promise<unknown> {
  await call(into, "keep", what);
  return await call(from, "kept");
}

Deno.test("Capability.revoke() ends calls of what came home through its grant and went out by a FURL of it", async () => {
  const { lent, derive, registry } = bound(new Shelf());
  using events = registry.events();
  const own = new Book();
  const { object } = derive(lent.object, { label: "for Bob" });
  const got = await keptAndGot(lent.object, own, object);
  const { object: further, furl } = derive(got, { label: "for Carol" });
  const furthest = await keptAndGot(got, new Book(), further);
  const waiting = [call(got, "wait"), call(further, "wait"), call(furthest, "wait")];
  lent.revoke();
  for (const waits of waiting) await fails(waits, "revoked");
  for (const over of [got, further, furthest]) await fails(call(over, "wait"), "revoked");
  assert.equal(registry.find(nameOf(furl)), undefined);
  const revoked: unknown[] = [];
  for await (const event of events) {
    if (event.type === "revoked") revoked.push(event.label);
    if (revoked.length === 3) break;
  }
  assert.deepEqual(revoked, ["lent", "for Bob", "for Carol"]);
});

Deno.test("Capability.revoke() after its time ends calls that go on by a FURL of it", async () => {
  const { lent, derive, clock } = bound(new Shelf({ expires: "PT1S" }));
  const got = await keptAndGot(lent.object, new Book(), derive(lent.object, { label: "for Bob" }).object);
  const waits = call(got, "wait");
  // Until it has begun.
  await call(got, "kept");
  clock.advance(1_000);
  await fails(call(got, "wait"), "expires");
  assert.equal(lent.revoke(), true);
  await fails(waits, "revoked");
  assert.equal(lent.revoke(), false);
});

Deno.test("revokeFurl() ends calls that go on after the time of the grant that the FURL derives from", async () => {
  const { lent, derive, clock, registry } = bound(new Shelf({ expires: "PT1S" }));
  const { furl, object } = derive(lent.object, { label: "for Bob" });
  const further = attenuateFurl(furl, { label: "for Carol" });
  const other = derive(lent.object, { label: "for Dave" });
  const begun = [call(object, "wait"), call(registry.find(nameOf(further)), "wait")];
  const goesOn = call(other.object, "wait");
  await call(object, "page");
  clock.advance(1_000);
  await fails(call(object, "page"), "expires");
  assert.equal(registry.revokeFurl(furl), false);
  for (const waits of begun) await fails(waits, "revoked");
  await fails(call(object, "page"), "revoked");
  registry.revokeFurl(other.furl.slice(0, -4) + "AAAA");
  const first = await Promise.race([goesOn, call(other.object, "page").catch(() => "it goes on")]);
  assert.equal(first, "it goes on");
  registry.revokeFurl(other.furl);
  await fails(goesOn, "revoked");
});

Deno.test("revokeFurl() ends calls of what was reached by a FURL whose own reference nobody holds any more", async () => {
  const { lent, derive, registry } = bound(new Shelf());
  const { furl, got } = await (async () => {
    const { furl, object } = derive(lent.object, { label: "for Bob" });
    return { furl, got: await keptAndGot(lent.object, new Book(), object) };
  })();
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve));
  }
  const waits = call(got, "wait");
  registry.revokeFurl(furl);
  await fails(waits, "revoked");
});

Deno.test("attenuateFurl({ uses, until }) of a deep grant's FURL limits all that is reached through it", async () => {
  const { lent, derive, clock } = bound(new Shelf());
  const counted = derive(lent.object, { uses: 2 }).object;
  const page = await call(counted, "page");
  await call(page, "number");
  await fails(call(page, "number"), "maxCalls");
  await fails(call(counted, "page"), "maxCalls");
  const timed = derive(lent.object, { until: new Date(clock.now() + 1_000) }).object;
  const other = await call(timed, "page");
  await call(other, "number");
  clock.advance(1_000);
  await fails(call(other, "number"), "expires");
});

Deno.test("attenuateFurl() of what was reached through a deep grant adds to the grant's limits", async () => {
  const { lent, derive, registry, book } = bound(new Shelf({ maxCalls: 4 }));
  const page = await call(lent.object, "page");
  const { furl, object } = derive(page, { methods: ["number"], uses: 3 });
  assert.equal(await call(object, "number"), 1);
  await fails(call(object, "book"), "method");
  const other =
    derive(await call(derive(lent.object, { label: "a page" }).object, "page"), { uses: 3 }).object;
  // The grant has one call left: what it refuses is not counted by the FURLs.
  assert.equal(await call(other, "number"), 2);
  await fails(call(object, "number"), "maxCalls");
  await fails(call(other, "number"), "maxCalls");
  const left = registry.list().map(({ object: listed, capability }) =>
    listed === object || listed === other ? capability!.callsLeft : undefined
  );
  assert.deepEqual(left.filter((left) => left !== undefined), [2, 2]);
  registry.revokeFurl(furl);
  await fails(call(object, "number"), "revoked");
  await fails(call(page, "number"), "maxCalls");
  lent.revoke();
  await fails(call(other, "number"), "revoked");
  assert.equal(book.page.calls, 2);
});

Deno.test("tree() shows what was reached by an attenuated FURL below it, by the names of the program's classes", async () => {
  const { lent, derive, registry } = bound(new Shelf());
  const { object } = derive(lent.object, { label: "for Bob" });
  registry.nameOf(await call(object, "page") as Publishable);
  registry.nameOf(await call(lent.object, "page") as Publishable);
  assert.equal(
    formatTree(registry.tree()),
    [
      '#1 Book "lent": deep; everything; used 2 times',
      "└─ Page: as above",
      '#2 Book "for Bob": deep; everything; used 1 time',
      "└─ Page: as above",
      "",
    ].join("\n"),
  );
});

Deno.test("attenuateFurl() of a deep grant's FURL records which call of what was refused", async () => {
  const { lent, derive, heard } = bound(new Shelf({ deep: { allow: ({ method }) => method !== "number" } }));
  const page = await call(derive(lent.object, { label: "for Bob" }).object, "page");
  await fails(call(page, "number"), "policy");
  assert.deepEqual(
    heard.map((event) => [event.label, event.type === "denied" ? event.limit : event.type]),
    [
      ["lent", "granted"],
      ["for Bob", "granted"],
      ...["for Bob", "lent", "for Bob"].map((label) => [label, "used"]),
      ["lent", "policy"],
    ],
  );
});

Deno.test("grant({ deep }) refuses calls of what was reached that cannot be recorded, and does not make them", async () => {
  let isFull = false;
  const registry = new CapabilityRegistry({
    randomBytes: systemRandomBytes,
    trace() {},
    audit: {
      head: { line: 0, hash: "" },
      take() {
        if (isFull) throw new Error("the disk is full");
      },
      close() {},
    },
  });
  const book = new Book();
  const page = await call(registry.grant(book, { deep: true }).object, "page");
  assert.equal(await call(page, "number"), 1);
  isFull = true;
  await assert.rejects(call(page, "number"), {
    name: "PermissionDenied",
    limit: "record",
    message: 'Cannot call "number": its use cannot be recorded at the moment; try again later',
  });
  isFull = false;
  assert.equal(await call(page, "number"), 2);
});

function bound(shelf: Shelf) {
  const { registry, book, lent, clock, heard } = shelf;
  return { registry, book, lent, clock, heard, derive: shelf.derive.bind(shelf) };
}
