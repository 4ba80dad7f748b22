import type { BrokenImage, Dataset } from "./dataset.ts";
import { type Statistics, trainingStatistics } from "./statistics.ts";

/** What there is to know of a set before training on it. */
export interface DataSummary {
  readonly side: number;
  readonly channels: number;
  /** Null where the data has no test split. */
  readonly images: {
    readonly train: number;
    readonly validation: number;
    readonly test: number | null;
  };
  /** By class, in the order of the labels; null as above. */
  readonly classes: readonly {
    readonly name: string;
    readonly train: number;
    readonly validation: number;
    readonly test: number | null;
  }[];
  /** Bytes of all records. */
  readonly bytes: number;
  /** Of the training split's pixels, 0 to 255. */
  readonly colors: Omit<Statistics, "meanImage">;
  readonly broken: readonly BrokenImage[];
  readonly warnings: readonly string[];
  readonly fingerprint: string;
}

/** A class with fewer than this share of the average class's images is worth a warning. */
const SMALL_CLASS = 0.1;

/** @throws {RangeError} the training split is empty. */
export function summarize(dataset: Dataset): DataSummary {
  const { classes, side, channels, train, validation, test, broken, fingerprint } = dataset;
  const counts = [train, validation, test].map((split) => {
    if (split === null) return null;
    const byClass = new Uint32Array(classes.length);
    for (const label of split.labels) byClass[label]!++;
    return byClass;
  });
  const rows = classes.map((name, label) => {
    const [inTrain, inValidation, inTest] = counts.map((byClass) => byClass?.[label] ?? null);
    return { name, train: inTrain!, validation: inValidation!, test: inTest! };
  });
  const { meanImage: _, ...colors } = trainingStatistics(dataset);
  const images = train.count + validation.count + (test?.count ?? 0);
  return {
    side,
    channels,
    images: {
      train: train.count,
      validation: validation.count,
      test: test?.count ?? null,
    },
    classes: rows,
    bytes: images * train.source.recordBytes,
    colors,
    broken,
    warnings: [...dataset.warnings, ...warnUnbalanced(rows, train.count)],
    fingerprint,
  };
}

function warnUnbalanced(rows: DataSummary["classes"], trainingImages: number): string[] {
  const average = trainingImages / rows.length;
  const small = rows.filter(({ train }) => train < SMALL_CLASS * average);
  const unmeasured = rows.filter(({ validation }) => validation === 0);
  const list = (some: DataSummary["classes"]) =>
    some.slice(0, 5).map(({ name, train }) => `${name} (${train})`).join(", ") +
    (some.length > 5 ? ` and ${some.length - 5} more` : "");
  return [
    ...small.length > 0
      ? [`Classes with less than a tenth of the average's training images: ${list(small)}`]
      : [],
    ...unmeasured.length > 0 ? [`Classes without a validation image: ${list(unmeasured)}`] : [],
  ];
}
