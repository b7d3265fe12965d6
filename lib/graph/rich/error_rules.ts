/**
 * Which classes errors have on the wire, and what of them is told: the part that a connection decides.
 *
 * @module
 */

/** What a connection, or the storage, decides about errors as values. */
export interface ErrorRules {
  /** The names of an error's classes that have one, the most specific first; more than {@linkcode MAX_TYPES} are cut. */
  typesOf(error: Error): readonly string[];
  /** A text of an error as it may leave this process. Must not throw. */
  leaving(text: string): string;
  /** A text of an error of a peer as it may be kept. */
  arriving(text: string): string;
  /** Whether stacks are told. */
  tellsStacks(): boolean;
  /** Whether the cause of an error is told. */
  tellsCause(error: Error): boolean;
  /** An error of a class that the program has registered under this name. Must not throw. */
  make(type: string, message: string): Error | undefined;
}

/** Names of classes that are told of one error. */
export const MAX_TYPES = 8;

/** What all names of JavaScript's own classes begin with; as in failures. */
const PREFIX = "javascript.";

/** What makes an error of each class of JavaScript's own. */
const MAKERS: ReadonlyMap<string, (message: string | undefined, name: string) => Error> = new Map([
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((construct) =>
    [construct.name, (message: string | undefined): Error => new construct(message)] as const
  ),
  ["AggregateError", (message: string | undefined): Error => new AggregateError([], message)] as const,
  [
    "DOMException",
    (message: string | undefined, name: string): Error => new DOMException(message, name),
  ] as const,
]);

const NAMES: ReadonlyMap<object, string> = new Map(
  [
    Error,
    TypeError,
    RangeError,
    SyntaxError,
    ReferenceError,
    EvalError,
    URIError,
    AggregateError,
    DOMException,
  ].map((construct) => [construct.prototype, PREFIX + construct.name]),
);

/** The name of one of JavaScript's own classes, by its prototype. */
export function builtInType(prototype: object): string | undefined {
  return NAMES.get(prototype);
}

/** An error of one of JavaScript's own classes; `undefined` if the name is of none. */
export function makeBuiltIn(type: string, message: string | undefined, name: string): Error | undefined {
  return type.startsWith(PREFIX) ? MAKERS.get(type.slice(PREFIX.length))?.(message, name) : undefined;
}

/**
 * The names of an error's classes, the most specific first, up to the first one of JavaScript's own.
 *
 * @param nameOf The names of other classes, by prototype.
 */
export function typesOf(
  error: Error,
  nameOf: (prototype: object) => string | undefined = () => undefined,
): readonly string[] {
  const types: string[] = [];
  for (let p: object | null = Object.getPrototypeOf(error); p !== null; p = Object.getPrototypeOf(p)) {
    const builtIn = builtInType(p);
    const type = builtIn ?? nameOf(p);
    if (type !== undefined) types.push(type);
    if (builtIn !== undefined) break;
  }
  return types.length > MAX_TYPES ? [...types.slice(0, MAX_TYPES - 1), types.at(-1)!] : types;
}

/** Without a connection there is nobody to hide texts from, and no class but JavaScript's own. */
export const STORED_ERRORS: ErrorRules = {
  typesOf: (error) => typesOf(error),
  leaving: (text) => text,
  arriving: (text) => text,
  tellsStacks: () => false,
  tellsCause: () => true,
  make: () => undefined,
};
