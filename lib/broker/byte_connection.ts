/**
 * What a broker needs of the connection below it: the part of `lib/transport`'s contract that it uses.
 *
 * @module
 */

/** One end of an open byte stream, as `Connection` in `lib/transport/transport.ts` describes it. */
export interface ByteConnection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): Promise<void>;
}
