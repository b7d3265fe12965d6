/**
 * Deno permissions that are really lost, and command lines that are really run.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { attenuateFurl, PermissionDenied, type RemoteReference, type Tub } from "../../mod.ts";
import { failureText } from "../interop/introductions.ts";
import { rejection, startTub } from "../interop/rig.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";

const PROGRAM = new URL("./requiring_program.ts", import.meta.url);

interface Printed {
  readonly command: string;
  readonly furls: Readonly<Record<"registered" | "granted" | "root", string>>;
}

/** The program, running. */
class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly printed: Printed;

  private constructor(child: Deno.ChildProcess, printed: Printed) {
    this.#child = child;
    this.printed = printed;
  }

  /** Runs it, by a shell if it is one text. */
  static async start(command: string | readonly string[], folder: string): Promise<Running> {
    const isText = typeof command === "string";
    const child = new Deno.Command(isText ? "/bin/sh" : Deno.execPath(), {
      args: isText
        ? ["-c", `exec ${command} '${folder}'`]
        : ["run", "--no-prompt", ...command, PROGRAM.pathname, folder],
      env: {
        PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH") ?? ""}`,
        FOOLSCAP_TEST_VARIABLE: "value",
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    let text = "";
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes("\n")) break;
    }
    if (!text.includes("\n")) {
      await Promise.all([child.status, child.stdin.close()]);
      throw new TypeError(await stderr);
    }
    void stderr;
    return new Running(child, JSON.parse(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/data`);
    await Deno.writeTextFile(`${folder}/data/a.txt`, "alpha");
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function flagsFor(folder: string): string[] {
  return [
    "--allow-net=127.0.0.1",
    `--allow-read=${folder}`,
    `--allow-write=${folder}`,
    "--allow-env=FOOLSCAP_TEST_VARIABLE",
  ];
}

async function valueOf(tub: Tub, furl: string): Promise<unknown> {
  return await (await tub.getReference(furl)).callRemote("read");
}

Deno.test("denoRunCommand() of a Tub prints a command line with which it runs, and without a part of which it does not", async () => {
  await withFolder(async (folder) => {
    let command: string;
    {
      await using first = await Running.start(flagsFor(folder), folder);
      ({ command } = first.printed);
    }
    assert.equal(
      command,
      "deno run --no-prompt " +
        `--allow-read=${folder}/data,${folder}/reader.furl,${folder}/tub.pem ` +
        `--allow-write=${folder}/reader.furl,${folder}/tub.pem ` +
        `--allow-net=127.0.0.1 --allow-env=FOOLSCAP_TEST_VARIABLE ${PROGRAM.pathname}`,
    );
    {
      await using again = await Running.start(command, folder);
      assert.equal(again.printed.command, command);
      await using tub = await startTub();
      const { registered, granted } = again.printed.furls;
      assert.equal(await valueOf(tub, registered), "alpha");
      assert.equal(await valueOf(tub, granted), "value");
    }
    for (const flag of [" --allow-env=FOOLSCAP_TEST_VARIABLE", `${folder}/data,`, " --allow-net=127.0.0.1"]) {
      const error = await rejection(Running.start(command.replace(flag, ""), folder));
      assert.match(String(error), /PermissionDenied: Cannot (grant|register|listen).*run with '?--allow-/);
    }
  });
});

/** The last call of each, when the permission has gone, fails with this. */
const LOST = /Cannot call "read": the process lacks a Deno permission that it requires$/;

Deno.test("a permission that a process gives up fails the calls that need it, and no other", async () => {
  await withFolder(async (folder) => {
    await using server = await Running.start(flagsFor(folder), folder);
    const { registered, granted, root } = server.printed.furls;
    await using tub = await startTub();
    const control = await tub.getReference(root);
    const travelled = await control.callRemote("reader") as RemoteReference;
    const holders: Record<string, RemoteReference> = {
      registered: await tub.getReference(registered),
      granted: await tub.getReference(granted),
      travelled,
      "attenuated offline": await tub.getReference(attenuateFurl(registered, { methods: ["read"] })),
      "granted and attenuated offline": await tub.getReference(attenuateFurl(granted, { methods: ["read"] })),
    };
    for (const [what, ref] of Object.entries(holders)) {
      assert.match(String(await ref.callRemote("read")), /^(alpha|value)$/, what);
    }
    await control.callRemote("lose");
    for (const [what, ref] of Object.entries(holders)) {
      const error = await rejection(ref.callRemote("read"));
      assert.ok(error instanceof PermissionDenied, `${what}: ${error}`);
      assert.equal(error.limit, "requires", what);
      assert.match(error.message, LOST);
      const shown = Deno.inspect(error);
      assert.ok(!shown.includes(folder) && !shown.includes("FOOLSCAP_TEST_VARIABLE"), what);
    }
    assert.ok(await control.callRemote("reader"), "what needs nothing goes on");
  });
});

interopTest("a permission that a process gives up fails the calls of Python that need it", async () => {
  await withFolder(async (folder) => {
    await using server = await Running.start(flagsFor(folder), folder);
    const { registered, granted, root } = server.printed.furls;
    await using peer = await startPython();
    await peer.get(root, "root");
    await peer.get(registered, "registered");
    await peer.get(granted, "granted");
    await peer.get(attenuateFurl(registered, { methods: ["read"] }), "attenuated");
    await peer.callWith("root", "reader", { as: "travelled" });
    const names = ["registered", "granted", "attenuated", "travelled"];
    for (const name of names) {
      assert.deepEqual(await peer.call(name, "read"), { str: name === "granted" ? "value" : "alpha" });
    }
    await peer.call("root", "lose");
    for (const name of names) {
      const error = await rejection(peer.call(name, "read"));
      assert.ok(error instanceof PeerFailure);
      assert.match(failureText(error), LOST);
      assert.equal(error.failure.type, "javascript.PermissionDenied");
      assert.ok(error.failure.parents.includes("javascript.PermissionDenied.requires"), name);
      assert.ok(!JSON.stringify(error.failure).includes(folder));
    }
  });
});
