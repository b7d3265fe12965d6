/**
 * A socket to an IPv6 address with a zone (`fe80::1%eth0`), which `node:net` of Deno cannot dial and
 * `Deno.connect` can.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { toError } from "../errors.ts";

const READ_BYTES = 64 * 1024;

/**
 * Dials, and gives the socket as a node stream.
 *
 * @param host An IPv6 address with its zone, without brackets.
 * @throws What `Deno.connect` throws; the reason of `signal`, when it fires first.
 */
export async function dialScoped(
  host: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<Duplex> {
  const connection = await Deno.connect({
    hostname: host,
    port,
    ...(signal === undefined ? {} : { signal }),
  });
  connection.setNoDelay(true);
  return new Duplex({
    read() {
      const room = new Uint8Array(READ_BYTES);
      connection.read(room).then(
        (length) => this.push(length === null ? null : room.slice(0, length)),
        (error) => this.destroy(toError(error)),
      );
    },
    write(chunk: Uint8Array, _encoding, callback) {
      writeAll(connection, chunk).then(() => callback(), (error) => callback(toError(error)));
    },
    final(callback) {
      connection.closeWrite().then(() => callback(), () => callback());
    },
    destroy(error, callback) {
      connection.close();
      callback(error);
    },
  });
}

async function writeAll(connection: Deno.Conn, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength;) at += await connection.write(chunk.subarray(at));
}
