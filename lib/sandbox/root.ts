/**
 * What the world sees of a sandboxed object: the same object, however often it is started again.
 *
 * @module
 */

import type { CallContext } from "../broker/call_context.ts";
import { Forwarder } from "../broker/forwarder.ts";
import type { RemoteHandle } from "../broker/remote_handle.ts";
import type { RemoteReference } from "../broker/remote_reference.ts";
import { DeadReferenceError, type SandboxEnd, SandboxError } from "../errors.ts";
import { MAX_SANDBOX_WAITING } from "../limits.ts";
import { quoteForeign } from "../util/text.ts";
import { reasonText } from "./incarnation.ts";

/** Where the calls of a {@linkcode SandboxRoot} go to. */
export interface SandboxSource {
  /** The object in the sandbox; `undefined` while there is none. */
  readonly current: RemoteReference | undefined;
  /** What ended the last one; resolves when its process has ended. Never rejects. */
  lastEnd(): Promise<SandboxEnd>;
  /** Resolves with the next one; `undefined` if there is none to come, or calls do not wait for it. Never rejects. */
  next(): Promise<RemoteReference | undefined> | undefined;
}

/** The object of this process that stands for one in a sandbox. */
export class SandboxRoot extends Forwarder {
  readonly #source: SandboxSource;
  readonly #interfaceName: string | undefined;
  #waiting = 0;

  /** @param interfaceName The name of the RemoteInterface that the object provides, `undefined` for none. */
  constructor(source: SandboxSource, interfaceName: string | undefined) {
    super();
    this.#source = source;
    this.#interfaceName = interfaceName;
  }

  override get target(): RemoteHandle | undefined {
    return this.#source.current;
  }

  override getInterfaceName(): string | undefined {
    return this.#interfaceName;
  }

  override async doRemoteCall(name: string, args: unknown[], context: CallContext): Promise<unknown> {
    const reference = this.#source.current ?? await this.#wait(name, context);
    try {
      return await reference.callRemote(name, ...args);
    } catch (error) {
      if (!(error instanceof DeadReferenceError) || reference.isConnected()) throw error;
      throw await this.#ended(name, error);
    }
  }

  async #wait(name: string, context: CallContext): Promise<RemoteReference> {
    if (this.#waiting >= MAX_SANDBOX_WAITING) {
      throw new SandboxError(
        `Cannot call ${quoteForeign(name, 100)}: ${MAX_SANDBOX_WAITING} calls wait for the sandbox already`,
        await this.#source.lastEnd(),
      );
    }
    this.#waiting++;
    try {
      const reference = await this.#source.next();
      // The caller has given up while it waited, so the call is not made.
      if (context.abortReason !== undefined) throw context.abortReason;
      if (reference !== undefined) return reference;
    } finally {
      this.#waiting--;
    }
    throw await this.#ended(name);
  }

  async #ended(name: string, cause?: Error): Promise<SandboxError> {
    const reason = await this.#source.lastEnd();
    return new SandboxError(
      `Cannot call ${quoteForeign(name, 100)}: the sandbox has ended, ${reasonText(reason)}`,
      reason,
      { cause },
    );
  }
}
