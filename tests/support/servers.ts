/**
 * Servers of Debian's packages that tests run beside them: a SOCKS proxy, Tor, an I2P router.
 *
 * @module
 */

/** Longest wait for a server to listen, in milliseconds. */
const START_TIMEOUT_MS = 20_000;

const said = new Set<string>();

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of ["/usr/bin", "/usr/sbin"]) {
    try {
      await Deno.stat(`${folder}/${program}`);
      return true;
    } catch {
      // Not there.
    }
  }
  return false;
}

/**
 * Registers tests that need a program of a Debian package. Where that is missing they are ignored and one line says why,
 * except with `CI=true`, where they fail.
 */
export async function packageTests(
  program: string,
  register: (test: (name: string, fn: (t: Deno.TestContext) => Promise<void>) => void) => void,
): Promise<void> {
  if (await isInstalled(program)) return register((name, fn) => Deno.test(name, fn));
  if (Deno.env.get("CI") === "true") {
    return register((name) =>
      Deno.test(name, () => {
        throw new Error(
          `Cannot run: ${program} is missing, and CI=true needs it: apt-get install ${program}`,
        );
      })
    );
  }
  register((name, fn) => Deno.test({ name, fn, ignore: true }));
  if (said.has(program)) return;
  said.add(program);
  const why = `Tests with ${program} are ignored: it is not installed here (apt-get install ${program})\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(why));
}

/** A server that runs as long as it is not disposed. */
export interface Server extends AsyncDisposable {
  /** The port of 127.0.0.1 that it listens on. */
  readonly port: number;
}

/** A port that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * Starts a server and waits until it listens.
 *
 * @param argsFor The arguments for a port.
 * @param onDisposed Called when the process has ended.
 */
export async function startServer(
  program: string,
  argsFor: (port: number) => readonly string[],
  onDisposed: () => Promise<void> | void = () => {},
): Promise<Server> {
  const port = freePort();
  const child = new Deno.Command(program, {
    args: [...argsFor(port)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const server: Server = {
    port,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await child.status;
      await onDisposed();
    },
  };
  let hasEnded = false;
  void child.status.then(() => hasEnded = true);
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return server;
    } catch (error) {
      if (hasEnded || performance.now() > giveUpAt) {
        await server[Symbol.asyncDispose]();
        throw new Error(`Cannot start ${program}: it does not listen`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Starts Debian's small SOCKS5 server; with a login if one is given. */
export function startMicrosocks(login?: { username: string; password: string }): Promise<Server> {
  const more = login === undefined ? [] : ["-u", login.username, "-P", login.password];
  return startServer("microsocks", (port) => ["-i", "127.0.0.1", "-p", String(port), ...more]);
}

/** A running Tor, which has no network here. */
export interface TorServer extends Server {
  /** The port of 127.0.0.1 that its control port is on. */
  readonly controlPort: number;
}

/** Starts Tor with a control port. */
export async function startTor(...more: string[]): Promise<TorServer> {
  const folder = await Deno.makeTempDir();
  const socksPort = freePort();
  const server = await startServer("tor", (port) => [
    ...["-f", `${folder}/torrc`, "--ignore-missing-torrc", "--defaults-torrc", `${folder}/none`],
    ...[
      "--DataDirectory",
      folder,
      "--SocksPort",
      `127.0.0.1:${socksPort}`,
      "--ControlPort",
      `127.0.0.1:${port}`,
    ],
    // Nothing goes out to the world.
    ...["--Socks5Proxy", "127.0.0.1:1", ...more],
  ], () => Deno.remove(folder, { recursive: true }));
  return {
    port: socksPort,
    controlPort: server.port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
