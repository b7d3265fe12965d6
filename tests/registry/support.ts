/**
 * A registry without a Tub, and objects to grant.
 */
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { CallContext } from "../../lib/broker/call_context.ts";
import { PermissionDenied } from "../../lib/errors.ts";
import type { Publishable } from "../../lib/broker/callable.ts";
import { systemRandomBytes } from "../../lib/util/random_bytes.ts";
import type { CapabilityEvent } from "../../lib/registry/capability_event.ts";
import type { PermissionQuery } from "../../lib/registry/permission_query.ts";
import { CapabilityRegistry } from "../../lib/registry/registry.ts";
import type { TraceEvent } from "../../lib/util/trace.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** TubIDs of callers. */
export const ALICE = "a".repeat(32), BOB = "b".repeat(32);

/** An object with some methods. */
export class Files extends Referenceable {
  readonly contents = new Map([["a.txt", "alpha"]]);
  readonly slow = Promise.withResolvers<unknown>();
  signal: AbortSignal | undefined;

  remote_list(): string[] {
    return [...this.contents.keys()];
  }
  remote_read(name: string): string | undefined {
    return this.contents.get(name);
  }
  remote_write(name: string, text: string): void {
    this.contents.set(name, text);
  }
  remote_self(): this {
    return this;
  }
  remote_later_self(): Promise<this> {
    return Promise.resolve(this);
  }
  remote_fail(): never {
    throw new RangeError("no such file");
  }
  remote_wait(): Promise<unknown> {
    return this.slow.promise;
  }
}

/** Permissions that a test gives and takes. */
export class FakePermissions implements PermissionQuery {
  readonly given = new Set<string>(["read"]);
  asked = 0;

  query({ name }: Deno.PermissionDescriptor): Deno.PermissionState {
    this.asked++;
    if (name as string === "nonsense") throw new TypeError("no such permission");
    return this.given.has(name) ? "granted" : "prompt";
  }
  flagFor(descriptor: Deno.PermissionDescriptor): string {
    return `--allow-${descriptor.name}${"path" in descriptor ? `=${descriptor.path}` : ""}`;
  }
}

/** A registry with a clock, permissions and ears. */
export class Rig {
  readonly clock = new FakeClock();
  readonly permissions = new FakePermissions();
  readonly traced: TraceEvent[] = [];
  readonly heard: CapabilityEvent[] = [];
  /** What a test does when something happens. */
  onHeard: (event: CapabilityEvent) => void = () => {};
  readonly registry: CapabilityRegistry = new CapabilityRegistry({
    randomBytes: systemRandomBytes,
    trace: (event) => void this.traced.push(event),
    clock: this.clock,
    permissions: this.permissions,
    furlOf: (object) => `pb://${ALICE}@tcp:h:1/${this.registry.nameOf(object)}`,
    onEvent: [(event) => {
      this.heard.push(event);
      this.onHeard(event);
    }],
  });
}

/** The context of a call of a peer. */
export function contextOf(caller: string | undefined, method: string): CallContext {
  return new CallContext({ tubId: caller, address: "test" }, method, false);
}

/** Calls a method as a peer does. */
export function call(object: Publishable, method: string, ...args: unknown[]): unknown {
  return callAs(ALICE, object, method, ...args);
}

/** The same for another caller. */
export function callAs(
  caller: string | undefined,
  object: Publishable,
  method: string,
  ...args: unknown[]
): unknown {
  return (object as Referenceable).doRemoteCall(method, args, contextOf(caller, method));
}

/** The limit that refuses a call, and its text. */
export function denial(run: () => unknown): PermissionDenied {
  try {
    run();
  } catch (error) {
    if (error instanceof PermissionDenied) return error;
    throw error;
  }
  throw new TypeError("it was not refused");
}
