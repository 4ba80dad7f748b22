import { createHash } from "node:crypto";
import { MemorySource } from "./memory_source.ts";
import type { RecordSource } from "./record_source.ts";
import type { Statistics } from "./statistics.ts";

/** Labelled images of one size: what a loader cuts batches from. */
export interface Split {
  /** [count] records of [side, side, channels], uint8, interleaved channels. */
  readonly source: RecordSource;
  /** [count], index into the dataset's classes; those of the source. */
  readonly labels: Uint32Array;
  readonly count: number;
  /** [count], path of each image relative to the dataset, where there is one file an image. */
  readonly files?: string[];
}

/** A split of what a source holds. */
export function splitOf(source: RecordSource, files?: string[]): Split {
  const { labels, count } = source;
  return { source, labels, count, ...(files ? { files } : {}) };
}

/** A split of records [labels, side, side, channels] in memory. */
export function memorySplit(records: Uint8Array, labels: Uint32Array, files?: string[]): Split {
  return splitOf(new MemorySource(records, labels), files);
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
  /** The images by content alone, where each has a file; see `contentFingerprint`. */
  contentFingerprint?: string;
  /** Of the training split, where the data came with them; see `trainingStatistics`. */
  statistics?: Statistics;
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
    const record = new Uint8Array(split.source.recordBytes);
    for (let i = 0; i < split.count; i++) {
      split.source.readInto(i, record, 0);
      hash.update(record);
    }
  }
  return hash.digest("hex");
}
