import { createHash } from "node:crypto";
import { Random, shuffle } from "../random.ts";
import { SHARD_VERSION } from "../dataset/shards/shard_format.ts";
import type { Source, SplitName } from "./sources/source.ts";

/** What decides the bytes that come out, besides the source. */
export interface PrepareSettings {
  /** Height and width of the records, pixels. */
  readonly side: number;
  readonly channels: 1 | 3;
  /** Of the order of the training images. */
  readonly seed: number;
  /** Of the images whose split the source does not say, 0 to 1. */
  readonly validationShare: number;
  readonly testShare: number;
  /** Most bytes of records in a shard. */
  readonly shardBytes: number;
  /** Images of more pixels count as broken. */
  readonly maxPixels: number;
}

export interface PlannedShard {
  readonly file: string;
  readonly split: SplitName;
  /** Places in the source's images, in the order of the records. */
  readonly images: Uint32Array;
}

export interface Plan {
  readonly shards: readonly PlannedShard[];
  /** By image of the source. */
  readonly splits: readonly SplitName[];
  /** sha256 of the settings and of every image's name, label and place: the same plan, the same text. */
  readonly fingerprint: string;
}

export const SPLITS = ["train", "validation", "test"] as const;

/**
 * A split is at least this many shards where it has the images, so that many cores have work to the
 * end and little is done again after a kill.
 */
const SHARDS_WANTED = 64;
const FEWEST_IMAGES_A_SHARD = 16;

/** Whether an image's content decides its split. */
export function needsContent(
  { images }: Source,
  settings: PrepareSettings,
): (i: number) => boolean {
  const holdsOut = settings.validationShare > 0 &&
    !images.some(({ split }) => split === "validation");
  return (i) => {
    const { split } = images[i]!;
    return split === null || (split === "train" && holdsOut);
  };
}

/**
 * The split of each image: the source's where it has one, else by content: `parts` is the first bits
 * of the sha256 as a fraction, so that equal files fall on the same side. A class that would be left
 * without training images keeps all of its own for training.
 */
export function assignSplits(
  source: Source,
  settings: PrepareSettings,
  parts: Float64Array,
): SplitName[] {
  const { validationShare } = settings;
  const byContent = needsContent(source, settings);
  const hasTest = source.images.some(({ split }) => split === "test");
  const testEnd = validationShare + (hasTest ? 0 : settings.testShare);
  const splits = source.images.map(({ split }, i): SplitName => {
    if (!byContent(i)) return split!;
    if (parts[i]! < validationShare) return "validation";
    return split === null && parts[i]! < testEnd ? "test" : "train";
  });
  const trained = new Uint8Array(source.classes.length);
  source.images.forEach(({ label }, i) => splits[i] === "train" && (trained[label] = 1));
  source.images.forEach(({ label }, i) => {
    if (!trained[label] && byContent(i)) splits[i] = "train";
  });
  return splits;
}

/** Divides the images into shards; training images are shuffled once over all of them. */
export function makePlan(source: Source, settings: PrepareSettings, splits: SplitName[]): Plan {
  const { side, channels, seed, shardBytes } = settings;
  const most = Math.max(1, Math.floor(shardBytes / (side * side * channels)));
  const shards = SPLITS.flatMap((split) => {
    const count = splits.reduce((sum, each) => sum + Number(each === split), 0);
    const order = new Uint32Array(count);
    for (let i = 0, at = 0; i < splits.length; i++) if (splits[i] === split) order[at++] = i;
    if (split === "train") shuffle(order, new Random(seed));
    const size = Math.min(most, Math.max(FEWEST_IMAGES_A_SHARD, Math.ceil(count / SHARDS_WANTED)));
    return Array.from({ length: Math.ceil(count / size) }, (_, shard) => ({
      file: `${split}-${String(shard).padStart(5, "0")}.shard`,
      split,
      images: order.subarray(shard * size, (shard + 1) * size),
    }));
  });
  return { shards, splits, fingerprint: fingerprintOf(source, settings, splits) };
}

function fingerprintOf(source: Source, settings: PrepareSettings, splits: SplitName[]): string {
  const { kind, classes, raw, images } = source;
  const hash = createHash("sha256");
  hash.update(JSON.stringify({ SHARD_VERSION, settings, kind, classes, raw }));
  images.forEach(({ name, label, range }, i) =>
    hash.update(`${JSON.stringify(name)} ${label} ${splits[i]} ${range?.start} ${range?.end}\n`)
  );
  return hash.digest("hex");
}
