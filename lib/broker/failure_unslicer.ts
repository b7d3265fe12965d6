/**
 * Failures as they arrive, each as a {@linkcode RemoteException}.
 *
 * `OPEN copyable STRING(twisted.python.failure.Failure) (STRING(field) STRING|list)* CLOSE`, the four fields in any order.
 *
 * Source: Foolscap `call.py`, `FailureConstraint` and `CopiedFailure`. Python drops the connection if a field is missing
 * or comes twice; here, as for a field that nobody knows or a text that is no byte string, only this failure is lost.
 *
 * @module
 */

import { RemoteException, Violation } from "../errors.ts";
import { addCopyUnslicer } from "../graph/copy_types.ts";
import { CONTAINER_COST, type Receiving, Unslicer } from "../graph/unslicer.ts";
import { MAX_FAILURE_BYTES, MAX_NAME_BYTES } from "../limits.ts";
import { redact } from "../util/redact.ts";
import { decodeLossy, quoteForeign } from "../util/text.ts";
import { OPEN, STRING, tokenName, VOCAB } from "../wire/tokens.ts";
import { FAILURE_TYPE } from "./failure.ts";

/** Python cuts by characters, of which each can have four bytes. */
const SLACK = 4;
const FIELDS: ReadonlyMap<string, number> = new Map([
  ["type", MAX_FAILURE_BYTES.type * SLACK],
  ["value", MAX_FAILURE_BYTES.value * SLACK],
  ["traceback", MAX_FAILURE_BYTES.traceback * SLACK],
  ["parents", 0],
]);

function checkText(what: string, type: number, size: number, limit: number): void {
  if (type !== STRING && type !== VOCAB) {
    throw new Violation(`${tokenName(type)} token rejected: ${what} of a failure is a STRING`);
  }
  if (size > limit) throw new Violation(`STRING token too large: ${size} > ${limit}`);
}

class FailureUnslicer extends Unslicer {
  readonly #texts = new Map<string, string>();
  #parents: readonly string[] | undefined;
  #field: string | undefined;

  override start(): void {
    this.receiver.spend(CONTAINER_COST);
  }

  override checkToken(type: number, size: number): void {
    if (this.#field === undefined) {
      checkText("the name of a field", type, size, MAX_NAME_BYTES);
    } else if (this.#field !== "parents") {
      checkText(this.#field, type, size, FIELDS.get(this.#field)!);
    } else if (type !== OPEN) {
      throw new Violation(`${tokenName(type)} token rejected: parents of a failure is a list`);
    }
  }

  override open(word: string): Unslicer {
    if (word === "list") return new ParentsUnslicer(this.receiver);
    throw new Violation(`Unacceptable OPEN type ${quoteForeign(word, 64)}: parents of a failure is a list`);
  }

  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    const text = decodeLossy(bytes.subarray(start, end));
    const field = this.#field;
    if (field === undefined) {
      this.#field = this.#checkField(text);
    } else {
      this.#texts.set(field, text);
      this.#field = undefined;
    }
  }

  override receive(value: unknown): void {
    this.#parents = value as readonly string[];
    this.#field = undefined;
  }

  override close(): RemoteException {
    if (this.#field !== undefined) throw new Violation("Sequence of a failure ended too early");
    const parents = this.#parents;
    const missing = [...FIELDS.keys()].filter((name) =>
      name === "parents" ? parents === undefined : !this.#texts.has(name)
    );
    if (missing.length > 0) throw new Violation(`Failure has no attribute "${missing.join('", "')}"`);
    // A peer's message ends up in logs like any other: FURLs in it are hidden.
    return new RemoteException(redact(this.#texts.get("value")!), {
      remoteType: this.#texts.get("type")!,
      remoteTraceback: redact(this.#texts.get("traceback")!),
      remoteParents: parents!,
    });
  }

  override segment(): string {
    return this.#field === undefined ? "" : `.${this.#field}`;
  }

  #checkField(name: string): string {
    if (!FIELDS.has(name)) throw new Violation(`Unknown attribute ${quoteForeign(name, 64)} of a failure`);
    if (this.#texts.has(name) || (name === "parents" && this.#parents !== undefined)) {
      throw new Violation(`Duplicate attribute name "${name}" of a failure`);
    }
    return name;
  }
}

class ParentsUnslicer extends Unslicer {
  readonly #parents: string[] = [];

  override start(): void {
    this.receiver.spend(CONTAINER_COST);
  }
  override checkToken(type: number, size: number): void {
    checkText("a parent", type, size, MAX_FAILURE_BYTES.type * SLACK);
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    // No class has more; those that come first are the most specific.
    if (this.#parents.length >= MAX_FAILURE_BYTES.parents) return;
    this.#parents.push(decodeLossy(bytes.subarray(start, end)));
  }
  override receive(): void {}
  override close(): readonly string[] {
    return this.#parents;
  }
  override segment(): string {
    return `[${this.count}]`;
  }
}

addCopyUnslicer(FAILURE_TYPE, (receiver: Receiving) => new FailureUnslicer(receiver));
