import assert from "node:assert/strict";
import { checkValue } from "../../../lib/graph/schema/constraint.ts";
import { type Provided, providedInterface } from "../../../lib/graph/schema/provided.ts";
import {
  Callable,
  callable,
  DuplicateRemoteInterfaceError,
  getRemoteInterfaceByName,
  InvalidRemoteInterface,
  Referenceable,
  registerRemoteInterface,
  RemoteInterface,
  schema,
  UnknownSchemaType,
  Violation,
} from "../../../mod.ts";

const RIBase = RemoteInterface("RIBase.tests.example.com", {
  name: schema.method([], String),
  both: schema.method([], String),
});
const RIDerived = RemoteInterface("RIDerived.tests.example.com", {
  both: schema.method([["a", Number]], String),
  constructor: schema.UnconstrainedMethod(),
}, { extends: [RIBase] });
const RIOther = RemoteInterface("RIOther.tests.example.com", {});

class Base extends Referenceable {
  static override remoteInterface = RIBase;
}
class Derived extends Referenceable {
  static override remoteInterface = RIDerived;
}
class Plain extends Referenceable {}

/** What a reference to a peer's object says of itself. */
function remote(interfaceName: string | undefined, isFunction = false) {
  return { [providedInterface]: (): Provided => ({ kind: "remote", interfaceName, isFunction }) };
}

Deno.test("RemoteInterface() has its own methods and those of what it extends", () => {
  assert.deepEqual(RIDerived.names(), ["both", "constructor", "name"]);
  assert.equal(RIDerived.method("name"), RIBase.method("name"));
  assert.notEqual(RIDerived.method("both"), RIBase.method("both"));
  assert.equal(RIDerived.method("toString"), undefined);
  assert.equal(RIBase.method("constructor"), undefined);
});

Deno.test("getRemoteInterfaceByName() finds interfaces by their name, and by others that they are registered by", () => {
  assert.equal(getRemoteInterfaceByName("RIBase.tests.example.com"), RIBase);
  assert.equal(getRemoteInterfaceByName("RINone.tests.example.com"), undefined);
  assert.equal(getRemoteInterfaceByName("__proto__"), undefined);
  registerRemoteInterface(RIBase, "RIAlias.tests.example.com");
  assert.equal(getRemoteInterfaceByName("RIAlias.tests.example.com"), RIBase);
  registerRemoteInterface(RIBase);
  assert.throws(
    () => registerRemoteInterface(RIOther, "RIAlias.tests.example.com"),
    DuplicateRemoteInterfaceError,
  );
  assert.throws(() => registerRemoteInterface({ name: "x", method: () => undefined }), UnknownSchemaType);
});

Deno.test("RemoteInterface() throws a DuplicateRemoteInterfaceError for a name that is known", () => {
  assert.throws(() => RemoteInterface("RIBase.tests.example.com", {}), DuplicateRemoteInterfaceError);
});

const INVALID: readonly (readonly [string, () => unknown])[] = [
  ["an empty name", () => RemoteInterface("", {})],
  [
    "a method whose name begins with _",
    () => RemoteInterface("RIBad1.tests.example.com", { _x: schema.method([]) }),
  ],
  ["a method without a name", () => RemoteInterface("RIBad2.tests.example.com", { "": schema.method([]) })],
  [
    "a method __proto__",
    () => RemoteInterface("RIBad3.tests.example.com", { ["__proto__"]: schema.method([]) }),
  ],
  [
    "a prototype by mistake",
    () => RemoteInterface("RIBad4.tests.example.com", { __proto__: schema.method([]) } as never),
  ],
  ["a function as a method", () => RemoteInterface("RIBad5.tests.example.com", { x: (() => 1) as never })],
  [
    "a base that is none",
    () => RemoteInterface("RIBad6.tests.example.com", {}, { extends: [{} as typeof RIBase] }),
  ],
];
for (const [name, declare] of INVALID) {
  Deno.test(`RemoteInterface() throws an InvalidRemoteInterface for ${name}, and registers nothing`, () => {
    assert.throws(declare, InvalidRemoteInterface);
    for (let i = 1; i <= 6; i++) {
      assert.equal(getRemoteInterfaceByName(`RIBad${i}.tests.example.com`), undefined);
    }
  });
}

