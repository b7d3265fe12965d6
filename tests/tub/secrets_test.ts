import assert from "node:assert/strict";
import {
  callable,
  Copyable,
  type GiftOffer,
  localReference,
  Referenceable,
  SturdyRef,
  type TraceEvent,
  Tub,
} from "../../mod.ts";
import { Attacker, identityBeside } from "./attacker.ts";
import { gift } from "./survival.ts";
import { inFolder } from "./support.ts";
import { startTub, Target, until } from "./tubs.ts";

/** Everything that an error, or another value, shows of itself, its causes included. */
function shownBy(value: unknown, depth = 0): string {
  let text = Deno.inspect(value, {
    depth: 20,
    showHidden: true,
    strAbbreviateSize: Infinity,
    iterableLimit: 1e4,
  });
  for (let at = value; at instanceof Error; at = at.cause) text += `\n${at.name} ${at.message} ${at.stack}`;
  // Other errors that it has.
  if (depth < 5 && value instanceof Error) {
    for (const own of Object.values(value)) text += shownBy(own, depth + 1);
  }
  return text;
}

/** The errors of actions that fail; one that does not fail is the test's mistake. */
async function errorsOf(actions: Record<string, () => unknown>): Promise<Map<string, unknown>> {
  const errors = new Map<string, unknown>();
  for (const [name, action] of Object.entries(actions)) {
    try {
      await action();
    } catch (error) {
      errors.set(name, error);
    }
  }
  assert.deepEqual([...errors.keys()], Object.keys(actions));
  return errors;
}

/** What must not be seen, by what it is. */
function checkAbsent(secrets: Record<string, string>, text: string, where: string): void {
  for (const [name, secret] of Object.entries(secrets)) {
    assert(secret.length > 10, name);
    const at = text.indexOf(secret);
    assert(at < 0, `${name} is seen in ${where}: ${text.slice(Math.max(0, at - 150), at + 20)}`);
  }
}

/** Bytes with a text in them blotted out. */
function changed(bytes: Uint8Array, text: string, by: string): Uint8Array {
  const at = new TextDecoder("latin1").decode(bytes).indexOf(text);
  bytes.fill(by.charCodeAt(0), at, at + text.length);
  return bytes;
}

/** Pieces of a private key as PEM writes it. */
function keyParts(tub: Tub): Record<string, string> {
  const [, body = ""] = /PRIVATE KEY-----\n([^-]+)-----END/.exec(tub.getCertData()) ?? [];
  const base64 = body.replace(/\s/g, "");
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).slice(-32);
  return {
    "the key in base64": base64.slice(-24),
    "the key in hex": Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    "the key as a list": bytes.slice(0, 12).join(", "),
    "the key as bytes": String.fromCharCode(...bytes),
  };
}

const CHOSEN = "chosen-name-0123456789";

class Leaky extends Referenceable {
  constructor(readonly furl: string, readonly folder: string) {
    super();
  }
  remote_message() {
    throw new Error(`no luck with ${this.furl} at ${this.folder}/x.ts`);
  }
  remote_cause() {
    throw new TypeError("outer", { cause: new Error(this.furl) });
  }
  remote_thrown() {
    throw this.furl;
  }
  remote_deno() {
    return Deno.readTextFile(`${this.folder}/missing`);
  }
  remote_unsendable() {
    return { [this.furl]: Symbol(this.furl) };
  }
  remote_sturdy(): SturdyRef {
    throw new RangeError(String(new SturdyRef(this.furl)));
  }
}

class Point extends Copyable {
  static override readonly copytype = "secrets.Point";
  constructor(readonly furl: unknown) {
    super();
  }
}

