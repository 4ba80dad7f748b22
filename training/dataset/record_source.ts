/**
 * Where a split's pixels come from: memory, or files that are too large for it. A source is opened
 * from a description, which is plain data, so that a Worker can open the same one.
 * @module
 */

/** Fixed-size records with a label each, read in any order. */
export interface RecordSource {
  readonly count: number;
  /** side x side x channels, uint8. */
  readonly recordBytes: number;
  /** [count], index into the dataset's classes. */
  readonly labels: Uint32Array;
  /** What {@linkcode openRecordSource} opens this source from, in any thread. */
  readonly description: RecordSourceDescription;
  /**
   * Writes record `index` to `out` from `offset` on: a copy in memory or a positioned read, so that
   * it needs no waiting.
   */
  readInto(index: number, out: Uint8Array, offset: number): void;
  /** Releases files that the source holds open; it cannot be read afterwards. */
  close?(): void;
}

/** All records of a split in one piece of memory, shared between threads where that is shared. */
export interface MemoryDescription {
  readonly kind: "memory";
  readonly recordBytes: number;
  /** [count, recordBytes] */
  readonly records: Uint8Array;
  readonly labels: Uint32Array;
}

/** Records that stay in the shards of a prepared folder, see `shards/shard_format.ts`. */
export interface ShardsDescription {
  readonly kind: "shards";
  readonly folder: string;
  readonly recordBytes: number;
  /** [records of all shards] */
  readonly labels: Uint32Array;
  readonly shards: readonly {
    readonly file: string;
    readonly count: number;
    /** Where the first record begins in the file, bytes. */
    readonly recordsOffset: number;
  }[];
}

export type RecordSourceDescription = MemoryDescription | ShardsDescription;

/** A record as an array of its own. */
export function readRecord(source: RecordSource, index: number): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(source.recordBytes);
  source.readInto(index, record, 0);
  return record;
}
