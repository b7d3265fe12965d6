/**
 * Tubs of Python Foolscap for tests that connect them in odd ways; `connecting.py` has them.
 *
 * @module
 */

import type { TestIdentity } from "../support/identity.ts";
import { furlOf, type Held, type Party, type PartyOptions, type StartParty } from "../support/parties.ts";
import { type PythonPeer, startPython } from "../support/python.ts";

/** What only a Python party can be told. */
export interface PythonOptions extends PartyOptions {
  /** The versions of the protocol that it offers. */
  readonly versions?: readonly [number, number];
  /** The vocabulary tables that it offers. */
  readonly vocabularies?: readonly [number, number];
}

let parties = 0;
let refs = 0;

/** The process in which Python's parties live. */
export async function startProgram(): Promise<PythonPeer> {
  return await startPython("connecting.py");
}

/** How to start a Python party there. */
export function pythonIn(program: PythonPeer): StartParty {
  return (identity, options) => startIn(program, identity, options);
}

/** Starts a Python party. */
export async function startIn(
  program: PythonPeer,
  identity: TestIdentity,
  { handlesOldPeers = false, ...more }: PythonOptions = {},
): Promise<Party> {
  const name = `tub${++parties}`;
  const pem = identity.certPem + identity.keyPem;
  const { port } = await program.command("tub", { name, pem, handles_old: handlesOldPeers, ...more });
  return new PythonParty(program, name, identity, Number(port));
}

class PythonParty implements Party {
  readonly kind = "Python";
  #stopped: Promise<unknown> | undefined;

  constructor(
    readonly program: PythonPeer,
    readonly name: string,
    readonly identity: TestIdentity,
    readonly port: number,
  ) {}

  async dial(other: Party, ...ports: readonly number[]): Promise<Held> {
    const ref = `ref${++refs}`;
    const { program } = this;
    await program.command("dial", { tub: this.name, furl: furlOf(other, ports), as: ref });
    return {
      add: async (a, b) => Number((await program.command("add", { ref, a, b })).result),
      // An event is waited for only by who expects it.
      get lost() {
        return program.event(`lost ${ref}`).then(() => {});
      },
    };
  }

  async connections(): Promise<number> {
    return Number((await this.program.command("connections", { tub: this.name })).count);
  }

  async makeOld(): Promise<void> {
    const attributes = { _handle_old_duplicate_connections: -10 };
    await this.program.command("set", { tub: this.name, attributes });
  }

  async stopListening(): Promise<void> {
    await this.program.command("stop_listening", { tub: this.name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#stopped ??= this.program.command("stop", { tub: this.name }));
  }
}
