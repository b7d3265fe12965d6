/**
 * The plugin of `examples/sandboxed_plugin.ts`: nobody has to trust it.
 *
 * @module
 */

import { Referenceable, type RemoteReference } from "../../mod.ts";

interface Logger {
  remote_log(line: string): void;
}

/** What the program calls. */
export default class Plugin extends Referenceable {
  readonly #logger: RemoteReference<Logger>;

  constructor({ logger }: { logger: RemoteReference<Logger> }) {
    super();
    this.#logger = logger;
  }

  /** Adds numbers, and says so. */
  async remote_sum(numbers: number[]): Promise<number> {
    await this.#logger.callRemote("log", `${numbers.length} numbers`);
    return numbers.reduce((a, b) => a + b, 0);
  }

  /** Tries what it may not. */
  remote_steal(path: string): string {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      return (error as Error).name;
    }
  }

  /** Ends its process. */
  remote_crash(): void {
    Deno.exit(1);
  }
}
