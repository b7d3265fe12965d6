/**
 * Proxies whose methods, arguments and results the compiler knows, of objects in another process: from a class, and from a
 * RemoteInterface. What does not compile is here as well, marked.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run examples/typed_proxies.ts
 *
 * @module
 */

import { kwargs, Referenceable, type RemoteReference, Tub } from "../mod.ts";
import { startDeno } from "./support/child.ts";
// Only types: nothing of the library's code runs here.
import type { Library, Reader, RIBook } from "./typed_proxies/library.ts";

class Customer extends Referenceable implements Reader {
  remote_name(): string {
    return "Ada";
  }
}

/** What the compiler refuses. Never called: nothing of it would be sent. */
export async function wrong(library: RemoteReference<Library>, book: RemoteReference<RIBook>): Promise<void> {
  // @ts-expect-error There is no such method.
  await library.remote.close();
  // @ts-expect-error It is no remote method.
  await library.remote.burn();
  // @ts-expect-error An argument of another type.
  await library.remote.search(5);
  // @ts-expect-error One argument too many.
  await library.remote.search("Em", 5, true);
  // @ts-expect-error The result is text, and no number.
  const _length: number = await book.remote.title();
  // @ts-expect-error The RemoteInterface has no argument of this name.
  await book.remote.read(kwargs({ page: 1, pages: 2 }));
  // @ts-expect-error A plain object is not passed by reference.
  await library.remote.lend("Emma", { remote_name: () => "Ada" });
  // @ts-expect-error A list of titles has no methods.
  await library.remote.search("Em").remote.title();
}

await using process = await startDeno(
  new URL("typed_proxies/library.ts", import.meta.url),
  ["--allow-net=127.0.0.1"],
);
await using tub = await Tub.create();
const library = await tub.getReference<Library>(process.firstLine);

// Each is a string[], and so is the first one of it a string.
const titles = await library.remote.search("a");
console.log("found:", titles.join(", "));
console.log("the same by its name:", await library.callRemote("search", "a", 1));

// A result that is an object is a reference to it, with methods of its own: their names come from the RemoteInterface.
const emma: RemoteReference<RIBook> = await library.remote.open("Emma");
console.log(`${await emma.remote.title()}:`, (await emma.remote.read(1, 2)).join(" "));
console.log("by name:", await emma.remote.read(kwargs({ page: 2 })));
console.log("both ways:", await emma.remote.read(1, kwargs({ count: 1 })));

// The proxy of a result that is not there yet: one round trip for all of it, and 500 ms at most for the last call.
const walden = library.remote.open(library.remote.search("Wal").get(0));
const lines = walden.with({ timeoutMs: 500 }).remote.read(2, 2);
console.log(`${await walden.remote.title()}:`, (await lines).join(" "));

// An object of this process goes as a reference too, and is called back.
console.log(await library.remote.lend(walden.remote.title(), new Customer()));
