import assert from "node:assert/strict";
import { pb } from "../../mod.ts";

class Local extends pb.LocalAsRemote {
  readonly calls: unknown[] = [];
  sync_now(value: number): number {
    return value + 1;
  }
  async_later(value: number): number {
    return value + 2;
  }
  async_promised(value: number): Promise<number> {
    return Promise.resolve(value + 3);
  }
  async_fail(): never {
    throw new RangeError("async");
  }
  sync_fail2(): never {
    throw new RangeError("sync");
  }
}

Deno.test("LocalAsRemote calls sync_ methods at once, and async_ methods with a promise", async () => {
  const local = new Local();
  assert.equal(local.callRemote("now", 1), 2);
  assert.ok(local.callRemote("later", 1) instanceof Promise);
  assert.equal(await local.callRemote("later", 1), 3);
  assert.equal(await local.callRemote("promised", 1), 4);
  assert.equal(await local.remoteMethod("later")(5), 7);
  await assert.rejects(async () => await local.callRemote("fail"), { message: "async" });
  assert.throws(() => local.callRemote("fail2"), { message: "sync" });
  await assert.rejects(async () => await local.callRemote("nothing"), pb.NoSuchMethod);
  await assert.rejects(async () => await local.callRemote("calls"), pb.NoSuchMethod);
});

Deno.test("LocalAsyncForwarder calls the methods that were named, and does nothing else or fails", async () => {
  const object = {
    base: 10,
    add(value: number) {
      return this.base + value;
    },
    other: () => 1,
    fail() {
      throw new RangeError("no");
    },
  };
  const quiet = new pb.LocalAsyncForwarder(object, ["add", "fail"]);
  assert.equal(await quiet.callRemote("add", 5), 15);
  assert.equal(await quiet.callRemote("other"), undefined);
  await assert.rejects(quiet.callRemote("fail"), RangeError);
  const strict = new pb.LocalAsyncForwarder(object, ["add"], { failWhenNotImplemented: true });
  await assert.rejects(strict.callRemote("other"), pb.NoSuchMethod);
  assert.throws(() => new pb.LocalAsyncForwarder(object, ["base"]), TypeError);
});