Deno.test("no error, trace event or printed object shows a name or a key", () =>
  inFolder(async (folder) => {
    const events: TraceEvent[] = [];
    const trace = (event: TraceEvent) => void events.push(event);
    await using tub = await startTub({ certFile: `${folder}/tub.pem`, trace });
    await using client = await Tub.create({ trace });
    const furl = tub.registerReference(new Target(), { name: CHOSEN, furlFile: `${folder}/a.furl` });
    const random = tub.registerReference(new Leaky(furl, folder));
    const swissnum = random.slice(random.lastIndexOf("/") + 1);
    const [ref, leaky] = await Promise.all([
      client.getReference<Target>(furl),
      client.getReference(random),
    ]);
    const implicit = new Target();
    await ref.callRemote("hold", implicit);
    const loop = await tub.getReference(furl);
    const gone = `pb://${"a".repeat(32)}@tcp:127.0.0.1:1/${CHOSEN}`;
    const wrong = furl.replace(tub.tubId, "a".repeat(32));
    const released = await client.getReference<Target>(furl.replace(CHOSEN, swissnum)).then((ref) =>
      ref.dup()
    );
    released[Symbol.dispose]();
    const errors = await errorsOf({
      "no FURL": () => client.getReference(furl.replace("pb://", "pb:/")),
      "two FURLs": () => client.getReference(`pb://${furl}`),
      "a bad TubID": () => client.getReference(furl.replace("pb://", "pb://1")),
      "no hint": () => client.getReference(`pb://${"a".repeat(32)}@/${CHOSEN}`),
      "an empty hint": () => client.getReference(`pb://${tub.tubId}@,/${CHOSEN}`),
      "a FURL that is a hint": () => client.getReference(`pb://${"a".repeat(32)}@${furl}`),
      "an unknown name": () => client.getReference(`${furl}x${swissnum}`),
      "an unreachable Tub": () => client.getReference(gone),
      "another Tub": () => client.getReference(wrong),
      "setLocation": () => client.setLocation(furl),
      "setLocation without a colon": () => client.setLocation(`x/${CHOSEN}`, furl),
      "listenOn": () => client.listenOn(furl),
      "register without a location": () => client.registerReference(new Target(), CHOSEN),
      "register a text": () => tub.registerReference(furl as unknown as Target),
      "register the same name": () => tub.registerReference(new Target(), CHOSEN),
      "register a bad name": () => tub.registerReference(new Target(), `${CHOSEN}\n${swissnum}`),
      "register with another's file": () =>
        tub.registerReference(new Target(), { name: "other", furlFile: `${folder}/a.furl` }),
      "a certificate as FURL file": () =>
        tub.registerReference(new Target(), { furlFile: `${folder}/tub.pem` }),
      "a FURL file as certificate": () => Tub.create({ certFile: `${folder}/a.furl` }),
      "a certificate without its end": () => Tub.create({ certData: tub.getCertData().slice(0, -60) }),
      "a key as certificate": () =>
        Tub.create({ certData: tub.getCertData().replaceAll("PRIVATE KEY", "CERTIFICATE") }),
      "a path that is a certificate": () => Tub.create({ certFile: tub.getCertData() }),
      "find by name": () => tub.getReferenceForName(`${swissnum}${CHOSEN}`),
      "find by FURL": () => tub.getReferenceForURL(`${furl}${swissnum}`),
      "find by another's FURL": () => tub.getReferenceForURL(gone),
      "unregister another's FURL": () => tub.unregisterReference(gone),
      "a SturdyRef of nothing": () => new SturdyRef(`x${furl.slice(5)}`),
      "an unsendable value": () => ref.callRemote("echo", { [furl]: [Symbol(furl)] }),
      "a function": () => ref.callRemote("echo", () => furl),
      "a released reference": () => released.callRemote("add", 1, 2),
      "a method that is not there": () => leaky.callRemote("missing", furl),
      ...Object.fromEntries(
        ["message", "cause", "thrown", "deno", "unsendable", "sturdy"].map((name) => [
          `a method: ${name}`,
          () => leaky.callRemote(name),
        ]),
      ),
      "stored bytes of a Tub that is another": () =>
        client.unserialize(changed(tub.serialize([loop]), tub.tubId, "a")),
      "stored bytes without a FURL": () => client.unserialize(changed(tub.serialize([loop]), "pb://", "x")),
      "a deadline": () => ref.with({ timeoutMs: 1 }).callRemote("wait"),
    });
    const offers: GiftOffer[] = [];
    await using asked = await Tub.create({ trace, giftPolicy: (offer) => (offers.push(offer), true) });
    await asked.unserialize(tub.serialize([loop]));
    using lost = client.connectTo(gone, () => {});
    await until(() => lost.getLastFailure() !== undefined, "the Reconnector has failed");
    errors.set("a Reconnector", lost.getLastFailure()!);
    using kept = client.connectTo(furl, () => {
      throw new Error("of the program's own");
    });
    const printed = {
      tub,
      offers,
      lost,
      kept,
      reconnection: lost.getReconnectionInfo(),
      brokers: [tub.debug.listBrokers(), client.debug.listBrokers()],
      local: localReference(implicit),
      client,
      registry: tub.registry,
      entries: tub.registry.list().map(({ isImplicit }) => isImplicit),
      ref,
      loop,
      held: [callable(() => furl)],
      listeners: tub.listeners,
      sturdy: new SturdyRef(furl),
      info: client.getConnectionInfoForFURL(furl),
      tables: tub.debug.tables(),
      point: new Point(new SturdyRef(random)),
    };
    const secrets = {
      "the chosen name": CHOSEN,
      "the random name": swissnum,
      ...keyParts(tub),
      ...keyParts(client),
    };
    for (const [name, error] of errors) {
      // The program that names a method, or a key of its own, sees it in the error.
      checkAbsent(secrets, shownBy(error), `the error of: ${name}`);
    }
    for (const [name, value] of Object.entries(printed)) {
      checkAbsent(secrets, shownBy(value), name);
      checkAbsent(
        secrets,
        JSON.stringify(value, (_, value) => typeof value === "bigint" ? "" : value) ?? "",
        `${name}, as JSON`,
      );
      checkAbsent(secrets, `${value}`, `${name}, as text`);
    }
    await client.stop();
    await tub.stop();
    for (const event of events) {
      const { type } = event;
      // What the program itself throws is its own, and reported as it is.
      if (type === "call-failed" && `remote_${event.method}` in Leaky.prototype) continue;
      checkAbsent(secrets, shownBy(event), `the event ${type}`);
      if ("error" in event) checkAbsent(secrets, shownBy(event.error), `the error of the event ${type}`);
    }
  }));

