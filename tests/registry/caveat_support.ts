/**
 * A registry, and FURLs that were attenuated without it.
 */
import assert from "node:assert/strict";
import { Callable, type Publishable } from "../../lib/broker/callable.ts";
import { CallContext, runInCall } from "../../lib/broker/call_context.ts";
import { callFunction } from "../../lib/broker/invoke.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { PermissionDenied } from "../../lib/errors.ts";
import { attenuateFurl, type FurlCaveats } from "../../lib/names/attenuate_furl.ts";
import { systemRandomBytes } from "../../lib/util/random_bytes.ts";
import { MemoryCaveatState } from "../../lib/registry/caveat_state.ts";
import { CapabilityRegistry } from "../../lib/registry/registry.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** TubIDs: the Tub of the registry, and another one. */
export const TUB_A = "w6i2oohuba2eeyts27gkq4etwr4nndeb";
export const TUB_B = "abcdefghijklmnopqrstuvwxyz234567";
/** The methods of {@linkcode Files} that answer at once. */
export const METHODS = ["list", "read", "write"];

/** An object that counts its calls. */
export class Files extends Referenceable {
  calls = 0;
  readonly gate = Promise.withResolvers<string>();
  remote_list(): string {
    this.calls++;
    return "list";
  }
  remote_read(): string {
    this.calls++;
    return "read";
  }
  remote_write(): string {
    this.calls++;
    return "write";
  }
  remote_wait(): Promise<string> {
    return this.gate.promise;
  }
  remote_self(): this {
    return this;
  }
}

/** A registry with one object, and names that derive from its own. */
export class Bench {
  readonly clock = new FakeClock();
  readonly state: MemoryCaveatState;
  readonly registry: CapabilityRegistry;
  readonly files = new Files();
  readonly name: string;

  constructor(state = new MemoryCaveatState()) {
    this.state = state;
    this.registry = new CapabilityRegistry({
      randomBytes: systemRandomBytes,
      trace() {},
      clock: this.clock,
      caveatState: state,
    });
    this.name = this.registry.register(this.files);
  }

  derive(...all: FurlCaveats[]): string {
    return furlName(all.reduce((furl, one) => attenuateFurl(furl, one), furlOf(this.name)));
  }

  facet(...all: FurlCaveats[]): Publishable {
    return this.registry.find(this.derive(...all))!;
  }
}

/** The FURL of a name, and the name in one. */
export const furlOf = (name: string) => `pb://${TUB_A}@/${name}`;
export const furlName = (furl: string) => furl.slice(furlOf("").length);

/** A call that a Tub makes. */
export async function call(
  object: Publishable | undefined,
  method: string,
  caller: string | undefined = TUB_A,
) {
  const context = new CallContext({ tubId: caller, address: "test" }, method, false);
  return await runInCall(
    context,
    () =>
      object instanceof Callable
        ? callFunction(object.call, [], context)
        : object!.doRemoteCall(method, [], context),
    undefined,
  );
}

/** Whether a call was refused, in these words. */
export const refused = (about: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PermissionDenied);
  assert.match(error.message, about);
  return true;
};

/** When the clock of a {@linkcode Bench} begins, in milliseconds since 1970. */
export const NOW = new FakeClock().now();
