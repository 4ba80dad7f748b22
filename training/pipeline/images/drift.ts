import { FEATURES } from "./image_record.ts";

/** How far new images differ from those that were known, in one respect. */
export interface Drift {
  readonly feature: typeof FEATURES[number];
  /** In standard deviations of the known images, signed. */
  readonly deviations: number;
}

interface Featured {
  readonly label: string;
  readonly features: readonly number[];
}

/**
 * The least that counts as a deviation of each feature: where all known images are alike to a hair,
 * as pictures of one size are, another hair is no drift.
 */
const LEAST_DEVIATIONS = [0.02, 0.02, 0.02, 0.01, 1];

/** Fewer say nothing about how images are taken. */
const FEWEST_NEW = 20;
const FEWEST_KNOWN = 10;

/**
 * Compares each new image with the known ones of its class, so that more roses than before are no
 * drift. Cohen's d: a difference of means in deviations, which does not grow with the number of
 * images as the certainty of a test does.
 *
 * @returns nothing where there are too few images to tell
 */
export function driftOf(known: readonly Featured[], fresh: readonly Featured[]): Drift[] {
  const byClass = Map.groupBy(known, ({ label }) => label);
  const compared = fresh.filter(({ label }) => (byClass.get(label)?.length ?? 0) >= FEWEST_KNOWN);
  if (compared.length < FEWEST_NEW) return [];
  return FEATURES.map((feature, f) => {
    const moments = new Map(
      [...byClass].map(([label, images]) => [label, momentsOf(images.map((i) => i.features[f]!))]),
    );
    let sum = 0;
    for (const { label, features } of compared) {
      const { mean, deviation } = moments.get(label)!;
      sum += (features[f]! - mean) / Math.max(deviation, LEAST_DEVIATIONS[f]!);
    }
    return { feature, deviations: sum / compared.length };
  });
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
