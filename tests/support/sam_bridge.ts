/**
 * A SAM bridge that follows the specification to the letter, and leads to ports of this machine instead of I2P.
 *
 * @module
 */

/** A line-by-line record of one bridge. */
export interface SamBridge extends AsyncDisposable {
  /** The port of 127.0.0.1 that it listens on. */
  readonly port: number;
  /** Every command that came, in order. */
  readonly commands: string[];
  /** The sessions that are open, by their id. */
  readonly sessions: ReadonlyMap<string, Deno.Conn>;
}

/**
 * Starts a bridge.
 *
 * @param names The ports of 127.0.0.1 that names lead to.
 * @param version What it says that it speaks.
 */
export function startSamBridge(names: Record<string, number>, version = "3.3"): SamBridge {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const commands: string[] = [];
  const sessions = new Map<string, Deno.Conn>();
  const open = new Set<Deno.Conn>();
  const tasks = new Set<Promise<void>>();

  async function serve(conn: Deno.Conn): Promise<void> {
    const reply = (text: string) => conn.write(new TextEncoder().encode(`${text}\n`));
    const words = async () => {
      const line = await readLine(conn);
      commands.push(line);
      return line.split(" ");
    };
    let session: string | undefined;
    try {
      const hello = await words();
      if (hello[0] !== "HELLO" || hello[1] !== "VERSION") return;
      await reply(`HELLO REPLY RESULT=OK VERSION=${version}`);
      for (;;) {
        const [verb, what, ...rest] = await words();
        const field = (name: string) =>
          rest.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
        if (verb === "PONG") continue;
        if (verb === "SESSION" && what === "CREATE") {
          const id = field("ID") ?? "";
          if (sessions.has(id)) return void await reply("SESSION STATUS RESULT=DUPLICATED_ID");
          if (field("STYLE") !== "STREAM") {
            return void await reply('SESSION STATUS RESULT=I2P_ERROR MESSAGE="no \\"style\\""');
          }
          sessions.set(session = id, conn);
          await reply(`SESSION STATUS RESULT=OK DESTINATION=${"A".repeat(884)}`);
          await reply("PING 12345");
        } else if (verb === "NAMING" && what === "LOOKUP") {
          const name = field("NAME") ?? "";
          await reply(
            Object.hasOwn(names, name)
              ? `NAMING REPLY RESULT=OK NAME=${name} VALUE=dest~${names[name]}`
              : `NAMING REPLY RESULT=KEY_NOT_FOUND NAME=${name}`,
          );
        } else if (verb === "STREAM" && what === "CONNECT") {
          if (!sessions.has(field("ID") ?? "")) return void await reply("STREAM STATUS RESULT=INVALID_ID");
          const port = Number(field("DESTINATION")?.split("~")[1]);
          let far: Deno.Conn;
          try {
            far = await Deno.connect({ hostname: "127.0.0.1", port });
          } catch {
            return void await reply("STREAM STATUS RESULT=CANT_REACH_PEER");
          }
          open.add(far);
          await reply("STREAM STATUS RESULT=OK");
          await Promise.allSettled([
            conn.readable.pipeTo(far.writable),
            far.readable.pipeTo(conn.writable),
          ]);
          open.delete(far);
          return;
        } else return;
      }
    } catch {
      // The client has gone.
    } finally {
      if (session !== undefined) sessions.delete(session);
      open.delete(conn);
      close(conn);
    }
  }

  const accepting = (async () => {
    for await (const conn of listener) {
      open.add(conn);
      const task = serve(conn).finally(() => tasks.delete(task));
      tasks.add(task);
    }
  })();
  return {
    port: listener.addr.port,
    commands,
    sessions,
    async [Symbol.asyncDispose]() {
      listener.close();
      open.forEach(close);
      await Promise.allSettled([accepting, ...tasks]);
    },
  };
}

/** One byte at a time: what follows the line belongs to the stream. */
async function readLine(conn: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  let line = "";
  for (;;) {
    if (await conn.read(byte) === null) throw new Deno.errors.UnexpectedEof();
    if (byte[0] === 10) return line;
    line += String.fromCharCode(byte[0]!);
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // A stream of it has closed it.
  }
}
