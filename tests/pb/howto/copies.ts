/**
 * Objects that are copied: copy, copy2 and cache. The client is the one that sends.
 *
 * @module
 */

import { pb } from "../../../mod.ts";
import type { Example, Say } from "./stage.ts";

const script = "copies.py";

class CopyPond extends pb.Copyable {
  static override copytype = "copy_sender.CopyPond";
  constructor(readonly color: string, readonly numFrogs: number) {
    super();
  }
}

class ReceiverPond extends pb.RemoteCopy {
  declare color: string;
  declare numFrogs: number;
}

class SenderPond extends pb.Copyable {
  static override copytype = "copy2_classes.SenderPond";
  constructor(readonly numFrogs: number, readonly numToads: number) {
    super();
  }
  override getStateToCopy(): unknown {
    return { frogsAndToads: this.numFrogs + this.numToads };
  }
}

class ReceiverPond2 extends pb.RemoteCopy {
  state: Record<string, number> = {};
  override setCopyableState(state: unknown): void {
    this.state = state as Record<string, number>;
  }
  count(): number {
    return this.state.frogsAndToads!;
  }
}

class MasterDuckPond extends pb.Cacheable {
  static override copytype = "cache_classes.MasterDuckPond";
  readonly observers = new Set<pb.RemoteCacheObserver>();
  constructor(readonly say: Say, readonly ducks: string[]) {
    super();
  }
  addDuck(duck: string): void {
    this.ducks.push(duck);
    for (const observer of this.observers) observer.callRemote("addDuck", duck);
  }
  removeDuck(duck: string): void {
    this.ducks.splice(this.ducks.indexOf(duck), 1);
    for (const observer of this.observers) observer.callRemote("removeDuck", duck);
  }
  override getStateToCacheAndObserveFor(_: unknown, observer: pb.RemoteCacheObserver): unknown {
    this.observers.add(observer);
    return this.ducks;
  }
  override stoppedObserving(_: unknown, observer: pb.RemoteCacheObserver): void {
    this.observers.delete(observer);
    this.say("nobody watches", this.observers.size);
  }
}

/** What those say that are made by whoever reads them. */
const saying = new WeakMap<object, Say>();

class SlaveDuckPond extends pb.RemoteCache {
  declare ducks: string[];
  override setCopyableState(state: unknown): void {
    this.ducks = state as string[];
  }
  observe_addDuck(duck: string): void {
    saying.get(this)!("add duck", duck);
    this.ducks.push(duck);
  }
  observe_removeDuck(duck: string): void {
    saying.get(this)!("remove duck", duck);
    this.ducks.splice(this.ducks.indexOf(duck), 1);
  }
}

const registry = new pb.CopyRegistry(pb.copyTags);
registry.setUnjellyableForClass("copy_sender.CopyPond", ReceiverPond);
registry.setUnjellyableForClass("copy2_classes.SenderPond", ReceiverPond2);
registry.setUnjellyableForClass("cache_classes.MasterDuckPond", SlaveDuckPond);

class Receiver extends pb.Root {
  constructor(readonly say: Say) {
    super();
  }
  remote_takePond(pond: ReceiverPond): string {
    this.say("got pond", pond.color, pond.numFrogs);
    return "safe and sound";
  }
  remote_shutdown(): void {
    this.say("shut down");
  }
}

const copy: Example = {
  name: "copy",
  script,
  serve: (say) => [{ root: new Receiver(say), options: { registry } }],
  async play(say, server) {
    await using client = await pb.connect(server);
    const root = client.getRootObject();
    say("pond arrived", await root.callRemote("takePond", new CopyPond("green", 7)));
    await root.callRemote("shutdown");
  },
  serverSays: [["got pond", "green", 7], ["shut down"]],
  clientSays: [["pond arrived", "safe and sound"]],
};

class Receiver2 extends pb.Root {
  constructor(readonly say: Say) {
    super();
  }
  remote_takePond(pond: ReceiverPond2): string {
    this.say("count", pond.count(), Object.keys(pond.state));
    return "safe and sound";
  }
  remote_shutdown(): void {
    this.say("shut down");
  }
}

const copy2: Example = {
  name: "copy2",
  script,
  serve: (say) => [{ root: new Receiver2(say), options: { registry } }],
  async play(say, server) {
    await using client = await pb.connect(server);
    const root = client.getRootObject();
    say("pond arrived", await root.callRemote("takePond", new SenderPond(3, 4)));
    await root.callRemote("shutdown");
  },
  serverSays: [["count", 7, ["frogsAndToads"]], ["shut down"]],
  clientSays: [["pond arrived", "safe and sound"]],
};

class CacheReceiver extends pb.Root {
  #pond: SlaveDuckPond | undefined;
  constructor(readonly say: Say) {
    super();
  }
  remote_takePond(pond: SlaveDuckPond): void {
    saying.set(pond, this.say);
    this.#pond = pond;
    this.remote_checkDucks();
  }
  remote_checkDucks(): void {
    this.say("ducks", [...this.#pond!.ducks]);
  }
  remote_ignorePond(): void {
    this.#pond?.[Symbol.dispose]();
    this.#pond = undefined;
  }
  remote_shutdown(): void {
    this.say("shut down");
  }
}

const cache: Example = {
  name: "cache",
  script,
  serve: (say) => [{ root: new CacheReceiver(say), options: { registry } }],
  async play(say, server) {
    await using client = await pb.connect(server);
    const root = client.getRootObject();
    const pond = new MasterDuckPond(say, ["one duck", "two duck"]);
    await root.callRemote("takePond", pond);
    pond.addDuck("ugly duckling");
    await root.callRemote("checkDucks");
    pond.removeDuck("one duck");
    await root.callRemote("checkDucks");
    await root.callRemote("ignorePond");
    await root.callRemote("shutdown");
  },
  serverSays: [
    ["ducks", ["one duck", "two duck"]],
    ["add duck", "ugly duckling"],
    ["ducks", ["one duck", "two duck", "ugly duckling"]],
    ["remove duck", "one duck"],
    ["ducks", ["two duck", "ugly duckling"]],
    ["shut down"],
  ],
  clientSays: [["nobody watches", 0]],
};

/** The examples, in the order of the documentation. */
export const COPIES: readonly Example[] = [copy, copy2, cache];