Deno.test("getInterface() is the interface of the class, and its name is told to peers", () => {
  assert.equal(new Base().getInterface(), RIBase);
  assert.equal(new Base().getInterfaceName(), "RIBase.tests.example.com");
  assert.equal(new Plain().getInterface(), undefined);
  assert.equal(new Plain().getInterfaceName(), undefined);
  const odd = Object.assign(new Base(), { constructor: 5 });
  assert.equal(odd.getInterface(), RIBase);
});

// Foolscap: test_schema.py, Interfaces; unlike there, derived interfaces and what comes home are taken.
type Row = readonly [
  value: string,
  make: () => unknown,
  constraint: schema.Shortcut,
  name: string,
  taken: boolean,
];
const REFERENCES: readonly Row[] = [
  ["an object", () => new Base(), RIBase, "its interface", true],
  ["an object", () => new Base(), RIOther, "another interface", false],
  ["an object", () => new Base(), RIDerived, "a derived interface", false],
  ["an object", () => new Derived(), RIBase, "a base of its interface", true],
  ["an object without an interface", () => new Plain(), RIBase, "an interface", false],
  ["an object without an interface", () => new Plain(), Referenceable, "Referenceable", true],
  ["an object", () => new Base(), schema.RemoteInterfaceConstraint(null), "any", true],
  ["an object", () => new Base(), Callable, "Callable", false],
  ["a reference", () => remote("RIBase.tests.example.com"), RIBase, "its interface", true],
  ["a reference", () => remote("RIDerived.tests.example.com"), RIBase, "a base of its interface", true],
  ["a reference", () => remote("RIAlias.tests.example.com"), RIOther, "another interface", false],
  ["a reference", () => remote(""), RIBase, "an interface that it does not name", false],
  [
    "a reference",
    () => remote("RIUnknown.tests.example.com"),
    RIBase,
    "an interface, naming an unknown one",
    false,
  ],
  ["a reference", () => remote(undefined), Referenceable, "Referenceable", true],
  ["a function", () => callable(() => 1), Callable, "Callable", true],
  ["a function", () => callable(() => 1), Referenceable, "Referenceable", false],
  ["a remote function", () => remote(undefined, true), Callable, "Callable", true],
  ["a remote function", () => remote(undefined, true), RIBase, "an interface", false],
  ["text", () => "bogus", RIBase, "an interface", false],
  ["an object literal", () => ({ remote_name: () => "x" }), Referenceable, "Referenceable", false],
  ["the class itself", () => Base, Referenceable, "Referenceable", false],
];
for (const [value, make, shortcut, name, taken] of REFERENCES) {
  Deno.test(`${value} is ${taken ? "taken" : "refused"} where ${name} is declared`, () => {
    const constraint = schema.makeConstraint(shortcut);
    for (const direction of ["inbound", "outbound"] as const) {
      const object = make();
      if (taken) assert.equal(checkValue(constraint, object, direction), object);
      else assert.throws(() => checkValue(constraint, object, direction), Violation);
    }
  });
}

Deno.test("a refused reference is told in Foolscap's words", () => {
  const constraint = schema.makeConstraint(RIOther);
  assert.throws(() => checkValue(constraint, new Base(), "outbound"), {
    message: "an instance of Base does not provide RemoteInterface RIOther.tests.example.com",
  });
  assert.throws(() => checkValue(constraint, "bogus", "inbound"), {
    message: "a string does not provide RemoteInterface RIOther.tests.example.com, " +
      "and doesn't even look like a RemoteReference",
  });
  assert.throws(() => checkValue(constraint, "bogus", "outbound"), {
    message: "a string is not a Referenceable",
  });
});
