/**
 * What a program may say about the store of a Tub's grants.
 *
 * @module
 */

/** Options of `Tub.create({ store })`, or only the file. */
export interface StoreOptions {
  /** The SQLite file. If there is none, it is made, readable by its owner only. Two more, `-wal` and `-shm`, may stand beside it. */
  readonly file: string | URL;
  /**
   * What everything that was written survives: `"power-loss"`, where each change waits some milliseconds for the disk, or
   * `"crash"`, where it survives the end of the process, however that comes, in some 50 µs; after a power loss the last
   * changes may be undone, and the file is whole.
   *
   * @default "power-loss"
   */
  readonly survives?: "power-loss" | "crash" | undefined;
  /**
   * How many calls of a capability with `maxCalls` are written down at once. With 1 the number is exact. With more, only one
   * call in as many waits for the disk, and after a crash up to as many less one are lost to the holders; never are there
   * more than `maxCalls`.
   *
   * @default 1
   */
  readonly countAhead?: number | undefined;
}
