/**
 * Two models asked about the same images. What counts are the images on which they disagree:
 *
 *     gained   right by the candidate, wrong by the champion
 *     lost     wrong by the candidate, right by the champion
 *
 * Whether the candidate is good enough is a question of non-inferiority: the hypothesis that it is
 * worse by the whole margin must be refuted. A test that merely fails to find a difference would
 * let anything pass on a small test set.
 *
 * - Tango, "Equivalence test and confidence interval for the difference in proportions for the
 *   paired-sample design", Statistics in Medicine 17, 1998: the score statistic for any supposed
 *   difference. At a difference of 0 it is McNemar's.
 * - McNemar, "Note on the sampling error of the difference between correlated proportions or
 *   percentages", Psychometrika 12, 1947; exact and mid-p as in Fagerland, Lydersen and Laake, "The
 *   McNemar test for binary matched-pairs data", BMC Medical Research Methodology 13:91, 2013.
 *   The same authors' "Recommended tests and confidence intervals for paired binomial proportions",
 *   Statistics in Medicine 33, 2014, recommends mid-p for the test and Tango's for the interval.
 * @module
 */
import { upperQuantile, upperTail } from "./normal.ts";

/** How two models answered the same images. */
export interface PairedCounts {
  readonly images: number;
  readonly gained: number;
  readonly lost: number;
}

/**
 * Standard deviations by which the candidate's gain exceeds a supposed one (Tango's z). Where no
 * image speaks for or against the supposition it is 0.
 *
 * @param difference supposed share right of the candidate less that of the champion
 */
export function scoreOf({ images, gained, lost }: PairedCounts, difference: number): number {
  const surplus = gained - lost - images * difference;
  const variance = images *
    (2 * likeliestLost({ images, gained, lost }, difference) + difference * (1 - difference));
  if (variance > 0) return surplus / Math.sqrt(variance);
  return surplus === 0 ? 0 : Math.sign(surplus) * Infinity;
}

/**
 * Maximum-likelihood share of lost images, were the difference as supposed: the larger root of a
 * quadratic, in the form that cancels nothing.
 */
function likeliestLost({ images, gained, lost }: PairedCounts, difference: number): number {
  const a = 2 * images;
  const b = difference * (2 * images + lost - gained) - (gained + lost);
  const c = -lost * difference * (1 - difference);
  const root = Math.sqrt(Math.max(0, b * b - 4 * a * c));
  return b <= 0 ? (root - b) / (2 * a) : -2 * c / (b + root);
}

/** Chance of a gain this large, were the candidate worse by the whole margin; one-sided. */
export function nonInferiorityP(counts: PairedCounts, margin: number): number {
  return upperTail(scoreOf(counts, -margin));
}

/**
 * The differences that the images do not refute, each side at `significance` (0.05: a 90 %
 * interval, whose lower end is what a non-inferiority test at 0.05 compares with the margin).
 */
export function differenceInterval(
  counts: PairedCounts,
  significance: number,
): [number, number] {
  const z = upperQuantile(significance);
  return [boundOf(counts, z), boundOf(counts, -z)];
}

/** Where the score falls to `z`: it falls as the supposed difference grows. */
function boundOf(counts: PairedCounts, z: number): number {
  let [low, high] = [-1, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (scoreOf(counts, middle) > z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** McNemar's test, two-sided: chance of so uneven a split, were gains and losses equally likely. */
export function mcnemar({ gained, lost }: PairedCounts): { exact: number; midP: number } {
  const { tail, point } = fairCoin(Math.max(gained, lost), gained + lost);
  return { exact: Math.min(1, 2 * tail), midP: Math.min(1, 2 * tail - point) };
}

/** Mid-p of McNemar's test, one-sided: chance of so many losses, were gains as likely. */
export function lossMidP({ gained, lost }: PairedCounts): number {
  const { tail, point } = fairCoin(lost, gained + lost);
  return tail - point / 2;
}

/** Chances that `trials` tosses of a fair coin show at least, and exactly, `least` heads. */
function fairCoin(least: number, trials: number): { tail: number; point: number } {
  let logChance = -trials * Math.LN2;
  let [tail, point] = [0, 0];
  for (let heads = 0; heads <= trials; heads++) {
    if (heads > 0) logChance += Math.log((trials - heads + 1) / heads);
    if (heads < least) continue;
    const chance = Math.exp(logChance);
    if (heads === least) point = chance;
    tail += chance;
  }
  return { tail: Math.min(1, tail), point };
}

/**
 * Test images with which the same shares of gains and losses would have passed, rounded up, or null
 * where no number would: the loss seen is the margin or more.
 */
export function imagesNeeded(
  { images, gained, lost }: PairedCounts,
  { margin, significance }: { readonly margin: number; readonly significance: number },
): number | null {
  const shares = { gained: gained / images, lost: lost / images };
  if (shares.gained - shares.lost + margin < 1e-9) return null;
  const unit = scoreOf({ images: 1, ...shares }, -margin);
  return Math.ceil((upperQuantile(significance) / unit) ** 2);
}
