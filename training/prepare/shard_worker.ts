import { createHash } from "node:crypto";
import { join } from "node:path";
import { decodeRecord, toRecord } from "../../shared/image/preprocess.ts";
import { messageOf } from "../../shared/message_of.ts";
import { encodeShardHeader, recordsOffsetFor } from "../dataset/shards/shard_format.ts";
import { StatisticsSums } from "../dataset/statistics.ts";
import { answerTasks } from "../dataset/worker_pool.ts";
import { writeFinished } from "./finished_shard.ts";
import type { RawLayout, SourceImage, SplitName } from "./sources/source.ts";
import { openSourceFiles, UnreadableFileError } from "./sources/source_files.ts";

export interface ShardTask {
  readonly address: string;
  readonly raw: RawLayout | null;
  readonly images: readonly Pick<SourceImage, "file" | "range" | "label">[];
  readonly split: SplitName;
  readonly file: string;
  readonly folder: string;
  readonly workFolder: string;
  readonly side: number;
  readonly channels: 1 | 3;
  readonly maxPixels: number;
  /** [images done, images broken] of all Workers. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

answerTasks(async (task: ShardTask): Promise<null> => {
  const { folder, workFolder, file } = task;
  const partial = join(workFolder, `${file}.partial`);
  const written = await writeRecords(task, partial);
  let whole = { bytes: 0, sha256: "" };
  if (written.count > 0) {
    whole = await hashFile(partial);
    await Deno.rename(partial, join(folder, file));
  } else {
    await Deno.remove(partial);
  }
  const { count, hashes, broken, sums } = written;
  await writeFinished(workFolder, { file, count, ...whole, hashes, broken }, sums);
  return null;
});

/** One record after the other: memory holds one image, whatever the size of the shard. */
async function writeRecords(task: ShardTask, path: string) {
  const { images, side, channels, progress } = task;
  const files = openSourceFiles(task.address);
  const recordBytes = side * side * channels;
  const recordsOffset = recordsOffsetFor(images.length);
  const sums = task.split === "train" ? new StatisticsSums(recordBytes, channels) : null;
  const labels: number[] = [], hashes: string[] = [];
  const broken: [number, string][] = [];
  try {
    using file = await Deno.open(path, { write: true, create: true, truncate: true });
    await file.seek(recordsOffset, Deno.SeekMode.Start);
    for (const [i, image] of images.entries()) {
      const { hash, record } = await readImage(task, files, image);
      hashes.push(hash);
      if (record instanceof Uint8Array) {
        sums?.add(record);
        labels.push(image.label);
        writeFully(file, record);
      } else {
        broken.push([i, record.reason]);
        Atomics.add(progress, 1, 1);
      }
      Atomics.add(progress, 0, 1);
    }
    await file.seek(0, Deno.SeekMode.Start);
    const header = { side, channels, labels: Uint32Array.from(labels), recordsOffset };
    writeFully(file, encodeShardHeader(header));
    await file.syncData();
  } finally {
    files.close();
  }
  return { count: labels.length, hashes, broken, sums };
}

async function readImage(
  { raw, side, channels, maxPixels }: ShardTask,
  files: ReturnType<typeof openSourceFiles>,
  { file, range }: Pick<SourceImage, "file" | "range">,
): Promise<{ hash: string; record: Uint8Array | { reason: string } }> {
  let hash = "";
  try {
    const bytes = await files.read(file, range);
    hash = createHash("sha256").update(bytes).digest("hex");
    const record = raw
      ? toRecord(rawImage(bytes, raw), { side, channels })
      : await decodeRecord(bytes, { side, channels }, { maxPixels });
    return { hash, record };
  } catch (error) {
    // Before there is a hash only the source's own complaint is about this image alone.
    if (hash === "" && !(error instanceof UnreadableFileError)) throw error;
    return { hash, record: { reason: messageOf(error) } };
  }
}

/** Pixels as they are stored, with a pixel's channels side by side. */
function rawImage(bytes: Uint8Array, { width, height, channels, order }: RawLayout) {
  const pixels = width * height;
  if (bytes.length !== pixels * channels) {
    throw new RangeError(
      `Cannot read pixels: ${bytes.length} bytes (expected ${pixels * channels})`,
    );
  }
  if (order === "interleaved") return { width, height, channels, data: bytes };
  const data = new Uint8Array(bytes.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < pixels; i++) data[i * channels + channel] = bytes[channel * pixels + i]!;
  }
  return { width, height, channels, data };
}

function writeFully(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  using file = await Deno.open(path);
  for await (const chunk of file.readable) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}
