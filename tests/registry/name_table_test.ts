import assert from "node:assert/strict";
import { systemRandomBytes } from "../../lib/util/random_bytes.ts";
import { caveatId, caveatRoot } from "../../lib/names/caveat.ts";
import { idText, NameTable } from "../../lib/registry/name_table.ts";
import { SealedNames } from "../../lib/registry/sealed_names.ts";
import { fc } from "../deps.ts";
import { collectGarbage } from "../support/gc.ts";

const newTable = () => new NameTable<object>(systemRandomBytes);

Deno.test("SealedNames.open() gives back whatever name was sealed", () => {
  const names = new SealedNames(systemRandomBytes);
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
    assert.equal(names.open(names.seal(name)), name);
  }));
});

Deno.test("SealedNames.seal() never gives the same bytes twice, nor the name in clear", () => {
  const names = new SealedNames(systemRandomBytes);
  const [a, b] = [names.seal("calculator"), names.seal("calculator")];
  assert.notDeepEqual(a, b);
  assert.ok(!a.includes("calc"));
});

Deno.test("SealedNames.hash() depends on the key", () => {
  const names = new SealedNames(systemRandomBytes);
  assert.equal(names.hash("calc"), names.hash("calc"));
  assert.notEqual(names.hash("calc"), new SealedNames(systemRandomBytes).hash("calc"));
});

Deno.test("SealedNames() refuses a source that gives too little", () => {
  assert.throws(() => new SealedNames(() => new Uint8Array(4)), RangeError);
});

Deno.test("NameTable.find() finds an object by its exact name only", () => {
  const table = newTable();
  const object = {};
  table.add(object, "__proto__");
  assert.equal(table.find("__proto__"), object);
  assert.equal(table.find("__proto_"), undefined);
  assert.equal(table.find("constructor"), undefined);
  assert.equal(table.nameOf(object), "__proto__");
  assert.equal(table.nameOf({}), undefined);
});

Deno.test("NameTable.add() refuses a name that another living object has", () => {
  const table = newTable();
  const object = {};
  table.add(object, "calc");
  assert.throws(() => table.add({}, "calc"), (error) => {
    assert.ok(error instanceof RangeError);
    assert.doesNotMatch(error.message, /calc/);
    return true;
  });
  assert.equal(table.find("calc"), object);
});

Deno.test("NameTable.remove() frees the name for another object", () => {
  const table = newTable();
  const [first, second] = [{}, {}];
  table.add(first, "calc");
  assert.equal(table.remove(first), true);
  assert.equal(table.remove(first), false);
  assert.equal(table.find("calc"), undefined);
  table.add(second, "calc");
  assert.equal(table.find("calc"), second);
});

Deno.test("NameTable finds a name that was drawn, and what derives from it, without work for all others", () => {
  let drawn = 0;
  const table = new NameTable<object>((length) => {
    drawn++;
    return systemRandomBytes(length);
  });
  const objects = Array.from({ length: 1_000 }, () => ({}));
  for (const object of objects) table.addUnnamed(object, true);
  const before = drawn;
  const object = objects[500]!;
  const name = table.nameOf(object)!;
  assert.equal(drawn, before + 1, "the others have no name yet");
  assert.equal(table.find(name), object);
  const id = table.idOf(object)!;
  assert.equal(table.findById(id)?.object, object);
  assert.deepEqual(table.findById(id)?.root, caveatRoot(name));
  assert.equal(id, idText(caveatId(caveatRoot(name))));
  assert.equal(table.idOf(objects[0]!), undefined);
  assert.equal(table.remove(object), true);
  assert.equal(table.findById(id), undefined);
});

Deno.test("SealedNames.open() gives back each of many names, short and long, in any order", () => {
  const names = new SealedNames(systemRandomBytes);
  const all = Array.from({ length: 600 }, (_, i) => "é".repeat(i * 7 % 90) + i);
  all.push("x".repeat(10_000), "after");
  const sealed = all.map((name) => names.seal(name));
  for (let i = all.length - 1; i >= 0; i--) assert.equal(names.open(sealed[i]!), all[i]);
});

Deno.test("SealedNames.seal() hides no two names with the same key stream", () => {
  const names = new SealedNames(systemRandomBytes);
  // What hides zeros is the key stream itself.
  const streams = Array.from({ length: 2_000 }, () => names.seal("\0".repeat(32)).slice(8));
  assert.equal(new Set(streams.flatMap((stream) => [stream.slice(0, 16), stream.slice(16)])).size, 4_000);
});

Deno.test("NameTable.clear() forgets everything", () => {
  const table = newTable();
  const object = {};
  table.add(object, "calc");
  table.clear();
  assert.equal(table.size, 0);
  assert.equal(table.has(object), false);
  assert.equal(table.find("calc"), undefined);
});

/** Collects garbage until `isDone`; a collection may take several turns to be noticed. */
async function collectUntil(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !isDone(); i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test({
  name: "NameTable keeps what was kept and forgets the rest when nobody holds it",
  async fn() {
    const table = newTable();
    // In a function of its own, so that no register still holds the objects.
    (() => {
      table.add({ which: "weak" }, "weak");
      const strong = { which: "strong" };
      table.add(strong, "strong");
      table.keep(strong);
    })();
    await collectUntil(() => table.size === 1);
    assert.equal(table.size, 1);
    assert.equal(table.find("weak"), undefined);
    assert.deepEqual([...table.objects()], [{ object: { which: "strong" }, isStrong: true }]);
  },
});
