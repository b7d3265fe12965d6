/**
 * A small SOCKS5 server, for the examples that go by a proxy.
 *
 * @module
 */

/** A running proxy. */
export interface Proxy extends AsyncDisposable {
  /** Where it listens: `tcp:127.0.0.1:1080`. */
  readonly place: string;
}

/** Starts `microsocks`; where it is not installed, says so and gives `undefined`. */
export async function startMicrosocks(): Promise<Proxy | undefined> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  let child: Deno.ChildProcess;
  try {
    const args = ["-i", "127.0.0.1", "-p", String(port)];
    child = new Deno.Command("microsocks", { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  } catch (cause) {
    // A flag that is missing is another matter, and Deno's error names it.
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    if (Deno.env.get("CI") === "true") {
      throw new Error("microsocks is not installed, and CI needs it", { cause });
    }
    console.log("skipped: microsocks is not installed (apt-get install microsocks)");
    return undefined;
  }
  let hasEnded = false;
  void child.status.then(() => hasEnded = true);
  while (!await listens(port)) {
    if (hasEnded) throw new Error("microsocks has ended before it listened");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    place: `tcp:127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
    },
  };
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
