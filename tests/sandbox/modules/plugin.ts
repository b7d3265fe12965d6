/**
 * A module that does, in a sandbox, what it is asked to.
 *
 * @module
 */

import { callable, localReference, Referenceable, type RemoteReference } from "../../../mod.ts";

interface Logger {
  remote_log(line: string): void;
}

class Child extends Referenceable {
  constructor(readonly name: string) {
    super();
  }
  remote_name(): string {
    return this.name;
  }
}

/** The object in the sandbox. */
export default class Plugin extends Referenceable {
  readonly #caps: { readonly logger?: RemoteReference<Logger> };
  readonly #args: unknown[];
  readonly #child = new Child("first");
  #count = 0;
  #kept: unknown[] = [];

  constructor(caps: { readonly logger?: RemoteReference<Logger> }, ...args: unknown[]) {
    super();
    this.#caps = caps;
    this.#args = args;
  }

  remote_add(a: number, b: number): number {
    return a + b;
  }
  remote_count(): number {
    return ++this.#count;
  }
  remote_args(): unknown[] {
    return this.#args;
  }
  async remote_log(line: string): Promise<void> {
    await this.#caps.logger!.callRemote("log", line);
  }
  remote_child(): Child {
    return this.#child;
  }
  remote_isChild(other: unknown): boolean {
    return other === this.#child;
  }
  remote_self(): Plugin {
    return this;
  }
  remote_isSelf(other: unknown): boolean {
    return other === this;
  }
  remote_doubler() {
    return callable((n: number) => 2 * n);
  }
  async remote_callBack(other: RemoteReference<Child>): Promise<string> {
    return `called ${await localReference(other).callRemote("name")}`;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_fail(): never {
    throw new RangeError("as asked");
  }
  remote_print(line: string): void {
    // deno-lint-ignore no-console -- that is what is tried
    console.log(line);
  }
  remote_exit(code: number): void {
    Deno.exit(code);
  }
  remote_spin(): void {
    for (;;);
  }
  remote_never(): Promise<void> {
    return new Promise(() => {});
  }
  remote_fillHeap(): void {
    for (;;) this.#kept.push({ a: this.#kept.length, b: [this.#kept.length] });
  }
  async remote_fillBuffers(): Promise<void> {
    for (;;) {
      this.#kept.push(new Uint8Array(16 << 20).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  remote_writeToStdout(text: string): void {
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  }
  remote_floodStdout(): void {
    const bytes = new Uint8Array(1 << 20).fill(0x41);
    for (;;) Deno.stdout.writeSync(bytes);
  }
  remote_floodStderr(lines: number): void {
    for (let i = 0; i < lines; i++) Deno.stderr.writeSync(new TextEncoder().encode(`line ${i}\n`));
  }
  remote_manyObjects(count: number): Child[] {
    return Array.from({ length: count }, (_, i) => new Child(String(i)));
  }
  /** Runs a piece of code, and tells what came of it. */
  async remote_attempt(code: string): Promise<string> {
    try {
      const run = new Function(`return (async () => { ${code} })()`) as () => Promise<unknown>;
      return `done: ${String(await run())}`;
    } catch (error) {
      return `refused: ${(error as Error).name}: ${(error as Error).message}`;
    }
  }
}

/** One that is made by a function. */
export async function make(_caps: unknown, name: string): Promise<Child> {
  await Promise.resolve();
  return new Child(name);
}

/** One that is there already. */
export const object = new Child("an object");

/** None at all. */
export const number = 5;