Deno.test("nothing that is sent to a peer with no FURL has a name, a key or a path", () =>
  inFolder(async (folder) => {
    await using tub = await startTub({ certFile: `${folder}/tub.pem` });
    const furl = tub.registerReference(new Leaky("", folder), CHOSEN);
    const random = tub.registerReference(new Leaky(furl, folder));
    const swissnum = random.slice(random.lastIndexOf("/") + 1);
    tub.registerReference(new Leaky(random, folder), "open to all");
    tub.registerNameLookupHandler((name) => {
      if (name === "throw") throw new Error(`${folder}/names has ${furl}`);
      return undefined;
    });
    let sent = "";
    for (const role of ["slave", "master"] as const) {
      const identity = await identityBeside(tub.tubId, role);
      for (const hello of ["\xff\r\n\r\n", `my-tub-id: ${tub.tubId}\r\n\r\n`, "error: x\r\n\r\n"]) {
        using attacker = await Attacker.secure(tub, identity);
        attacker.send(hello);
        sent += await attacker.end();
      }
      using attacker = await Attacker.join(tub, identity);
      // A duplicate.
      using second = await Attacker.secure(tub, identity);
      second.hello(identity.tubId);
      if (role === "slave") sent += await second.end();
      const { encoder } = attacker;
      const guesses = [
        "",
        "c",
        CHOSEN.slice(0, -1),
        swissnum.slice(1),
        "throw",
        "__proto__",
        "../../etc/passwd",
        furl,
      ];
      // One who gives a whole FURL where a name belongs learns nothing: the name is not the FURL.
      for (const name of guesses) attacker.call(0, "getReferenceByName", 1, () => encoder.word(name));
      attacker.call(0, "getReferenceByName", 1, () => encoder.integer(5));
      attacker.call(0, "getReferenceByName", 0);
      attacker.call(0, "registry", 0);
      attacker.call(3, "message", 0);
      attacker.flush();
      await until(() => attacker.received.split("Traceback unavailable").length === 13);
      attacker.call(0, "getReferenceByName", 1, () => encoder.word("open to all"));
      attacker.flush();
      sent += await attacker.until("my-reference");
      const before = attacker.received.length;
      for (
        const name of ["message", "cause", "thrown", "deno", "unsendable", "sturdy", "constructor", "furl"]
      ) {
        attacker.call(1, name, 0);
      }
      gift(attacker, `pb://${"b".repeat(32)}@tcp:127.0.0.1:1,unix:${folder.replaceAll("/", "-")}/x`, 1);
      gift(attacker, "pb://", 2);
      attacker.flush();
      await until(() => attacker.received.slice(before).split("Traceback unavailable").length === 11);
      attacker.send("\x05\x80\x80");
      sent += await attacker.end();
    }
    const cwd = new URL("../..", import.meta.url).pathname;
    const secrets = {
      "the chosen name": CHOSEN,
      "the random name": swissnum,
      "the folder": folder,
      ...keyParts(tub),
    };
    checkAbsent(secrets, sent, "what was sent");
    assert(!sent.includes(cwd) && !sent.includes("file://"), "a path is seen in what was sent");
  }));
