import { createHash } from "node:crypto";
import { join } from "node:path";
import { type BrokenImage, type Dataset, splitOf } from "../dataset.ts";
import type { Statistics } from "../statistics.ts";
import type { RecordSpec } from "../../../shared/image/preprocess.ts";
import { type PreparedIndex, readPreparedIndex } from "./prepared_index.ts";
import { openShards } from "./shard_source.ts";

export const BROKEN_FILE = "broken.jsonl";

export interface OpenPreparedOptions {
  /** What the records must be; any unless given. */
  side?: number;
  channels?: 1 | 3;
  /** Records that were prepared are cropped. */
  resize?: RecordSpec["resize"];
  /** See `ImageFolderOptions`; "together" is for folders. */
  splits?: "training" | "any" | "together";
}

/**
 * Opens a folder that `topfive prepare` made, or gives null where it is none. Pixels stay in the
 * files.
 *
 * @throws {RangeError} the records are not of the size that is asked for
 * @throws {Error} a file is missing or damaged, or a split that training needs is empty
 */
export async function openPrepared(
  folder: string,
  options: OpenPreparedOptions = {},
): Promise<Dataset | null> {
  const index = await readPreparedIndex(folder);
  if (index === null) return null;
  requireSize(folder, index, options);
  const { resize, splits = "training" } = options;
  if (resize === "squash") {
    throw new Error(
      `Cannot read prepared data: ${folder} has cropped records where squashed ones are asked for ` +
        "(name the folder of the images)",
    );
  }
  if (splits === "together") {
    throw new Error(
      `Cannot read prepared data: ${folder} has splits of its own (name one with --split)`,
    );
  }
  const open = ({ shards }: { shards: PreparedIndex["splits"]["train"]["shards"] }) =>
    splitOf(openShards(folder, shards, index));
  const { train, validation, test } = index.splits;
  for (const [name, { count }] of Object.entries({ train, validation })) {
    if (count > 0 || splits === "any") continue;
    throw new Error(
      `Cannot read prepared data: ${folder} has no ${name} images ` +
        `(prepare it from more, or with a larger --validation-share)`,
    );
  }
  return {
    classes: index.classes,
    side: index.side,
    channels: index.channels,
    train: open(train),
    validation: open(validation),
    test: test === null ? null : open(test),
    broken: await readBroken(folder),
    warnings: index.warnings,
    fingerprint: index.fingerprint,
    ...(index.content ? { contentFingerprint: index.content } : {}),
    statistics: await readStatistics(folder, index),
  };
}

function requireSize(folder: string, index: PreparedIndex, options: OpenPreparedOptions): void {
  const { side = index.side, channels = index.channels } = options;
  if (side === index.side && channels === index.channels) return;
  const describe = (side: number, channels: number) => `${side} x ${side} x ${channels}`;
  throw new RangeError(
    `Cannot read prepared data: ${folder} has records of ${describe(index.side, index.channels)} ` +
      `where ${describe(side, channels)} are asked for ` +
      `(topfive prepare --side ${side} --channels ${channels} makes those)`,
  );
}

async function readStatistics(folder: string, index: PreparedIndex): Promise<Statistics> {
  const { meanImage: { file, sha256 }, ...statistics } = index.statistics;
  const path = join(folder, file);
  const bytes = await Deno.readFile(path).catch((cause) => {
    throw new Error(`Cannot read ${path}: ${cause.message} (prepare the data again)`, { cause });
  });
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new SyntaxError(`Cannot read ${path}: its checksum is wrong (prepare the data again)`);
  }
  const view = new DataView(bytes.buffer);
  const meanImage = Float32Array.from(
    { length: bytes.length / 4 },
    (_, i) => view.getFloat32(4 * i, true),
  );
  return { ...statistics, meanImage };
}

async function readBroken(folder: string): Promise<BrokenImage[]> {
  const text = await Deno.readTextFile(join(folder, BROKEN_FILE)).catch(() => "");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
