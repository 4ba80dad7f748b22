import { type Precision, roundingOf } from "../gpu/precision.ts";

/**
 * How far two ways to sum the same products in float32 may lie apart, as a share of the largest
 * result. Rounding grows as the square root of the number of terms; 1e-5 covers few terms, where
 * one result may be much smaller than what it is summed from. A result that is stored in float16 may be
 * rounded to either neighbour.
 */
export function errorBound(terms: number, stored: Precision = "f32"): number {
  const rounding = stored === "f32" ? 0 : 2 * roundingOf(stored);
  return 1e-5 + 2 ** -23 * Math.sqrt(terms) + rounding;
}

/** max |actual - expected| as a share of max |expected|; NaN where either holds one. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // Written so that NaN stays.
    if (!(difference <= worst)) worst = difference;
    if (Number.isNaN(worst)) return Number.NaN;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return largest === 0 ? (worst === 0 ? 0 : Infinity) : worst / largest;
}
