/** What probabilities say about a split whose labels are known. */
import { wilsonInterval } from "./wilson.ts";

/** One bin of a reliability diagram. */
export interface CalibrationBin {
  readonly images: number;
  /** Mean probability of the first answer, and the share of first answers that were right. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface ClassScore {
  readonly images: number;
  /** How often the class was the first answer. */
  readonly predicted: number;
  /** Fractions of the images; null where the class has none. */
  readonly top1Error: number | null;
  readonly top5Error: number | null;
  /** Share of the first answers that were right; null where it was never the first answer. */
  readonly precision: number | null;
}

/** An image whose first answer is wrong. */
export interface Mistake {
  /** Place in the split. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  readonly predictedProbability: number;
  readonly labelProbability: number;
}

export interface Scores {
  readonly images: number;
  /** Mean negative log-likelihood of the labels, nats. */
  readonly loss: number;
  /** Fractions of the images, with 95 % intervals. */
  readonly top1Error: number;
  readonly top1Interval: readonly [number, number];
  readonly top5Error: number;
  readonly top5Interval: readonly [number, number];
  /** Expected calibration error: the mean gap of confidence and accuracy, weighted by images. */
  readonly calibrationError: number;
  readonly calibration: readonly CalibrationBin[];
  /** [label, first answer, images], only where there are any: 1,000 classes have a million cells. */
  readonly confusion: readonly (readonly [number, number, number])[];
  readonly classes: readonly ClassScore[];
  /** The labels that were thought least probable come first. */
  readonly worst: readonly Mistake[];
}

/** Guo et al., "On Calibration of Modern Neural Networks", 2017: 15 bins of equal width. */
const CALIBRATION_BINS = 15;
const MOST_MISTAKES = 24;
/** A probability below what float32 holds would make the mean infinite: it counts as 87 nats. */
const SMALLEST_NORMAL = 2 ** -126;

/** Place of the label among the answers, 0 the first; ties count against it, as in the loss's kernel. */
export function rankOf(probabilities: Float32Array, label: number): number {
  const own = probabilities[label]!;
  let above = 0;
  for (let c = 0; c < probabilities.length; c++) {
    if (c !== label && probabilities[c]! >= own) above++;
  }
  return above;
}

/** The first answer: the lowest index among equals. */
function firstAnswer(probabilities: Float32Array): number {
  let best = 0;
  for (let c = 1; c < probabilities.length; c++) {
    if (probabilities[c]! > probabilities[best]!) best = c;
  }
  return best;
}

/**
 * @param probabilities [images, classes]
 * @param labels [images]
 * @throws {RangeError} without images, or where probabilities are no numbers.
 */
export function scoresOf(
  probabilities: Float32Array,
  labels: Uint32Array,
  classes: number,
): Scores {
  const images = labels.length;
  if (images === 0) throw new RangeError("Cannot evaluate: the split has no images");
  const tallies = Array.from({ length: classes }, () => ({
    ...{ images: 0, predicted: 0, right: 0, top1Errors: 0, top5Errors: 0 },
  }));
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ images: 0, sum: 0, right: 0 }));
  const confusion = new Map<number, number>();
  const mistakes: Mistake[] = [];
  let loss = 0;
  labels.forEach((label, index) => {
    const row = probabilities.subarray(index * classes, (index + 1) * classes);
    if (!row.every(Number.isFinite)) {
      throw new RangeError(`Cannot evaluate: the probabilities of image ${index} are no numbers`);
    }
    const predicted = firstAnswer(row);
    const [confidence, own] = [row[predicted]!, row[label]!];
    const rank = rankOf(row, label);
    loss -= Math.log(Math.max(own, SMALLEST_NORMAL));
    const tally = tallies[label]!;
    tally.images++;
    tally.top1Errors += rank >= 1 ? 1 : 0;
    tally.top5Errors += rank >= 5 ? 1 : 0;
    tallies[predicted]!.predicted++;
    if (predicted === label) tally.right++;
    const bin = bins[Math.min(CALIBRATION_BINS - 1, Math.floor(confidence * CALIBRATION_BINS))]!;
    bin.images++;
    bin.sum += confidence;
    bin.right += predicted === label ? 1 : 0;
    const cell = label * classes + predicted;
    confusion.set(cell, (confusion.get(cell) ?? 0) + 1);
    if (predicted !== label) {
      const [predictedProbability, labelProbability] = [confidence, own];
      mistakes.push({ index, label, predicted, predictedProbability, labelProbability });
    }
  });
  const top1Errors = tallies.reduce((sum, tally) => sum + tally.top1Errors, 0);
  const top5Errors = tallies.reduce((sum, tally) => sum + tally.top5Errors, 0);
  return {
    images,
    loss: loss / images,
    top1Error: top1Errors / images,
    top1Interval: wilsonInterval(top1Errors, images),
    top5Error: top5Errors / images,
    top5Interval: wilsonInterval(top5Errors, images),
    ...calibrationOf(bins, images),
    confusion: [...confusion].sort(([a], [b]) => a - b)
      .map(([cell, count]) => [Math.floor(cell / classes), cell % classes, count]),
    classes: tallies.map((tally) => ({
      images: tally.images,
      predicted: tally.predicted,
      top1Error: shareOf(tally.top1Errors, tally.images),
      top5Error: shareOf(tally.top5Errors, tally.images),
      precision: shareOf(tally.right, tally.predicted),
    })),
    worst: mistakes.sort(byLikelihood).slice(0, MOST_MISTAKES),
  };
}

function calibrationOf(
  bins: readonly { images: number; sum: number; right: number }[],
  images: number,
): Pick<Scores, "calibration" | "calibrationError"> {
  const gaps = bins.map(({ sum, right }) => Math.abs(sum - right));
  return {
    calibrationError: gaps.reduce((sum, gap) => sum + gap, 0) / images,
    calibration: bins.map((bin) => ({
      images: bin.images,
      confidence: shareOf(bin.sum, bin.images) ?? 0,
      accuracy: shareOf(bin.right, bin.images) ?? 0,
    })),
  };
}

function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function byLikelihood(a: Mistake, b: Mistake): number {
  return a.labelProbability - b.labelProbability ||
    b.predictedProbability - a.predictedProbability || a.index - b.index;
}
