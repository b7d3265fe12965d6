/**
 * Validators of other libraries as constraints: whatever speaks Standard Schema, such as zod, valibot and arktype.
 *
 * They see whole values: what a peer may send before that is bounded by the Tub's limits alone. Where memory matters,
 * use the constraints of this module.
 *
 * A peer can write a list that contains one list twice, and that one another one twice, and so on: a few bytes, and more
 * paths than there is time. Constraints remember what they have seen; a validator of another library does not, and would follow
 * them all. So inbound values that contain themselves, or have more paths than a container may have elements, are refused
 * before a validator sees them.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import { quoteForeign } from "../../util/text.ts";
import { joinPath, keySegment } from "../path.ts";
import type { Checking } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { EVERYTHING } from "./tasters.ts";

/**
 * Refuses a value in which there are more parts, along all paths, than a container may have elements.
 *
 * @throws {Violation} If there are more, or it is nested too deep, or contains itself.
 */
function checkTreeSize(value: object): void {
  sizeOf(value, new Map(), 0);
}

/** @param sizes What is known; 0 for an object that is being looked at. */
function sizeOf(value: object, sizes: Map<object, number>, depth: number): number {
  const known = sizes.get(value);
  if (known === 0) throw new Violation("A value that contains itself cannot be given to a validator");
  if (known !== undefined) return known;
  if (depth >= DEFAULT_LIMITS.maxDepth) {
    throw new Violation(`Value is nested deeper than ${DEFAULT_LIMITS.maxDepth}`);
  }
  sizes.set(value, 0);
  let size = 1;
  for (const part of partsOf(value)) {
    size += typeof part === "object" && part !== null ? sizeOf(part, sizes, depth + 1) : 1;
    if (size > DEFAULT_LIMITS.maxElements) {
      throw new Violation(
        `Value has more than ${DEFAULT_LIMITS.maxElements} parts, counted as often as they occur`,
      );
    }
  }
  sizes.set(value, size);
  return size;
}

function* partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) yield* value;
  else if (value instanceof Map) {
    for (const [key, part] of value) {
      yield key;
      yield part;
    }
  } else if (value instanceof Set) yield* value;
  else if (!ArrayBuffer.isView(value)) yield* Object.values(value);
}

/** One thing that is wrong with a value, as a validator tells it. */
export interface StandardIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where, as keys from the outside in. */
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** What a validator gives: the value that goes on, or what is wrong. */
export type StandardResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<StandardIssue> };

/**
 * A validator after the Standard Schema specification, version 1 (https://standardschema.dev).
 *
 * @typeParam In What it takes.
 * @typeParam Out What it makes of that.
 */
export interface StandardSchema<In = unknown, Out = In> {
  /** The whole of it. */
  readonly "~standard": {
    /** The version of the specification. */
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (value: unknown) => StandardResult<Out> | Promise<StandardResult<Out>>;
    /** Only the types need it. */
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}

/** Whether something is a validator of this kind. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  const standard: unknown = (value as { "~standard"?: unknown })["~standard"];
  return typeof standard === "object" && standard !== null && "validate" in standard &&
    typeof standard.validate === "function";
}

/** Values that a validator takes. On the way out they are sent as they are; on the way in, what it makes of them goes on. */
export class StandardRule extends Constraint {
  override readonly name: string;
  protected override readonly taster = EVERYTHING;
  readonly #schema: StandardSchema;

  /** The validator. */
  constructor(schema: StandardSchema) {
    super();
    this.#schema = schema;
    this.name = `a schema of ${String(schema["~standard"].vendor).slice(0, 40)}`;
  }

  override within(): Contents | undefined {
    return undefined;
  }
  override check(value: unknown, checking: Checking): unknown {
    // A peer can write a million references to one large list.
    if (typeof value !== "object" || value === null) return this.#validate(value, checking);
    return checking.once(this, value, () => {
      if (checking.direction === "inbound") checkTreeSize(value);
      return this.#validate(value, checking);
    });
  }

  #validate(value: unknown, checking: Checking): unknown {
    // The validator is code of the program's, and so is what it gives: all of it may fail.
    try {
      const result: unknown = this.#schema["~standard"].validate(value);
      if (result instanceof Promise) result.catch(() => {}); // nobody will look at it
      if (typeof result !== "object" || result === null) throw new TypeError("The validator gave no result");
      if ("then" in result) {
        throw new Violation(
          `Cannot validate a value: ${this.name} is asynchronous, and a synchronous one is needed`,
        );
      }
      const { issues, value: made } = result as { issues?: readonly StandardIssue[]; value?: unknown };
      if (issues !== undefined) return checking.refuse(() => violationOf(issues, this.name));
      return checking.direction === "outbound" ? value : made;
    } catch (cause) {
      if (cause instanceof Violation) throw cause;
      throw new Violation(`Cannot validate a value: ${this.name} failed`, { cause });
    }
  }
}

/** The first thing that is wrong, with its place. */
function violationOf(issues: ReadonlyArray<StandardIssue>, name: string): Violation {
  const [first] = issues;
  if (first === undefined) return new Violation(`value does not satisfy ${name}`);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  const segments = (first.path ?? []).map((segment) =>
    keySegment(typeof segment === "object" ? segment.key : segment)
  );
  return new Violation(`${quoteForeign(String(first.message)).slice(1, -1).replaceAll('\\"', '"')}${more}`, {
    where: joinPath(segments),
  });
}
