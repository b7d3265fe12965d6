/**
 * Values as JSON, the common language of the golden vectors, the Python peer and these tests.
 *
 * @module
 */

/**
 * What a value is, in Python's terms; `tests/vectors/README.md` has the table. `id` marks an object that occurs
 * again, `same` refers to it.
 */
export type Description =
  | { readonly int: string }
  | { readonly float: string }
  | { readonly bytes: string }
  | { readonly str: string }
  | { readonly none: true }
  | { readonly bool: boolean }
  | { readonly decimal: string }
  | { readonly same: number }
  | ({ readonly id?: number } & Container)
  | Foreign;

/** The kinds that hold others. */
export type Container =
  | { readonly list: readonly Description[] }
  | { readonly tuple: readonly Description[] }
  | { readonly set: readonly Description[] }
  | { readonly frozenset: readonly Description[] }
  | { readonly dict: readonly (readonly [Description, Description])[] }
  | { readonly copyable: readonly [string, readonly (readonly [string, Description])[]] };

/** What only the Python peer knows: an object that it holds or serves under a name. */
export type Foreign =
  | { readonly ref: string }
  | { readonly local: string }
  | { readonly function: string }
  | {
    readonly sturdy: string;
  };
