import { createHash } from "node:crypto";

/** Labelled images of one size, as bytes: what a loader cuts batches from. */
export interface Split {
  /** [count, side, side, channels], uint8, interleaved channels. */
  records: Uint8Array;
  /** [count], index into the dataset's classes. */
  labels: Uint32Array;
  count: number;
  /** [count], path of each image relative to the dataset, where there is one file an image. */
  files?: string[];
}

/** An image that could not be read, and why; it is in no split. */
export interface BrokenImage {
  file: string;
  reason: string;
}

export interface Dataset {
  /** Names by label; of a folder in code-unit order, so that labels are the same everywhere. */
  classes: string[];
  /** Height and width of every record, pixels. */
  side: number;
  channels: 1 | 3;
  train: Split;
  validation: Split;
  /** Null where the data has no test images of its own. */
  test: Split | null;
  broken: BrokenImage[];
  /** What a user should know before trusting a number, such as images that two splits share. */
  warnings: string[];
  /** sha256, hex, of classes, shape and every record and label: the same data, the same text. */
  fingerprint: string;
}

/** Mean and standard deviation by channel, in units of a byte (0 to 255). */
export interface ChannelStatistics {
  mean: number[];
  std: number[];
}

/**
 * Exact statistics over every pixel of a split, from a histogram a channel.
 *
 * @throws {RangeError} the split is empty or its records do not divide into channels
 */
export function channelStatistics(split: Split, channels: number): ChannelStatistics {
  const { records } = split;
  if (records.length === 0 || records.length % channels !== 0) {
    throw new RangeError(
      `Cannot compute channel statistics: ${records.length} bytes are not pixels of ${channels} channels`,
    );
  }
  const histograms = Array.from({ length: channels }, () => new Float64Array(256));
  histograms.forEach((histogram, channel) => {
    for (let i = channel; i < records.length; i += channels) histogram[records[i]!]!++;
  });
  const pixels = records.length / channels;
  const mean = histograms.map((histogram) =>
    histogram.reduce((sum, times, value) => sum + times * value, 0) / pixels
  );
  const std = histograms.map((histogram, channel) =>
    Math.sqrt(
      histogram.reduce((sum, times, value) => sum + times * (value - mean[channel]!) ** 2, 0) /
        pixels,
    )
  );
  return { mean, std };
}

/** The sha256 that names a dataset's content, see {@link Dataset.fingerprint}. */
export function fingerprintOf(dataset: Omit<Dataset, "fingerprint">): string {
  const hash = createHash("sha256");
  const { classes, side, channels, train, validation, test } = dataset;
  const counts = [train, validation, test].map((split) => split?.count ?? null);
  hash.update(JSON.stringify({ classes, side, channels, counts }));
  for (const split of [train, validation, test]) {
    if (split === null) continue;
    // Little-endian whatever the machine is, so that the same data has the same name everywhere.
    const labels = new DataView(new ArrayBuffer(split.count * 4));
    split.labels.forEach((label, i) => labels.setUint32(i * 4, label, true));
    hash.update(new Uint8Array(labels.buffer));
    hash.update(split.records);
  }
  return hash.digest("hex");
}
