/**
 * A hostile peer against the rules of an interface, and what it writes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { LONGINT } from "../../lib/wire/tokens.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { Copyable, Referenceable, registerRemoteCopy, RemoteInterface, schema } from "../../mod.ts";
import { RawPeer, turns, until } from "./support.ts";

const { ListOf, DictOf, SetOf, ChoiceOf, Optional, lazy } = schema;
export const int = schema.IntegerConstraint();

class Sample extends Copyable {
  static override copytype = "attack.example.com/Sample";
  static override stateSchema = schema.AttributeDictConstraint(["x", int], ["next", Optional(schema.Any())]);
}
registerRemoteCopy(Sample);

export const RIOther = RemoteInterface("RIOther.attack.example.com", { get: schema.method([], int) });
const deep: schema.Constraint = ListOf(lazy(() => deep));
export const RIRich = RemoteInterface("RIRich.attack.example.com", {
  bytes: schema.method([["x", schema.ByteStringConstraint({ maxLength: 3 })]], null),
  number: schema.method([["x", schema.IntegerConstraint({ maxBytes: 8 })]], null),
  two: schema.method([["a", ListOf(int)], ["b", ListOf(String)]], null),
  lists: schema.method([["x", ListOf(ListOf(int))]], null),
  pair: schema.method([["x", ListOf([int, String])]], null),
  dict: schema.method([["x", DictOf(String, int, { maxKeys: 2 })]], null),
  set: schema.method([["x", SetOf(int, { maxLength: 2 })]], null),
  copy: schema.method([["x", Sample]], null),
  other: schema.method([["x", RIOther]], null),
  choice: schema.method([["x", ChoiceOf(ListOf(int, { maxLength: 1 }), ListOf(Boolean))]], null),
  deep: schema.method([["x", deep]], null),
  named: schema.method([["__proto__", int], ["constructor", Optional(int)]], null),
  open: schema.method([["a", int]], int, { acceptUnknown: true }),
  ping: schema.method([], int),
});

export class Rich extends Referenceable {
  static override remoteInterface = RIRich;
  readonly calls: unknown[][] = [];
  override doRemoteCall(name: string, args: unknown[]): unknown {
    this.calls.push([name, ...args]);
    return name === "ping" || name === "open" ? 7 : null;
  }
}
export class Other extends Referenceable {
  static override remoteInterface = RIOther;
}

/** A peer that writes what it likes to a broker that serves a Rich as object 1 and an Other as object 2. */
export class Attacker extends RawPeer {
  readonly rich: Rich = new Rich();
  readonly encoder: TokenEncoder = new TokenEncoder(vocabularyWords(1));
  #requests = 0;

  static async make(object?: Referenceable): Promise<Attacker> {
    const attacker = new Attacker();
    attacker.host.names.set("a", object ?? attacker.rich);
    attacker.host.names.set("b", new Other());
    for (const name of ["a", "b"]) {
      attacker.call(0, "getReferenceByName", () => {
        attacker.encoder.integer(1);
        attacker.encoder.word(name);
      });
    }
    await attacker.flush();
    await until(() => attacker.broker.tables().exported === 2, "two objects");
    await turns(2);
    attacker.take();
    return attacker;
  }

  call(clid: number, method: string, write: (encoder: TokenEncoder) => void): void {
    const { encoder } = this;
    const call = encoder.open("call");
    encoder.integer(++this.#requests);
    encoder.integer(clid);
    encoder.word(method);
    const args = encoder.open("arguments");
    write(encoder);
    encoder.close(args);
    encoder.close(call);
  }

  async flush(): Promise<void> {
    for (const part of this.encoder.take()) await this.send(part);
  }

  /** What the broker answers to what was written. */
  async answer(): Promise<string> {
    this.take();
    await this.flush();
    await until(() => this.receivedBytes > 0 || this.broker.ended !== undefined, "an answer");
    await turns(2);
    assert.equal(this.broker.ended, undefined);
    return new TextDecoder("latin1").decode(Uint8Array.fromHex(this.take()));
  }
}

export type Write = (e: TokenEncoder) => void;
/** A sequence. */
export const seq = (word: string, ...inside: Write[]): Write => (e) => {
  const number = e.open(word);
  for (const write of inside) write(e);
  e.close(number);
};
export const num = (value: number): Write => (e) => e.integer(value);
export const word = (text: string): Write => (e) => e.word(text);
export const text = (value: string): Write => (e) => void e.text(value);
/** The object that began so many sequences after the one for the arguments. */
export const earlier = (back: number): Write => (e) => {
  const number = e.open("reference");
  e.integer(number - back);
  e.close(number);
};
export const long = (bytes: number): Write => (e) => e.sized(LONGINT, new Uint8Array(bytes).fill(1));
