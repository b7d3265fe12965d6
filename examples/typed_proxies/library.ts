/**
 * A Tub that publishes a library, and prints where to find it. The types of a customer's proxies follow from the class of
 * the library, and from the RemoteInterface of its books.
 *
 *     deno run --allow-net=127.0.0.1 examples/typed_proxies/library.ts
 *
 * @module
 */

import { Referenceable, RemoteInterface, type RemoteReference, schema, Tub } from "../../mod.ts";

/** What may be asked of a book: both sides check it, and arguments have names. */
export const RIBook = RemoteInterface("RIBook.proxies.example.com", {
  title: schema.method([], String),
  read: schema.method([
    ["page", schema.IntegerConstraint()],
    ["count", schema.Optional(schema.IntegerConstraint(), 1)],
  ], schema.ListOf(String)),
});
/** The type of an object that provides it. */
export type RIBook = schema.InterfaceOf<typeof RIBook>;

/** Somebody who reads: objects of the customers' own, of a class that the library never sees. */
export interface Reader extends Referenceable {
  /** What the reader is called. */
  remote_name(): string;
}

/** A library: its class is all that its types come from. */
export class Library extends Referenceable {
  readonly #books = [
    new Book("Emma", ["Emma Woodhouse, handsome, clever, and rich,", "with a comfortable home"]),
    new Book("Walden", ["When I wrote the following pages,", "I lived alone,", "in the woods"]),
  ];
  readonly #readers = new Map<string, string>();

  /** Titles with this word in them. */
  remote_search(word: string, limit = 10): string[] {
    return this.#books.map(({ title }) => title).filter((title) => title.includes(word)).slice(0, limit);
  }
  /** A book arrives at the customer as a reference to it. */
  remote_open(title: string): RIBook {
    const book = this.#books.find((book) => book.title === title);
    if (book === undefined) throw new RangeError(`There is no ${title}`);
    return book;
  }
  /** Lends a book to an object of the customer's, which is asked for its name. */
  async remote_lend(title: string, reader: RemoteReference<Reader>): Promise<string> {
    const name = await reader.remote.name();
    this.#readers.set(title, name);
    return `${title} is lent to ${name}`;
  }
  /** Not remote: nobody who calls can reach it, and their types do not show it. */
  burn(): void {
    this.#books.length = 0;
  }
}

class Book extends Referenceable implements RIBook {
  static override remoteInterface = RIBook;

  constructor(readonly title: string, readonly pages: readonly string[]) {
    super();
  }
  remote_title(): string {
    return this.title;
  }
  remote_read(page: number, count: number): string[] {
    return this.pages.slice(page - 1, page - 1 + count);
  }
}

if (import.meta.main) {
  const tub = await Tub.create();
  const listener = await tub.listenOn("tcp:0:interface=127.0.0.1");
  tub.setLocation(`tcp:127.0.0.1:${listener.port}`);
  console.log(tub.registerReference(new Library()));
  // Ends when its input does, so that whoever started it can end it.
  for await (const _ of Deno.stdin.readable);
  await tub.stop();
}
