/**
 * A shard: a file of records of one size with their labels in front.
 *
 *     0   8  "TOPFIVE\n"
 *     8   4  version of the format, 1
 *     12  4  side, pixels
 *     16  4  channels, 1 or 3
 *     20  4  records
 *     24  4  where the first record begins, a multiple of 4096
 *     64     labels, 4 bytes each
 *            records [count, side, side, channels], uint8
 *
 * Numbers are little-endian; what is not named is zero. The file ends with its last record.
 * @module
 */

export const SHARD_VERSION = 1;

export interface ShardHeader {
  readonly side: number;
  readonly channels: 1 | 3;
  /** [count], index into the dataset's classes. */
  readonly labels: Uint32Array;
  /** Where the first record begins, bytes. */
  readonly recordsOffset: number;
}

/** Of the fields before the labels. */
export const FIXED_BYTES = 64;

const MAGIC = new TextEncoder().encode("TOPFIVE\n");
/** Records begin on a page of memory, so that a file system can read them directly. */
const ALIGNMENT = 4096;

/** Where records begin in a shard of at most so many. */
export function recordsOffsetFor(count: number): number {
  return Math.ceil((FIXED_BYTES + 4 * count) / ALIGNMENT) * ALIGNMENT;
}

/** All that lies in front of the records. */
export function encodeShardHeader(header: ShardHeader): Uint8Array {
  const { side, channels, labels, recordsOffset } = header;
  const bytes = new Uint8Array(recordsOffset);
  bytes.set(MAGIC);
  const view = new DataView(bytes.buffer);
  [SHARD_VERSION, side, channels, labels.length, recordsOffset]
    .forEach((value, i) => view.setUint32(8 + 4 * i, value, true));
  labels.forEach((label, i) => view.setUint32(FIXED_BYTES + 4 * i, label, true));
  return bytes;
}

/**
 * Reads the header of an open shard and checks it against the file's length.
 *
 * @param path for messages
 * @throws {SyntaxError} it is no shard, of a version that is not read here, or cut off
 */
export function readShardHeader(file: Deno.FsFile, path: string): ShardHeader {
  const fail = (reason: string): never => {
    throw new SyntaxError(`Cannot read shard ${path}: ${reason} (prepare the data again)`);
  };
  const fixed = new Uint8Array(FIXED_BYTES);
  file.seekSync(0, Deno.SeekMode.Start);
  if (!readFully(file, fixed)) fail("it ends in its header");
  if (MAGIC.some((byte, i) => fixed[i] !== byte)) fail("it does not begin as a shard");
  const view = new DataView(fixed.buffer);
  const [version, side, channels, count, recordsOffset] = Array.from(
    { length: 5 },
    (_, i) => view.getUint32(8 + 4 * i, true),
  ) as [number, number, number, number, number];
  if (version !== SHARD_VERSION) {
    fail(`its format is version ${version} (expected ${SHARD_VERSION})`);
  }
  if (channels !== 1 && channels !== 3) fail(`it has ${channels} channels`);
  if (recordsOffset < FIXED_BYTES + 4 * count) fail("its labels overlap its records");
  const length = recordsOffset + count * side * side * channels;
  const { size } = file.statSync();
  if (size !== length) fail(`it has ${size} bytes (expected ${length})`);
  const packed = new Uint8Array(4 * count);
  if (!readFully(file, packed)) fail("it ends in its labels");
  const labelView = new DataView(packed.buffer);
  const labels = Uint32Array.from({ length: count }, (_, i) => labelView.getUint32(4 * i, true));
  return { side, channels: channels as 1 | 3, labels, recordsOffset };
}

/** Fills an array from where the file stands; false where the file ends before. */
export function readFully(file: Deno.FsFile, out: Uint8Array): boolean {
  for (let done = 0; done < out.length;) {
    const read = file.readSync(out.subarray(done));
    if (read === null) return false;
    done += read;
  }
  return true;
}
