import { join } from "@std/path";
import type { RecordSource, ShardsDescription } from "../record_source.ts";
import { readFully, readShardHeader } from "./shard_format.ts";

/** Fewer than the 1,024 files that most systems let a process open. */
const MOST_OPEN_FILES = 256;

/** What an index says of a shard. */
interface ListedShard {
  readonly file: string;
  readonly count: number;
}

/**
 * Records that stay in a folder's shards and are read one by one where they are asked for; only
 * labels are in memory. Files are opened as they are needed and those that were not read for longest
 * are closed.
 */
export class ShardSource implements RecordSource {
  readonly description: ShardsDescription;
  readonly count: number;
  /** Of each shard, the place of its first record; then the number of all. */
  readonly #starts: number[];
  /** By shard, the one read last at the end. */
  readonly #open = new Map<number, Deno.FsFile>();

  constructor(description: ShardsDescription) {
    this.description = description;
    this.#starts = [0];
    for (const { count } of description.shards) this.#starts.push(this.#starts.at(-1)! + count);
    this.count = this.#starts.at(-1)!;
  }

  get recordBytes(): number {
    return this.description.recordBytes;
  }

  get labels(): Uint32Array {
    return this.description.labels;
  }

  /** @throws {Error} the file cannot be read, or ends before the record does */
  readInto(index: number, out: Uint8Array, offset: number): void {
    const { folder, shards, recordBytes } = this.description;
    const shard = this.#shardOf(index);
    const { file: name, recordsOffset } = shards[shard]!;
    const file = this.#file(shard);
    file.seekSync(
      recordsOffset + (index - this.#starts[shard]!) * recordBytes,
      Deno.SeekMode.Start,
    );
    if (readFully(file, out.subarray(offset, offset + recordBytes))) return;
    throw new Error(
      `Cannot read record ${index}: ${join(folder, name)} is cut off (prepare the data again)`,
    );
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }

  /** The last shard that begins at the record or before it. */
  #shardOf(index: number): number {
    if (!(index >= 0 && index < this.count)) {
      throw new RangeError(`Cannot read record ${index}: there are ${this.count}`);
    }
    let low = 0, high = this.#starts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle;
    }
    return low;
  }

  #file(shard: number): Deno.FsFile {
    const { folder, shards } = this.description;
    const file = this.#open.get(shard) ?? Deno.openSync(join(folder, shards[shard]!.file));
    this.#open.delete(shard);
    this.#open.set(shard, file);
    if (this.#open.size > MOST_OPEN_FILES) {
      const [[oldest, unused]] = this.#open as unknown as [[number, Deno.FsFile]];
      this.#open.delete(oldest);
      unused.close();
    }
    return file;
  }
}

/**
 * Opens the shards of a split: reads their headers and checks them against the index.
 *
 * @throws {Error} a shard is missing
 * @throws {SyntaxError} a shard is damaged, or is not the one that the index names
 */
export function openShards(
  folder: string,
  shards: readonly ListedShard[],
  { side, channels }: { side: number; channels: 1 | 3 },
): ShardSource {
  const total = shards.reduce((sum, { count }) => sum + count, 0);
  // Shared, so that a Worker that reads ahead has no copy.
  const labels = new Uint32Array(new SharedArrayBuffer(4 * total));
  let first = 0;
  const located = shards.map(({ file: name, count }) => {
    const path = join(folder, name);
    using file = openShard(path);
    const header = readShardHeader(file, path);
    if (
      header.side !== side || header.channels !== channels || header.labels.length !== count
    ) {
      throw new SyntaxError(
        `Cannot read shard ${path}: it holds ${header.labels.length} records of ` +
          `${header.side} x ${header.side} x ${header.channels} where the index says ${count} of ` +
          `${side} x ${side} x ${channels} (prepare the data again)`,
      );
    }
    labels.set(header.labels, first);
    first += count;
    return { file: name, count, recordsOffset: header.recordsOffset };
  });
  const recordBytes = side * side * channels;
  return new ShardSource({ kind: "shards", folder, recordBytes, labels, shards: located });
}

function openShard(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error(`Cannot read shard ${path}: it is missing (prepare the data again)`, { cause });
  }
}
